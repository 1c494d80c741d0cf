"""Tests of the circuit breakers: if too many comments or sign-ins are refused, syncs stop and no email is lost."""

from __future__ import annotations

import pytest

from integrations import errors
from mailboxes.models import Bucket
from operations import bucket_actions, failed_email_actions, mailbox_actions
from operations.results import ActionRefused
from sync.models import DeadLetter, SyncRun
from tests.actors import ADMIN
from tests.mails import comment_id_of, mail
from tests.sync.world import World

NAMES = [f"m{number}" for number in range(30)]
pytestmark = pytest.mark.django_db(transaction=True)


@pytest.fixture
def world(db) -> World:
    return World(page_size=40)


@pytest.fixture
def desk(world):
    desk = world.mailbox()
    for name in NAMES:
        world.mailboxes[desk.address].deliver(mail(name))
    return desk


def refuse(world: World, names):
    """Make the bucket refuse these emails. Return the previous `open_sink`: assign it again to end the refusals."""
    usual = world.open_sink

    def refusing(*given):
        sink = usual(*given)
        for name in names:
            sink.refuse(comment_id_of(name))
        return sink

    world.open_sink = refusing
    return usual


def test_when_all_comments_are_refused_the_breaker_opens_and_there_are_no_dead_letters(world: World, desk):
    refuse(world, NAMES)
    run = world.sync(desk)
    assert (run.outcome, run.error_kind) == (SyncRun.Outcome.FAILED, "too_many_refused")
    assert not DeadLetter.objects.exists()
    bucket = Bucket.objects.get()
    assert bucket.is_held
    assert bucket.held_kind == "too_many_refused"


def test_a_successful_half_open_trial_closes_the_breaker_and_all_comments_arrive(world: World, desk):
    usual = refuse(world, NAMES)
    world.sync(desk)
    world.open_sink = usual
    world.clock.turn(minutes=21)
    assert world.due() == [desk.pk]
    world.sync(desk)
    world.assert_all_is_well(NAMES)
    assert not Bucket.objects.get().is_held


def test_a_failed_half_open_trial_keeps_the_breaker_open_without_dead_letters(world: World, desk):
    refuse(world, NAMES)
    world.sync(desk)
    world.clock.turn(minutes=21)
    world.sync(desk)
    assert Bucket.objects.get().is_held
    assert not DeadLetter.objects.exists()


def test_after_resume_by_an_admin_refused_emails_become_dead_letters(world: World, desk):
    refuse(world, NAMES[:15])
    world.sync(desk)
    bucket_actions.resume(ADMIN, Bucket.objects.get(), world.clock)
    run = world.sync(desk)
    assert run.outcome == SyncRun.Outcome.DONE
    assert DeadLetter.objects.count() == 15
    world.assert_all_is_well(NAMES[15:])


def test_the_effect_of_resume_ends_after_a_day(world: World, desk):
    refuse(world, NAMES)
    world.sync(desk)
    bucket_actions.resume(ADMIN, Bucket.objects.get(), world.clock)
    world.clock.turn(hours=25)
    assert world.sync(desk).error_kind == "too_many_refused"


def test_refused_retries_of_dead_letters_do_not_open_the_breaker(world: World, desk):
    refuse(world, NAMES[:9])
    world.sync(desk)
    for _ in range(5):
        world.clock.turn(days=8)
        assert world.sync(desk).outcome == SyncRun.Outcome.DONE
    assert DeadLetter.objects.filter(attempts__gt=3).count() == 9


def test_one_action_retries_several_dead_letters_and_is_refused_when_none_is_left(world: World, desk):
    usual = refuse(world, NAMES[:9])
    world.sync(desk)
    world.open_sink = usual
    text = failed_email_actions.retry_many(ADMIN, DeadLetter.objects.all(), world.clock)
    assert isinstance(text, str)
    assert "9" in text
    world.sync(desk)
    world.assert_all_is_well(NAMES)
    assert isinstance(failed_email_actions.retry_many(ADMIN, DeadLetter.objects.all(), world.clock), ActionRefused)


def test_a_newer_version_of_the_conversion_retries_refused_emails(world: World, desk):
    usual = refuse(world, NAMES[:3])
    world.sync(desk)
    DeadLetter.objects.update(transform_version=0)
    world.open_sink = usual
    world.sync(desk)
    world.assert_all_is_well(NAMES)


