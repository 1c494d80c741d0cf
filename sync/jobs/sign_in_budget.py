"""How often an account may be refused before it is left alone: so that no account is ever locked out by this product.

What a directory locks is the account, whatever mailbox it wanted to read. So refused sign-ins are counted for each account,
over all mailboxes, workers, probes, tests and integrations that use it. While no secret is known to be refused, a sync neither
asks nor writes anything here.
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

AT_FIRST = 2
"""Refused sign-ins in the first minute: of the first mailbox, and of the one that is probed."""
FIRST = timedelta(minutes=1)
AFTER_THAT = 3
"""Refused sign-ins within `REFUSED_SIGN_INS_WITHIN`, behind the first minute."""


@dataclass(frozen=True, slots=True)
class Admission:
    """A sign-in that may take place. `key` is set where it is counted as long as nobody knows how it ends."""

    account: str
    key: str = ""

    @property
    def is_counted(self) -> bool:
        return bool(self.key)


FREE = Admission("")


def allowed_at(times: Sequence[datetime], began: datetime, now: datetime, within: timedelta) -> datetime:
    """When one more refused sign-in is no danger: `now` or later. `times`: when there were some, of the last `within`; `began`:
    when the first of them was."""
    first_ends = began + min(FIRST, within)
    if now < first_ends:
        return now if len(times) < AT_FIRST else first_ends
    later = sorted(at for at in times if at >= first_ends)
    return now if len(later) < AFTER_THAT else max(now, later[-AFTER_THAT] + within)


def admit(integration: Integration, key: str, now: datetime, *, doubtful: bool) -> Admission | datetime:
    """Whether a sign-in of this integration may begin now, or when. `key` names the attempt; `doubtful`: it is a probe, or the
    last one for the same mailbox was refused.

    An attempt is free while the account is not doubted, and with a secret that was not refused yet. Others are counted from
    here on, until `settle` says how they ended: so all attempts together stay within the budget.
    """
    account, secret = account_of(integration), secret_of(integration)
    with transaction.atomic():
        row = Account.objects.select_for_update().filter(pk=account).first()
        if row is None:
            return Admission(account)
        before = _recent(row, now)
        if not before:
            row.delete()
            return Admission(account)
        if not (doubtful or row.doubted) or all(one["secret"] != secret for one in before):
            return Admission(account)
        at = allowed_at([_time(one) for one in before], row.began_at, now, settings.REFUSED_SIGN_INS_WITHIN)
        if at > now:
            return at
        row.refused = [*before, {"at": now.isoformat(), "secret": secret, "key": key}]
        row.save(update_fields=["refused"])
    return Admission(account, key)


def settle(admission: Admission) -> None:
    """The attempt is over. One that was counted, and was not refused, is counted no longer."""
    if admission.is_counted:
        _forget(admission.account, lambda one: one.get("key") == admission.key)


def refused(integration: Integration, key: str, now: datetime, *, doubted: bool = True) -> None:
    """Count a refused sign-in. `key`: as for `admit`; an attempt is counted once. `doubted`: the account may be at fault, so
    that the others that use it are counted from now on, too."""
    account, secret = account_of(integration), secret_of(integration)
    with transaction.atomic():
        Account.objects.get_or_create(pk=account, defaults={"began_at": now, "until": now})
        row = Account.objects.select_for_update().get(pk=account)
        before = _recent(row, now)
        row.began_at = row.began_at if before else now
        row.refused = [one for one in before if one.get("key") != key] + [{"at": now.isoformat(), "secret": secret}]
        row.doubted = doubted or row.doubted
        row.until = now + settings.REFUSED_SIGN_INS_WITHIN
        row.save()


def worked(integration: Integration) -> None:
    """A new sign-in worked. The secret is right, and a directory counts anew from here on."""
    secret = secret_of(integration)
    _forget(account_of(integration), lambda one: one["secret"] == secret)


def entered(integration: Integration) -> None:
    """Somebody changed the integration, or started it: refusals of a secret that is used no longer do not count any more."""
    stored = Integration.objects.filter(pk=integration.pk).first()
    if stored is None or not Account.objects.exists():
        return
    account = account_of(stored)
    used = {secret_of(one) for one in Integration.objects.all() if account_of(one) == account}
    _forget(account, lambda one: one["secret"] not in used)


def forget_old(now: datetime) -> None:
    """Accounts that were not refused for long."""
    Account.objects.filter(until__lt=now).delete()


def _forget(account: str, which: Callable[[dict[str, str]], bool]) -> None:
    with transaction.atomic():
        row = Account.objects.select_for_update().filter(pk=account).first()
        if row is None:
            return
        row.refused = [one for one in row.refused if not which(one)]
        if row.refused:
            row.save(update_fields=["refused"])
        else:
            row.delete()


@dataclass(frozen=True, slots=True)
class SignInAttempt:
    """A sign-in beside the syncs."""

    integration: Integration
    key: str
    clock: Clock

    def ended(self, kind: str) -> None:
        """How it ended: the kind of the error, blank where it worked."""
        error = error_of(kind)
        if error is not None and error.evidence is Evidence.PASSWORD:
            refused(self.integration, self.key, self.clock())
        elif not kind:
            worked(self.integration)


@contextmanager
def counted(
    integration: Integration, clock: Clock = database_now, *, doubtful: bool = True, key: str = ""
) -> Iterator[SignInAttempt]:
    """Around whatever signs in beside the syncs: a test, a preview, a verification. How it ended, say by `SignInAttempt.ended`.
    `doubtful`: as for `admit`. `key` names the attempt. Raises `SignInPaused` where the account must be left alone."""
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
    """The same where an error of the sign-in passes through."""
    with counted(integration, clock) as attempt:
        try:
            yield
        except IntegrationError as error:
            attempt.ended(error.kind)
            raise


def paused_until(at: datetime, now: datetime) -> SignInPaused:
    return SignInPaused(f"until {at.astimezone(UTC):%H:%M:%S} UTC", retry_after=at - now)


def account_of(integration: Integration) -> str:
    """A keyed digest of whose sign-ins these are: the sign-in service or the server, and the user or the application."""
    by_password = integration.auth in (Integration.Auth.NTLM, Integration.Auth.BASIC, Integration.Auth.SERVICE_USER)
    who = integration.username if by_password else integration.client_id
    if integration.auth in (Integration.Auth.NTLM, Integration.Auth.BASIC):
        place, who = normal_address(integration.endpoint), _user_name(who)
    else:
        place = f"{normal_address(integration.authority)} {integration.tenant_id.strip()}"
    return _digest(f"{place.casefold()} {who.strip().casefold()}")


def _user_name(who: str) -> str:
    r"""The name without its domain: `BANK\svc` and `svc@bank.example` sign in to the same account, and only the directory knows
    which domains belong together. Two accounts that are taken for one are harmless: a refusal counts for its secret."""
    return who.rpartition("\\")[2].partition("@")[0]


def secret_of(integration: Integration) -> str:
    """A keyed digest of what it signs in with; blank where nothing can be sent."""
    try:
        opened = [integration.opened(name) for name in sorted(integration.places())]
    except IntegrationError:
        return ""
    return _digest("\0".join(opened)) if any(opened) else ""


def _digest(text: str) -> str:
    return salted_hmac("sync.accounts", text, algorithm="sha256").hexdigest()


def _recent(row: Account, now: datetime) -> list[dict[str, str]]:
    return [one for one in row.refused if _time(one) > now - settings.REFUSED_SIGN_INS_WITHIN]


def _time(one: dict[str, str]) -> datetime:
    return datetime.fromisoformat(one["at"])
