"""Store what a source learned about a mailbox, so that the next sync can use it in any worker."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager

from integrations.ports import Learner, Source
from mailboxes.models import Mailbox
from sync.models import MailboxState
from sync.store.lease import Lease


@contextmanager
def stored_facts(source: Source, mailbox: Mailbox, lease: Lease) -> Iterator[None]:
    """Pass the stored fact to the source. When the sync ends, even with an error, store what the source learned.

    Args:
        source: The source of the sync. If it is not a `Learner`, nothing is done.
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
