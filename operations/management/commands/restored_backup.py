"""To be run after the database came back from a backup: what was sent since then is asked for, and not sent again."""

from __future__ import annotations

from typing import Any

from django.core.management.base import BaseCommand

from mailboxes.models import Bucket
from sync.jobs import bucket_audit


class Command(BaseCommand):
    help = "Say that the database came from a backup: each bucket is asked for what the ledger does not know of it."

    def handle(self, *args: Any, **options: Any) -> None:
        count = Bucket.objects.update(trusted=False)
        bucket_audit.accept(Bucket.objects.all())
        self.stdout.write(
            f"{count} buckets are asked from now on before anything is sent to them. Nothing is billed twice."
        )
