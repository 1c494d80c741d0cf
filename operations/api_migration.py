"""Switch an integration from one Microsoft API to the other: check each mailbox first, then switch.

Mailboxes, buckets, filters and the ledger do not change. The switch updates the row of the integration, closes circuit
breakers and makes the mailboxes due. The next sync of each mailbox drops the cursors of the previous API
(`sync.store.source_change`), so the switch may happen while a mailbox is syncing.
"""

from __future__ import annotations

import copy
import time
from collections.abc import Callable, Mapping, Sequence
from concurrent.futures import Future, ThreadPoolExecutor
from dataclasses import dataclass, field, replace

from django.core.exceptions import ImproperlyConfigured
from django.db.models import Count, Q
from django.utils import timezone

from access import history
from access.history import Subject
from integrations.binding import must_be_entered_again
from integrations.bound import label_of, secret_fields
from integrations.clouds import cloud_at
from integrations.connect import open_source
from integrations.encryption import Secret
from integrations.errors import IntegrationError, SignInPaused
from integrations.models import RUNNING, DisabledReason, Integration
from integrations.ports import Source
from mailboxes.models import Mailbox
from mailboxes.rules import FilterVerdict
from operations.actor import Actor
from operations.results import ActionRefused, recorded
from operations.resumption import settings_changed
from sync.engine.folder_paths import positions
from sync.engine.records import DELIVERED
from sync.jobs import scope_evidence, sign_in_budget
from sync.jobs.folder_filter import wanted_folders
from sync.models import SyncedFolder

AT_ONCE = 4
"""Maximum number of mailboxes that are checked at the same time."""
DEADLINE = 20.0
"""Seconds that one request to Exchange may take."""
PATIENCE = 25.0
"""Seconds for all checks together, because an admin waits for the page. A check that has not ended by then is reported as
not done in time."""
NAMED = 3
"""Maximum number of mailboxes, or of folders that were not found, that a sentence lists by name."""
MAX_FOLDERS = 20
"""Maximum number of folder names of one mailbox in the sentence about folders that Graph does not list."""
NOT_LISTED = "of them Graph does not list folders that are read now"
Paths = frozenset[tuple[str, ...]]
Known = Mapping[tuple[str, ...], tuple[SyncedFolder, FilterVerdict]]
"""The stored folders of a mailbox that contain mail, by path, each with the verdict of the filters."""
Api = Integration.Api


@dataclass(frozen=True, slots=True)
class MailboxCheck:
    """The effect that the switch would have on one mailbox.

    Attributes:
        address: The address of the mailbox.
        ok: Whether the mailbox can be opened through the other API; None if the check did not end in time.
        text: The result as sentences for the admin.
        kind: The kind of the error; empty if there was none.
        not_listed: Folders that are read now and that Graph does not list, each as text with its class and, if known, its
            number of items.
    """

    address: str
    ok: bool | None
    text: str
    kind: str = ""
    not_listed: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Target:
    """The API to switch to.

    Attributes:
        api: The API, a value of `Integration.Api`.
        endpoint: The URL of the API.
        authority: The URL of the sign-in service.
        secrets: The secrets that the admin entered for this API, by the name of the model's field.
    """

    api: str
    endpoint: str
    authority: str
    secrets: Mapping[str, str] = field(default_factory=dict, repr=False)

    def values(self) -> dict[str, str]:
        """Return the values of the integration's fields, without the secrets."""
        return {"microsoft_api": self.api, "endpoint": self.endpoint, "authority": self.authority}


@dataclass(frozen=True, slots=True)
class SecretsNeeded(ActionRefused):
    """The refusal of a switch because the target needs secrets to be entered again.

    A stored secret is bound to the endpoint that it was entered for, and is never sent to another endpoint.

    Attributes:
        problems: An error text for each missing secret, by the name of the model's field.
    """

    problems: Mapping[str, str] = field(default_factory=dict)

    @classmethod
    def of(cls, problems: Mapping[str, str]) -> SecretsNeeded:
        """Return the refusal for these missing secrets.

        Args:
            problems: An error text for each missing secret, by the name of the model's field.

        Returns:
            The refusal; its text joins the problems.
        """
        return cls(" ".join(problems.values()), problems)


