"""The sign-in budget: how many sign-ins of an account may be refused before this product stops signing in for a time.

A directory locks an account after too many refused sign-ins, even if each sign-in was for another mailbox. So refused
sign-ins are counted per account, over all mailboxes, workers, half-open trials, connection tests and integrations that
use the account. A sync that works runs no query of this module if no refused sign-in is counted for any account and the
circuit breaker of its integration is closed.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from secrets import token_hex

from django.conf import settings
from django.db import transaction
from django.utils.crypto import salted_hmac

from integrations.binding import normal_address
from integrations.errors import Evidence, IntegrationError, SignInPaused, error_of
from integrations.models import Integration
from sync.models import Account
from sync.store.lease import Clock, database_now

FIRST_LIMIT = 2
"""Refused sign-ins allowed in `FIRST_PERIOD`: one for the first mailbox, and one for the half-open trial."""
FIRST_PERIOD = timedelta(minutes=1)
"""The period after the first refused sign-in. If `REFUSED_SIGN_INS_WITHIN` is shorter, that period is used instead."""
LATER_LIMIT = 3
"""Refused sign-ins allowed within `REFUSED_SIGN_INS_WITHIN`, after `FIRST_PERIOD`."""


@dataclass(frozen=True, slots=True)
class Admission:
    """The permission to sign in.

    Attributes:
        account: Digest of the account.
        key: Identifies the attempt if it counts as refused until its result is known; otherwise empty.
    """

    account: str
    key: str = ""

    @property
    def is_counted(self) -> bool:
        """Whether the attempt counts as refused until its result is known."""
        return bool(self.key)


FREE = Admission("")
"""The permission while no refused sign-in is counted for any account."""


def allowed_at(times: Sequence[datetime], began: datetime, now: datetime, within: timedelta) -> datetime:
    """Return the earliest time at which one more refused sign-in does not exceed the limits.

    Args:
        times: When sign-ins were refused within the last `within`, in UTC.
        began: When the first of these sign-ins was refused, in UTC.
        now: The current time in UTC.
        within: The period of the later limit.

    Returns:
        `now` or a later time in UTC.
    """
    first_ends = began + min(FIRST_PERIOD, within)
    if now < first_ends:
        return now if len(times) < FIRST_LIMIT else first_ends
    later = sorted(at for at in times if at >= first_ends)
    return now if len(later) < LATER_LIMIT else max(now, later[-LATER_LIMIT] + within)


def admit(integration: Integration, key: str, now: datetime, *, doubtful: bool) -> Admission | datetime:
    """Decide whether a sign-in of an integration may start now.

    An attempt is counted only if the account may be at fault (`doubtful`, or `Account.doubted`) and the secret of the
    integration was refused before. A counted attempt counts as refused until `settle` is called, so that simultaneous
    attempts together stay within the budget.

    Args:
        integration: The integration that signs in.
        key: Identifies the attempt.
        now: The current time in UTC.
        doubtful: Whether the account may be at fault: the attempt is a half-open trial or a connection test, or the
            last sign-in for the same mailbox was refused.

    Returns:
        The permission, or the time in UTC from which the sign-in may start.
    """
    account, secret = account_of(integration), secret_of(integration)
    with transaction.atomic():
        row = Account.objects.select_for_update().filter(pk=account).first()
        if row is None:
            return Admission(account)
        recent = _recent(row, now)
        if not recent:
            row.delete()
            return Admission(account)
        if not (doubtful or row.doubted) or all(refusal["secret"] != secret for refusal in recent):
            return Admission(account)
        at = allowed_at([_time(refusal) for refusal in recent], row.began_at, now, settings.REFUSED_SIGN_INS_WITHIN)
        if at > now:
            return at
        row.refused = [*recent, {"at": now.isoformat(), "secret": secret, "key": key}]
        row.save(update_fields=["refused"])
    return Admission(account, key)


def settle(admission: Admission) -> None:
    """Stop counting an attempt that ended without a refusal. A refused attempt stays counted: see `refused`.

    Args:
        admission: The permission of the attempt.
    """
    if admission.is_counted:
        _forget(admission.account, lambda refusal: refusal.get("key") == admission.key)


def refused(integration: Integration, key: str, now: datetime, *, doubted: bool = True) -> None:
    """Count a refused sign-in.

    Args:
        integration: The integration whose sign-in was refused.
        key: The key that was passed to `admit`. An attempt is counted once.
        now: The current time in UTC.
        doubted: Whether the account may be at fault. Then all attempts with one of its refused secrets are counted from
            now on.
    """
    account, secret = account_of(integration), secret_of(integration)
    with transaction.atomic():
        Account.objects.get_or_create(pk=account, defaults={"began_at": now, "until": now})
        row = Account.objects.select_for_update().get(pk=account)
        recent = _recent(row, now)
        row.began_at = row.began_at if recent else now
        others = [refusal for refusal in recent if refusal.get("key") != key]
        row.refused = [*others, {"at": now.isoformat(), "secret": secret}]
        row.doubted = doubted or row.doubted
        row.until = now + settings.REFUSED_SIGN_INS_WITHIN
        row.save()


def record_success(integration: Integration) -> None:
    """Drop the counted refusals of a secret after a sign-in with this secret worked. The directory resets its count, too.

    Args:
        integration: The integration that signed in.
    """
    secret = secret_of(integration)
    _forget(account_of(integration), lambda refusal: refusal["secret"] == secret)


def drop_unused_secrets(integration: Integration) -> None:
    """For the account of an integration, drop the counted refusals of secrets that no integration uses any more.

    Call it when an integration was changed or started.

    Args:
        integration: The integration.
    """
    stored = Integration.objects.filter(pk=integration.pk).first()
    if stored is None or not Account.objects.exists():
        return
    account = account_of(stored)
    used = {secret_of(other) for other in Integration.objects.all() if account_of(other) == account}
    _forget(account, lambda refusal: refusal["secret"] not in used)


def forget_old(now: datetime) -> None:
    """Delete the rows of accounts without a refused sign-in within `REFUSED_SIGN_INS_WITHIN`.

    Args:
        now: The current time in UTC.
    """
    Account.objects.filter(until__lt=now).delete()


def _forget(account: str, matches: Callable[[dict[str, str]], bool]) -> None:
    """Drop the counted refusals of an account that match a condition."""
    with transaction.atomic():
        row = Account.objects.select_for_update().filter(pk=account).first()
        if row is None:
            return
        row.refused = [refusal for refusal in row.refused if not matches(refusal)]
        if row.refused:
            row.save(update_fields=["refused"])
        else:
            row.delete()


@dataclass(frozen=True, slots=True)
class SignInAttempt:
    """A sign-in outside of a sync.

    Attributes:
        integration: The integration that signs in.
        key: Identifies the attempt.
        clock: Returns the current time in UTC.
    """

    integration: Integration
    key: str
    clock: Clock

    def ended(self, kind: str) -> None:
        """Record the result of the sign-in: that it was refused, or that it worked.

        Other errors do not show whether the password is correct, and are not recorded.

        Args:
            kind: The kind of the error; empty when the sign-in worked.
        """
        error = error_of(kind)
        if error is not None and error.evidence is Evidence.PASSWORD:
            refused(self.integration, self.key, self.clock())
        elif not kind:
            record_success(self.integration)


@contextmanager
def counted(
    integration: Integration, clock: Clock = database_now, *, doubtful: bool = True, key: str = ""
) -> Iterator[SignInAttempt]:
    """Count a sign-in outside of a sync: a connection test, a preview or a verification.

    The caller reports the result with `SignInAttempt.ended`.

    Args:
        integration: The integration that signs in.
        clock: Returns the current time in UTC.
        doubtful: See `admit`.
        key: Identifies the attempt; random when empty.

    Yields:
        The attempt.

    Raises:
        SignInPaused: The budget of the account is used up.
    """
    key = key or token_hex(8)
    now = clock()
    admission = admit(integration, key, now, doubtful=doubtful)
    if isinstance(admission, datetime):
        raise paused_until(admission, now)
    try:
        yield SignInAttempt(integration, key, clock)
    finally:
        settle(admission)


@contextmanager
def counting(integration: Integration, clock: Clock = database_now) -> Iterator[None]:
    """Count a sign-in outside of a sync, and record the `IntegrationError` that the `with` block raises.

    A sign-in that worked is not recorded.

    Args:
        integration: The integration that signs in.
        clock: Returns the current time in UTC.

    Yields:
        Nothing.

    Raises:
        SignInPaused: The budget of the account is used up.
    """
    with counted(integration, clock) as attempt:
        try:
            yield
        except IntegrationError as error:
            attempt.ended(error.kind)
            raise


def paused_until(at: datetime, now: datetime) -> SignInPaused:
    """Return the error for a sign-in that may not start yet.

    Args:
        at: When the sign-in may start, in UTC.
        now: The current time in UTC.

    Returns:
        The error.
    """
    return SignInPaused(f"until {at.astimezone(UTC):%H:%M:%S} UTC", retry_after=at - now)


def account_of(integration: Integration) -> str:
    """Return a keyed digest of the account: the sign-in service or server, and the user or application.

    Args:
        integration: The integration.

    Returns:
        The primary key for `Account`.
    """
    by_password = integration.auth in (Integration.Auth.NTLM, Integration.Auth.BASIC, Integration.Auth.SERVICE_USER)
    user = integration.username if by_password else integration.client_id
    if integration.auth in (Integration.Auth.NTLM, Integration.Auth.BASIC):
        service, user = normal_address(integration.endpoint), _user_name(user)
    else:
        service = f"{normal_address(integration.authority)} {integration.tenant_id.strip()}"
    return _digest(f"{service.casefold()} {user.strip().casefold()}")


def _user_name(user: str) -> str:
    r"""Return the user name without its domain.

    `BANK\svc` and `svc@bank.example` can be the same account, and only the directory can map one domain to the other.
    Counting two accounts as one is harmless, because a sign-in is delayed only if its own secret was refused before.
    """
    return user.rpartition("\\")[2].partition("@")[0]


def secret_of(integration: Integration) -> str:
    """Return a keyed digest of the secrets that an integration signs in with.

    Args:
        integration: The integration.

    Returns:
        The digest; empty when there is no secret, or it cannot be decrypted.
    """
    try:
        opened = [integration.opened(name) for name in sorted(integration.places())]
    except IntegrationError:
        return ""
    return _digest("\0".join(opened)) if any(opened) else ""


def _digest(text: str) -> str:
    return salted_hmac("sync.accounts", text, algorithm="sha256").hexdigest()


def _recent(row: Account, now: datetime) -> list[dict[str, str]]:
    return [refusal for refusal in row.refused if _time(refusal) > now - settings.REFUSED_SIGN_INS_WITHIN]


def _time(refusal: dict[str, str]) -> datetime:
    return datetime.fromisoformat(refusal["at"])
