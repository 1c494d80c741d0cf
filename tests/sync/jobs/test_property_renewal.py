"""Comments that a version without `Mailbox ID` sent: they get it slowly, for free, and behind live mail."""

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
from sync.reporting import attention
from tests.faults.deadly import Died
from tests.mails import comment_id_of, mail
from tests.migrations.schemas import bring_up, go_back
from tests.sync.world import World

pytestmark = pytest.mark.django_db(transaction=True)

MAILBOX, MAILBOX_ID = "string:Mailbox", "string:Mailbox ID"


@pytest.fixture
def world(db) -> World:
    return World()


def as_an_older_version_left_it(world: World, bucket: str = "desks") -> None:
    """No comment has the property, and no entry knows of a version of the properties."""
    held = world.bucket(bucket)
    for comment in held.comments.values():
        properties = {name: value for name, value in comment.properties.items() if name != MAILBOX_ID}
        held.comments[comment.id] = replace(comment, properties=properties)
        LedgerEntry.objects.filter(bucket__name=bucket, comment_id=comment.id).update(
            properties_digest=properties_digest(held.comments[comment.id]), properties_version=0
        )
    held.writes.clear()


def desk_with(world: World, count: int, address: str = "desk@bank.example", **given: str) -> Mailbox:
    desk = world.mailbox(address, **given)
    for number in range(count):
        world.mailboxes[desk.address].deliver(mail(f"{address[:4]}{number}"))
    world.sync(desk)
    return desk


def minute(world: World) -> list[int]:
    """What beat and a worker do in one minute."""
    world.clock.turn(minutes=1)
    sent: list[int] = []
    property_renewal.send_due(sent.append, world.clock)
    for pk in sent:
        property_renewal.renew(pk, world.clock, world.open_sink)
    return sent


def well_polled(world: World) -> None:
    MailboxState.objects.update(next_sync_at=world.clock() + timedelta(days=1))


def whole(world: World, bucket: str = "desks") -> list[bool]:
    held = world.bucket(bucket).comments.values()
    return [comment.properties.get(MAILBOX_ID) == comment.properties[MAILBOX] for comment in held]


def test_a_new_comment_bears_its_mailbox_under_both_names(world: World):
    desk_with(world, 1)
    assert world.comment("desk0").properties[MAILBOX_ID] == world.comment("desk0").properties[MAILBOX]
    assert LedgerEntry.objects.get().properties_version == PROPERTIES
    well_polled(world)
    before = world.pushes()
    minute(world)
    assert world.pushes() == before
    assert len(world.sinks[-1].questions) == 0, "nothing is left to ask for"


def test_what_an_older_version_sent_gets_the_property_for_free_and_once(world: World, monkeypatch):
    monkeypatch.setattr(property_renewal, "BATCH", 5)
    desk_with(world, 23)
    as_an_older_version_left_it(world)
    texts = {comment.id: content_digest(comment) for comment in world.bucket().comments.values()}
    well_polled(world)
    lefts = []
    while (row := Renewal.objects.first()) is None or row.left != 0:
        minute(world)
        lefts.append(Renewal.objects.get().left)
        assert len(lefts) < 10
    assert lefts == [20, 11, 1, 0], "one alone, then more and more, two batches a minute"
    assert all(whole(world))
    assert {comment.id: content_digest(comment) for comment in world.bucket().comments.values()} == texts
    assert {len(writes) for writes in world.bucket().writes.values()} == {1}
    assert Renewal.objects.get().renewed == 23
    assert world.ai_units() == world.bucket().billed == 23
    world.assert_all_is_well([f"desk{number}" for number in range(23)])


def test_new_mail_comes_first_and_the_others_follow(world: World, monkeypatch):
    monkeypatch.setattr(property_renewal, "BATCH", 5)
    desk = desk_with(world, 12)
    as_an_older_version_left_it(world)
    world.mailboxes[desk.address].deliver(mail("live"))
    MailboxState.objects.update(next_sync_at=world.clock())
    assert minute(world) == [], "a mailbox waits for a worker"
    assert not any(whole(world))
    world.sync(desk)
    assert world.comment("live").properties[MAILBOX_ID] == desk.address
    well_polled(world)
    for _ in range(4):
        minute(world)
    assert all(whole(world))
    assert world.bucket().billed == world.ai_units() == 13


