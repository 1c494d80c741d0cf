"""A database that came from a backup, and buckets that others fill as well: found before anything is sent twice."""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta
from io import StringIO

import pytest
from django.core.management import call_command
from django.db import connection

from integrations import errors
from integrations.messages import CommentId
from mailboxes.models import Bucket, Mailbox
from operations import bucket_actions
from operations.results import ActionRefused
from sync.jobs import bucket_audit
from sync.models import Comparison
from sync.reporting import attention
from tests.actors import ADMIN
from tests.mails import comment_id_of, mail
from tests.sync.backups import Backup
from tests.sync.world import World

pytestmark = pytest.mark.django_db(transaction=True)


@pytest.fixture
def world(db) -> World:
    return World()


@pytest.fixture
def asked(monkeypatch) -> list[str]:
    """A line for each time that a bucket was asked for its count."""
    from tests.fakes.sink import FakeSink

    lines: list[str] = []
    usual = FakeSink.count
    monkeypatch.setattr(FakeSink, "count", lambda sink: (lines.append("count"), usual(sink))[1])
    return lines


def told(world: World) -> list[str]:
    return [it.title for it in attention.problems(world.clock()) if it.title == "Unknown comments"]


def comments_of_others(world: World, *ids: str) -> None:
    ours = next(iter(world.bucket().comments.values()))
    for comment_id in ids:
        world.bucket().take(replace(ours, id=CommentId(comment_id)))


def restored(world: World, since: timedelta) -> None:
    """Mail arrives and is edited after the backup; then the backup comes back, and nobody says so."""
    desk, other = world.mailbox(), world.mailbox("other@bank.example", bucket="others")
    for box in (desk, other):
        world.mailboxes[box.address].deliver(mail(f"before-{box.pk}"))
    world.sync_all()
    backup = Backup()
    items = [world.mailboxes[desk.address].deliver(mail(f"since-{number}")) for number in range(3)]
    world.clock.turn(seconds=since.total_seconds())
    world.sync_all()
    world.mailboxes[desk.address].edit(items[0], mail("since-0", body="Edited later."))
    backup.restore()


@pytest.mark.parametrize("since", [timedelta(seconds=1), timedelta(hours=20)])
def test_a_restored_database_is_found_before_anything_is_sent_although_nobody_said_so(world: World, since):
    if connection.vendor == "sqlite" and since < bucket_audit.BEFORE_SENDING:
        pytest.skip("a file has no server that starts")
    restored(world, since)
    desk, other = Mailbox.objects.order_by("pk")
    assert told(world) == []
    pushes = world.pushes()
    world.mailboxes["other@bank.example"].deliver(mail("new"))
    world.sync_all(rounds=2)
    names = [f"before-{desk.pk}", "since-0", "since-1", "since-2"]
    world.assert_all_is_well(names)
    world.assert_all_is_well([f"before-{other.pk}", "new"], bucket="others")
    assert all(len(writes) == 1 for writes in world.bucket().writes.values())
    assert world.pushes() == pushes + 1, "that of the new email"
    assert told(world) == ["Unknown comments"]
    assert set(Bucket.objects.filter(trusted=False).values_list("name", flat=True)) == {"desks"}


def test_what_was_sent_since_the_backup_is_only_asked_for_and_new_mail_arrives_beside_it(world: World):
    restored(world, timedelta(hours=1))
    desk = world.mailboxes["desk@bank.example"]
    desk.deliver(mail("after"))
    world.sync_all()
    assert len(world.bucket().writes[comment_id_of("after")]) == 1
    assert all(len(writes) == 1 for writes in world.bucket().writes.values())
    assert world.bucket().text_changes == 0


def test_the_comparison_costs_no_request_for_each_push(world: World, asked):
    desk = world.mailbox()
    for number in range(12):
        world.mailboxes[desk.address].deliver(mail(f"m{number}"))
        world.clock.turn(minutes=1)
        world.sync(desk)
    assert len(asked) == 0, "at first contact the bucket was seen to be empty"
    for number in range(30):
        world.mailboxes[desk.address].deliver(mail(f"n{number}"))
        world.clock.turn(minutes=1)
        world.sync(desk)
    assert len(asked) == 2, "every fifteen minutes at most"
    world.clock.turn(hours=5)
    world.sync(desk)
    assert len(asked) == 2, "nothing is sent"


@pytest.mark.skipif(connection.vendor != "postgresql", reason="a file has no server that starts")
def test_a_database_server_that_started_anew_is_reason_enough_to_compare(world: World, asked):
    desk = world.mailbox()
    world.mailboxes[desk.address].deliver(mail("a"))
    world.sync(desk)
    assert Comparison.objects.get().server_run
    Comparison.objects.update(server_run="another")
    world.mailboxes[desk.address].deliver(mail("b"))
    world.sync(desk)
    assert asked == ["count"]
    assert told(world) == []


@pytest.mark.wording
def test_a_bucket_that_others_fill_is_told_of_until_it_is_accepted_and_syncs_go_on(world: World):
    desk = world.mailbox()
    world.mailboxes[desk.address].deliver(mail("a"))
    world.sync(desk)
    comments_of_others(world, "aa", "bb")
    world.clock.turn(minutes=20)
    world.mailboxes[desk.address].deliver(mail("b"))
    world.sync(desk)
    assert comment_id_of("b") in world.bucket().comments
    assert told(world) == ["Unknown comments"]
    row = Comparison.objects.get()
    assert (row.surplus, row.stored) == (2, 3)
    assert str(bucket_actions.accept_comments(ADMIN, desk.bucket)).endswith("before it is sent there.")
    assert told(world) == []
    assert isinstance(bucket_actions.accept_comments(ADMIN, desk.bucket), ActionRefused)
    comments_of_others(world, "cc", "dd", comment_id_of("theirs"))
    world.mailboxes[desk.address].deliver(mail("theirs"))
    world.clock.turn(hours=2)
    bucket_audit.compare(desk.bucket_id, world.clock, world.open_sink)
    world.sync(desk)
    assert told(world) == [], "it may grow"
    assert len(world.bucket().writes[comment_id_of("theirs")]) == 1, "and what others sent is not sent again"


def test_while_no_count_is_to_be_had_each_new_email_is_asked_for(world: World, monkeypatch):
    from tests.fakes.sink import FakeSink

    desk = world.mailbox()
    world.mailboxes[desk.address].deliver(mail("a"))
    world.sync(desk)

    def fails(sink):
        raise errors.ReinferFailed("HTTP 503")

    for count in (fails, lambda sink: None):
        monkeypatch.setattr(FakeSink, "count", count)
        world.clock.turn(hours=1)
        name = f"m{world.pushes()}"
        world.mailboxes[desk.address].deliver(mail(name))
        world.sync(desk)
        assert (comment_id_of(name),) in world.sinks[-1].questions
        assert comment_id_of(name) in world.bucket().comments
    assert Bucket.objects.get().trusted
    assert told(world) == []


def test_whoever_says_that_the_database_was_restored_is_told_no_more(world: World):
    restored(world, timedelta(hours=1))
    world.sync_all()
    assert told(world)
    call_command("restored_backup", stdout=StringIO())
    assert not told(world)
    assert not Bucket.objects.filter(trusted=True).exists()


def test_a_clock_that_was_set_back_makes_no_comparison_last_longer(world: World, asked):
    desk = world.mailbox()
    world.mailboxes[desk.address].deliver(mail("a"))
    world.sync(desk)
    world.clock.turn(hours=-3)
    world.mailboxes[desk.address].deliver(mail("b"))
    world.sync(desk)
    assert asked == ["count"]