def target_of(
    integration: Integration,
    api: str,
    endpoint: str = "",
    authority: str = "",
    secrets: Mapping[str, str] | None = None,
) -> Target | ActionRefused:
    """Return the target of a switch to the other API of the same tenant.

    Args:
        integration: The integration.
        api: The API to switch to, a value of `Integration.Api`.
        endpoint: The URL of the API; if empty, the URL of this API in the integration's cloud.
        authority: The URL of the sign-in service; if empty, the present URL.
        secrets: Secrets by the name of the model's field. Needed if stored secrets are bound to another endpoint.

    Returns:
        The target, `SecretsNeeded`, or an `ActionRefused` with the reason why this integration cannot switch.
    """
    if integration.microsoft_api == api:
        return ActionRefused(f"{integration} uses {Api(api).label} already.")
    if api == Api.GRAPH and integration.auth in (Integration.Auth.NTLM, Integration.Auth.BASIC):
        return ActionRefused(
            "Graph accepts only OAuth 2, not NTLM or Basic. If these mailboxes are in Exchange Online now, press Edit and "
            "enter the application; nothing is sent twice. Exchange Server supports only EWS."
        )
    cloud = cloud_at(integration.endpoint)
    if not endpoint and cloud is None:
        return ActionRefused(
            f"Enter the endpoint of {Api(api).label}: the present one does not belong to a Microsoft cloud."
        )
    default = (cloud.graph if api == Api.GRAPH else cloud.ews) if cloud else ""
    entered = {name: plain for name, plain in (secrets or {}).items() if plain}
    target = Target(api, endpoint or default, authority or integration.authority, entered)
    return SecretsNeeded.of(problems) if (problems := _missing_secrets(integration, target)) else target


def as_switched(integration: Integration, target: Target) -> Integration:
    """Return an unsaved copy of the integration with the values of the target.

    Args:
        integration: The integration.
        target: The API to switch to.

    Returns:
        The copy.
    """
    switched = copy.copy(integration)
    for name, value in target.values().items():
        setattr(switched, name, value)
    for name, plain in target.secrets.items():
        setattr(switched, name, Secret.sealed(plain))
    return switched


def _missing_secrets(integration: Integration, target: Target) -> dict[str, str]:
    switched = as_switched(integration, target)
    problems = {}
    for name in secret_fields(Integration):
        if parts := switched.not_for(name):
            problems[name] = must_be_entered_again(label_of(Integration, name), parts)
    return problems


def check_mailboxes(
    actor: Actor, integration: Integration, target: Target, mailboxes: Sequence[Mailbox], patience: float = PATIENCE
) -> list[MailboxCheck]:
    """Open each mailbox through the other API, several at a time.

    Nothing is changed. The audit log gets one entry, which names the servers.

    Args:
        actor: Who checks.
        integration: The integration.
        target: The API to switch to.
        mailboxes: The mailboxes to check.
        patience: Seconds for all mailboxes together.

    Returns:
        One check for each mailbox, in the order of `mailboxes`.
    """
    switched = as_switched(integration, target)
    route = [(label, "", url) for label, url in switched.route()]
    text = f"{integration} was tested with {Api(target.api).label}."
    with history.attempt(actor.name, text, Subject.of(integration), route) as attempt:
        checks = _run_checks(switched, mailboxes, patience)
        kinds = sorted({one.kind or "unknown" for one in checks if one.ok is False})
        opened = f"{sum(one.ok is True for one in checks):,} of {len(checks):,} mailboxes can be opened"
        attempt.outcome = f"{opened}; failed: {', '.join(kinds)}" if kinds else opened
    return checks


