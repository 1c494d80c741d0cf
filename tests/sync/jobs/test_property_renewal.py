"""Property renewal adds `Mailbox ID` to old comments: slowly, without AI units, and only after new mail."""

from __future__ import annotations

from contextlib import suppress
from dataclasses import replace
from datetime import timedelta

import pytest
from django.db import connection

from conversion.transform import PROPERTIES
from integrations import errors
from integrations.messages import Comment, CommentId
from integrations.models import Integration
from mailboxes.models import Bucket, Mailbox
from sync.engine.reconcile import content_digest, properties_digest
from sync.jobs import bucket_audit, property_renewal, scheduling, verification
from sync.models import LedgerEntry, MailboxState, Renewal
from sync.reporting import alerts
from tests.faults.deadly import Died
from tests.mails import comment_id_of, mail
from tests.migrations.schemas import bring_up, go_back
from tests.sync.world import World

pytestmark = pytest.mark.django_db(transaction=True)

MAILBOX, MAILBOX_ID = "string:Mailbox", "string:Mailbox ID"


@pytest.fixture
def world(db) -> World:
    return World()


def downgrade_comments(world: World, bucket: str = "desks") -> None:
    """Remove `Mailbox ID` from all comments, and the properties version from all ledger entries."""
    fake = world.bucket(bucket)
    for comment in fake.comments.values():
        properties = {name: value for name, value in comment.properties.items() if name != MAILBOX_ID}
        fake.comments[comment.id] = replace(comment, properties=properties)
        LedgerEntry.objects.filter(bucket__name=bucket, comment_id=comment.id).update(
            properties_digest=properties_digest(fake.comments[comment.id]), properties_version=0
        )
    fake.writes.clear()


def desk_with(world: World, count: int, address: str = "desk@bank.example", **given: str) -> Mailbox:
    desk = world.mailbox(address, **given)
    for number in range(count):
        world.mailboxes[desk.address].deliver(mail(f"{address[:4]}{number}"))
    world.sync(desk)
    return desk


def minute(world: World) -> list[int]:
    """Run the renewal tasks of one minute, and return the primary keys of their buckets."""
    world.clock.turn(minutes=1)
    sent: list[int] = []
    property_renewal.send_due(sent.append, world.clock)
    for pk in sent:
        property_renewal.renew(pk, world.clock, world.open_sink)
    return sent


def no_mailbox_is_due(world: World) -> None:
    MailboxState.objects.update(next_sync_at=world.clock() + timedelta(days=1))


def renewed(world: World, bucket: str = "desks") -> list[bool]:
    held = world.bucket(bucket).comments.values()
    return [comment.properties.get(MAILBOX_ID) == comment.properties[MAILBOX] for comment in held]


def test_a_new_comment_has_its_mailbox_in_both_properties(world: World):
    desk_with(world, 1)
    assert world.comment("desk0").properties[MAILBOX_ID] == world.comment("desk0").properties[MAILBOX]
    assert LedgerEntry.objects.get().properties_version == PROPERTIES
    no_mailbox_is_due(world)
    before = world.pushes()
    minute(world)
    assert world.pushes() == before
    assert len(world.sinks[-1].questions) == 0, "no comment is requested from Re:infer"


def test_comments_of_an_older_version_get_the_property_once_and_without_ai_units(world: World, monkeypatch):
    monkeypatch.setattr(property_renewal, "BATCH", 5)
    desk_with(world, 23)
    downgrade_comments(world)
    texts = {comment.id: content_digest(comment) for comment in world.bucket().comments.values()}
    no_mailbox_is_due(world)
    remaining = []
    while (row := Renewal.objects.first()) is None or row.left != 0:
        minute(world)
        remaining.append(Renewal.objects.get().left)
        assert len(remaining) < 10
    assert remaining == [20, 11, 1, 0], "two batches a minute; the first has one comment, each later one has more"
    assert all(renewed(world))
    assert {comment.id: content_digest(comment) for comment in world.bucket().comments.values()} == texts
    assert {len(writes) for writes in world.bucket().writes.values()} == {1}
    assert Renewal.objects.get().renewed == 23
    assert world.ai_units() == world.bucket().billed == 23
    world.assert_all_is_well([f"desk{number}" for number in range(23)])


