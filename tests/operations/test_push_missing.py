"""Send again: what Re:infer lost is created anew, and nothing else costs anything."""

import pytest

from operations import mailbox_actions
from tests.actors import ADMIN
from tests.mails import comment_id_of, mail
from tests.sync.world import World


@pytest.fixture
def desk(world: World):
    mailbox = world.mailbox()
    for name in ("a", "b", "c"):
        world.mailboxes[mailbox.address].deliver(mail(name))
    world.sync_all(rounds=2)
    return mailbox


def test_what_the_bucket_still_holds_costs_nothing(world: World, desk):
    mailbox_actions.send_again(ADMIN, desk)
    world.sync_all(rounds=2)
    assert world.bucket().billed == 3
    assert world.bucket().text_changes == 0


def test_what_was_deleted_there_is_created_anew_and_nothing_else(world: World, desk):
    del world.bucket().comments[comment_id_of("b")]
    mailbox_actions.send_again(ADMIN, desk)
    world.sync_all(rounds=2)
    assert set(world.bucket().comments) == {comment_id_of(name) for name in ("a", "b", "c")}
    assert world.bucket().billed == 4


def test_the_most_that_it_can_cost_is_told_before(world: World, desk):
    assert mailbox_actions.most_ai_units_to_send_again(desk) == 3


def test_afterwards_a_quiet_mailbox_pushes_nothing(world: World, desk):
    mailbox_actions.send_again(ADMIN, desk)
    world.sync_all(rounds=2)
    written = {key: len(writes) for key, writes in world.bucket().writes.items()}
    world.sync_all(rounds=2)
    assert {key: len(writes) for key, writes in world.bucket().writes.items()} == written


def test_an_email_that_lies_in_another_mailbox_too_stays_one_comment(world: World, desk):
    other = world.mailbox("other@bank.example")
    world.mailboxes[other.address].deliver(mail("a"))
    world.sync_all(rounds=2)
    mailbox_actions.send_again(ADMIN, desk)
    world.sync_all(rounds=3)
    assert world.bucket().billed == 3
