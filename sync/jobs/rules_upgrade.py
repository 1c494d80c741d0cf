"""A mailbox that was synced by an older version of the fixed rules than this release follows.

The first sync by the newer ones changes what is remembered so that nothing is listed again at once: every folder keeps its
cursor, and the folders are looked through beside the syncs (`sync.engine.rescan`). The tree is told anew, since folders
may be read that were not. Where several workers begin at once, each mailbox has its lease, and of a version's moment
only the first counts.
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
    """Before a run reads anything: where the mailbox was synced by other rules, let it be synced by the present ones."""
    version = rules_versions.current()
    other = MailboxState.objects.filter(pk=mailbox.pk, lease_token=lease.token).exclude(rules=version)
    if not other.exists():
        return
    with transaction.atomic():
        lease.demand()
        state = other.get()
        now = lease.clock()
        moments = [RulesTakenUp(version=change.version, at=now) for change in rules_versions.CHANGES]
        RulesTakenUp.objects.bulk_create(moments, ignore_conflicts=True)
        _keep_cursors(mailbox, max(state.rules, version))
        # What was never synced is new: all that it holds was asked for.
        values = {} if _was_synced(mailbox) else {"looked_for": version}
        other.update(rules=version, folders_cursor="", **values)
    log.info("sync.rules_taken_up", version=version)


def _keep_cursors(mailbox: Mailbox, newest: int) -> None:
    """Of folders for which the same was wanted, by other rules. One in the middle of its first listing begins again: what was
    read of it was not looked through."""
    present = rules_versions.current()
    former = [_digest(mailbox, version) for version in range(1, newest + 1) if version != present]
    same = SyncedFolder.objects.filter(mailbox=mailbox, wanted_digest__in=former)
    same.filter(listing=True).update(**FROM_THE_BEGINNING)
    same.update(wanted_digest=_digest(mailbox, present), look_cursor="")


def _was_synced(mailbox: Mailbox) -> bool:
    begun = SyncedFolder.objects.filter(~Q(cursor="") | Q(pages__gt=0), mailbox=mailbox)
    return begun.exists() or MailboxItem.objects.filter(mailbox=mailbox).exists()


def _digest(mailbox: Mailbox, version: int) -> str:
    return wanted_digest(mailbox.rules(), bucket=f"{mailbox.bucket_id}", address=mailbox.address, version=version)


def newly_of(mailbox: Mailbox) -> Newly:
    """What is known of it when a sync begins."""
    looked_for = MailboxState.objects.filter(pk=mailbox.pk).values_list("looked_for", flat=True).first()
    brought = RulesAnswer.objects.filter(mailbox=mailbox, bring=True).values_list("version", flat=True)
    return Newly(
        looked_for=looked_for or 1,
        taken_up=dict(RulesTakenUp.objects.values_list("version", "at")),
        brought=frozenset(brought),
    )
