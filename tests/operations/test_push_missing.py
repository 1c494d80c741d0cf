"""Push missing again: comments that Re:infer lost are created again, and nothing else is billed."""

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


def test_comments_that_the_bucket_still_has_cost_nothing(world: World, desk):
    mailbox_actions.send_again(ADMIN, desk)
    world.sync_all(rounds=2)
    assert world.bucket().billed == 3
    assert world.bucket().text_changes == 0


def test_only_deleted_comments_are_created_again(world: World, desk):
    del world.bucket().comments[comment_id_of("b")]
    mailbox_actions.send_again(ADMIN, desk)
    world.sync_all(rounds=2)
    assert set(world.bucket().comments) == {comment_id_of(name) for name in ("a", "b", "c")}
    assert world.bucket().billed == 4


def test_the_maximum_cost_is_the_number_of_comments_of_the_mailbox(world: World, desk):
    assert mailbox_actions.most_ai_units_to_send_again(desk) == 3


def test_a_later_sync_pushes_nothing(world: World, desk):
    mailbox_actions.send_again(ADMIN, desk)
    world.sync_all(rounds=2)
    written = {key: len(writes) for key, writes in world.bucket().writes.items()}
    world.sync_all(rounds=2)
    assert {key: len(writes) for key, writes in world.bucket().writes.items()} == written


def test_an_email_in_two_mailboxes_is_not_billed_again(world: World, desk):
    other = world.mailbox("other@bank.example")
    world.mailboxes[other.address].deliver(mail("a"))
    world.sync_all(rounds=2)
    mailbox_actions.send_again(ADMIN, desk)
    world.sync_all(rounds=3)
    assert world.bucket().billed == 3
