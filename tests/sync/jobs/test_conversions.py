"""An email whose conversion fails or does not end is set aside alone, at its first try, and its neighbours arrive."""

from __future__ import annotations

from datetime import timedelta

import pytest
from django.utils import timezone

from conversion import transform
from conversion.preview import preview_of_file
from integrations.dead_letter_reasons import DeadLetterKind
from mailboxes.models import Bucket
from notifications.models import Notification, NotificationKind
from operations import failed_email_actions
from sync.jobs import housekeeping, shutdown
from sync.jobs.slow_conversions import MANY
from sync.models import DeadLetter, SyncRun
from sync.reporting import attention
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
    """Conversions that do not end of emails with the mark in their subject; the deadline is short."""
    # The first conversion of a process loads the tables of the rules, which takes longer than this deadline.
    preview_of_file(mail("first"), transform.EmailLocation("desk@bank.example", ("Inbox",)), transform.convert)
    settings.CONVERSION_DEADLINE = timedelta(seconds=0.2)
    monkeypatch.setattr(transform, "clean", planted(transform.clean))


def deliver(world: World, desk, *names: str, subject: str | None = None) -> None:
    for name in names:
        world.mailboxes[desk.address].deliver(mail(name, subject=subject))


def raising(monkeypatch, error: BaseException, of: str = "") -> None:
    """From now on the conversion of emails with these words in their subject raises this error."""
    usual = transform.clean

    def clean(sections, subject, *given):
        if of in subject:
            raise error
        return usual(sections, subject, *given)

    monkeypatch.setattr(transform, "clean", clean)


# ---- failures ---------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("error", [RecursionError("Ann's rent"), MemoryError(), ValueError("Ann's rent")])
def test_an_email_whose_conversion_fails_is_set_aside_at_the_first_try_and_its_neighbours_arrive(
    world: World, desk, monkeypatch, error
):
    deliver(world, desk, *NEIGHBOURS[:2])
    deliver(world, desk, "bad", subject="poison")
    deliver(world, desk, *NEIGHBOURS[2:])
    raising(monkeypatch, error, of="poison")
    run = world.sync(desk)
    assert (run.outcome, run.set_aside) == (SyncRun.Outcome.DONE, 1)
    world.assert_all_is_well(NEIGHBOURS)
    aside = DeadLetter.objects.get()
    assert aside.kind == DeadLetterKind.CONVERSION_FAILED
    assert aside.reason.startswith(f"{type(error).__name__} at conversion.transform:")
    assert "rent" not in aside.reason
    assert aside.retry_at == world.clock() + timedelta(hours=1)


def test_a_thousand_groups_within_each_other_in_a_header_hold_up_nothing(world: World, desk):
    box = world.mailboxes[desk.address]
    box.deliver(mail("nested").replace(b"To: desk@bank.example", b"To: " + b"team:" * 1000 + b"ann@north.example"))
    deliver(world, desk, *NEIGHBOURS)
    assert world.sync(desk).outcome == SyncRun.Outcome.DONE
    world.assert_all_is_well([*NEIGHBOURS, "nested"])


def test_a_release_that_converts_nothing_stops_the_bucket_and_sets_nothing_aside(world: World, desk, monkeypatch):
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
def test_an_email_whose_conversion_does_not_end_is_set_aside_and_its_neighbours_arrive(world: World, desk, endless):
    deliver(world, desk, *NEIGHBOURS[:2])
    deliver(world, desk, "slow", subject=MARK)
    deliver(world, desk, *NEIGHBOURS[2:])
    run = world.sync(desk)
    assert (run.outcome, run.set_aside) == (SyncRun.Outcome.DONE, 1)
    world.assert_all_is_well(NEIGHBOURS)
    aside = DeadLetter.objects.get()
    assert (aside.kind, aside.stage, aside.retry_at) == (DeadLetterKind.CONVERSION_DEADLINE, "deadline", None)
    assert aside.reason.startswith("longer than 0.2 s at conversion.")


def test_it_is_not_tried_again_by_the_clock(world: World, desk, endless):
    deliver(world, desk, "slow", subject=MARK)
    world.sync(desk)
    for _ in range(10):
        world.clock.turn(days=8)
        world.sync(desk)
    assert DeadLetter.objects.get().attempts == 1


def test_it_is_tried_again_by_hand_and_still_not_by_the_clock_after(world: World, desk, endless, monkeypatch):
    deliver(world, desk, "slow", subject=MARK)
    world.sync(desk)
    failed_email_actions.retry_many(ADMIN, DeadLetter.objects.all(), world.clock)
    world.sync(desk)
    aside = DeadLetter.objects.get()
    assert (aside.attempts, aside.retry_at) == (2, None)
    monkeypatch.undo()
    failed_email_actions.retry_many(ADMIN, DeadLetter.objects.all(), world.clock)
    world.sync(desk)
    world.assert_all_is_well(["slow"])