def test_new_mail_is_pushed_before_old_comments_are_renewed(world: World, monkeypatch):
    monkeypatch.setattr(property_renewal, "BATCH", 5)
    desk = desk_with(world, 12)
    downgrade_comments(world)
    world.mailboxes[desk.address].deliver(mail("live"))
    MailboxState.objects.update(next_sync_at=world.clock())
    assert minute(world) == [], "a mailbox waits for a worker"
    assert not any(renewed(world))
    world.sync(desk)
    assert world.comment("live").properties[MAILBOX_ID] == desk.address
    no_mailbox_is_due(world)
    for _ in range(4):
        minute(world)
    assert all(renewed(world))
    assert world.bucket().billed == world.ai_units() == 13


@pytest.mark.long
def test_after_an_upgrade_all_comments_are_renewed_and_new_mail_is_pushed_first(world: World):
    desk = desk_with(world, 7)
    downgrade_comments(world)
    go_back()
    try:
        columns = {column.name for column in table_of(LedgerEntry)}
        assert "properties_version" not in columns
    finally:
        bring_up()
    world.mailboxes[desk.address].deliver(mail("live"))
    MailboxState.objects.update(next_sync_at=world.clock())
    minute(world)
    assert not any(renewed(world))
    world.sync(desk)
    assert sum(renewed(world)) == 1
    no_mailbox_is_due(world)
    for _ in range(3):
        minute(world)
    assert all(renewed(world))
    assert {len(writes) for writes in world.bucket().writes.values()} == {1}
    world.assert_all_is_well(["live", *(f"desk{number}" for number in range(7))])


def table_of(model):
    with connection.cursor() as cursor:
        return connection.introspection.get_table_description(cursor, model._meta.db_table)


def test_a_running_task_ends_when_a_mailbox_waits_for_a_worker(world: World, monkeypatch):
    monkeypatch.setattr(property_renewal, "BATCH", 5)
    desk_with(world, 12)
    downgrade_comments(world)
    no_mailbox_is_due(world)
    minute(world)
    assert sum(renewed(world)) == 1 + 2
    waits = iter([False, True])
    monkeypatch.setattr(scheduling, "is_waited_for", lambda now, patience: next(waits))
    property_renewal.renew(Bucket.objects.get().pk, world.clock, world.open_sink)
    assert sum(renewed(world)) == 1 + 2 + 4


def test_comments_of_deleted_emails_and_deleted_mailboxes_are_renewed(world: World):
    desk, other = desk_with(world, 2), desk_with(world, 2, "gone@bank.example")
    box = world.mailboxes[desk.address]
    for item in list(box.folder("Inbox").items):
        box.delete(item)
    world.sync(desk)
    other.delete()
    downgrade_comments(world)
    no_mailbox_is_due(world)
    for _ in range(3):
        minute(world)
    assert all(renewed(world))
    assert world.comment("gone0").properties[MAILBOX_ID] == "gone@bank.example"


def test_an_email_of_several_mailboxes_gets_the_mailbox_that_was_synced_last(world: World):
    desk, sales = world.mailbox(), world.mailbox("sales@bank.example")
    for row in (desk, sales):
        world.mailboxes[row.address].deliver(mail("a"))
        world.sync(row)
    downgrade_comments(world)
    no_mailbox_is_due(world)
    minute(world)
    assert world.comment("a").properties[MAILBOX_ID] == world.comment("a").properties[MAILBOX] == sales.address


def test_an_update_by_a_sync_adds_the_property_so_the_comment_is_not_renewed(world: World):
    desk = desk_with(world, 1)
    downgrade_comments(world)
    box = world.mailboxes[desk.address]
    box.create_folder("Trades", parent="Inbox")
    box.move(next(iter(box.folder("Inbox").items)), "Trades")
    world.sync(desk)
    assert all(renewed(world))
    no_mailbox_is_due(world)
    minute(world)
    assert len(world.bucket().writes[comment_id_of("desk0")]) == 1
    assert world.folder_of("desk0") == "Inbox/Trades"


def test_a_comment_whose_text_was_changed_in_re_infer_is_not_renewed(world: World):
    desk_with(world, 3)
    downgrade_comments(world)
    bucket = world.bucket()
    bucket.translate(CommentId(comment_id_of("desk0")), "Translated")
    edited = bucket.comments[CommentId(comment_id_of("desk1"))]
    bucket.comments[edited.id] = replace(edited, message=replace(edited.message, body="Somebody wrote this."))
    no_mailbox_is_due(world)
    for _ in range(3):
        minute(world)
    row = Renewal.objects.get()
    assert (row.renewed, row.held_back, row.left) == (1, 2, 0)
    assert set(bucket.writes) == {comment_id_of("desk2")}


