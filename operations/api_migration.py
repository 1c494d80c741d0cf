"""From one API of Microsoft to the other: what would happen, tried on the mailboxes themselves, and then the switch.

Mailboxes, buckets, filters and ledger stay. The switch changes one row: what each mailbox remembers of the API before is
left behind by its next sync (`sync.store.source_change`), so that it does not matter whether one is running meanwhile.
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
from operations.actions import ActionRefused, settings_changed
from sync.engine.folder_paths import positions
from sync.engine.records import DELIVERED
from sync.jobs import scope_evidence, sign_in_budget
from sync.jobs.folder_filter import wanted_folders
from sync.models import SyncedFolder

AT_ONCE = 4
DEADLINE = 20.0
"""Seconds that one call to Exchange may take."""
PATIENCE = 25.0
"""Seconds that an admin waits for a page; what was not looked at by then is said to be so."""
NAMED = 3
MOST_FOLDERS = 20
"""Folders of a mailbox that are named one by one."""
NOT_LISTED = "of them Graph does not list folders that are read now"
Paths = frozenset[tuple[str, ...]]
Known = Mapping[tuple[str, ...], tuple[SyncedFolder, FilterVerdict]]
"""The folders of a mailbox that are read now, by their paths, with whether their mail is wanted."""
Api = Integration.Api


@dataclass(frozen=True, slots=True)
class MailboxCheck:
    """What would happen to one mailbox. `ok` None: there was no time left to look."""

    address: str
    ok: bool | None
    text: str
    kind: str = ""
    """Of the error."""
    not_listed: tuple[str, ...] = ()
    """Folders that are read now and that Graph does not list, each with its class and the number of its items."""


@dataclass(frozen=True, slots=True)
class Target:
    """Where to: an API, its endpoint, and who signs in there."""

    api: str
    endpoint: str
    authority: str
    secrets: Mapping[str, str] = field(default_factory=dict, repr=False)
    """Those that were entered for it, by the name of the model's field."""

    def values(self) -> dict[str, str]:
        return {"microsoft_api": self.api, "endpoint": self.endpoint, "authority": self.authority}


@dataclass(frozen=True, slots=True)
class SecretsNeeded(ActionRefused):
    """A stored secret was entered for another place than the one to switch to."""

    problems: Mapping[str, str] = field(default_factory=dict)
    """By the name of the model's field."""

    @classmethod
    def of(cls, problems: Mapping[str, str]) -> SecretsNeeded:
        return cls(" ".join(problems.values()), problems)


def target_of(
    integration: Integration,
    api: str,
    endpoint: str = "",
    authority: str = "",
    secrets: Mapping[str, str] | None = None,
) -> Target | ActionRefused:
    """The other API of the same tenant. `endpoint` and `authority` where they are not those of its cloud; `secrets`, by the
    name of the model's field, where they are sent elsewhere then: else the answer is `SecretsNeeded`."""
    if integration.microsoft_api == api:
        return ActionRefused(f"{integration} uses {Api(api).label} already.")
    if api == Api.GRAPH and integration.auth in (Integration.Auth.NTLM, Integration.Auth.BASIC):
        return ActionRefused(
            "Graph lets an app sign in, no account. If these mailboxes are in Exchange Online now, press Edit and enter the "
            "app there; nothing is sent twice. Exchange Server keeps EWS."
        )
    cloud = cloud_at(integration.endpoint)
    if not endpoint and cloud is None:
        return ActionRefused(
            f"Enter the endpoint of {Api(api).label}: the present one belongs to no cloud of Microsoft."
        )
    usual = (cloud.graph if api == Api.GRAPH else cloud.ews) if cloud else ""
    entered = {name: plain for name, plain in (secrets or {}).items() if plain}
    target = Target(api, endpoint or usual, authority or integration.authority, entered)
    return SecretsNeeded.of(problems) if (problems := _missing_secrets(integration, target)) else target


def as_switched(integration: Integration, target: Target) -> Integration:
    """The integration as it would be, unwritten."""
    there = copy.copy(integration)
    for name, value in target.values().items():
        setattr(there, name, value)
    for name, plain in target.secrets.items():
        setattr(there, name, Secret.sealed(plain))
    return there


