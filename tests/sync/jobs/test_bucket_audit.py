"""The bucket audit reports missing comments after two audits in a row, and surplus comments at once."""

from __future__ import annotations

import pytest

from integrations import errors
from integrations.messages import CommentId
from mailboxes.models import Bucket, Mailbox
from sync.jobs import bucket_audit
from sync.models import Comparison, MailboxState
from sync.reporting import alerts
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


def audited(world: World) -> list[int]:
    """Run the audits that are due, and return the primary keys of their buckets."""
    sent: list[int] = []
    bucket_audit.send_due(sent.append, world.clock)
    for pk in sent:
        bucket_audit.compare(pk, world.clock, world.open_sink)
    MailboxState.objects.update(next_sync_at=world.clock())
    return sent


def violations(world: World) -> list[str]:
    return [it.invariant.value for it in broken(world.clock())]


def test_a_bucket_in_use_is_audited_about_once_an_hour(world: World, desk):
    assert audited(world) == [desk.bucket_id]
    assert audited(world) == []
    world.clock.turn(minutes=61)
    assert audited(world) == [desk.bucket_id]
    row = Comparison.objects.get()
    assert (row.stored, row.confirmed, row.missing_since, row.surplus_since) == (3, 3, None, None)
    assert violations(world) == []


@pytest.mark.wording
def test_deleted_comments_are_reported_after_two_audits(world: World, desk):
    audited(world)
    del world.bucket().comments[CommentId(comment_id_of("b"))]
    world.clock.turn(hours=2)
    audited(world)
    assert violations(world) == []
    world.clock.turn(minutes=11)
    audited(world)
    assert violations(world) == ["comments_missing"]
    (problem,) = (it for it in alerts.problems(world.clock()) if it.title == "Comments missing")
    assert "acknowledged 3 comments, but has only 2 of them" in problem.text
    assert problem.subject == desk.bucket


def test_a_count_that_lags_behind_for_a_moment_is_not_reported(world: World, desk):
    gone = world.bucket().comments.pop(CommentId(comment_id_of("b")))
    audited(world)
    world.bucket().comments[gone.id] = gone
    world.clock.turn(minutes=11)
    audited(world)
    assert violations(world) == []


def test_comments_of_another_program_are_reported_in_a_trusted_bucket(world: World, desk):
    from dataclasses import replace

    bucket = world.bucket()
    ours = next(iter(bucket.comments.values()))
    audited(world)
    bucket.take(replace(ours, id=CommentId("aa")))
    world.clock.turn(hours=1)
    audited(world)
    assert violations(world) == ["comments_surplus"]
    assert not Bucket.objects.get().trusted, "from now on unknown comments are requested first"
    bucket.take(replace(ours, id=CommentId("bb")))
    world.clock.turn(hours=1)
    audited(world)
    assert violations(world) == ["comments_surplus"], "until an admin accepts it"
    bucket_audit.accept(Bucket.objects.all())
    assert violations(world) == []
    world.clock.turn(hours=1)
    audited(world)
    assert violations(world) == [], "a surplus is expected in an untrusted bucket"


def test_a_failed_audit_returns_none_and_a_paused_bucket_is_not_audited(world: World, desk):
    audited(world)

    def unreachable(*given):
        raise errors.ReinferUnreachable

    world.clock.turn(hours=2)
    assert bucket_audit.compare(desk.bucket_id, world.clock, unreachable) is None
    Bucket.objects.update(held_until=world.clock(), held_since=world.clock())
    assert audited(world) == []


def test_a_bucket_whose_mailboxes_are_all_stopped_is_not_audited(world: World, desk):
    Mailbox.objects.update(enabled=False, disabled_reason="user")
    assert audited(world) == []


def test_without_a_count_of_re_infer_no_comment_is_reported_as_missing(world: World, desk):
    row = bucket_audit._record(desk.bucket, bucket_audit.Counted(3, None, 3), world.clock())
    assert (row.stored, row.missing_since) == (None, None)