def test_missing_comments_and_comments_of_other_programs_are_not_pushed(world: World):
    desk_with(world, 3)
    downgrade_comments(world)
    bucket = world.bucket()
    del bucket.comments[CommentId(comment_id_of("desk0"))]
    foreign = bucket.comments[CommentId(comment_id_of("desk1"))]
    bucket.comments[foreign.id] = replace(foreign, properties={"string:Subject": "Theirs"})
    no_mailbox_is_due(world)
    for _ in range(3):
        minute(world)
    assert set(bucket.writes) == {comment_id_of("desk2")}
    assert Renewal.objects.get().left == 0


def test_a_verification_still_finds_properties_changed_in_re_infer(world: World):
    desk = desk_with(world, 2)
    downgrade_comments(world)
    bucket = world.bucket()
    changed = bucket.comments[CommentId(comment_id_of("desk0"))]
    bucket.comments[changed.id] = replace(changed, properties={**changed.properties, "string:Folder": "Elsewhere"})
    no_mailbox_is_due(world)
    for _ in range(3):
        minute(world)
    row = verification.begin(desk, repair=True, clock=world.clock)
    assert verification.run_to_end(row.pk, lambda row: None, world.around()).outdated == 1
    world.sync(desk)
    assert world.folder_of("desk0") == "Inbox"
    assert all(renewed(world))


@pytest.mark.parametrize("after_taking", [False, True])
def test_a_failed_push_is_retried_and_an_update_that_arrived_is_not_pushed_again(world: World, after_taking):
    desk_with(world, 4)
    downgrade_comments(world)
    no_mailbox_is_due(world)
    with world.every_sink(lambda sink: sink.fail(errors.ReinferFailed("HTTP 503"), after_taking=after_taking)):
        minute(world)
    assert sum(renewed(world)) == after_taking
    row = Renewal.objects.get()
    assert row.next_at - world.clock() == property_renewal.LATER
    for _ in range(14):
        minute(world)
    assert sum(renewed(world)) == 3 + after_taking, "it was alone in its batch, so it may be at fault and is skipped"
    world.clock.turn(days=1)
    no_mailbox_is_due(world)
    minute(world)
    assert all(renewed(world))
    assert {len(writes) for writes in world.bucket().writes.values()} == {1}
    assert not LedgerEntry.objects.exclude(dirty=False, state="confirmed", in_flight_until=None).exists()
    assert world.bucket().billed == world.ai_units() == 4
    desk = Mailbox.objects.get()
    assert (
        verification.run_to_end(
            verification.begin(desk, repair=False, clock=world.clock).pk, lambda row: None, world.around()
        ).well
        == 4
    )


@pytest.mark.parametrize("how", ["refused", "poison"])
def test_a_comment_that_re_infer_refuses_delays_no_other_and_is_retried_a_day_later(world: World, how):
    desk_with(world, 12)
    downgrade_comments(world)
    no_mailbox_is_due(world)
    bad = CommentId(comment_id_of("desk5"))

    def prepare(sink) -> None:
        if how == "refused":
            sink.refuse(bad)
        else:
            sink.poison(bad, errors.ReinferFailed("HTTP 500"))

    with world.every_sink(prepare):
        for _ in range(70):
            minute(world)
    assert sum(renewed(world)) == 11
    assert Renewal.objects.get().left == 1
    assert {len(writes) for writes in world.bucket().writes.values()} == {1}
    assert world.pushes() < 20, "it is not retried for a day"
    world.clock.turn(days=1)
    no_mailbox_is_due(world)
    minute(world)
    assert all(renewed(world))
    assert world.bucket().billed == 12


def test_the_retry_time_of_a_busy_answer_is_respected(world: World):
    desk_with(world, 1)
    downgrade_comments(world)
    no_mailbox_is_due(world)
    busy = errors.ReinferBusy("HTTP 429", retry_after=timedelta(minutes=33))
    with world.every_sink(lambda sink: sink.fail(busy)):
        minute(world)
    assert Renewal.objects.get().next_at - world.clock() == timedelta(minutes=33)


