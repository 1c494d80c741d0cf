"""Two events that a seed can contain: an upgrade from a version without the property `Mailbox ID`, and a restored backup.

Nobody runs `manage.py restored_backup` after the restore.
"""

from __future__ import annotations

from collections.abc import Collection, Iterator, Mapping
from dataclasses import dataclass, field
from random import Random
from typing import Any

from django.db import connection

from integrations.reinfer.payload import read_comment
from mailboxes.models import Bucket
from simulators.reinfer import ReinferSimulator
from simulators.reinfer.comments import Outcome, StoredComment
from sync.engine.reconcile import properties_digest
from sync.models import LedgerEntry
from tests.sync.backups import Backup

MAILBOX_ID = "string:Mailbox ID"


@dataclass
class Past:
    random: Random
    has_older_version: bool
    has_backup: bool
    upgraded: bool = False
    backup: Backup | None = None
    known: Collection[str] = ()
    """Ids of the comments that are in the ledger of the backup."""
    came_back: bool = False
    unknown: Mapping[str, int] = field(default_factory=dict)
    """Ids of comments that were in the bucket but not in the ledger of the backup, and the number of pushes of each."""

    @classmethod
    def drawn(cls, seed: int) -> Past:
        random = Random(f"past {seed}")
        # Only with PostgreSQL: the product detects a restore by a restart of the database server, and SQLite has no server.
        return cls(random, random.random() < 0.5, random.random() < 0.35 and connection.vendor == "postgresql")

    def happens(self, reinfer: ReinferSimulator, bucket: tuple[str, str], *, last: bool = False) -> Iterator[str]:
        """Let an event happen at random, and yield its description for the log. `last`: whether this is the last call."""
        comments = reinfer.sources[bucket].comments
        # The upgrade must happen before the backup: the ledger of an earlier backup would contain the new properties.
        may_be_older = self.has_older_version and not self.upgraded and self.backup is None
        if may_be_older and comments and (last or self.random.random() < 0.5):
            self.upgraded = True
            for comment in comments.values():
                _as_an_older_version_sent_it(comment)
            yield f"an older version had sent {len(comments)} comments"
        if not self.has_backup or self.came_back:
            return
        if self.backup is None:
            # Wait until the bucket is trusted. Otherwise, the restored product would ask Re:infer for each comment before it
            # pushes the comment, and the restore would test nothing.
            if Bucket.objects.filter(trusted=True).exists() and self.random.random() < 0.7:
                self.backup = Backup()
                self.known = set(LedgerEntry.objects.values_list("comment_id", flat=True))
                yield "a backup is made"
            return
        unknown = {comment.id: len(comment.history) for comment in comments.values() if comment.id not in self.known}
        if last or (unknown and self.random.random() < 0.5):
            self.backup.restore()
            self.came_back, self.unknown = True, unknown
            yield f"the backup is restored, without {len(unknown)} comments and without restored_backup"

    def complaints(self, reinfer: ReinferSimulator, bucket: tuple[str, str]) -> Iterator[str]:
        """Yield a violation for each comment that was pushed again, unchanged, although it was in the bucket."""
        comments = reinfer.sources[bucket].comments
        for comment_id, sent in self.unknown.items():
            again = [write.outcome for write in comments[comment_id].history[sent:]]
            if again[:1] == [Outcome.UNCHANGED]:
                yield f"{bytes.fromhex(comment_id).decode(errors='replace')} was pushed again although it was in the bucket"


def _as_an_older_version_sent_it(comment: StoredComment) -> None:
    before = properties_digest(read_comment(comment.content))
    comment.content = {**comment.content, "user_properties": _without(comment.content["user_properties"])}
    rows = LedgerEntry.objects.filter(comment_id=comment.id)
    rows.update(properties_version=0)
    rows.filter(properties_digest=before).update(properties_digest=properties_digest(read_comment(comment.content)))


def _without(properties: Mapping[str, Any]) -> dict[str, Any]:
    return {name: value for name, value in properties.items() if name != MAILBOX_ID}
