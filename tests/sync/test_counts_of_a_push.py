"""Tests of pushes that Re:infer accepts with counts that do not add up: Re:infer is then asked which comments it stored."""

from __future__ import annotations

import pytest

from integrations.errors import ReinferNotStored
from mailboxes.models import Mailbox
from sync.models import DeadLetter, LedgerEntry
from tests.mails import comment_id_of, mail, message_id_of
from tests.sync.world import World

NAMES = ("a", "b", "c")


@pytest.fixture
def desk(world: World):
    mailbox = world.mailbox()
    box = world.mailboxes[mailbox.address]
    box.create_folder("Archive")
    for name in NAMES:
        box.deliver(mail(name))
    return mailbox


def move_to_archive(world: World, mailbox: Mailbox, name: str) -> None:
    box = world.mailboxes[mailbox.address]
    (item,) = [item for item in box.folder("Inbox").items.values() if item.message_id == message_id_of(name)]
    box.move(item.id, "Archive")


def test_only_a_comment_that_re_infer_did_not_store_is_pushed_again(world: World, desk):
    with world.every_sink(lambda sink: sink.lose(comment_id_of("b"))):
        run = world.sync(desk)
    assert (run.outcome, run.created, run.fetched) == ("done", 3, 3)
    world.assert_all_is_well(NAMES)
    assert {name: len(world.bucket().writes[comment_id_of(name)]) for name in NAMES} == {"a": 1, "b": 1, "c": 1}
    assert world.ai_units() == 3


def test_a_deployment_without_counts_is_asked_once_after_a_push_and_no_push_is_repeated(world: World, desk):
    with world.every_sink(lambda sink: sink.tell_no_counts(times=99)):
        world.sync(desk)
        requests = [ids for sink in world.sinks for ids in sink.questions]
        assert sorted(map(len, requests)) == [3]
        move_to_archive(world, desk, "b")
        world.sync_all(rounds=2)
    world.assert_all_is_well(NAMES)
    assert world.folder_of("b") == "Archive"
    assert [len(world.bucket().writes[comment_id_of(name)]) for name in NAMES] == [1, 2, 1]


def test_an_update_that_re_infer_did_not_store_is_pushed_again(world: World, desk):
    world.sync(desk)
    move_to_archive(world, desk, "b")
    with world.every_sink(lambda sink: sink.lose(comment_id_of("b"))):
        world.sync_all(rounds=2)
    assert world.folder_of("b") == "Archive"
    world.assert_all_is_well(NAMES)


def test_a_comment_that_re_infer_never_stores_becomes_a_dead_letter_and_delays_no_other(world: World, desk):
    with world.every_sink(lambda sink: sink.lose(comment_id_of("b"), times=999)):
        for _ in range(12):
            world.clock.turn(minutes=30)
            world.sync(desk)
    assert set(world.bucket().comments) == {comment_id_of("a"), comment_id_of("c")}
    assert [email.reason for email in DeadLetter.objects.filter(settled="")] == [ReinferNotStored.kind]
    assert not LedgerEntry.objects.filter(comment_id=comment_id_of("b"), state="confirmed").exists()
    world.clock.turn(hours=30)
    world.sync_all(rounds=2)
    world.assert_all_is_well(NAMES)


def test_counts_that_add_up_cause_no_request_for_stored_comments(world: World, desk):
    world.sync(desk)
    assert [ids for sink in world.sinks for ids in sink.questions] == []