@pytest.mark.parametrize("dies", [False, True])
def test_a_sync_during_a_renewal_of_the_same_comment_pushes_the_folder_later(world: World, monkeypatch, dies):
    desk = desk_with(world, 1)
    downgrade_comments(world)
    no_mailbox_is_due(world)
    box = world.mailboxes[desk.address]
    box.create_folder("Trades", parent="Inbox")

    def move_and_sync(comments: list[Comment]) -> None:
        box.move(next(iter(box.folder("Inbox").items)), "Trades")
        world.open_sink = usual
        world.sync(desk)

    def die(*given: object) -> None:
        raise Died("after the push")

    usual = world.open_sink
    with monkeypatch.context() as patched, world.every_sink(lambda sink: setattr(sink, "before_push", move_and_sync)):
        if dies:
            patched.setattr(property_renewal._Batch, "_confirm", die)
        with suppress(Died):
            minute(world)
    assert world.folder_of("desk0") == "Inbox"
    world.clock.turn(minutes=3)
    world.sync(desk)
    assert world.folder_of("desk0") == "Inbox/Trades"
    assert all(renewed(world))
    world.assert_all_is_well(["desk0"])


def test_a_worker_that_was_suspended_before_its_push_does_not_push(world: World, monkeypatch):
    desk_with(world, 1)
    downgrade_comments(world)
    no_mailbox_is_due(world)
    claim = property_renewal._Batch._claim

    def suspended(batch, entries, mark):
        mine = claim(batch, entries, mark)
        world.clock.turn(minutes=10)
        return mine

    monkeypatch.setattr(property_renewal._Batch, "_claim", suspended)
    pushes = world.pushes()
    minute(world)
    assert world.pushes() == pushes


def test_after_one_billed_update_renewal_stops_and_an_alert_is_shown(world: World, monkeypatch):
    from tests.fakes.sink import FakeSink

    desk_with(world, 5)
    downgrade_comments(world)
    no_mailbox_is_due(world)
    push = FakeSink.push
    monkeypatch.setattr(FakeSink, "push", lambda sink, comments: replace(push(sink, comments), text_changed=1))
    for _ in range(4):
        minute(world)
    assert sum(renewed(world)) == 1
    assert Renewal.objects.get().halted_at is not None
    assert "Texts changed" in [it.title for it in alerts.problems(world.clock())]


def test_a_few_buckets_are_renewed_per_minute_except_paused_and_stopped_ones(world: World, monkeypatch):
    monkeypatch.setattr(property_renewal, "AT_ONCE", 2)
    for name in "abcd":
        desk_with(world, 1, f"{name * 4}@bank.example", bucket=name)
        downgrade_comments(world, name)
    Mailbox.objects.filter(bucket__name="c").update(enabled=False, disabled_reason="user")
    Bucket.objects.filter(name="d").update(held_until=world.clock(), held_since=world.clock())
    no_mailbox_is_due(world)
    assert len(minute(world)) == 2
    minute(world)
    assert [all(renewed(world, name)) for name in "abcd"] == [True, True, False, False]
    assert minute(world) == []


def test_entries_created_from_comments_found_in_the_bucket_are_renewed(world: World):
    """For an untrusted bucket, a ledger entry is created from the comment in the bucket. This comment may lack a property."""
    desk = desk_with(world, 2)
    downgrade_comments(world)
    LedgerEntry.objects.all().delete()
    Bucket.objects.update(trusted=False)
    MailboxState.objects.update(send_again=True)
    world.sync(desk)
    assert not any(renewed(world))
    no_mailbox_is_due(world)
    minute(world)
    minute(world)
    assert all(renewed(world))
    assert world.bucket().billed == 2


def test_a_restored_database_pushes_no_property_twice(world: World):
    from tests.sync.backups import Backup

    desk_with(world, 3)
    downgrade_comments(world)
    no_mailbox_is_due(world)
    backup = Backup()
    for _ in range(3):
        minute(world)
    backup.restore()
    for _ in range(3):
        minute(world)
    assert all(renewed(world))
    assert {len(writes) for writes in world.bucket().writes.values()} == {1}
    assert LedgerEntry.objects.filter(properties_version=PROPERTIES).count() == 3
    assert bucket_audit.compare(Bucket.objects.get().pk, world.clock, world.open_sink).stored == 3
    assert Integration.objects.exists()
