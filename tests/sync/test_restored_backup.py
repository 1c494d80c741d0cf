"""Tests that a restored database, or comments of another program, are detected before a comment is pushed twice."""

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
from sync.reporting import alerts
from tests.actors import ADMIN
from tests.mails import comment_id_of, mail
from tests.sync.backups import Backup
from tests.sync.world import World

pytestmark = pytest.mark.django_db(transaction=True)


@pytest.fixture
def world(db) -> World:
    return World()


@pytest.fixture
def count_requests(monkeypatch) -> list[str]:
    """A list that gets an entry whenever a bucket is asked for its number of comments."""
    from tests.fakes.sink import FakeSink

    lines: list[str] = []
    usual = FakeSink.count
    monkeypatch.setattr(FakeSink, "count", lambda sink: (lines.append("count"), usual(sink))[1])
    return lines


def reported_problems(world: World) -> list[str]:
    return [it.title for it in alerts.problems(world.clock()) if it.title == "Unknown comments"]


def push_as_another_program(world: World, *ids: str) -> None:
    ours = next(iter(world.bucket().comments.values()))
    for comment_id in ids:
        world.bucket().take(replace(ours, id=CommentId(comment_id)))


def restore_backup(world: World, since: timedelta) -> None:
    """Make a backup, deliver and edit mail, and restore the backup without the command `restored_backup`.

    `since`: the time from the backup to the restore.
    """
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
def test_a_restored_database_is_detected_before_anything_is_pushed_without_the_command(world: World, since):
    if connection.vendor == "sqlite" and since < bucket_audit.BEFORE_SENDING:
        pytest.skip("SQLite has no server whose restart could be detected")
    restore_backup(world, since)
    desk, other = Mailbox.objects.order_by("pk")
    assert reported_problems(world) == []
    pushes = world.pushes()
    world.mailboxes["other@bank.example"].deliver(mail("new"))
    world.sync_all(rounds=2)
    names = [f"before-{desk.pk}", "since-0", "since-1", "since-2"]
    world.assert_all_is_well(names)
    world.assert_all_is_well([f"before-{other.pk}", "new"], bucket="others")
    assert all(len(writes) == 1 for writes in world.bucket().writes.values())
    assert world.pushes() == pushes + 1, "the push of the new email"
    assert reported_problems(world) == ["Unknown comments"]
    assert set(Bucket.objects.filter(trusted=False).values_list("name", flat=True)) == {"desks"}


def test_comments_pushed_since_the_backup_are_not_pushed_again_and_new_mail_arrives(world: World):
    restore_backup(world, timedelta(hours=1))
    desk = world.mailboxes["desk@bank.example"]
    desk.deliver(mail("after"))
    world.sync_all()
    assert len(world.bucket().writes[comment_id_of("after")]) == 1
    assert all(len(writes) == 1 for writes in world.bucket().writes.values())
    assert world.bucket().text_changes == 0


def test_pushes_cause_at_most_one_comparison_in_fifteen_minutes(world: World, count_requests):
    desk = world.mailbox()
    for number in range(12):
        world.mailboxes[desk.address].deliver(mail(f"m{number}"))
        world.clock.turn(minutes=1)
        world.sync(desk)
    assert len(count_requests) == 0, "the bucket was empty at first contact"
    for number in range(30):
        world.mailboxes[desk.address].deliver(mail(f"n{number}"))
        world.clock.turn(minutes=1)
        world.sync(desk)
    assert len(count_requests) == 2, "at most one comparison in fifteen minutes"
    world.clock.turn(hours=5)
    world.sync(desk)
    assert len(count_requests) == 2, "nothing is pushed"


@pytest.mark.skipif(connection.vendor != "postgresql", reason="SQLite has no server whose restart could be detected")
def test_a_restart_of_the_database_server_causes_a_comparison(world: World, count_requests):
    desk = world.mailbox()
    world.mailboxes[desk.address].deliver(mail("a"))
    world.sync(desk)
    assert Comparison.objects.get().server_run
    Comparison.objects.update(server_run="another")
    world.mailboxes[desk.address].deliver(mail("b"))
    world.sync(desk)
    assert count_requests == ["count"]
    assert reported_problems(world) == []


@pytest.mark.wording
def test_unknown_comments_are_reported_until_an_admin_accepts_them_and_syncs_continue(world: World):
    desk = world.mailbox()
    world.mailboxes[desk.address].deliver(mail("a"))
    world.sync(desk)
    push_as_another_program(world, "aa", "bb")
    world.clock.turn(minutes=20)
    world.mailboxes[desk.address].deliver(mail("b"))
    world.sync(desk)
    assert comment_id_of("b") in world.bucket().comments
    assert reported_problems(world) == ["Unknown comments"]
    row = Comparison.objects.get()
    assert (row.surplus, row.stored) == (2, 3)
    assert str(bucket_actions.accept_comments(ADMIN, desk.bucket)).endswith("whether it has the comment already.")
    assert reported_problems(world) == []
    assert isinstance(bucket_actions.accept_comments(ADMIN, desk.bucket), ActionRefused)
    push_as_another_program(world, "cc", "dd", comment_id_of("theirs"))
    world.mailboxes[desk.address].deliver(mail("theirs"))
    world.clock.turn(hours=2)
    bucket_audit.compare(desk.bucket_id, world.clock, world.open_sink)
    world.sync(desk)
    assert reported_problems(world) == [], "after it was accepted, the surplus may grow"
    assert len(world.bucket().writes[comment_id_of("theirs")]) == 1, "a comment of another program is not pushed again"


def test_without_a_count_each_new_comment_is_requested_before_its_push(world: World, monkeypatch):
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
    assert reported_problems(world) == []


def test_after_the_restored_backup_command_unknown_comments_are_not_reported(world: World):
    restore_backup(world, timedelta(hours=1))
    world.sync_all()
    assert reported_problems(world)
    call_command("restored_backup", stdout=StringIO())
    assert not reported_problems(world)
    assert not Bucket.objects.filter(trusted=True).exists()


def test_a_clock_that_was_set_back_does_not_extend_the_validity_of_a_comparison(world: World, count_requests):
    desk = world.mailbox()
    world.mailboxes[desk.address].deliver(mail("a"))
    world.sync(desk)
    world.clock.turn(hours=-3)
    world.mailboxes[desk.address].deliver(mail("b"))
    world.sync(desk)
    assert count_requests == ["count"]
