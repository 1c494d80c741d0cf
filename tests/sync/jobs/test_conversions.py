"""An email whose conversion fails or does not end becomes a dead letter at once, and all other emails are pushed.

If too many conversions fail with an error, the circuit breaker of the bucket opens instead.
"""

from __future__ import annotations

from datetime import timedelta

import pytest
from django.utils import timezone

from conversion import cleaning, transform
from conversion.preview import preview_of_file
from integrations.dead_letter_reasons import DeadLetterKind
from mailboxes.models import Bucket
from notifications.models import Notification, NotificationKind
from operations import failed_email_actions
from sync.jobs import housekeeping, shutdown
from sync.jobs.slow_conversions import MANY
from sync.models import DeadLetter, SyncRun
from sync.reporting import alerts
from tests.actors import ADMIN
from tests.conversion.deadline.slow import MARK, planted
from tests.mails import comment_id_of, mail
from tests.sync.world import World

NEIGHBOURS = [f"neighbour{number}" for number in range(5)]
pytestmark = pytest.mark.django_db(transaction=True)


@pytest.fixture
def desk(world: World):
    return world.mailbox()


@pytest.fixture
def endless(monkeypatch, settings):
    """The conversion of an email with `MARK` in its subject does not end. The deadline is short."""
    # The first conversion in a process loads the rule tables, which takes longer than this deadline.
    preview_of_file(mail("first"), transform.EmailLocation("desk@bank.example", ("Inbox",)), transform.convert)
    settings.CONVERSION_DEADLINE = timedelta(seconds=0.2)
    monkeypatch.setattr(transform, "clean", planted(cleaning.clean))


def deliver(world: World, desk, *names: str, subject: str | None = None) -> None:
    for name in names:
        world.mailboxes[desk.address].deliver(mail(name, subject=subject))


def raising(monkeypatch, error: BaseException, of: str = "") -> None:
    """Make the conversion of emails whose subject contains `of` raise an error."""
    usual = cleaning.clean

    def clean(sections, subject, *given):
        if of in subject:
            raise error
        return usual(sections, subject, *given)

    monkeypatch.setattr(transform, "clean", clean)


# ---- failures ---------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("error", [RecursionError("Ann's rent"), MemoryError(), ValueError("Ann's rent")])
def test_an_email_whose_conversion_fails_becomes_a_dead_letter_at_once_and_the_others_are_pushed(
    world: World, desk, monkeypatch, error
):
    deliver(world, desk, *NEIGHBOURS[:2])
    deliver(world, desk, "bad", subject="poison")
    deliver(world, desk, *NEIGHBOURS[2:])
    raising(monkeypatch, error, of="poison")
    run = world.sync(desk)
    assert (run.outcome, run.set_aside) == (SyncRun.Outcome.DONE, 1)
    world.assert_all_is_well(NEIGHBOURS)
    letter = DeadLetter.objects.get()
    assert letter.kind == DeadLetterKind.CONVERSION_FAILED
    assert letter.reason.startswith(f"{type(error).__name__} at conversion.transform:")
    assert "rent" not in letter.reason
    assert letter.retry_at == world.clock() + timedelta(hours=1)


def test_an_email_with_a_thousand_nested_groups_in_a_header_is_pushed_with_the_others(world: World, desk):
    box = world.mailboxes[desk.address]
    box.deliver(mail("nested").replace(b"To: desk@bank.example", b"To: " + b"team:" * 1000 + b"ann@north.example"))
    deliver(world, desk, *NEIGHBOURS)
    assert world.sync(desk).outcome == SyncRun.Outcome.DONE
    world.assert_all_is_well([*NEIGHBOURS, "nested"])


def test_a_release_that_cannot_convert_any_email_opens_the_circuit_breaker_of_the_bucket(
    world: World, desk, monkeypatch
):
    names = [f"m{number}" for number in range(30)]
    deliver(world, desk, *names)
    raising(monkeypatch, ZeroDivisionError())
    run = world.sync(desk)
    assert (run.outcome, run.error_kind) == (SyncRun.Outcome.FAILED, "too_many_refused")
    assert Bucket.objects.get().is_held
    assert not DeadLetter.objects.exists()
    monkeypatch.undo()
    world.clock.turn(minutes=21)
    world.sync(desk)
    world.assert_all_is_well(names)