def test_a_dead_letter_that_causes_a_server_error_ends_no_sync(world: World, desk):
    refuse(world, NAMES[:2])
    world.sync(desk)
    usual = world.open_sink

    def failing(*given):
        sink = usual(*given)
        sink.poison(comment_id_of(NAMES[0]), errors.ReinferFailed("HTTP 500"))
        return sink

    world.open_sink = failing
    world.clock.turn(hours=2)
    world.mailboxes[desk.address].deliver(mail("new"))
    assert world.sync(desk).outcome == SyncRun.Outcome.DONE
    assert comment_id_of("new") in world.bucket().comments
    world.clock.turn(minutes=1)
    assert world.sync(desk).outcome == SyncRun.Outcome.DONE


def test_of_many_queued_mailboxes_only_the_first_and_one_trial_sign_in_with_a_wrong_password(world: World):
    desks = [world.mailbox(f"desk{number}@bank.example") for number in range(5)]
    for box in world.mailboxes.values():
        box.fail("folders", errors.SignInRefused(), times=10)
    queued = world.due()
    assert len(queued) == 5
    for desk in desks:
        world.run(desk)
    assert len(world.sources) == 2, "the others were queued before the breaker opened"
    assert SyncRun.objects.count() == 2


def test_a_running_sync_stops_between_two_batches_when_the_breaker_of_its_connection_opens(world: World, settings):
    settings.FETCH_COUNT = 1
    world.page_size = 1
    one, other = world.mailbox("one@bank.example"), world.mailbox("other@bank.example")
    for name in "abc":
        world.mailboxes[one.address].deliver(mail(name))
    world.mailboxes[other.address].fail("folders", errors.SignInRefused())
    usual = world.open_sink

    def meanwhile(*given):
        sink = usual(*given)
        sink.before_push = lambda comments: world.run(other)
        return sink

    world.open_sink = meanwhile
    assert world.run(one).outcome == SyncRun.Outcome.YIELDED
    assert len(world.bucket().comments) == 1


def test_a_password_that_was_refused_for_another_mailbox_is_not_used_for_the_next_folder(world: World):
    one, other = world.mailbox("one@bank.example"), world.mailbox("other@bank.example")
    box = world.mailboxes[one.address]
    box.create_folder("Trades")
    box.deliver(mail("a"))
    box.deliver(mail("b"), "Trades")
    world.mailboxes[other.address].fail("folders", errors.SignInRefused())
    usual = world.open_sink

    def meanwhile(*given):
        sink = usual(*given)
        sink.before_push = lambda comments: (world.run(other), box.fail("changes", errors.SignInRefused()))
        return sink

    world.open_sink = meanwhile
    assert world.run(one).outcome == SyncRun.Outcome.YIELDED
    assert len(world.bucket().comments) == 1


def test_while_the_breaker_is_open_only_a_half_open_trial_syncs(world: World):
    desk = world.mailbox()
    world.mailboxes[desk.address].fail("folders", errors.SignInRefused())
    world.sync(desk)
    assert world.run(desk) is None
    assert world.sync(desk).outcome == SyncRun.Outcome.DONE


def test_an_email_that_exchange_does_not_find_for_a_moment_is_looked_up_again_and_arrives(world: World):
    desk = world.mailbox()
    box = world.mailboxes[desk.address]
    item = box.deliver(mail("ghost"))
    box.deliver(mail("other"))
    box.break_item(item, "ErrorItemNotFound")
    world.sync(desk)
    assert not DeadLetter.objects.waiting().exists(), (
        "most missing emails were moved or deleted, so pages do not show them yet"
    )
    box.mend_item(item)
    world.clock.turn(hours=2)
    world.sync(desk)
    world.assert_all_is_well(["ghost", "other"])


def test_a_missing_email_is_given_up_after_three_more_lookups_and_found_by_a_full_resync(world: World):
    desk = world.mailbox()
    box = world.mailboxes[desk.address]
    item = box.deliver(mail("ghost"))
    box.break_item(item, "ErrorItemNotFound")
    for _ in range(4):
        world.sync(desk)
        world.clock.turn(days=2)
    assert DeadLetter.objects.get().settled == "gone"
    box.mend_item(item)
    mailbox_actions.list_again(ADMIN, desk)
    world.sync(desk)
    world.assert_all_is_well(["ghost"])