def _run_checks(switched: Integration, mailboxes: Sequence[Mailbox], patience: float) -> list[MailboxCheck]:
    if not mailboxes:
        return []
    known, emails = _known_folders(mailboxes), _known_emails(mailboxes)
    deadline = time.monotonic() + patience
    pool = ThreadPoolExecutor(AT_ONCE, thread_name_prefix="check")
    try:

        def started(box: Mailbox) -> Future[MailboxCheck]:
            return pool.submit(_check, switched, box.address, known[box.pk], emails.get(box.pk, 0))

        first, *rest = mailboxes
        # The first mailbox signs in alone. If its sign-in is refused, the other mailboxes are not checked, because they
        # would use the same account.
        with sign_in_budget.counted(switched) as attempt:
            check = _result_in_time(started(first), first, deadline)
            if check.ok is not None:
                attempt.ended(check.kind)
        if check.kind in scope_evidence.PASSWORD_KINDS:
            return [check, *(replace(check, address=box.address) for box in rest)]
        futures = [started(box) for box in rest]
        return [check, *(_result_in_time(future, box, deadline) for future, box in zip(futures, rest, strict=True))]
    except SignInPaused as error:
        return [MailboxCheck(box.address, False, str(error), error.kind) for box in mailboxes]
    finally:
        pool.shutdown(wait=False, cancel_futures=True)


def summary(checks: Sequence[MailboxCheck]) -> str:
    """Return the result of the checks as sentences.

    Args:
        checks: The checks of the mailboxes.

    Returns:
        The number of mailboxes that can be opened, the first error, the folders that Graph does not list, and the number
        of checks that did not end in time.
    """
    good, bad = sum(one.ok is True for one in checks), [one for one in checks if one.ok is False]
    late = sum(one.ok is None for one in checks)
    sentences = [f"{good:,} of {len(checks):,} mailboxes can be opened."]
    if bad:
        named = ", ".join(one.address for one in bad[:NAMED]) + (
            f" and {len(bad) - NAMED:,} more" if len(bad) > NAMED else ""
        )
        sentences.append(f"{len(bad):,} cannot: {named}. {bad[0].text}")
    with_missing = [one for one in checks if one.not_listed]
    if with_missing:
        named = "; ".join(f"{one.address}: {_names_text(one.not_listed)}" for one in with_missing[:NAMED])
        more = f"; and {len(with_missing) - NAMED:,} more" if len(with_missing) > NAMED else ""
        sentences.append(f"In {len(with_missing):,} {NOT_LISTED}: {named}{more}.")
    if late:
        sentences.append(f"{late:,} could not be checked in time.")
    return " ".join(sentences)


def switch(
    actor: Actor,
    integration: Integration,
    target: Target,
    *,
    anyway: bool = False,
    check: Callable[..., Sequence[MailboxCheck]] = check_mailboxes,
) -> str | ActionRefused:
    """Check every started mailbox, then switch the integration. With `anyway`, switch without a check.

    Nothing is switched if a mailbox cannot be opened or was not checked in time, if Graph does not list a folder that is
    read now, or if the integration was changed during the check.

    An integration that an error stopped is started again. An integration that a user or a quota stopped stays stopped. A
    sync that is already running uses the previous API until its end.

    Args:
        actor: Who switches.
        integration: The integration.
        target: The API to switch to.
        anyway: Whether to switch without a check.
        check: The function that checks the mailboxes.

    Returns:
        What was done, as a sentence, or the reason why nothing was switched.
    """
    if not anyway:
        checks = check(actor, integration, target, list(integration.mailboxes.filter(enabled=True)))
        if not all(one.ok for one in checks):
            return ActionRefused(
                f"Nothing was switched. {summary(checks)} Fix the errors and try again, or "
                "switch anyway: mailboxes that cannot be opened do not sync until the errors are fixed."
            )
        if any(one.not_listed for one in checks):
            return ActionRefused(
                f"Nothing was switched. {summary(checks)} Give these folders the class IPF.Note, or move their mail into other "
                "folders, or switch anyway: mail in them is no longer read."
            )
    changes = _change_lines(integration, target)
    switched = as_switched(integration, target)
    switched.bind()
    values: dict[str, object] = {**target.values(), "bindings": switched.bindings, "updated_at": timezone.now()}
    values |= {name: getattr(switched, name) for name in target.secrets}
    if integration.disabled_reason == DisabledReason.SYNC_ERROR:
        values |= RUNNING
    same = Integration.objects.filter(pk=integration.pk, updated_at=integration.updated_at)
    if not same.update(**values):
        return ActionRefused("The integration was changed in the meantime. Nothing was switched. Try again.")
    settings_changed(integration)
    text = f"{integration} uses {Api(target.api).label} from now on. Nothing is sent twice."
    return recorded(actor, text, Subject.of(integration), changes)


