"""The limits of the published schema, with a refused comment for each, and comments that are accepted."""

import copy
from collections.abc import Callable
from typing import Any

import httpx
import pytest

from simulators.reinfer import ReinferSimulator
from simulators.reinfer.body_checks import InvalidBody, parse_json
from simulators.reinfer.contract import check_sync

Edit = Callable[[dict[str, Any]], object]


def message(comment: dict[str, Any]) -> dict[str, Any]:
    first: dict[str, Any] = comment["messages"][0]
    return first


REFUSED: dict[str, Edit] = {
    "an unknown key": lambda c: c.update(uid="x"),
    "an unknown key of a message": lambda c: message(c).update(reply_to="x"),
    "an unknown key of a body": lambda c: message(c)["body"].update(html="x"),
    "an unknown key of a subject": lambda c: message(c)["subject"].update(text_markup=[]),
    "an unknown key of an attachment": lambda c: c["attachments"][0].update(content="x"),
    "no id": lambda c: c.pop("id"),
    "an empty id": lambda c: c.update(id=""),
    "an id with a slash": lambda c: c.update(id="a/b"),
    "an id with a space": lambda c: c.update(id="a b"),
    "an id of letters beyond ASCII": lambda c: c.update(id="ä"),
    "a long id": lambda c: c.update(id="a" * 1025),
    "a number for an id": lambda c: c.update(id=7),
    "no timestamp": lambda c: c.pop("timestamp"),
    "a timestamp without a zone": lambda c: c.update(timestamp="2026-03-02T08:15:30"),
    "a date alone": lambda c: c.update(timestamp="2026-03-02"),
    "a timestamp in words": lambda c: c.update(timestamp="Mon, 02 Mar 2026 08:15:30 +0000"),
    "a day that does not exist": lambda c: c.update(timestamp="2026-02-30T08:15:30Z"),
    "a year before 1400": lambda c: c.update(timestamp="1399-12-31T23:59:59Z"),
    "a moment after the year 9999": lambda c: c.update(timestamp="9999-12-31T23:59:59-05:00"),
    "no messages": lambda c: c.pop("messages"),
    "two messages": lambda c: c["messages"].append(copy.deepcopy(message(c))),
    "a message without a body": lambda c: message(c).pop("body"),
    "a body without text": lambda c: message(c)["body"].pop("text"),
    "a body that is a string": lambda c: message(c).update(body="x"),
    "a long body": lambda c: message(c)["body"].update(text="x" * 65537),
    "a long subject": lambda c: message(c)["subject"].update(text="x" * 65537),
    "a long signature": lambda c: message(c)["signature"].update(text="x" * 65537),
    "a body with NUL": lambda c: message(c)["body"].update(text="a\0b"),
    "a body with half a surrogate pair": lambda c: message(c)["body"].update(text="a\ud83d"),
    "much markup": lambda c: message(c)["body"].update(text_markup=[{}] * 4097),
    "null instead of nothing": lambda c: message(c).update(subject=None),
    "an empty sender": lambda c: message(c).update({"from": ""}),
    "a long sender": lambda c: message(c).update({"from": "x" * 513}),
    "an empty recipient": lambda c: message(c).update(cc=[""]),
    "a long recipient": lambda c: message(c).update(bcc=["x" * 513]),
    "too many recipients": lambda c: message(c).update(to=["x@x.example"] * 2049),
    "a sent_at without a zone": lambda c: message(c).update(sent_at="2026-03-02T08:15:30"),
    "a long language": lambda c: message(c).update(language="x" * 9),
    "a property without a type": lambda c: c["user_properties"].update(Folder="x"),
    "a property of another type": lambda c: c["user_properties"].update({"boolean:Read": True}),
    "a property without a name": lambda c: c["user_properties"].update({"string:": "x"}),
    "a property with a long name": lambda c: c["user_properties"].update({"string:" + "n" * 65: "x"}),
    "a property name that ends with a space": lambda c: c["user_properties"].update({"string:Name ": "x"}),
    "a property name that begins with a space": lambda c: c["user_properties"].update({"string: Name": "x"}),
    "a property name with >": lambda c: c["user_properties"].update({"string:a>b": "x"}),
    "a property name with a backtick": lambda c: c["user_properties"].update({"string:a`b": "x"}),
    "a blank string property": lambda c: c["user_properties"].update({"string:Folder": "  "}),
    "a number as a string property": lambda c: c["user_properties"].update({"string:Size": 7}),
    "a string as a number property": lambda c: c["user_properties"].update({"number:Size": "7"}),
    "a boolean as a number property": lambda c: c["user_properties"].update({"number:Size": True}),
    "a number that is too large for a float": lambda c: c["user_properties"].update({"number:Size": 10**400}),
    "a list as properties": lambda c: c.update(user_properties=[]),
    "an unknown text format": lambda c: c.update(text_format="html"),
    "too many attachments": lambda c: c.update(attachments=c["attachments"] * 129),
    "an attachment without a size": lambda c: c["attachments"][0].pop("size"),
    "an attachment of negative size": lambda c: c["attachments"][0].update(size=-1),
    "an attachment of half a byte": lambda c: c["attachments"][0].update(size=0.5),
    "an attachment with a long name": lambda c: c["attachments"][0].update(name="x" * 257),
    "an attachment with a long type": lambda c: c["attachments"][0].update(content_type="x" * 257),
    "an attachment with a short hash": lambda c: c["attachments"][0].update(content_hash="abc"),
    "an attachment with an odd reference": lambda c: c["attachments"][0].update(attachment_reference="a b"),
    "inline in words": lambda c: c["attachments"][0].update(inline="yes"),
}

