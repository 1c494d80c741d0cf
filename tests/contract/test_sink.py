"""The behaviour that `integrations.ports.Sink` requires, for the sink of Re:infer and the fake."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace

import pytest

from integrations.errors import BucketNotFound, Transient
from integrations.messages import Attachment, CommentId, Message
from tests.contract.sink_rigs import RIGS, Rig
from tests.integrations.reinfer.comments import comment


@pytest.fixture(params=RIGS)
def rig(request: pytest.FixtureRequest) -> Iterator[Rig]:
    with RIGS[request.param]() as rig:
        yield rig


RICH = comment(
    "rich",
    message=Message(
        subject="Übergabe 📦",
        body="Dear Bob,\n\nline two\ttab “quotes” \u2028 end",
        signature="Ann\nArcher & Co",
        sender="Ann Archer <ann@bank.example>",
        to=("Bob <bob@client.example>", "carol@client.example"),
        cc=("dan@client.example",),
        bcc=("eve@client.example",),
        sent_at=comment().timestamp,
    ),
    properties={"string:Folder": "Inbox/Büro", "number:Size": 2048, "number:Share": 0.5},
    attachments=(Attachment("a.pdf", 10, "application/pdf"), Attachment("logo.png", 0, "image/png", inline=True)),
)


def comment_ids(count: int) -> list[CommentId]:
    return [comment(str(number)).id for number in range(count)]


def test_pushed_comments_are_stored_unchanged(rig: Rig) -> None:
    receipt = rig.sink.push([RICH, comment("plain")])
    assert receipt.rejections == ()
    assert (receipt.created, receipt.updated, receipt.unchanged) == (2, 0, 0)
    assert receipt.text_changed == (0 if rig.reports_text_changes else None)
    assert rig.bucket_comments() == {one.id: one for one in (RICH, comment("plain"))}
    assert rig.billed() == 2


def test_comments_arrive_in_their_order(rig: Rig) -> None:
    rig.sink.push([comment(str(number)) for number in (3, 1, 2)])
    assert list(rig.bucket_comments()) == [comment(str(number)).id for number in (3, 1, 2)]


def test_an_empty_push_stores_nothing(rig: Rig) -> None:
    assert rig.sink.push([]).rejections == ()
    assert rig.bucket_comments() == {}


def test_more_than_one_batch_is_stored_completely(rig: Rig) -> None:
    receipt = rig.sink.push([comment(str(number)) for number in range(300)])
    assert receipt.created == 300
    assert list(rig.bucket_comments()) == comment_ids(300)


def test_a_repeated_push_changes_nothing_and_is_not_billed(rig: Rig) -> None:
    rig.sink.push([RICH])
    with rig.second_sink() as other:
        receipt = other.push([RICH])
    assert (receipt.created, receipt.updated, receipt.unchanged) == (0, 0, 1)
    assert (rig.billed(), rig.text_changes()) == (1, 0)


def test_changed_properties_are_an_update_that_is_not_billed(rig: Rig) -> None:
    rig.sink.push([RICH])
    moved = replace(RICH, properties={**RICH.properties, "string:Folder": "Archive"})
    receipt = rig.sink.push([moved])
    assert (receipt.created, receipt.updated, receipt.unchanged) == (0, 1, 0)
    assert rig.bucket_comments()[RICH.id] == moved
    assert (rig.billed(), rig.text_changes()) == (1, 0)


def test_a_changed_text_is_billed_and_reported(rig: Rig) -> None:
    rig.sink.push([comment()])
    receipt = rig.sink.push([comment(body="Never mind.")])
    assert receipt.text_changed == (1 if rig.reports_text_changes else None)
    assert (rig.billed(), rig.text_changes()) == (2, 1)


@pytest.mark.parametrize("place", [0, 37, 63])
def test_one_refused_comment_is_a_rejection_and_the_others_are_stored(rig: Rig, place: int) -> None:
    ids = comment_ids(64)
    rig.refuse(ids[place])
    receipt = rig.sink.push([comment(str(number)) for number in range(64)])
    assert [rejection.comment_id for rejection in receipt.rejections] == [ids[place]]
    assert receipt.rejections[0].reason.startswith("HTTP 422")
    assert list(rig.bucket_comments()) == ids[:place] + ids[place + 1 :]
    assert rig.billed() == 63


def test_if_all_comments_are_refused_each_becomes_a_rejection(rig: Rig) -> None:
    for comment_id in comment_ids(5):
        rig.refuse(comment_id)
    receipt = rig.sink.push([comment(str(number)) for number in range(5)])
    assert [rejection.comment_id for rejection in receipt.rejections] == comment_ids(5)
    assert rig.bucket_comments() == {}


def test_a_transient_fault_is_raised_and_a_second_push_stores_all_comments(rig: Rig) -> None:
    comments = [comment(str(number)) for number in range(10)]
    rig.fail_once()
    with pytest.raises(Transient) as caught:
        rig.sink.push(comments)
    assert caught.value.may_be_item
    assert rig.sink.push(comments).created == 10
    assert rig.billed() == 10


def test_a_push_after_a_timeout_is_not_billed_again(rig: Rig) -> None:
    comments = [comment(str(number)) for number in range(10)]
    with rig.sink_with_timeout() as sink, pytest.raises(Transient) as caught:
        sink.push(comments)
    assert caught.value.kind == "reinfer_timed_out"
    assert list(rig.bucket_comments()) == comment_ids(10)
    receipt = rig.sink.push(comments)
    assert (receipt.created, receipt.unchanged) == (0, 10)
    assert rig.billed() == 10


def test_a_push_with_complete_counts_leaves_no_comment_in_doubt(rig: Rig) -> None:
    assert rig.sink.push([comment("a"), comment("b")]).in_doubt == ()
    assert rig.sink.push([comment("a"), comment("b", properties={"string:Folder": "Archive"}), RICH]).in_doubt == ()


def test_a_success_without_counts_leaves_every_comment_of_the_push_in_doubt(rig: Rig) -> None:
    rig.tell_no_counts()
    receipt = rig.sink.push([comment("a"), comment("b")])
    assert receipt.in_doubt == (comment("a").id, comment("b").id)
    assert list(rig.sink.stored(receipt.in_doubt)) == [comment("a").id, comment("b").id]
    assert rig.sink.push([comment("a"), comment("b")]).in_doubt == ()
    assert rig.billed() == 2


def test_a_success_with_a_count_too_low_leaves_the_push_in_doubt(rig: Rig) -> None:
    rig.lose_first(comment("a").id)
    receipt = rig.sink.push([comment("a"), comment("b"), comment("c")])
    assert set(receipt.in_doubt) == {comment(name).id for name in "abc"}
    assert set(rig.sink.stored(receipt.in_doubt)) == {comment("b").id, comment("c").id}


def test_a_refused_comment_is_not_in_doubt_when_the_others_are(rig: Rig) -> None:
    rig.refuse(comment("a").id)
    rig.tell_no_counts()
    receipt = rig.sink.push([comment("a"), comment("b")])
    assert [rejection.comment_id for rejection in receipt.rejections] == [comment("a").id]
    assert receipt.in_doubt == (comment("b").id,)


def test_stored_comments_are_read_unchanged_and_others_are_absent(rig: Rig) -> None:
    rig.sink.push([RICH, *(comment(str(number)) for number in range(20))])
    requested = [RICH.id, *comment_ids(25), CommentId("never/seen? #1")]
    stored = rig.sink.stored(requested)
    assert stored == {one.id: one for one in (RICH, *(comment(str(number)) for number in range(20)))}


def test_a_request_for_no_ids_returns_nothing(rig: Rig) -> None:
    assert rig.sink.stored([]) == {}


def test_a_translated_comment_is_marked(rig: Rig) -> None:
    rig.sink.push([comment()])
    rig.translate(comment().id, "Bitte zahlen.")
    stored = rig.sink.stored([comment().id])[comment().id]
    assert stored.translated
    assert stored.message.body == "Bitte zahlen."


def test_the_count_of_a_bucket_is_the_number_of_its_comments(rig: Rig) -> None:
    assert rig.sink.count() == 0
    rig.sink.push([comment("a"), comment("b")])
    rig.sink.push([comment("a")])
    assert rig.sink.count() == 2


def test_a_bucket_is_empty_until_the_first_push(rig: Rig) -> None:
    assert rig.sink.is_empty()
    rig.sink.push([comment()])
    assert not rig.sink.is_empty()


def test_check_push_stored_and_is_empty_report_a_missing_bucket(rig: Rig) -> None:
    rig.remove_bucket()
    with pytest.raises(BucketNotFound):
        rig.sink.check()
    with pytest.raises(BucketNotFound):
        rig.sink.push([comment()])
    with pytest.raises(BucketNotFound):
        rig.sink.stored([comment().id])
    with pytest.raises(BucketNotFound):
        rig.sink.is_empty()


def test_creating_a_bucket_that_exists_keeps_its_comments(rig: Rig) -> None:
    rig.remove_bucket()
    rig.sink.create()
    rig.sink.check()
    rig.sink.push([comment()])
    rig.sink.create()
    assert list(rig.bucket_comments()) == [comment().id]


def test_a_sink_has_a_positive_deadline(rig: Rig) -> None:
    assert rig.sink.deadline > 0
