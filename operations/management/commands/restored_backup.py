"""Mark every bucket as untrusted after the database was restored from a backup.

The next syncs request from Re:infer the comments that were pushed after the backup, and do not push them again.
"""

from __future__ import annotations

from typing import Any

from django.core.management.base import BaseCommand

from mailboxes.models import Bucket
from operations.actor import Actor
from operations.results import recorded
from sync.jobs import bucket_audit


class Command(BaseCommand):
    """The `restored_backup` command."""

    help = (
        "Run this after you restored the database from a backup. Each bucket is checked for comments that are missing in "
        "the ledger."
    )

    def handle(self, *args: Any, **options: Any) -> None:
        """Mark the buckets.

        Args:
            *args: Unused.
            **options: The parsed options.
        """
        count = Bucket.objects.update(trusted=False)
        bucket_audit.accept(Bucket.objects.all())
        text = f"{count} buckets are checked from now on before anything is sent to them. Nothing is billed twice."
        self.stdout.write(recorded(Actor.of_command("restored_backup"), text))