TAKEN: dict[str, Edit] = {
    "nothing changed": lambda c: None,
    "every limit reached": lambda c: (
        c.update(id="a" * 1024, attachments=c["attachments"] * 128),
        message(c)["body"].update(text="\N{GRINNING FACE}" * 65536),
        message(c).update({"from": "x" * 512, "to": ["y" * 512] * 2048}),
        c["user_properties"].update({"string:" + "n" * 64: "x", "number:Ratio": -0.5, "string:A b (c)": "x"}),
    ),
    "all of ASCII that an id may hold": lambda c: c.update(id="aZ0_!\"#$%&'()*+,-.:;<=>?@[\\]^`{|}~"),
    "no message": lambda c: c.update(messages=[]),
    "only what is required": lambda c: [c.pop(key) for key in ("thread_id", "user_properties", "attachments")],
    "everything optional": lambda c: (
        c.update(text_format="markdown"),
        message(c).update(language="de", cc=[], bcc=["z@z.example"]),
        message(c)["body"].update(translated_from="x", text_markup=[{}] * 4096),
        c["attachments"][0].update(content_hash="0" * 64, inline=True, attachment_reference="a-b_c"),
    ),
    "the first year": lambda c: c.update(timestamp="1400-01-01T00:00:00Z"),
    "the last year, with fractions": lambda c: c.update(timestamp="9999-12-31T23:59:59.123456789Z"),
}


@pytest.mark.parametrize("edit", REFUSED.values(), ids=REFUSED.keys())
def test_the_error_of_an_invalid_comment_names_its_place(comment: dict[str, Any], edit: Edit) -> None:
    bad = copy.deepcopy(comment)
    edit(bad)
    with pytest.raises(InvalidBody, match=r"^comments\[1\]"):
        check_sync({"comments": [comment, bad]})


@pytest.mark.parametrize("edit", TAKEN.values(), ids=TAKEN.keys())
def test_a_valid_comment_is_accepted(comment: dict[str, Any], edit: Edit) -> None:
    edit(comment)
    check_sync({"comments": [comment]})


def test_a_batch_of_16384_comments_is_accepted_and_a_larger_batch_is_refused(comment: dict[str, Any]) -> None:
    check_sync({"comments": [comment] * 16384})
    with pytest.raises(InvalidBody):
        check_sync({"comments": [comment] * 16385})


@pytest.mark.parametrize("body", [[], {}, {"comments": {}}, {"comments": [], "more": 1}, {"comments": [7]}, None])
def test_a_body_of_another_shape_is_refused(body: object) -> None:
    with pytest.raises(InvalidBody):
        check_sync(body)


@pytest.mark.parametrize("body", [b"", b"{", b"\xff", b'{"a": NaN}', b'{"a": 1, "a": 2}', b"[" * 200_000])
def test_invalid_json_is_refused(body: bytes) -> None:
    with pytest.raises(InvalidBody):
        parse_json(body)


def test_one_bad_comment_refuses_the_whole_batch_and_its_content_is_not_repeated(
    reinfer: ReinferSimulator, sync: Callable[..., httpx.Response], comment: dict[str, Any]
) -> None:
    secret = "x" * 600 + "very secret"
    bad = {**comment, "id": "b", "messages": [{"from": secret, "body": {"text": ""}}]}
    refused = sync({**comment, "id": "a"}, bad, {**comment, "id": "c"})
    assert refused.status_code == 400
    assert refused.json() == {
        "status": "error",
        "message": "comments[1].messages[0].from: must have 1 to 512 characters",
    }
    assert not reinfer.sources["bank", "desk"].comments
    assert reinfer.ai_units == 0


def test_a_body_that_is_too_large_compressed_or_of_another_type_is_refused(client: httpx.Client) -> None:
    url = "/api/v1/sources/bank/desk/sync"
    body = b'{"comments": []}'
    assert client.post(url, content=body, headers={"Content-Type": "application/json"}).status_code == 200
    assert client.post(url, content=body, headers={"Content-Type": "text/plain"}).status_code == 415
    assert client.post(url, content=body).status_code == 415
    assert client.post(url, content=b"{", headers={"Content-Type": "application/json"}).status_code == 400
    squeezed = {"Content-Type": "application/json", "Content-Encoding": "deflate"}
    assert client.post(url, content=body, headers=squeezed).status_code == 415


def test_a_body_over_the_limit_is_413(connect: Callable[..., httpx.Client], comment: dict[str, Any]) -> None:
    with ReinferSimulator(sources=[("bank", "desk")], body_limit=2000) as small:
        client = connect(small)
        url = "/api/v1/sources/bank/desk/sync"
        assert client.post(url, json={"comments": [comment]}).status_code == 200
        assert client.post(url, json={"comments": [comment] * 4}).status_code == 413
