"""What every sink promises, of Re:infer or of a test: see `integrations.ports.Sink`."""

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


def many(count: int) -> list[CommentId]:
    return [comment(str(number)).id for number in range(count)]


def test_what_is_pushed_is_held_as_it_was_sent(rig: Rig) -> None:
    receipt = rig.sink.push([RICH, comment("plain")])
    assert receipt.rejections == ()
    assert (receipt.created, receipt.updated, receipt.unchanged) == (2, 0, 0)
    assert receipt.text_changed == (0 if rig.tells_text_changes else None)
    assert rig.held() == {one.id: one for one in (RICH, comment("plain"))}
    assert rig.billed() == 2


def test_comments_arrive_in_their_order(rig: Rig) -> None:
    rig.sink.push([comment(str(number)) for number in (3, 1, 2)])
    assert list(rig.held()) == [comment(str(number)).id for number in (3, 1, 2)]


def test_a_push_of_nothing_is_nothing(rig: Rig) -> None:
    assert rig.sink.push([]).rejections == ()
    assert rig.held() == {}


def test_more_than_one_batch_arrives_whole(rig: Rig) -> None:
    receipt = rig.sink.push([comment(str(number)) for number in range(300)])
    assert receipt.created == 300
    assert list(rig.held()) == many(300)


def test_pushing_again_changes_nothing_and_costs_nothing(rig: Rig) -> None:
    rig.sink.push([RICH])
    with rig.another() as other:
        receipt = other.push([RICH])
    assert (receipt.created, receipt.updated, receipt.unchanged) == (0, 0, 1)
    assert (rig.billed(), rig.text_changes()) == (1, 0)


def test_other_properties_are_an_update_that_costs_nothing(rig: Rig) -> None:
    rig.sink.push([RICH])
    moved = replace(RICH, properties={**RICH.properties, "string:Folder": "Archive"})
    receipt = rig.sink.push([moved])
    assert (receipt.created, receipt.updated, receipt.unchanged) == (0, 1, 0)
    assert rig.held()[RICH.id] == moved
    assert (rig.billed(), rig.text_changes()) == (1, 0)


def test_another_text_is_billed_and_told(rig: Rig) -> None:
    rig.sink.push([comment()])
    receipt = rig.sink.push([comment(body="Never mind.")])
    assert receipt.text_changed == (1 if rig.tells_text_changes else None)
    assert (rig.billed(), rig.text_changes()) == (2, 1)


@pytest.mark.parametrize("place", [0, 37, 63])
def test_one_that_is_refused_among_many_is_a_rejection_and_the_rest_arrives(rig: Rig, place: int) -> None:
    ids = many(64)
    rig.refuse(ids[place])
    receipt = rig.sink.push([comment(str(number)) for number in range(64)])
    assert [rejection.comment_id for rejection in receipt.rejections] == [ids[place]]
    assert receipt.rejections[0].reason.startswith("HTTP 422")
    assert list(rig.held()) == ids[:place] + ids[place + 1 :]
    assert rig.billed() == 63


def test_when_all_are_refused_all_are_rejections(rig: Rig) -> None:
    for comment_id in many(5):
        rig.refuse(comment_id)
    receipt = rig.sink.push([comment(str(number)) for number in range(5)])
    assert [rejection.comment_id for rejection in receipt.rejections] == many(5)
    assert rig.held() == {}


def test_a_transient_fault_raises_and_a_second_push_loses_nothing(rig: Rig) -> None:
    comments = [comment(str(number)) for number in range(10)]
    rig.fail_once()
    with pytest.raises(Transient) as caught:
        rig.sink.push(comments)
    assert caught.value.may_be_item
    assert rig.sink.push(comments).created == 10
    assert rig.billed() == 10


def test_a_time_out_after_the_data_was_taken_costs_nothing_twice(rig: Rig) -> None:
    comments = [comment(str(number)) for number in range(10)]
    with rig.hasty() as hasty, pytest.raises(Transient) as caught:
        hasty.push(comments)
    assert caught.value.kind == "reinfer_timed_out"
    assert list(rig.held()) == many(10)
    receipt = rig.sink.push(comments)
    assert (receipt.created, receipt.unchanged) == (0, 10)
    assert rig.billed() == 10


