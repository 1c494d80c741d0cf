"""What a source found out about a mailbox, kept from one sync to the next, whichever worker has it."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager

from integrations.ports import Learner, Source
from mailboxes.models import Mailbox
from sync.models import MailboxState
from sync.store.lease import Lease


@contextmanager
def remembered(source: Source, mailbox: Mailbox, lease: Lease) -> Iterator[None]:
    """Around a sync: tells the source what the last one found out, and writes down what this one did, however it ends."""
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