# ---- the deadline -----------------------------------------------------------------------------------------------------


@pytest.mark.wording
def test_an_email_over_the_conversion_deadline_becomes_a_dead_letter_and_the_others_are_pushed(
    world: World, desk, endless
):
    deliver(world, desk, *NEIGHBOURS[:2])
    deliver(world, desk, "slow", subject=MARK)
    deliver(world, desk, *NEIGHBOURS[2:])
    run = world.sync(desk)
    assert (run.outcome, run.set_aside) == (SyncRun.Outcome.DONE, 1)
    world.assert_all_is_well(NEIGHBOURS)
    letter = DeadLetter.objects.get()
    assert (letter.kind, letter.stage, letter.retry_at) == (DeadLetterKind.CONVERSION_DEADLINE, "deadline", None)
    assert letter.reason.startswith("longer than 0.2 s at conversion.")


def test_a_conversion_over_the_deadline_is_not_retried_automatically(world: World, desk, endless):
    deliver(world, desk, "slow", subject=MARK)
    world.sync(desk)
    for _ in range(10):
        world.clock.turn(days=8)
        world.sync(desk)
    assert DeadLetter.objects.get().attempts == 1


def test_a_conversion_over_the_deadline_can_be_retried_by_hand(world: World, desk, endless, monkeypatch):
    deliver(world, desk, "slow", subject=MARK)
    world.sync(desk)
    failed_email_actions.retry_many(ADMIN, DeadLetter.objects.all(), world.clock)
    world.sync(desk)
    letter = DeadLetter.objects.get()
    assert (letter.attempts, letter.retry_at) == (2, None)
    monkeypatch.undo()
    failed_email_actions.retry_many(ADMIN, DeadLetter.objects.all(), world.clock)
    world.sync(desk)
    world.assert_all_is_well(["slow"])


def test_a_conversion_over_the_deadline_is_retried_by_a_newer_version(world: World, desk, endless, monkeypatch):
    deliver(world, desk, "slow", subject=MARK)
    world.sync(desk)
    monkeypatch.undo()
    monkeypatch.setattr(transform, "VERSION", transform.VERSION + 1)
    world.sync(desk)
    world.assert_all_is_well(["slow"])


@pytest.mark.long
def test_a_dozen_conversions_over_the_deadline_open_no_circuit_breaker(world: World, desk, endless):
    slow = [f"slow{number}" for number in range(MANY + 2)]
    deliver(world, desk, *slow, subject=MARK)
    deliver(world, desk, *NEIGHBOURS)
    assert world.sync(desk).outcome == SyncRun.Outcome.DONE
    world.assert_all_is_well(NEIGHBOURS)
    assert DeadLetter.objects.filter(stage="deadline").count() == len(slow)


# ---- slow batches -----------------------------------------------------------------------------------------------------


def each_takes(world: World, monkeypatch, seconds: float) -> list[int]:
    """Make each conversion take some seconds. Return a list that grows by one entry per conversion."""
    usual, converted = cleaning.clean, []

    def clean(*given):
        converted.append(1)
        world.clock.turn(seconds=seconds)
        return usual(*given)

    monkeypatch.setattr(transform, "clean", clean)
    return converted


def test_fifty_slow_emails_in_one_batch_keep_the_lease_and_are_pushed(world: World, desk, monkeypatch, settings):
    settings.SYNC_SLICE = timedelta(hours=1)
    names = [f"m{number}" for number in range(50)]
    deliver(world, desk, *names)
    each_takes(world, monkeypatch, 19)
    assert world.sync(desk).outcome == SyncRun.Outcome.DONE
    world.assert_all_is_well(names)


def test_a_slice_ends_in_the_middle_of_a_slow_batch_and_nothing_is_converted_twice(world: World, desk, monkeypatch):
    names = [f"m{number}" for number in range(50)]
    deliver(world, desk, *names)
    converted = each_takes(world, monkeypatch, 19)
    outcomes = [world.sync(desk).outcome for _ in range(9)]
    assert outcomes[0] == SyncRun.Outcome.YIELDED
    assert outcomes[-1] == SyncRun.Outcome.DONE
    world.assert_all_is_well(names)
    assert len(converted) == len(names)