def test_the_database_of_the_version_before_gets_all_properties_while_new_mail_arrives_first(world: World):
    desk = desk_with(world, 7)
    as_an_older_version_left_it(world)
    go_back()
    try:
        columns = {column.name for column in table_of(LedgerEntry)}
        assert "properties_version" not in columns
    finally:
        bring_up()
    world.mailboxes[desk.address].deliver(mail("live"))
    MailboxState.objects.update(next_sync_at=world.clock())
    minute(world)
    assert not any(whole(world))
    world.sync(desk)
    assert sum(whole(world)) == 1
    well_polled(world)
    for _ in range(3):
        minute(world)
    assert all(whole(world))
    assert {len(writes) for writes in world.bucket().writes.values()} == {1}
    world.assert_all_is_well(["live", *(f"desk{number}" for number in range(7))])


def table_of(model):
    with connection.cursor() as cursor:
        return connection.introspection.get_table_description(cursor, model._meta.db_table)


def test_a_task_that_is_under_way_ends_when_a_mailbox_waits(world: World, monkeypatch):
    monkeypatch.setattr(property_renewal, "BATCH", 5)
    desk_with(world, 12)
    as_an_older_version_left_it(world)
    well_polled(world)
    minute(world)
    assert sum(whole(world)) == 1 + 2
    waits = iter([False, True])
    monkeypatch.setattr(scheduling, "is_waited_for", lambda now, patience: next(waits))
    property_renewal.renew(Bucket.objects.get().pk, world.clock, world.open_sink)
    assert sum(whole(world)) == 1 + 2 + 4


def test_a_comment_whose_email_is_gone_gets_it_too_and_so_does_one_whose_mailbox_is_gone(world: World):
    desk, other = desk_with(world, 2), desk_with(world, 2, "gone@bank.example")
    box = world.mailboxes[desk.address]
    for item in list(box.folder("Inbox").items):
        box.delete(item)
    world.sync(desk)
    other.delete()
    as_an_older_version_left_it(world)
    well_polled(world)
    for _ in range(3):
        minute(world)
    assert all(whole(world))
    assert world.comment("gone0").properties[MAILBOX_ID] == "gone@bank.example"


def test_an_email_of_several_mailboxes_bears_that_of_the_copy_synced_last(world: World):
    desk, sales = world.mailbox(), world.mailbox("sales@bank.example")
    for row in (desk, sales):
        world.mailboxes[row.address].deliver(mail("a"))
        world.sync(row)
    as_an_older_version_left_it(world)
    well_polled(world)
    minute(world)
    assert world.comment("a").properties[MAILBOX_ID] == world.comment("a").properties[MAILBOX] == sales.address


def test_a_move_after_the_upgrade_brings_the_property_along_and_nothing_is_sent_for_it_again(world: World):
    desk = desk_with(world, 1)
    as_an_older_version_left_it(world)
    box = world.mailboxes[desk.address]
    box.create_folder("Trades", parent="Inbox")
    box.move(next(iter(box.folder("Inbox").items)), "Trades")
    world.sync(desk)
    assert all(whole(world))
    well_polled(world)
    minute(world)
    assert len(world.bucket().writes[comment_id_of("desk0")]) == 1
    assert world.folder_of("desk0") == "Inbox/Trades"


def test_a_text_that_is_not_surely_ours_is_left_alone(world: World):
    desk_with(world, 3)
    as_an_older_version_left_it(world)
    bucket = world.bucket()
    bucket.translate(CommentId(comment_id_of("desk0")), "Translated")
    edited = bucket.comments[CommentId(comment_id_of("desk1"))]
    bucket.comments[edited.id] = replace(edited, message=replace(edited.message, body="Somebody wrote this."))
    well_polled(world)
    for _ in range(3):
        minute(world)
    row = Renewal.objects.get()
    assert (row.renewed, row.held_back, row.left) == (1, 2, 0)
    assert set(bucket.writes) == {comment_id_of("desk2")}


