"""Upgrade a mailbox whose last sync used another version of the fixed filter rules than this release.

The first sync of this release does not list everything again: every folder that was listed to its end keeps its cursor,
and a rescan reads the folders in parts during later syncs (`sync.engine.rescan`). The whole folder tree is requested
again, because the current rules may want folders that were not read before. Several workers can upgrade mailboxes at
the same time: each mailbox has its own lease, and the first stored time of a version is kept.
"""

from __future__ import annotations

import structlog
from django.db import transaction
from django.db.models import Q

from mailboxes import rules_versions
from mailboxes.models import Mailbox
from sync.engine.filter_digest import wanted_digest
from sync.engine.newly_wanted import Newly
from sync.models import FROM_THE_BEGINNING, MailboxItem, MailboxState, RulesAnswer, RulesTakenUp, SyncedFolder
from sync.store.lease import Lease

log = structlog.get_logger(__name__)


def take_up_rules(mailbox: Mailbox, lease: Lease) -> None:
    """Upgrade the mailbox to the current fixed rules if its last sync used another version.

    Call this function before a run reads anything.

    Args:
        mailbox: The mailbox of the run.
        lease: The lease of the run.

    Raises:
        LeaseLost: Another worker holds the lease.
    """
    version = rules_versions.current()
    outdated = MailboxState.objects.filter(pk=mailbox.pk, lease_token=lease.token).exclude(rules=version)
    if not outdated.exists():
        return
    with transaction.atomic():
        lease.demand()
        state = outdated.get()
        now = lease.clock()
        rows = [RulesTakenUp(version=change.version, at=now) for change in rules_versions.CHANGES]
        RulesTakenUp.objects.bulk_create(rows, ignore_conflicts=True)
        _keep_cursors(mailbox, max(state.rules, version))
        # A mailbox that was never synced needs no rescan: its first listing uses the current rules.
        values = {} if _was_synced(mailbox) else {"looked_for": version}
        outdated.update(rules=version, folders_cursor="", **values)
    log.info("sync.rules_taken_up", version=version)


def _keep_cursors(mailbox: Mailbox, newest: int) -> None:
    """Keep the cursors of folders for which only the fixed rules changed, and not the filter rules of the mailbox.

    A folder whose listing has not ended starts again, because the pages read so far were filtered by the old rules.
    """
    current = rules_versions.current()
    other_digests = [_digest(mailbox, version) for version in range(1, newest + 1) if version != current]
    same = SyncedFolder.objects.filter(mailbox=mailbox, wanted_digest__in=other_digests)
    same.filter(listing=True).update(**FROM_THE_BEGINNING)
    same.update(wanted_digest=_digest(mailbox, current), look_cursor="")


def _was_synced(mailbox: Mailbox) -> bool:
    started = SyncedFolder.objects.filter(~Q(cursor="") | Q(pages__gt=0), mailbox=mailbox)
    return started.exists() or MailboxItem.objects.filter(mailbox=mailbox).exists()


def _digest(mailbox: Mailbox, version: int) -> str:
    return wanted_digest(mailbox.rules(), bucket=f"{mailbox.bucket_id}", address=mailbox.address, version=version)


def newly_of(mailbox: Mailbox) -> Newly:
    """Return the stored state of the rescan of a mailbox, and the decisions on its newly wanted emails.

    Args:
        mailbox: The mailbox of the run.

    Returns:
        The state at the start of the run.
    """
    looked_for = MailboxState.objects.filter(pk=mailbox.pk).values_list("looked_for", flat=True).first()
    delivered = RulesAnswer.objects.filter(mailbox=mailbox, bring=True).values_list("version", flat=True)
    return Newly(
        looked_for=looked_for or 1,
        taken_up=dict(RulesTakenUp.objects.values_list("version", "at")),
        brought=frozenset(delivered),
    )
