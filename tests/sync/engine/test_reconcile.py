"""Tests of the decision on a comment, from its ledger entry and the response of the bucket."""

from dataclasses import replace
from datetime import UTC, datetime

from integrations.messages import Attachment, Comment, CommentId, ItemId, Message
from sync.engine.reconcile import (
    Adopt,
    BucketAnswer,
    Create,
    Plain,
    Update,
    content_digest,
    identity_digest,
    properties_digest,
    reconcile,
)
from sync.engine.records import LedgerRecord

SENT = datetime(2026, 3, 1, 12, tzinfo=UTC)
COMMENT = Comment(
    id=CommentId("3c613e"),
    timestamp=SENT,
    thread_id="3c613e",
    message=Message("Subject", "Body", sender="Ann <ann@north.example>", sent_at=SENT),
    properties={"string:Folder": "Inbox", "number:Size": 10},
    attachments=(Attachment("a.pdf", 3, "application/pdf"),),
)
MOVED = replace(COMMENT, properties={**COMMENT.properties, "string:Folder": "Done"})
EDITED = replace(MOVED, message=replace(COMMENT.message, body="Another body"))


def entry(comment=COMMENT, **values):
    given = {
        "comment_id": comment.id,
        "confirmed": True,
        "content_digest": content_digest(comment),
        "properties_digest": properties_digest(comment),
        "identity_digest": identity_digest(comment),
        "sequence": 1,
        "dirty": False,
        "billed": True,
        "winner_item": ItemId("i"),
        "in_flight_elsewhere": False,
    }
    return LedgerRecord(**(given | values))


def decide(comment, known, *, trusted=True, bucket_answer=None):
    return reconcile(comment, known, trusted=trusted, bucket_answer=bucket_answer)


def test_a_comment_without_an_entry_is_created_if_the_bucket_is_trusted():
    assert decide(COMMENT, None) == Create()


def test_an_untrusted_bucket_is_asked_first():
    assert decide(COMMENT, None, trusted=False) is Plain.ASK
    assert decide(COMMENT, None, trusted=False, bucket_answer=BucketAnswer(None)) == Create()


def test_a_comment_of_another_installation_is_adopted_unchanged():
    decision = decide(MOVED, None, trusted=False, bucket_answer=BucketAnswer(COMMENT))
    assert decision == Adopt(content_digest(COMMENT), properties_digest(COMMENT), ours=False)


def test_an_unchanged_comment_is_not_pushed_again():
    assert decide(COMMENT, entry()) is Plain.NOTHING


def test_another_text_with_the_same_properties_is_not_pushed():
    edited = replace(COMMENT, message=replace(COMMENT.message, body="Another body"))
    assert decide(edited, entry()) is Plain.NOTHING


def test_a_move_updates_the_properties():
    assert decide(MOVED, entry()) == Update(MOVED, content_digest(COMMENT))


def test_an_edited_email_that_moved_keeps_the_text_that_was_pushed_first():
    assert decide(EDITED, entry()) is Plain.ASK
    decision = decide(EDITED, entry(), bucket_answer=BucketAnswer(COMMENT))
    assert decision == Update(replace(COMMENT, properties=EDITED.properties), content_digest(COMMENT))


def test_an_update_is_held_back_if_the_text_in_the_bucket_is_not_ours():
    foreign = replace(COMMENT, message=replace(COMMENT.message, body="Rewritten over there"))
    assert decide(EDITED, entry(), bucket_answer=BucketAnswer(foreign)) is Plain.HOLD_BACK


def test_an_update_is_held_back_when_the_stored_text_is_a_translation():
    assert decide(EDITED, entry(), bucket_answer=BucketAnswer(replace(COMMENT, translated=True))) is Plain.HOLD_BACK


def test_a_comment_that_was_deleted_in_re_infer_is_not_created_again():
    assert decide(EDITED, entry(), bucket_answer=BucketAnswer(None)) is Plain.HOLD_BACK


def test_a_dirty_entry_is_pushed_even_with_the_same_properties():
    assert decide(COMMENT, entry(dirty=True)) == Update(COMMENT, content_digest(COMMENT))


def test_the_bucket_is_asked_before_an_intention_is_pushed_again():
    intended = entry(confirmed=False, billed=False)
    assert decide(COMMENT, intended) is Plain.ASK
    assert decide(COMMENT, intended, bucket_answer=BucketAnswer(None)) == Create()
    assert decide(COMMENT, intended, bucket_answer=BucketAnswer(COMMENT)) == Adopt(
        content_digest(COMMENT), properties_digest(COMMENT), ours=True
    )


def test_an_intention_that_arrived_with_other_properties_is_updated():
    intended = entry(confirmed=False)
    assert decide(MOVED, intended, bucket_answer=BucketAnswer(COMMENT)) == Update(MOVED, content_digest(COMMENT))


def test_an_intention_adopts_a_text_in_the_bucket_that_is_not_ours():
    foreign = replace(COMMENT, message=replace(COMMENT.message, body="Theirs"))
    decision = decide(MOVED, entry(confirmed=False), bucket_answer=BucketAnswer(foreign))
    assert decision == Adopt(content_digest(foreign), properties_digest(foreign), ours=False)


def test_a_comment_that_another_sync_is_pushing_is_deferred():
    assert decide(MOVED, entry(confirmed=False, in_flight_elsewhere=True)) is Plain.DEFER


def test_another_timestamp_or_attachment_is_not_pushed_before_the_bucket_is_asked():
    later = replace(MOVED, timestamp=SENT.replace(hour=13))
    assert decide(later, entry()) is Plain.ASK
    more = replace(MOVED, attachments=())
    assert decide(more, entry()) is Plain.ASK


def test_the_order_of_properties_does_not_matter():
    turned = replace(COMMENT, properties=dict(reversed(list(COMMENT.properties.items()))))
    assert properties_digest(turned) == properties_digest(COMMENT)