def _missing_secrets(integration: Integration, target: Target) -> dict[str, str]:
    there = as_switched(integration, target)
    found = {}
    for name in secret_fields(Integration):
        if parts := there.not_for(name):
            found[name] = must_be_entered_again(label_of(Integration, name), parts)
    return found


def look(
    integration: Integration, target: Target, mailboxes: Sequence[Mailbox], patience: float = PATIENCE, *, by: str
) -> list[MailboxCheck]:
    """Open each mailbox by the other API, several at once, and say what the switch would do to it. Changes nothing but the
    history, which names the servers. `by`: who looks."""
    there = as_switched(integration, target)
    way = [(what, "", where) for what, where in there.route()]
    with history.attempt(by, f"{integration} was tried by {Api(target.api).label}.", integration, way) as noted:
        looks = _looked(there, mailboxes, patience)
        kinds = sorted({one.kind or "unknown" for one in looks if one.ok is False})
        opened = f"{sum(one.ok is True for one in looks):,} of {len(looks):,} mailboxes can be opened"
        noted.outcome = f"{opened}; failed: {', '.join(kinds)}" if kinds else opened
    return looks


def _looked(there: Integration, mailboxes: Sequence[Mailbox], patience: float) -> list[MailboxCheck]:
    if not mailboxes:
        return []
    known, emails = _known_folders(mailboxes), _known_emails(mailboxes)
    until = time.monotonic() + patience
    pool = ThreadPoolExecutor(AT_ONCE, thread_name_prefix="look")
    try:

        def begun(box: Mailbox) -> Future[MailboxCheck]:
            return pool.submit(_look, there, box.address, known[box.pk], emails.get(box.pk, 0))

        first, *rest = mailboxes
        # One signs in alone: where that is refused, each of the others would be one more refused sign-in.
        with sign_in_budget.counted(there) as attempt:
            look = _in_time(begun(first), first, until)
            if look.ok is not None:
                attempt.ended(look.kind)
        if look.kind in scope_evidence.PASSWORD_KINDS:
            return [look, *(replace(look, address=box.address) for box in rest)]
        futures = [begun(box) for box in rest]
        return [look, *(_in_time(future, box, until) for future, box in zip(futures, rest, strict=True))]
    except SignInPaused as error:
        return [MailboxCheck(box.address, False, str(error), error.kind) for box in mailboxes]
    finally:
        pool.shutdown(wait=False, cancel_futures=True)


def summary(looks: Sequence[MailboxCheck]) -> str:
    """All of it in a sentence or two."""
    good, bad = sum(one.ok is True for one in looks), [one for one in looks if one.ok is False]
    late = sum(one.ok is None for one in looks)
    told = [f"{good:,} of {len(looks):,} mailboxes can be opened."]
    if bad:
        named = ", ".join(one.address for one in bad[:NAMED]) + (
            f" and {len(bad) - NAMED:,} more" if len(bad) > NAMED else ""
        )
        told.append(f"{len(bad):,} cannot: {named}. {bad[0].text}")
    lacking = [one for one in looks if one.not_listed]
    if lacking:
        named = "; ".join(f"{one.address}: {_named(one.not_listed)}" for one in lacking[:NAMED])
        more = f"; and {len(lacking) - NAMED:,} more" if len(lacking) > NAMED else ""
        told.append(f"In {len(lacking):,} {NOT_LISTED}: {named}{more}.")
    if late:
        told.append(f"{late:,} could not be looked at in time.")
    return " ".join(told)