def test_comments_that_are_not_there_or_are_not_ours_are_not_sent(world: World):
    desk_with(world, 3)
    as_an_older_version_left_it(world)
    bucket = world.bucket()
    del bucket.comments[CommentId(comment_id_of("desk0"))]
    foreign = bucket.comments[CommentId(comment_id_of("desk1"))]
    bucket.comments[foreign.id] = replace(foreign, properties={"string:Subject": "Theirs"})
    well_polled(world)
    for _ in range(3):
        minute(world)
    assert set(bucket.writes) == {comment_id_of("desk2")}
    assert Renewal.objects.get().left == 0


def test_what_somebody_changed_there_is_still_found_by_a_verification(world: World):
    desk = desk_with(world, 2)
    as_an_older_version_left_it(world)
    bucket = world.bucket()
    changed = bucket.comments[CommentId(comment_id_of("desk0"))]
    bucket.comments[changed.id] = replace(changed, properties={**changed.properties, "string:Folder": "Elsewhere"})
    well_polled(world)
    for _ in range(3):
        minute(world)
    row = verification.begin(desk, repair=True, clock=world.clock)
    assert verification.to_its_end(row.pk, lambda row: None, world.around()).outdated == 1
    world.sync(desk)
    assert world.folder_of("desk0") == "Inbox"
    assert all(whole(world))


@pytest.mark.parametrize("after_taking", [False, True])
def test_a_push_that_fails_is_tried_later_and_what_arrived_is_not_sent_again(world: World, after_taking):
    desk_with(world, 4)
    as_an_older_version_left_it(world)
    well_polled(world)
    with world.every_sink(lambda sink: sink.fail(errors.ReinferFailed("HTTP 503"), after_taking=after_taking)):
        minute(world)
    assert sum(whole(world)) == after_taking
    row = Renewal.objects.get()
    assert row.next_at - world.clock() == property_renewal.LATER
    for _ in range(14):
        minute(world)
    assert sum(whole(world)) == 3 + after_taking, "it was alone, so it may be to blame, and is passed over"
    world.clock.turn(days=1)
    well_polled(world)
    minute(world)
    assert all(whole(world))
    assert {len(writes) for writes in world.bucket().writes.values()} == {1}
    assert not LedgerEntry.objects.exclude(dirty=False, state="confirmed", in_flight_until=None).exists()
    assert world.bucket().billed == world.ai_units() == 4
    desk = Mailbox.objects.get()
    assert (
        verification.to_its_end(
            verification.begin(desk, repair=False, clock=world.clock).pk, lambda row: None, world.around()
        ).well
        == 4
    )


@pytest.mark.parametrize("how", ["refused", "poison"])
def test_a_comment_that_re_infer_does_not_take_holds_up_no_other_and_is_tried_again_a_day_later(world: World, how):
    desk_with(world, 12)
    as_an_older_version_left_it(world)
    well_polled(world)
    bad = CommentId(comment_id_of("desk5"))

    def prepare(sink) -> None:
        if how == "refused":
            sink.refuse(bad)
        else:
            sink.poison(bad, errors.ReinferFailed("HTTP 500"))

    with world.every_sink(prepare):
        for _ in range(70):
            minute(world)
    assert sum(whole(world)) == 11
    assert Renewal.objects.get().left == 1
    assert {len(writes) for writes in world.bucket().writes.values()} == {1}
    assert world.pushes() < 20, "it is left alone for a day"
    world.clock.turn(days=1)
    well_polled(world)
    minute(world)
    assert all(whole(world))
    assert world.bucket().billed == 12


def test_a_busy_answer_is_obeyed(world: World):
    desk_with(world, 1)
    as_an_older_version_left_it(world)
    well_polled(world)
    busy = errors.ReinferBusy("HTTP 429", retry_after=timedelta(minutes=33))
    with world.every_sink(lambda sink: sink.fail(busy)):
        minute(world)
    assert Renewal.objects.get().next_at - world.clock() == timedelta(minutes=33)