def test_a_push_that_is_counted_to_the_last_comment_leaves_none_in_doubt(rig: Rig) -> None:
    assert rig.sink.push([comment("a"), comment("b")]).in_doubt == ()
    assert rig.sink.push([comment("a"), comment("b", properties={"string:Folder": "Archive"}), RICH]).in_doubt == ()


def test_a_success_without_counts_leaves_every_comment_of_the_push_in_doubt(rig: Rig) -> None:
    rig.tell_no_counts()
    receipt = rig.sink.push([comment("a"), comment("b")])
    assert receipt.in_doubt == (comment("a").id, comment("b").id)
    assert list(rig.sink.stored(receipt.in_doubt)) == [comment("a").id, comment("b").id]
    assert rig.sink.push([comment("a"), comment("b")]).in_doubt == ()
    assert rig.billed() == 2


def test_a_success_that_counts_one_comment_too_few_leaves_the_push_in_doubt(rig: Rig) -> None:
    rig.lose_first(comment("a").id)
    receipt = rig.sink.push([comment("a"), comment("b"), comment("c")])
    assert set(receipt.in_doubt) == {comment(name).id for name in "abc"}
    assert set(rig.sink.stored(receipt.in_doubt)) == {comment("b").id, comment("c").id}


def test_a_comment_that_is_refused_is_not_in_doubt_when_the_others_are(rig: Rig) -> None:
    rig.refuse(comment("a").id)
    rig.tell_no_counts()
    receipt = rig.sink.push([comment("a"), comment("b")])
    assert [rejection.comment_id for rejection in receipt.rejections] == [comment("a").id]
    assert receipt.in_doubt == (comment("b").id,)


def test_stored_comments_come_back_as_they_were_sent_and_others_are_absent(rig: Rig) -> None:
    rig.sink.push([RICH, *(comment(str(number)) for number in range(20))])
    asked = [RICH.id, *many(25), CommentId("never/seen? #1")]
    stored = rig.sink.stored(asked)
    assert stored == {one.id: one for one in (RICH, *(comment(str(number)) for number in range(20)))}


def test_asking_for_nothing_finds_nothing(rig: Rig) -> None:
    assert rig.sink.stored([]) == {}


def test_a_translated_comment_says_so(rig: Rig) -> None:
    rig.sink.push([comment()])
    rig.translate(comment().id, "Bitte zahlen.")
    stored = rig.sink.stored([comment().id])[comment().id]
    assert stored.translated
    assert stored.message.body == "Bitte zahlen."


def test_a_bucket_counts_what_it_holds(rig: Rig) -> None:
    assert rig.sink.count() == 0
    rig.sink.push([comment("a"), comment("b")])
    rig.sink.push([comment("a")])
    assert rig.sink.count() == 2


def test_a_bucket_is_empty_until_something_is_in_it(rig: Rig) -> None:
    assert rig.sink.is_empty()
    rig.sink.push([comment()])
    assert not rig.sink.is_empty()


def test_a_missing_bucket_is_found_out_by_whatever_is_asked_of_it(rig: Rig) -> None:
    rig.remove_bucket()
    with pytest.raises(BucketNotFound):
        rig.sink.check()
    with pytest.raises(BucketNotFound):
        rig.sink.push([comment()])
    with pytest.raises(BucketNotFound):
        rig.sink.stored([comment().id])
    with pytest.raises(BucketNotFound):
        rig.sink.is_empty()


def test_a_bucket_can_be_created_and_creating_it_again_does_no_harm(rig: Rig) -> None:
    rig.remove_bucket()
    rig.sink.create()
    rig.sink.check()
    rig.sink.push([comment()])
    rig.sink.create()
    assert list(rig.held()) == [comment().id]


def test_a_sink_says_how_long_a_push_can_take(rig: Rig) -> None:
    assert rig.sink.deadline > 0
