"""Conversion of a comment to the JSON of Re:infer, and back."""

from __future__ import annotations

import json
from datetime import UTC, datetime, timedelta, timezone

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from integrations.messages import Attachment, Comment, CommentId, Message
from integrations.reinfer.payload import comment_json, comment_object, read_comment
from tests.integrations.reinfer.comments import comment

CET = timezone(timedelta(hours=1))

texts = st.text(st.characters(codec="utf-8"), max_size=40)
words = texts.filter(bool)
times = st.datetimes(min_value=datetime(1400, 1, 2), max_value=datetime(9999, 12, 30), timezones=st.just(UTC))
comments = st.builds(
    Comment,
    id=words.map(CommentId),
    timestamp=times,
    thread_id=texts,
    message=st.builds(
        Message,
        subject=texts,
        body=texts,
        signature=texts,
        sender=texts,
        to=st.lists(words, max_size=3).map(tuple),
        cc=st.lists(words, max_size=3).map(tuple),
        bcc=st.lists(words, max_size=3).map(tuple),
        sent_at=st.none() | times,
    ),
    properties=st.dictionaries(words.map("string:{}".format), texts.filter(str.strip), max_size=3)
    | st.dictionaries(words.map("number:{}".format), st.integers(-(10**9), 10**9), max_size=3),
    attachments=st.lists(
        st.builds(Attachment, name=texts, size=st.integers(0, 10**9), content_type=texts, inline=st.booleans()),
        max_size=3,
    ).map(tuple),
)


def test_a_comment_is_written_with_the_keys_of_the_specification() -> None:
    written = comment_object(
        comment(
            timestamp=datetime(2026, 3, 1, 10, 30, tzinfo=CET),
            attachments=(Attachment("terms.pdf", 12, "application/pdf"), Attachment("logo.png", 3, "image/png", True)),
        )
    )
    assert written == {
        "id": "3c614062616e6b2e6578616d706c653e",
        "timestamp": "2026-03-01T09:30:00Z",
        "thread_id": "3c614062616e6b2e6578616d706c653e",
        "messages": [
            {
                "body": {"text": "Please pay the invoice."},
                "subject": {"text": "Invoice 4711"},
                "from": "Ann Archer <ann@bank.example>",
                "to": ["Bob <bob@client.example>"],
                "sent_at": "2026-03-01T09:30:00Z",
            }
        ],
        "user_properties": {"string:Folder": "Inbox", "number:Size": 2048},
        "attachments": [
            {"name": "terms.pdf", "size": 12, "content_type": "application/pdf"},
            {"name": "logo.png", "size": 3, "content_type": "image/png", "inline": True},
        ],
    }


def test_blank_values_are_left_out_except_the_body() -> None:
    written = comment_object(
        comment(
            thread_id="",
            message=Message(subject="", body="", to=("", "bob@client.example")),
            properties={"string:Categories": " ", "number:Attachments": 0, "number:Odd": float("nan")},
        )
    )
    assert set(written) == {"id", "timestamp", "messages", "user_properties"}
    assert written["messages"] == [{"body": {"text": ""}, "to": ["bob@client.example"]}]
    assert written["user_properties"] == {"number:Attachments": 0}


def test_a_time_without_a_zone_is_an_error() -> None:
    with pytest.raises(ValueError, match="zone"):
        comment_object(comment(timestamp=datetime(2026, 3, 1)))


def test_a_lone_surrogate_is_written_as_valid_json() -> None:
    written = comment_json(comment(body="broken \ud83d smile 😀"))
    assert json.loads(written)["messages"][0]["body"]["text"] == "broken \ud83d smile 😀"
    assert "😀".encode() in written


@settings(max_examples=60, deadline=None, suppress_health_check=[HealthCheck.too_slow])
@given(comments)
def test_a_comment_that_was_sent_reads_back_the_same(sent: Comment) -> None:
    assert read_comment(json.loads(comment_json(sent))) == sent


def test_a_stored_comment_is_read_without_the_keys_that_only_reinfer_writes() -> None:
    stored = {
        **comment_object(comment()),
        "uid": "0123456789abcdef.3c61",
        "source_id": "0123456789abcdef",
        "created_at": "2026-03-01T09:31:00.123456+00:00",
        "last_modified": "2026-03-02T09:31:00Z",
        "has_annotations": True,
        "context": "7",
        "something new": {"a": 1},
    }
    assert read_comment(stored) == comment()


def test_whole_numbers_that_are_returned_as_floats_are_read_as_integers() -> None:
    stored = {**comment_object(comment()), "user_properties": {"string:Folder": "Inbox", "number:Size": 2048.0}}
    assert repr(read_comment(stored).properties["number:Size"]) == "2048"


def test_properties_of_an_unknown_or_wrong_type_are_not_read() -> None:
    properties = {"boolean:Read": True, "string:N": 5, "number:S": "5", "number:B": True, "string:Folder": "Inbox"}
    assert read_comment({**comment_object(comment()), "user_properties": properties}).properties == {
        "string:Folder": "Inbox"
    }


@pytest.mark.parametrize("part", ["body", "subject", "signature"])
def test_a_translated_comment_is_recognised(part: str) -> None:
    stored = comment_object(comment())
    stored["messages"][0][part] = {"text": "Bitte zahlen.", "translated_from": "Please pay."}
    assert read_comment(stored).translated
    assert not read_comment(comment_object(comment())).translated


@pytest.mark.parametrize(
    "invalid",
    [
        {"messages": None, "user_properties": None, "attachments": None, "thread_id": None},
        {"messages": [], "user_properties": [1], "attachments": "x", "thread_id": 5},
        {"messages": [{"body": None, "subject": "x", "to": "a@b", "sent_at": "yesterday"}], "attachments": [7, {}]},
        {"messages": ["x"], "attachments": [{"size": float("inf"), "name": 7}]},
    ],
)
def test_invalid_parts_of_a_stored_comment_are_ignored(invalid: dict[str, object]) -> None:
    read = read_comment({"id": "3c61", "timestamp": "2026-03-01T09:30:00+01:00", **invalid})
    assert read.id == "3c61"
    assert read.timestamp == datetime(2026, 3, 1, 8, 30, tzinfo=UTC)
    assert read.message.body == ""


@pytest.mark.parametrize(
    "stored", [{}, {"id": "3c61"}, {"timestamp": "2026-03-01T09:30:00Z"}, {"id": "", "created_at": 5}]
)
def test_a_stored_comment_without_id_or_time_is_an_error(stored: dict[str, object]) -> None:
    with pytest.raises(ValueError, match="a stored comment has no"):
        read_comment(stored)
