"""Tests of responses that are not an email, such as an error page: they are not pushed, and the email arrives later."""

import pytest

from integrations.dead_letter_reasons import DeadLetterKind, Stage
from operations import failed_email_actions, mailbox_actions
from simulators import pages
from sync.models import DeadLetter, LedgerEntry, MailboxItem
from tests.actors import ADMIN
from tests.mails import mail
from tests.sync.world import World

KINDS = pytest.mark.parametrize("kind", pages.KINDS)


@pytest.fixture
def world(db):
    return World()


def deliver_replaced(world, desk, name, kind, times=1000, **given):
    """Deliver an email. The first `times` fetches return a response of this kind (`pages.KINDS`) instead."""
    box = world.mailboxes[desk.address]
    mime = mail(name)
    item = box.deliver(mime, **given)
    box.hand_out(item, pages.replacement_body(mime, kind), times)
    return item


def sync_later(world, desk, **length):
    world.clock.turn(**length)
    return world.sync(desk)


@KINDS
def test_after_one_response_that_is_no_email_the_email_arrives_a_minute_later_and_is_billed_once(world: World, kind):
    desk = world.mailbox()
    deliver_replaced(world, desk, "a", kind, times=1)
    world.mailboxes[desk.address].deliver(mail("b"))
    run = world.sync(desk)
    assert (run.outcome, run.created, run.set_aside) == ("done", 1, 0)
    world.assert_all_is_well(["b"])
    assert not DeadLetter.objects.waiting().exists()
    assert sync_later(world, desk, minutes=1).created == 1
    world.assert_all_is_well(["a", "b"])
    assert world.ai_units() == 2
    assert not DeadLetter.objects.filter(settled="").exists()


@KINDS
def test_after_three_responses_that_are_no_email_the_email_is_a_dead_letter_and_other_emails_arrive(world: World, kind):
    desk = world.mailbox()
    deliver_replaced(world, desk, "a", kind)
    runs = [world.sync(desk), sync_later(world, desk, minutes=1), sync_later(world, desk, minutes=10)]
    assert [run.outcome for run in runs] == ["done"] * 3
    assert [run.set_aside for run in runs] == [0, 0, 1]
    dead_letter = DeadLetter.objects.waiting().get()
    assert (dead_letter.kind, dead_letter.stage, dead_letter.attempts) == (DeadLetterKind.NOT_AN_EMAIL, Stage.FETCH, 3)
    assert dead_letter.reason
    world.mailboxes[desk.address].deliver(mail("b"))
    world.sync(desk)
    world.assert_all_is_well(["b"])


def test_before_its_retry_is_due_the_email_is_not_fetched(world: World):
    desk = world.mailbox()
    deliver_replaced(world, desk, "a", "html")
    world.sync(desk)
    fetched = world.fetched()
    mailbox_actions.list_again(ADMIN, desk)
    sync_later(world, desk, seconds=30)
    assert world.fetched() == fetched


def test_the_email_arrives_by_a_retry_of_an_admin_and_by_the_automatic_retry_within_an_hour(world: World):
    desk = world.mailbox()
    items = [deliver_replaced(world, desk, name, "html") for name in "ab"]
    for minutes in (0, 1, 10):
        sync_later(world, desk, minutes=minutes)
    assert DeadLetter.objects.waiting().count() == 2
    world.mailboxes[desk.address].in_place_of.clear()
    failed_email_actions.retry_many(ADMIN, DeadLetter.objects.filter(item_id=items[0]), world.clock)
    sync_later(world, desk, minutes=1)
    world.assert_all_is_well(["a"])
    sync_later(world, desk, hours=1)
    world.assert_all_is_well(["a", "b"])


def test_fifty_responses_in_a_row_that_are_no_email_do_not_open_the_breaker_of_the_bucket(world: World):
    desk = world.mailbox()
    for number in range(50):
        deliver_replaced(world, desk, f"m{number}", "json", times=2)
    for minutes in (0, 1, 10):
        assert sync_later(world, desk, minutes=minutes).outcome == "done"
    world.assert_all_is_well([f"m{number}" for number in range(50)])
    assert not DeadLetter.objects.waiting().exists()


def test_a_response_that_is_no_email_does_not_make_an_item_a_draft(world: World):
    desk = world.mailbox()
    deliver_replaced(world, desk, "a", "html", times=1, draft=True)
    world.sync(desk)
    assert MailboxItem.objects.get().verdict == "set_aside"
    sync_later(world, desk, minutes=1)
    assert MailboxItem.objects.get().verdict == "never_sent"
    assert not LedgerEntry.objects.exists()


def test_an_email_with_another_message_id_than_the_listed_one_arrives(world: World):
    desk = world.mailbox()
    world.mailboxes[desk.address].deliver(mail("a"), listed_message_id="<listed@north.example>")
    world.sync(desk)
    world.assert_all_is_well(["a"])


def test_an_email_without_any_message_id_arrives(world: World):
    desk = world.mailbox()
    world.mailboxes[desk.address].deliver(mail("a", message_id=None))
    assert world.sync(desk).created == 1