def switch(
    integration: Integration,
    target: Target,
    *,
    by: str,
    anyway: bool = False,
    looked: Callable[..., Sequence[MailboxCheck]] = look,
) -> str | ActionRefused:
    """Look at every mailbox, and switch where all can be opened, or `anyway`. What stood still because of an error runs
    again; what a user stopped stays stopped. A sync that is running ends with the API that it began with. `by`: who does
    it, for the history."""
    if not anyway:
        looks = looked(integration, target, list(integration.mailboxes.filter(enabled=True)), by=by)
        if not all(one.ok for one in looks):
            return ActionRefused(
                f"Nothing was switched. {summary(looks)} Mend that, or switch anyway: those mailboxes wait then."
            )
        if any(one.not_listed for one in looks):
            return ActionRefused(
                f"Nothing was switched. {summary(looks)} Give these folders the class IPF.Note, or move their mail into other "
                "folders, or switch anyway: mail in them is not read any more then."
            )
    there = as_switched(integration, target)
    there.bind()
    values: dict[str, object] = {**target.values(), "bindings": there.bindings, "updated_at": timezone.now()}
    values |= {name: getattr(there, name) for name in target.secrets}
    if integration.disabled_reason == DisabledReason.SYNC_ERROR:
        values |= RUNNING
    same = Integration.objects.filter(pk=integration.pk, updated_at=integration.updated_at)
    if not same.update(**values):
        return ActionRefused("Somebody changed the integration meanwhile. Nothing was switched; look at it again.")
    settings_changed(integration)
    return f"{integration} reads by {Api(target.api).label} from now on. Nothing is sent twice."


def changes_in_words(integration: Integration, target: Target) -> list[tuple[str, str, str]]:
    """For the history: what the switch changed, before and after."""
    labels = {"microsoft_api": "API", "endpoint": "Endpoint", "authority": "Sign-in service"}
    before = {name: str(getattr(integration, name)) for name in labels}
    told = [
        (label, before[name], target.values()[name])
        for name, label in labels.items()
        if before[name] != target.values()[name]
    ]
    return told + [(label_of(Integration, name), "a secret", "another secret") for name in target.secrets]


def _look(integration: Integration, address: str, known: Known, emails: int) -> MailboxCheck:
    """In a thread of its own: no query, only Exchange."""
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
        not_listed = tuple(map(_in_words, lost))
        text = f"Graph does not list folders that are read now: {_named(not_listed)}. Their mail is not read any more then."
        return MailboxCheck(address, True, f"{_promise(0, (), emails)} {text}", not_listed=not_listed)
    return MailboxCheck(address, True, _promise(len(known), missing, emails))


def _in_words(folder: SyncedFolder) -> str:
    total = "" if folder.total is None else f", {folder.total:,} item{'' if folder.total == 1 else 's'}"
    return f"{folder} ({folder.folder_class or 'without a class'}{total})"


def _named(folders: Sequence[str]) -> str:
    more = f" and {len(folders) - MOST_FOLDERS:,} more" if len(folders) > MOST_FOLDERS else ""
    return ", ".join(folders[:MOST_FOLDERS]) + more


def _promise(folders: int, missing: Sequence[tuple[str, ...]], emails: int) -> str:
    known = (
        f"{emails:,} emails that Re:infer has are known again and not sent twice"
        if emails
        else "Nothing was synced yet"
    )
    if not missing:
        return (
            f"{known}; {'its folder is' if folders == 1 else f'all {folders:,} folders are'} found."
            if folders
            else f"{known}."
        )
    named = ", ".join("/".join(path) for path in missing[:NAMED])
    return f"{known}. Not found again: {named}{' and more' if len(missing) > NAMED else ''}; moved emails are read once more."


def _in_time(future: Future[MailboxCheck], mailbox: Mailbox, until: float) -> MailboxCheck:
    try:
        return future.result(timeout=max(0.0, until - time.monotonic()))
    except TimeoutError:
        return MailboxCheck(mailbox.address, None, "There was no time left to look at it.")


def _paths_of(source: Source) -> Paths:
    return frozenset(place.path for place in positions(source.folders(None).changed).values())


def _known_folders(mailboxes: Sequence[Mailbox]) -> Mapping[int, Known]:
    return {box.pk: {tuple(row.path): (row, verdict) for row, verdict in wanted_folders(box)} for box in mailboxes}


def _known_emails(mailboxes: Sequence[Mailbox]) -> Mapping[int, int]:
    delivered = Count("copies", filter=Q(copies__verdict=DELIVERED))
    rows = Mailbox.objects.filter(pk__in=[box.pk for box in mailboxes]).annotate(count=delivered)
    return dict(rows.order_by().values_list("pk", "count"))
