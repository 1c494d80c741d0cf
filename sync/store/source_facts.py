"""Store what a source learned about a mailbox, so that the next sync knows it, in whichever worker it runs."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager

from integrations.ports import Learner, Source
from mailboxes.models import Mailbox
from sync.models import MailboxState
from sync.store.lease import Lease


@contextmanager
def remembered(source: Source, mailbox: Mailbox, lease: Lease) -> Iterator[None]:
    """Give the source the stored facts. When the sync ends, also by an error, store what the source learned.

    Args:
        source: The source of the sync. Only a `Learner` is affected.
        mailbox: The mailbox.
        lease: The lease of the sync.

    Yields:
        Nothing; the sync runs inside the context.
    """
    if not isinstance(source, Learner):
        yield
        return
    state = MailboxState.objects.filter(pk=mailbox.pk, lease_token=lease.token)
    known = state.values_list("learned", flat=True).first() or ""
    source.learned = known
    try:
        yield
    finally:
        if source.learned != known:
            state.update(learned=source.learned)
