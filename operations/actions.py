"""What an admin can do, once, for every face of the product: pages, API and commands call these and nothing else.

Each does its work at once and returns a sentence for the admin. None of them talks to Exchange or Re:infer but the
tests, which say so.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from contextlib import AbstractContextManager
from dataclasses import dataclass
from datetime import timedelta

from django.core.exceptions import ImproperlyConfigured
from django.db import IntegrityError, transaction
from django.db.models import QuerySet
from django.utils import timezone
from kombu.exceptions import OperationalError as BrokerError

from access import history
from conversion.deadline.child_process import AllPlacesTaken
from conversion.transform import Converted, EmailLocation, NotConvertible
from integrations.connect import network_steps, open_sink, open_source
from integrations.dead_letter_reasons import UNTOLD
from integrations.diagnosis import DiagnosisStep, bucket_steps, mailbox_steps
from integrations.errors import IntegrationError, TooManyRefused
from integrations.messages import Change, ChangeKind, FolderId, Gone, ItemId, Unreadable
from integrations.models import RUNNING, STOPPED, Destination, Integration
from mailboxes.models import Bucket, Mailbox
from sync.engine.foreign_ids import is_former
from sync.jobs import bucket_audit, connection_breakers, scheduling, sign_in_budget, verification
from sync.jobs.conversions import converter
from sync.jobs.disabled_mailboxes import stopped_at
from sync.models import FROM_THE_BEGINNING, DeadLetter, LedgerEntry, MailboxState, SyncedFolder
from sync.reporting import newly_wanted
from sync.store.lease import Clock, database_now
from sync.tasks import sync_mailbox

PARDON = timedelta(days=1)
TEST_DEADLINE = 20.0
"""Seconds: an admin waits for the answer."""


@dataclass(frozen=True, slots=True)
class Finding:
    """What a test found, in words."""

    ok: bool
    text: str
    steps: tuple[DiagnosisStep, ...] = ()
    kind: str = ""
    """Of the error, where there was one."""

    @property
    def outcome(self) -> str:
        """For the history."""
        failed = next((f" at {step.name}" for step in self.steps if not step.ok), "")
        return "it works" if self.ok else f"failed{failed}: {self.kind or 'unknown'}"


@dataclass(frozen=True, slots=True)
class ActionRefused:
    """What could not be done, in a sentence. Pages show it as a problem, the API answers 422."""

    text: str


def start_integration(integration: Integration) -> str:
    """Run it, whatever had stopped or held it. Mailboxes that were stopped one by one stay so."""
    Integration.objects.filter(pk=integration.pk).update(**RUNNING)
    settings_changed(integration)
    return f"{integration} is running."


def stop_integration(integration: Integration) -> str:
    """Stop it. A sync that is running ends between two batches; nothing is lost."""
    Integration.objects.filter(pk=integration.pk).update(**STOPPED)
    return f"{integration} is stopped."


def delete_integration(integration: Integration) -> bool:
    """With its mailboxes. False while a sync of one just ends: a moment later it works."""
    stop_integration(integration)
    return _deleted(integration)


def delete_mailbox(mailbox: Mailbox) -> bool:
    """False while a sync of it just ends: a moment later it works."""
    stop_mailbox(mailbox)
    if not _deleted(mailbox):
        return False
    # What is left does not tell that something is gone.
    Integration.objects.filter(pk=mailbox.integration_id).update(updated_at=timezone.now())
    return True


def _deleted(row: Integration | Mailbox) -> bool:
    try:
        with transaction.atomic():
            row.delete()
    except IntegrityError:
        return False
    return True


def start_mailbox(mailbox: Mailbox) -> str:
    Mailbox.objects.filter(pk=mailbox.pk).update(**RUNNING)
    _make_due([mailbox])
    if not mailbox.integration.enabled:
        return f"{mailbox} will sync as soon as its integration is started."
    return f"{mailbox} is running."


def stop_mailbox(mailbox: Mailbox) -> str:
    Mailbox.objects.filter(pk=mailbox.pk).update(**STOPPED)
    return f"{mailbox} is stopped."


def sync_now(mailbox: Mailbox) -> str | ActionRefused:
    """Queue it at once, also while it or its connection is held: the admin is the probe."""
    if not mailbox.enabled or not mailbox.integration.enabled:
        return ActionRefused(f"{mailbox} is stopped: start it first.")
    _make_due([mailbox])
    try:
        queued = scheduling.queue(mailbox.pk, sync_mailbox.delay, database_now(), probe=True)
    except BrokerError:
        return ActionRefused(f"The queue cannot be reached. {mailbox} is synced as soon as it answers again.")
    return f"{mailbox} is queued." if queued else f"{mailbox} is already queued or syncing."


def start_many(mailboxes: Sequence[Mailbox]) -> str:
    Mailbox.objects.filter(pk__in=[mailbox.pk for mailbox in mailboxes]).update(**RUNNING)
    _make_due(mailboxes)
    return f"{_counted(mailboxes)} started."


def stop_many(mailboxes: Sequence[Mailbox]) -> str:
    Mailbox.objects.filter(pk__in=[mailbox.pk for mailbox in mailboxes]).update(**STOPPED)
    return f"{_counted(mailboxes)} stopped."


def sync_many_now(mailboxes: Sequence[Mailbox]) -> str | ActionRefused:
    """Make them due: the next tick queues them, as many at once as workers can take."""
    running = [mailbox for mailbox in mailboxes if mailbox.enabled and mailbox.integration.enabled]
    if not running:
        return ActionRefused("They are stopped: start them first.")
    _make_due(running)
    return f"{_counted(running)} due now."


def list_many_again(mailboxes: Sequence[Mailbox]) -> str:
    scheduling.make_states()
    MailboxState.objects.filter(pk__in=[mailbox.pk for mailbox in mailboxes]).update(list_again=True, next_sync_at=None)
    return f"{_counted(mailboxes)} listed again at the next sync. Nothing is sent twice."


def list_again(mailbox: Mailbox) -> str:
    """Drop every cursor: all folders are listed anew. Free, since copies and ledger are kept."""
    scheduling.make_states()
    MailboxState.objects.filter(pk=mailbox.pk).update(list_again=True, next_sync_at=None)
    return f"{mailbox} is listed again at its next sync. Nothing is sent twice."


def list_folder_again(folder: SyncedFolder) -> str:
    """Drop the cursor of one folder. Free, as `list_again` is."""
    SyncedFolder.objects.filter(pk=folder.pk).update(**FROM_THE_BEGINNING)
    _make_due([folder.mailbox])
    MailboxState.objects.filter(pk=folder.mailbox_id).update(up_to_date=False)
    return f"{folder} of {folder.mailbox} is listed again at its next sync. Nothing is sent twice."


def send_again(mailbox: Mailbox) -> str:
    """Forget what was sent for it, and send what Re:infer does not hold any more. Each missing comment costs an AI unit."""
    scheduling.make_states()
    MailboxState.objects.filter(pk=mailbox.pk).update(send_again=True, next_sync_at=None)
    return f"{mailbox} is sent again at its next sync: what Re:infer no longer holds is created anew."


def verify_mailbox(mailbox: Mailbox, *, repair: bool = False) -> str:
    """Compare Exchange, our memory and Re:infer, beside the syncs. What is missing then costs an AI unit each to repair."""
    verification.begin(mailbox, repair=repair)
    return f"{mailbox} is being {'verified and repaired' if repair else 'verified'}."


def stop_verification(mailbox: Mailbox) -> str | ActionRefused:
    if not verification.stop(mailbox):
        return ActionRefused(f"{mailbox} is not being verified: it is done.")
    return f"The verification of {mailbox} is stopped."


def bring_newly_wanted(mailboxes: Sequence[Mailbox], *, by: str, also_left: bool = False) -> str | ActionRefused:
    """Send what only newer rules want of these mailboxes. Each new comment costs an AI unit. `also_left`: what was left before,
    too."""
    emails = newly_wanted.answer(mailboxes, bring=True, by=by, now=database_now(), also_left=also_left)
    if emails is None:
        return ActionRefused(f"Nothing of {_named(mailboxes)} waits for an answer.")
    _make_due(mailboxes)
    return f"{_emails(emails, mailboxes)} brought by the next syncs, and whatever is still found."


def leave_newly_wanted(mailboxes: Sequence[Mailbox], *, by: str) -> str | ActionRefused:
    """Do not send what only newer rules want of these mailboxes and was there before; what did not come yet stays, too."""
    emails = newly_wanted.answer(mailboxes, bring=False, by=by, now=database_now())
    if emails is None:
        return ActionRefused(f"Nothing of {_named(mailboxes)} waits for an answer.")
    return (
        f"{_emails(emails, mailboxes)} left in Exchange, and whatever is still found. What arrives from now on comes."
    )


def _emails(count: int, mailboxes: Sequence[Mailbox]) -> str:
    return f"{count:,} email{'s' * (count != 1)} of {_named(mailboxes)} {'is' if count == 1 else 'are'}"


def most_ai_units_to_send_again(mailbox: Mailbox) -> int:
    """If Re:infer held none of them any more."""
    entries = LedgerEntry.objects.filter(bucket=mailbox.bucket_id, winner_mailbox=mailbox)
    return entries.filter(state=LedgerEntry.State.CONFIRMED).count()


def retry_set_aside(email: DeadLetter) -> str | ActionRefused:
    DeadLetter.objects.filter(pk=email.pk, settled__in=["", "dismissed"]).update(
        settled="", settled_at=None, retry_at=database_now()
    )
    queued = sync_now(email.mailbox)
    told = f"The email in {_place(email)} is tried again."
    return ActionRefused(f"{told} {queued.text}") if isinstance(queued, ActionRefused) else f"{told} {queued}"


def retry_many_set_aside(emails: QuerySet[DeadLetter], clock: Clock = database_now) -> str | ActionRefused:
    """Try all of these again, as many at once as each mailbox's next sync has time for. Those that were delivered, or are
    gone, stay as they are."""
    waiting = emails.filter(settled__in=["", "dismissed"])
    # Those of which nobody was told are tried again too.
    count = waiting.exclude(stage__in=UNTOLD).count()
    mailboxes = list(Mailbox.objects.filter(pk__in=waiting.values("mailbox").distinct()))
    DeadLetter.objects.filter(pk__in=waiting.values("pk")).update(settled="", settled_at=None, retry_at=clock())
    _make_due(mailboxes)
    if not count:
        return ActionRefused("There is no such email to try again.")
    return f"{'1 email is' if count == 1 else f'{count:,} emails are'} tried again by the next sync of {_named(mailboxes)}."


def dismiss_set_aside(email: DeadLetter) -> str:
    """Stop trying and stop showing it. It is not delivered."""
    DeadLetter.objects.filter(pk=email.pk, settled="").update(
        settled="dismissed", settled_at=database_now(), retry_at=None
    )
    return f"The email in {_place(email)} is dismissed: it stays in Exchange and does not reach Re:infer."


def _place(email: DeadLetter) -> str:
    """Which one it is, without a word of it."""
    arrived = f", arrived {email.received:%Y-%m-%d %H:%M} UTC" if email.received else ""
    return f"{'/'.join(email.folder.path)} of {email.mailbox}{arrived}"


def preview_set_aside(email: DeadLetter) -> Converted | NotConvertible | ActionRefused:
    """Fetch the email from Exchange now, and show what comment it makes. Takes up to 20 s; nothing is sent or kept."""
    if is_former(email.item_id):
        return ActionRefused("The integration reads Exchange another way since: the next sync finds this email again.")
    change = Change(
        ChangeKind.CREATED,
        FolderId(email.folder.folder_id),
        ItemId(email.item_id),
        change_key=email.change_key,
        item_class=email.item_class,
        size=email.size,
    )
    integration = email.mailbox.integration
    try:
        with (
            sign_in_budget.counting(integration),
            open_source(integration, email.mailbox.address, deadline=TEST_DEADLINE) as source,
        ):
            fetched = next(iter(source.fetch([change])))
    except (IntegrationError, ImproperlyConfigured) as error:
        return ActionRefused(str(error))
    if isinstance(fetched, Gone):
        return ActionRefused("The email is no longer where it was: it was moved or deleted since.")
    if isinstance(fetched, Unreadable):
        return ActionRefused(f"Exchange cannot hand this email out: {fetched.reason}.")
    try:
        with converter(wait=False) as convert:
            return convert(fetched, EmailLocation(email.mailbox.address, tuple(email.folder.path)))
    except AllPlacesTaken as busy:
        return ActionRefused(str(busy))


def settings_changed(integration: Integration) -> None:
    """After an admin changed anything it hangs on: what was held may try again, and every mailbox is due."""
    mailboxes = list(integration.mailboxes.select_related("bucket__destination"))
    connection_breakers.lift(integration)
    sign_in_budget.entered(integration)
    for bucket in {mailbox.bucket for mailbox in mailboxes}:
        connection_breakers.lift(bucket)
        connection_breakers.lift(bucket.destination)
    _make_due(mailboxes)


def test_connection(integration: Integration, address: str | None, *, by: str) -> Finding:
    """Name, port, TLS, sign-in, mailbox, folders, one email: with this address, or the first of the integration. Each step
    takes up to 20 s. `by`: who tests, for the history, which names the servers and what came of it."""
    if not address and integration.pk:
        address = integration.mailboxes.values_list("address", flat=True).first()
    if not address:
        return Finding(False, "Add a mailbox first, or name one: Exchange is tested by opening a mailbox.")
    with _noted(integration, [("Mailbox", address), *integration.route()], by) as noted:
        finding = _test_source(integration, address)
        noted.outcome = finding.outcome
    return finding


def _test_source(integration: Integration, address: str) -> Finding:
    steps: list[DiagnosisStep] = []
    try:
        steps += network_steps(integration, deadline=TEST_DEADLINE)
        if all(step.ok for step in steps):
            with (
                sign_in_budget.counted(integration) as attempt,
                open_source(integration, address, deadline=TEST_DEADLINE, fresh=True) as source,
            ):
                steps += mailbox_steps(source, address)
                attempt.ended(next((step.kind for step in steps if not step.ok), ""))
    except (IntegrationError, ImproperlyConfigured) as error:
        return _could_not(error, steps)
    return _of_steps(steps, f"Signed in, and {address} can be read.")


def test_destination(destination: Destination, *, by: str) -> Finding:
    """Reach Re:infer with this token, and its first bucket. Takes up to 20 s. `by`: as for `test_connection`."""
    bucket = destination.buckets.first() if destination.pk else None
    return _test_sink(destination, bucket, destination, by)


def test_bucket(bucket: Bucket, *, by: str) -> Finding:
    """Reach the bucket at Re:infer. Takes up to 20 s. `by`: as for `test_connection`."""
    return _test_sink(bucket.destination, bucket, bucket, by)


def _test_sink(destination: Destination, bucket: Bucket | None, about: Destination | Bucket, by: str) -> Finding:
    name = f"{bucket.project}/{bucket.name}" if bucket else ""
    # Without a bucket: that one is missing shows that address and token are right.
    asked = (bucket.project, bucket.name) if bucket else ("connection-test", "connection-test")
    with _noted(about, [*([("Bucket", name)] if name else []), *destination.route()], by) as noted:
        try:
            with open_sink(destination, *asked, deadline=TEST_DEADLINE) as sink:
                steps = list(bucket_steps(sink, name))
            has = f", and has {name}" if name else ""
            finding = _of_steps(steps, f"Re:infer answers, and takes the token{has}.")
        except (IntegrationError, ImproperlyConfigured) as error:
            finding = _could_not(error, ())
        noted.outcome = finding.outcome
    return finding


def _noted(
    about: Integration | Destination | Bucket, way: Sequence[tuple[str, str]], by: str
) -> AbstractContextManager[history.ConnectionAttempt]:
    named = about if about.pk else f"a new {about._meta.verbose_name}"
    text = f"The connection of {named} was tested."
    return history.attempt(by, text, about, [(what, "", where) for what, where in way])


def _of_steps(steps: Sequence[DiagnosisStep], good: str) -> Finding:
    failed = next((step for step in steps if not step.ok), None)
    if failed is None:
        return Finding(True, good, tuple(steps))
    return Finding(False, failed.text, tuple(steps), failed.kind)


def _could_not(error: IntegrationError | ImproperlyConfigured, steps: Sequence[DiagnosisStep]) -> Finding:
    return Finding(False, str(error), tuple(steps), getattr(error, "kind", "secret_unreadable"))


def resume_bucket(bucket: Bucket, clock: Clock = database_now) -> str:
    """The admin looked at what was refused: for a day, such emails are set aside, and the rest goes on."""
    Bucket.objects.filter(pk=bucket.pk).update(refusals="", pardoned_until=clock() + PARDON)
    connection_breakers.lift(bucket)
    _make_due(list(bucket.mailboxes.all()))
    return f"{bucket} goes on. What is refused until tomorrow is set aside."


def accept_comments(bucket: Bucket) -> str | ActionRefused:
    """The admin knows where the comments come from that we did not send: it is told of them no more."""
    if not bucket_audit.accept(Bucket.objects.filter(pk=bucket.pk)):
        return ActionRefused(f"Nothing is known of comments of others in {bucket}.")
    return f"Comments of others in {bucket} are accepted. Re:infer is asked for each new email before it is sent there."


def start_stopped(row: Destination | Bucket) -> str | ActionRefused:
    """Start what an error or the quota of Re:infer stopped there, whatever is held. What a person or a monthly limit stopped
    stays so."""
    stopped = stopped_at(row)
    mailboxes = list(stopped.select_related("integration"))
    if not mailboxes:
        return ActionRefused(f"No mailbox of {row} is stopped by an error or a quota.")
    stopped.update(**RUNNING)
    waits = row.buckets.all() if isinstance(row, Destination) else [row]
    for bucket in (one for one in waits if one.held_kind != TooManyRefused.kind):  # that one waits for Resume
        connection_breakers.lift(bucket)
    connection_breakers.lift(row if isinstance(row, Destination) else row.destination)
    _make_due(mailboxes)
    resting = sum(not mailbox.integration.enabled for mailbox in mailboxes)
    later = f" {resting:,} of them will sync as soon as their integration is started." if resting else ""
    return f"{_counted(mailboxes)} started.{later}"


def create_bucket(bucket: Bucket) -> Finding:
    """Create the bucket at Re:infer, and let what waited for it go on."""
    try:
        with open_sink(bucket.destination, bucket.project, bucket.name, deadline=TEST_DEADLINE) as sink:
            sink.create()
    except (IntegrationError, ImproperlyConfigured) as error:
        return Finding(False, str(error))
    connection_breakers.lift(bucket)
    return Finding(True, f"{bucket} exists at Re:infer.")


MANY: dict[str, Callable[[Sequence[Mailbox]], str | ActionRefused]] = {
    "start": start_many,
    "stop": stop_many,
    "sync-now": sync_many_now,
    "list-again": list_many_again,
}
"""What can be done to many mailboxes at once, by the name of its button."""


def _counted(mailboxes: Sequence[Mailbox]) -> str:
    return "1 mailbox is" if len(mailboxes) == 1 else f"{len(mailboxes):,} mailboxes are"


def _named(mailboxes: Sequence[Mailbox]) -> str:
    return str(mailboxes[0]) if len(mailboxes) == 1 else f"{len(mailboxes):,} mailboxes"


def _make_due(mailboxes: Sequence[Mailbox]) -> None:
    scheduling.make_states()
    of = [mailbox.pk for mailbox in mailboxes]
    SyncedFolder.objects.filter(mailbox__in=of).try_again()
    states = MailboxState.objects.filter(pk__in=of)
    states.update(next_sync_at=None, failures=0, failing_since=None, refused_alone=False)
