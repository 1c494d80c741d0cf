"""A page that comes in the place of an email: nothing of it is sent, and the email arrives when it comes again."""

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


def replaced(world, desk, name, kind, times=1000, **given):
    """An email that arrives, and in whose place such a page comes so many times."""
    box = world.mailboxes[desk.address]
    mime = mail(name)
    item = box.deliver(mime, **given)
    box.hand_out(item, pages.in_place_of(mime, kind), times)
    return item


def later(world, desk, **length):
    world.clock.turn(**length)
    return world.sync(desk)


@KINDS
def test_a_page_that_came_once_makes_no_comment_and_the_email_arrives_a_minute_later_billed_once(world: World, kind):
    desk = world.mailbox()
    replaced(world, desk, "a", kind, times=1)
    world.mailboxes[desk.address].deliver(mail("b"))
    run = world.sync(desk)
    assert (run.outcome, run.created, run.set_aside) == ("done", 1, 0)
    world.assert_all_is_well(["b"])
    assert not DeadLetter.objects.waiting().exists()
    assert later(world, desk, minutes=1).created == 1
    world.assert_all_is_well(["a", "b"])
    assert world.ai_units() == 2
    assert not DeadLetter.objects.filter(settled="").exists()


@KINDS
def test_a_page_that_came_three_times_sets_the_email_aside_with_that_reason_and_the_mailbox_goes_on(world: World, kind):
    desk = world.mailbox()
    replaced(world, desk, "a", kind)
    told = [world.sync(desk), later(world, desk, minutes=1), later(world, desk, minutes=10)]
    assert [run.outcome for run in told] == ["done"] * 3
    assert [run.set_aside for run in told] == [0, 0, 1]
    aside = DeadLetter.objects.waiting().get()
    assert (aside.kind, aside.stage, aside.attempts) == (DeadLetterKind.NOT_AN_EMAIL, Stage.FETCH, 3)
    assert aside.reason
    world.mailboxes[desk.address].deliver(mail("b"))
    world.sync(desk)
    world.assert_all_is_well(["b"])


def test_between_its_tries_it_is_asked_for_by_no_poll(world: World):
    desk = world.mailbox()
    replaced(world, desk, "a", "html")
    world.sync(desk)
    fetched = world.fetched()
    mailbox_actions.list_again(ADMIN, desk)
    later(world, desk, seconds=30)
    assert world.fetched() == fetched


def test_what_was_set_aside_so_arrives_when_somebody_tries_it_again_and_by_itself_within_the_hour(world: World):
    desk = world.mailbox()
    items = [replaced(world, desk, name, "html") for name in "ab"]
    for minutes in (0, 1, 10):
        later(world, desk, minutes=minutes)
    assert DeadLetter.objects.waiting().count() == 2
    world.mailboxes[desk.address].in_place_of.clear()
    failed_email_actions.retry_many(ADMIN, DeadLetter.objects.filter(item_id=items[0]), world.clock)
    later(world, desk, minutes=1)
    world.assert_all_is_well(["a"])
    later(world, desk, hours=1)
    world.assert_all_is_well(["a", "b"])


def test_fifty_pages_in_a_row_stop_no_bucket(world: World):
    desk = world.mailbox()
    for number in range(50):
        replaced(world, desk, f"m{number}", "json", times=2)
    for minutes in (0, 1, 10):
        assert later(world, desk, minutes=minutes).outcome == "done"
    world.assert_all_is_well([f"m{number}" for number in range(50)])
    assert not DeadLetter.objects.waiting().exists()


def test_a_page_in_the_place_of_what_is_marked_as_a_draft_is_taken_for_no_draft(world: World):
    desk = world.mailbox()
    replaced(world, desk, "a", "html", times=1, draft=True)
    world.sync(desk)
    assert MailboxItem.objects.get().verdict == "set_aside"
    later(world, desk, minutes=1)
    assert MailboxItem.objects.get().verdict == "never_sent"
    assert not LedgerEntry.objects.exists()


def test_another_message_id_than_the_listed_one_is_taken_as_ever(world: World):
    desk = world.mailbox()
    world.mailboxes[desk.address].deliver(mail("a"), listed_message_id="<listed@north.example>")
    world.sync(desk)
    world.assert_all_is_well(["a"])


def test_an_email_without_a_message_id_that_lists_none_is_taken_as_ever(world: World):
    desk = world.mailbox()
    world.mailboxes[desk.address].deliver(mail("a", message_id=None))
    assert world.sync(desk).created == 1
