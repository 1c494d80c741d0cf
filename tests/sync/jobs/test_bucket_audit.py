"""What a bucket holds beside what it acknowledged: a difference that stays is told, one that passes is not."""

from __future__ import annotations

import pytest

from integrations import errors
from integrations.messages import CommentId
from mailboxes.models import Bucket, Mailbox
from sync.jobs import bucket_audit
from sync.models import Comparison, MailboxState
from sync.reporting import attention
from sync.reporting.invariants import broken
from tests.mails import comment_id_of, mail
from tests.sync.world import World


@pytest.fixture
def desk(world: World):
    desk = world.mailbox()
    for name in "abc":
        world.mailboxes[desk.address].deliver(mail(name))
    world.sync(desk)
    return desk


def compared(world: World) -> list[int]:
    """A look at what is due to be compared, and the comparisons themselves."""
    sent: list[int] = []
    bucket_audit.send_due(sent.append, world.clock)
    for pk in sent:
        bucket_audit.compare(pk, world.clock, world.open_sink)
    MailboxState.objects.update(next_sync_at=world.clock())
    return sent


def told(world: World) -> list[str]:
    return [it.invariant.value for it in broken(world.clock())]


def test_a_bucket_in_use_is_compared_about_once_an_hour(world: World, desk):
    assert compared(world) == [desk.bucket_id]
    assert compared(world) == []
    world.clock.turn(minutes=61)
    assert compared(world) == [desk.bucket_id]
    row = Comparison.objects.get()
    assert (row.stored, row.confirmed, row.missing_since, row.surplus_since) == (3, 3, None, None)
    assert told(world) == []


@pytest.mark.wording
def test_comments_that_somebody_deleted_are_told_when_seen_twice(world: World, desk):
    compared(world)
    del world.bucket().comments[CommentId(comment_id_of("b"))]
    world.clock.turn(hours=2)
    compared(world)
    assert told(world) == []
    world.clock.turn(minutes=11)
    compared(world)
    assert told(world) == ["comments_missing"]
    (problem,) = (it for it in attention.problems(world.clock()) if it.title == "Comments missing")
    assert "1 fewer comments than it acknowledged (2 of 3)" in problem.text
    assert problem.subject == desk.bucket


def test_a_count_that_lags_behind_for_a_moment_is_not_told(world: World, desk):
    gone = world.bucket().comments.pop(CommentId(comment_id_of("b")))
    compared(world)
    world.bucket().comments[gone.id] = gone
    world.clock.turn(minutes=11)
    compared(world)
    assert told(world) == []


def test_comments_of_others_are_told_in_a_bucket_of_ours_alone(world: World, desk):
    from dataclasses import replace

    bucket = world.bucket()
    ours = next(iter(bucket.comments.values()))
    compared(world)
    bucket.take(replace(ours, id=CommentId("aa")))
    world.clock.turn(hours=1)
    compared(world)
    assert told(world) == ["comments_surplus"]
    assert not Bucket.objects.get().trusted, "from now on what is unknown is asked for"
    bucket.take(replace(ours, id=CommentId("bb")))
    world.clock.turn(hours=1)
    compared(world)
    assert told(world) == ["comments_surplus"], "until somebody accepts it"
    bucket_audit.accept(Bucket.objects.all())
    assert told(world) == []
    world.clock.turn(hours=1)
    compared(world)
    assert told(world) == [], "others may well write into a bucket that is not ours alone"


def test_an_answer_that_does_not_come_changes_nothing_and_what_is_held_is_not_asked(world: World, desk):
    compared(world)

    def unreachable(*given):
        raise errors.ReinferUnreachable

    world.clock.turn(hours=2)
    assert bucket_audit.compare(desk.bucket_id, world.clock, unreachable) is None
    Bucket.objects.update(held_until=world.clock(), held_since=world.clock())
    assert compared(world) == []


def test_a_bucket_whose_mailboxes_are_all_stopped_is_not_asked(world: World, desk):
    Mailbox.objects.update(enabled=False, disabled_reason="user")
    assert compared(world) == []


def test_a_server_that_counts_nothing_is_no_drift(world: World, desk):
    row = bucket_audit._record(desk.bucket, bucket_audit.Counted(3, None, 3), world.clock())
    assert (row.stored, row.missing_since) == (None, None)