def test_it_is_tried_again_by_a_newer_version_of_the_transform(world: World, desk, endless, monkeypatch):
    deliver(world, desk, "slow", subject=MARK)
    world.sync(desk)
    monkeypatch.undo()
    monkeypatch.setattr(transform, "VERSION", transform.VERSION + 1)
    world.sync(desk)
    world.assert_all_is_well(["slow"])


def test_a_dozen_of_them_in_a_row_stop_no_bucket(world: World, desk, endless):
    slow = [f"slow{number}" for number in range(MANY + 2)]
    deliver(world, desk, *slow, subject=MARK)
    deliver(world, desk, *NEIGHBOURS)
    assert world.sync(desk).outcome == SyncRun.Outcome.DONE
    world.assert_all_is_well(NEIGHBOURS)
    assert DeadLetter.objects.filter(stage="deadline").count() == len(slow)


# ---- slow batches -----------------------------------------------------------------------------------------------------


def each_takes(world: World, monkeypatch, seconds: float) -> list[int]:
    """From now on a conversion takes so long. A list of what was converted."""
    usual, converted = transform.clean, []

    def clean(*given):
        converted.append(1)
        world.clock.turn(seconds=seconds)
        return usual(*given)

    monkeypatch.setattr(transform, "clean", clean)
    return converted


def test_fifty_slow_emails_in_one_batch_keep_their_lease_and_arrive(world: World, desk, monkeypatch, settings):
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


def test_an_email_slower_than_the_whole_slice_still_passes(world: World, desk, monkeypatch):
    deliver(world, desk, *NEIGHBOURS)
    each_takes(world, monkeypatch, 140)
    outcomes = [world.sync(desk).outcome for _ in range(7)]
    assert outcomes[-1] == SyncRun.Outcome.DONE
    world.assert_all_is_well(NEIGHBOURS)


def test_a_worker_that_is_told_to_leave_ends_after_the_email_in_hand(world: World, desk, monkeypatch):
    deliver(world, desk, *NEIGHBOURS)
    usual = transform.clean
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


def test_a_quick_batch_asks_nothing_between_its_emails(world: World, desk, django_assert_max_num_queries):
    deliver(world, desk, "m0")
    world.sync(desk)
    with django_assert_max_num_queries(200) as few:
        deliver(world, desk, "m1")
        world.sync(desk)
    with django_assert_max_num_queries(200) as many:
        deliver(world, desk, *[f"n{number}" for number in range(40)])
        world.sync(desk)
    asked = [
        sum("lease_until" in query["sql"] and query["sql"].startswith("UPDATE") for query in it) for it in (few, many)
    ]
    assert asked[0] == asked[1]


# ---- many of them -----------------------------------------------------------------------------------------------------


def aside(world: World, desk, count: int) -> None:
    deliver(world, desk, *[f"slow{number}" for number in range(count)])
    world.sync(desk)
    DeadLetter.objects.all().delete()
    for number, copy in enumerate(desk.copies.all()[:count]):
        DeadLetter.objects.create(
            mailbox=desk, folder=copy.folder, item_id=f"i{number}", stage="deadline", kind=DeadLetterKind.CONVERSION_DEADLINE,
            last_at=world.clock(),
        )  # fmt: skip


def titles(world: World) -> list[str]:
    return [problem.title for problem in attention.problems(world.clock())]


def test_a_mailbox_that_brings_more_than_ten_in_an_hour_is_told_once(world: World, desk):
    aside(world, desk, MANY + 1)
    assert "Slow emails" in titles(world)
    for _ in range(2):
        housekeeping.look(world.clock)
    notice = Notification.objects.get(kind=NotificationKind.SLOW_EMAILS)
    assert (notice.mailbox_id, notice.facts) == (desk.pk, {"emails": MANY + 1})
    Notification.objects.update(created_at=timezone.now() - timedelta(hours=2))
    housekeeping.look(world.clock)
    assert Notification.objects.filter(kind=NotificationKind.SLOW_EMAILS).count() == 2
    world.clock.turn(hours=1)
    assert "Slow emails" not in titles(world)


def test_ten_in_an_hour_or_old_ones_that_were_tried_again_are_not_told(world: World, desk):
    aside(world, desk, MANY)
    housekeeping.look(world.clock)
    assert "Slow emails" not in titles(world)
    aside(world, desk, MANY + 1)
    DeadLetter.objects.update(attempts=2)
    housekeeping.look(world.clock)
    assert "Slow emails" not in titles(world)
    assert not Notification.objects.exists()


def test_the_next_version_tries_the_email_that_was_refused_again_and_the_comment_is_created_once(
    world: World, desk, monkeypatch
):
    deliver(world, desk, "bad", subject="poison")
    raising(monkeypatch, ValueError(), of="poison")
    world.sync(desk)
    assert comment_id_of("bad") not in world.bucket().comments
    monkeypatch.undo()
    monkeypatch.setattr(transform, "VERSION", transform.VERSION + 1)
    world.sync(desk)
    world.assert_all_is_well(["bad"])
