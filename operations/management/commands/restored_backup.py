"""Mark every bucket as untrusted after the database was restored from a backup.

The backup does not contain the ledger entries of comments that were pushed after the backup was made. In an untrusted
bucket, each comment that is missing in the ledger is requested from Re:infer before it is pushed, so no comment is pushed
twice.
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
        "Run this after you restored the database from a backup. From then on, Re:infer is asked whether it has a comment "
        "already, before a comment that is missing in the ledger is sent."
    )

    def handle(self, *args: Any, **options: Any) -> None:
        """Mark the buckets.

        Args:
            *args: Unused.
            **options: The parsed options.
        """
        count = Bucket.objects.update(trusted=False)
        bucket_audit.accept(Bucket.objects.all())
        text = (
            f"Before a new comment is sent to one of the {count} buckets, Re:infer is asked from now on whether it has the "
            "comment already. Nothing is billed twice."
        )
        self.stdout.write(recorded(Actor.of_command("restored_backup"), text))