@pytest.mark.parametrize("dies", [False, True])
def test_a_sync_that_meets_a_comment_in_hand_tells_its_folder_afterwards(world: World, monkeypatch, dies):
    desk = desk_with(world, 1)
    as_an_older_version_left_it(world)
    well_polled(world)
    box = world.mailboxes[desk.address]
    box.create_folder("Trades", parent="Inbox")

    def moves(comments: list[Comment]) -> None:
        box.move(next(iter(box.folder("Inbox").items)), "Trades")
        world.open_sink = usual  # type: ignore[method-assign]
        world.sync(desk)

    def ends(*given: object) -> None:
        raise Died("after the push")

    usual = world.open_sink
    with monkeypatch.context() as patched, world.every_sink(lambda sink: setattr(sink, "before_push", moves)):
        if dies:
            patched.setattr(property_renewal._Batch, "_confirm", ends)
        with suppress(Died):
            minute(world)
    assert world.folder_of("desk0") == "Inbox"
    world.clock.turn(minutes=3)
    world.sync(desk)
    assert world.folder_of("desk0") == "Inbox/Trades"
    assert all(whole(world))
    world.assert_all_is_well(["desk0"])


def test_a_worker_that_stood_still_before_its_push_does_not_push(world: World, monkeypatch):
    desk_with(world, 1)
    as_an_older_version_left_it(world)
    well_polled(world)
    claim = property_renewal._Batch._claim

    def stands_still(batch, entries, mark):
        mine = claim(batch, entries, mark)
        world.clock.turn(minutes=10)
        return mine

    monkeypatch.setattr(property_renewal._Batch, "_claim", stands_still)
    pushes = world.pushes()
    minute(world)
    assert world.pushes() == pushes


def test_a_server_that_bills_the_first_one_gets_no_second_one_and_an_admin_is_told(world: World, monkeypatch):
    from tests.fakes.sink import FakeSink

    desk_with(world, 5)
    as_an_older_version_left_it(world)
    well_polled(world)
    push = FakeSink.push
    monkeypatch.setattr(FakeSink, "push", lambda sink, comments: replace(push(sink, comments), text_changed=1))
    for _ in range(4):
        minute(world)
    assert sum(whole(world)) == 1
    assert Renewal.objects.get().halted_at is not None
    assert "Texts changed" in [it.title for it in attention.problems(world.clock())]


def test_buckets_take_turns_a_few_each_minute_and_those_that_are_held_or_stopped_are_left_alone(
    world: World, monkeypatch
):
    monkeypatch.setattr(property_renewal, "AT_ONCE", 2)
    for name in "abcd":
        desk_with(world, 1, f"{name * 4}@bank.example", bucket=name)
        as_an_older_version_left_it(world, name)
    Mailbox.objects.filter(bucket__name="c").update(enabled=False, disabled_reason="user")
    Bucket.objects.filter(name="d").update(held_until=world.clock(), held_since=world.clock())
    well_polled(world)
    assert len(minute(world)) == 2
    minute(world)
    assert [all(whole(world, name)) for name in "abcd"] == [True, True, False, False]
    assert minute(world) == []


def test_what_is_sent_again_or_found_there_is_asked_for_once_more(world: World):
    """An entry of a bucket that is not trusted is taken over as the bucket holds it: what it lacks is found afterwards."""
    desk = desk_with(world, 2)
    as_an_older_version_left_it(world)
    LedgerEntry.objects.all().delete()
    Bucket.objects.update(trusted=False)
    MailboxState.objects.update(send_again=True)
    world.sync(desk)
    assert not any(whole(world))
    well_polled(world)
    minute(world)
    minute(world)
    assert all(whole(world))
    assert world.bucket().billed == 2


def test_a_restored_database_sends_no_property_twice(world: World):
    from tests.sync.backups import Backup

    desk_with(world, 3)
    as_an_older_version_left_it(world)
    well_polled(world)
    backup = Backup()
    for _ in range(3):
        minute(world)
    backup.restore()
    for _ in range(3):
        minute(world)
    assert all(whole(world))
    assert {len(writes) for writes in world.bucket().writes.values()} == {1}
    assert LedgerEntry.objects.filter(properties_version=PROPERTIES).count() == 3
    assert bucket_audit.compare(Bucket.objects.get().pk, world.clock, world.open_sink).stored == 3
    assert Integration.objects.exists()