def _change_lines(integration: Integration, target: Target) -> list[tuple[str, str, str]]:
    """Return field, value before and value after, for the audit log. The values of secrets are left out."""
    labels = {"microsoft_api": "API", "endpoint": "Endpoint", "authority": "Sign-in service"}
    before = {name: str(getattr(integration, name)) for name in labels}
    changes = [
        (label, before[name], target.values()[name])
        for name, label in labels.items()
        if before[name] != target.values()[name]
    ]
    return changes + [(label_of(Integration, name), "a secret", "another secret") for name in target.secrets]


def _check(integration: Integration, address: str, known: Known, emails: int) -> MailboxCheck:
    """Check one mailbox. This function makes no query: in its thread, a query would open another database connection."""
    try:
        with open_source(integration, address, deadline=DEADLINE) as source:
            source.check()
            missing = sorted(known.keys() - _paths_of(source))
    except IntegrationError as error:
        return MailboxCheck(address, False, str(error), error.kind)
    except ImproperlyConfigured as error:
        return MailboxCheck(address, False, str(error))
    lost = [known[path][0] for path in missing if known[path][1] is FilterVerdict.WANTED]
    if lost and integration.microsoft_api == Api.GRAPH:
        not_listed = tuple(map(_folder_text, lost))
        named = _names_text(not_listed)
        text = f"Graph does not list folders that are read now: {named}. Their mail is no longer read after the switch."
        return MailboxCheck(address, True, f"{_expected_effect(0, (), emails)} {text}", not_listed=not_listed)
    return MailboxCheck(address, True, _expected_effect(len(known), missing, emails))


def _folder_text(folder: SyncedFolder) -> str:
    total = "" if folder.total is None else f", {folder.total:,} item{'' if folder.total == 1 else 's'}"
    return f"{folder} ({folder.folder_class or 'without a class'}{total})"


def _names_text(folders: Sequence[str]) -> str:
    more = f" and {len(folders) - MAX_FOLDERS:,} more" if len(folders) > MAX_FOLDERS else ""
    return ", ".join(folders[:MAX_FOLDERS]) + more


def _expected_effect(folders: int, missing: Sequence[tuple[str, ...]], emails: int) -> str:
    delivered = f"{emails:,} delivered email{'' if emails == 1 else 's'}"
    known = f"{delivered} will be recognized and not sent twice" if emails else "Nothing was synced yet"
    if not missing:
        return (
            f"{known}; {'its folder is' if folders == 1 else f'all {folders:,} folders are'} found."
            if folders
            else f"{known}."
        )
    named = ", ".join("/".join(path) for path in missing[:NAMED])
    return (
        f"{known}. Folders not found: {named}{' and more' if len(missing) > NAMED else ''}. Emails that were moved out of "
        "them are read again."
    )


def _result_in_time(future: Future[MailboxCheck], mailbox: Mailbox, deadline: float) -> MailboxCheck:
    try:
        return future.result(timeout=max(0.0, deadline - time.monotonic()))
    except TimeoutError:
        return MailboxCheck(mailbox.address, None, "The check did not end in time.")


def _paths_of(source: Source) -> Paths:
    return frozenset(place.path for place in positions(source.folders(None).changed).values())


def _known_folders(mailboxes: Sequence[Mailbox]) -> Mapping[int, Known]:
    return {box.pk: {tuple(row.path): (row, verdict) for row, verdict in wanted_folders(box)} for box in mailboxes}


def _known_emails(mailboxes: Sequence[Mailbox]) -> Mapping[int, int]:
    delivered = Count("copies", filter=Q(copies__verdict=DELIVERED))
    rows = Mailbox.objects.filter(pk__in=[box.pk for box in mailboxes]).annotate(count=delivered)
    return dict(rows.order_by().values_list("pk", "count"))