def test_an_email_slower_than_the_whole_slice_is_still_pushed(world: World, desk, monkeypatch):
    deliver(world, desk, *NEIGHBOURS)
    each_takes(world, monkeypatch, 140)
    outcomes = [world.sync(desk).outcome for _ in range(7)]
    assert outcomes[-1] == SyncRun.Outcome.DONE
    world.assert_all_is_well(NEIGHBOURS)


def test_a_worker_ends_after_the_current_email_at_a_shutdown(world: World, desk, monkeypatch):
    deliver(world, desk, *NEIGHBOURS)
    usual = cleaning.clean
    monkeypatch.setattr(shutdown, "_requested", bytearray(1))

    def clean(*given):
        shutdown.request()
        return usual(*given)

    monkeypatch.setattr(transform, "clean", clean)
    assert world.sync(desk).outcome == SyncRun.Outcome.YIELDED
    assert len(world.bucket().comments) == 1
    monkeypatch.undo()
    world.sync(desk)
    world.assert_all_is_well(NEIGHBOURS)


def test_a_fast_batch_runs_no_query_between_its_emails(world: World, desk, django_assert_max_num_queries):
    deliver(world, desk, "m0")
    world.sync(desk)
    with django_assert_max_num_queries(200) as few:
        deliver(world, desk, "m1")
        world.sync(desk)
    with django_assert_max_num_queries(200) as many:
        deliver(world, desk, *[f"n{number}" for number in range(40)])
        world.sync(desk)
    renewals = [
        sum("lease_until" in query["sql"] and query["sql"].startswith("UPDATE") for query in it) for it in (few, many)
    ]
    assert renewals[0] == renewals[1]


# ---- many slow emails -------------------------------------------------------------------------------------------------


def add_slow_emails(world: World, desk, count: int) -> None:
    deliver(world, desk, *[f"slow{number}" for number in range(count)])
    world.sync(desk)
    DeadLetter.objects.all().delete()
    for number, copy in enumerate(desk.copies.all()[:count]):
        DeadLetter.objects.create(
            mailbox=desk, folder=copy.folder, item_id=f"i{number}", stage="deadline", kind=DeadLetterKind.CONVERSION_DEADLINE,
            last_at=world.clock(),
        )  # fmt: skip


def titles(world: World) -> list[str]:
    return [problem.title for problem in alerts.problems(world.clock())]


def test_a_mailbox_with_more_than_ten_slow_emails_in_an_hour_is_announced_at_most_once_an_hour(world: World, desk):
    add_slow_emails(world, desk, MANY + 1)
    assert "Slow emails" in titles(world)
    for _ in range(2):
        housekeeping.run_checks(world.clock)
    notification = Notification.objects.get(kind=NotificationKind.SLOW_EMAILS)
    assert (notification.mailbox_id, notification.facts) == (desk.pk, {"emails": MANY + 1})
    Notification.objects.update(created_at=timezone.now() - timedelta(hours=2))
    housekeeping.run_checks(world.clock)
    assert Notification.objects.filter(kind=NotificationKind.SLOW_EMAILS).count() == 2
    world.clock.turn(hours=1)
    assert "Slow emails" not in titles(world)


def test_ten_slow_emails_in_an_hour_or_retried_ones_are_not_reported(world: World, desk):
    add_slow_emails(world, desk, MANY)
    housekeeping.run_checks(world.clock)
    assert "Slow emails" not in titles(world)
    add_slow_emails(world, desk, MANY + 1)
    DeadLetter.objects.update(attempts=2)
    housekeeping.run_checks(world.clock)
    assert "Slow emails" not in titles(world)
    assert not Notification.objects.exists()


def test_the_next_version_retries_a_failed_conversion_and_creates_the_comment_once(world: World, desk, monkeypatch):
    deliver(world, desk, "bad", subject="poison")
    raising(monkeypatch, ValueError(), of="poison")
    world.sync(desk)
    assert comment_id_of("bad") not in world.bucket().comments
    monkeypatch.undo()
    monkeypatch.setattr(transform, "VERSION", transform.VERSION + 1)
    world.sync(desk)
    world.assert_all_is_well(["bad"])
