"""Holds: what fails as a whole waits as a whole, with one probe, and tells its reason once."""

from __future__ import annotations

from datetime import datetime

from django.db.models import F, Q
from django.db.models.functions import Coalesce

from integrations.errors import IntegrationError, Scope, TooManyRefused
from integrations.models import Destination, Integration
from mailboxes.models import Bucket, Mailbox

HeldModel = type[Integration] | type[Destination] | type[Bucket]

PATHS = ("integration", "bucket__destination", "bucket")
"""From a mailbox to what can be held."""

LIFTED = {"held_since": None, "held_until": None, "held_kind": "", "held_detail": ""}


def held_by(mailbox: Mailbox, scope: Scope) -> Integration | Destination | Bucket | None:
    """The row that this scope means for this mailbox; None for the mailbox itself."""
    match scope:
        case Scope.CONNECTION:
            return mailbox.integration
        case Scope.DESTINATION:
            return mailbox.bucket.destination
        case Scope.BUCKET:
            return mailbox.bucket
    return None


def hold(row: Integration | Destination | Bucket, until: datetime, error: IntegrationError, now: datetime) -> None:
    type(row)._default_manager.filter(pk=row.pk).update(
        held_since=Coalesce(F("held_since"), now), held_until=until, held_kind=error.kind, held_detail=error.detail
    )


def ask_again(row: Integration | Destination | Bucket, at: datetime) -> None:
    """Let the next probe be sent no later than this."""
    type(row)._default_manager.filter(pk=row.pk, held_until__gt=at).update(held_until=at)


def ask_later(row: Integration | Destination | Bucket, at: datetime) -> None:
    """Let the next probe be sent no sooner than this."""
    type(row)._default_manager.filter(pk=row.pk, held_until__lt=at).update(held_until=at)


def lift(row: Integration | Destination | Bucket) -> bool:
    """Whether it was held."""
    return bool(type(row)._default_manager.filter(pk=row.pk).exclude(held_until=None).update(**LIFTED))


def lift_all(mailbox: Mailbox, accepted: int) -> None:
    """After a sync that worked: where its comments go, all works. `accepted`: comments that its bucket took; while it took
    none, nobody knows whether it still refuses almost all. The integration is not meant: see `sync.jobs.outcome`."""
    for row in (mailbox.bucket.destination, mailbox.bucket):
        if row.is_held and (accepted or row.held_kind != TooManyRefused.kind):
            lift(row)


def holds_back(mailbox: Mailbox) -> bool:
    """Whether anything that this mailbox hangs on is held."""
    return any(row.is_held for row in (mailbox.integration, mailbox.bucket.destination, mailbox.bucket))


def not_held(prefix: str = "") -> Q:
    """Mailboxes that nothing holds; with a prefix, rows that belong to one. A hold whose time has come lets nobody pass but
    the probe: see `claim_probe`."""
    return Q(**{f"{prefix}{path}__held_until": None for path in PATHS})


def give_probe_back(mailbox: Mailbox, now: datetime) -> None:
    """A probe was sent and came to nothing through a fault of our own: the next tick sends another one."""
    for row in (mailbox.integration, mailbox.bucket.destination, mailbox.bucket):
        type(row)._default_manager.filter(pk=row.pk, held_until__gt=now).update(held_until=now)


def claim_probe(row: Integration | Destination | Bucket, now: datetime, until: datetime) -> bool:
    """Of all dispatchers, one may send the probe: by moving the time of the hold on."""
    claimed = type(row)._default_manager.filter(pk=row.pk, held_until__lte=now).update(held_until=until)
    return bool(claimed)
