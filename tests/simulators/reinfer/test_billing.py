"""The results of a write (new, unchanged, properties only, text changed), its AI units, and lost annotations."""

import copy
from collections.abc import Callable
from typing import Any

import httpx
import pytest

from simulators.reinfer import Outcome, ReinferSimulator

Sync = Callable[..., httpx.Response]
Edit = Callable[[dict[str, Any]], object]


def counts(response: httpx.Response) -> tuple[int, int, int, int, int]:
    answer = response.json()
    assert answer["status"] == "ok"
    keys = ("new", "unchanged", "updated", "updated_properties_only", "updated_text_changed")
    new, unchanged, updated, properties_only, text_changed = (answer[key] for key in keys)
    return new, unchanged, updated, properties_only, text_changed


def test_a_new_comment_costs_one_unit_and_the_same_comment_again_costs_nothing(
    reinfer: ReinferSimulator, sync: Sync, comment: dict[str, Any]
) -> None:
    assert counts(sync(comment)) == (1, 0, 0, 0, 0)
    assert counts(sync(comment)) == (0, 1, 0, 0, 0)
    source = reinfer.sources["bank", "desk"]
    assert (source.ai_units, reinfer.ai_units, source.pushes) == (1, 1, 2)
    assert [write.outcome for write in source.comments[comment["id"]].history] == [Outcome.NEW, Outcome.UNCHANGED]


def test_an_equivalent_comment_is_unchanged(reinfer: ReinferSimulator, sync: Sync, comment: dict[str, Any]) -> None:
    sync(comment)
    comment["timestamp"] = "2026-03-02T09:15:30+01:00"
    comment["messages"][0] |= {"sent_at": "2026-03-02T08:15:30.000Z", "cc": [], "bcc": []}
    comment["attachments"][0]["inline"] = False
    assert counts(sync(comment)) == (0, 1, 0, 0, 0)
    assert reinfer.sources["bank", "desk"].messages_changed == 0


FREE: dict[str, Edit] = {
    "a property": lambda c: c["user_properties"].update({"string:Folder": "Done"}),
    "one property fewer": lambda c: c["user_properties"].pop("string:Folder"),
    "all properties left out": lambda c: c.pop("user_properties"),
    "the timestamp": lambda c: c.update(timestamp="2026-03-02T08:15:31Z"),
    "the thread": lambda c: c.update(thread_id="aa"),
    "an attachment": lambda c: c.update(attachments=[]),
}
MESSAGES: dict[str, Edit] = {
    "the sender": lambda c: c["messages"][0].update({"from": "Bob <bob@north.example>"}),
    "a recipient": lambda c: c["messages"][0].update(cc=["x@x.example"]),
    "the time of sending": lambda c: c["messages"][0].update(sent_at="2026-03-02T08:15:31Z"),
}
TEXT: dict[str, Edit] = {
    "the body": lambda c: c["messages"][0].update(body={"text": "other"}),
    "the subject": lambda c: c["messages"][0].update(subject={"text": "other"}),
    "the signature": lambda c: c["messages"][0].pop("signature"),
    "the whole message": lambda c: c.update(messages=[]),
}


@pytest.mark.parametrize("edit", FREE.values(), ids=FREE.keys())
def test_a_change_outside_the_messages_is_free(
    reinfer: ReinferSimulator, sync: Sync, comment: dict[str, Any], edit: Edit
) -> None:
    sync(comment)
    edit(comment)
    assert counts(sync(comment)) == (0, 0, 1, 1, 0)
    source = reinfer.sources["bank", "desk"]
    assert (source.ai_units, source.text_changes, source.messages_changed) == (1, 0, 0)


@pytest.mark.parametrize("edit", MESSAGES.values(), ids=MESSAGES.keys())
def test_a_change_inside_the_messages_is_free_but_counted_because_it_loses_annotations(
    reinfer: ReinferSimulator, sync: Sync, comment: dict[str, Any], edit: Edit
) -> None:
    sync(comment)
    source = reinfer.sources["bank", "desk"]
    reinfer.store.annotate(source, comment["id"])
    edit(comment)
    assert counts(sync(comment)) == (0, 0, 1, 1, 0)
    assert (source.ai_units, source.text_changes, source.messages_changed) == (1, 0, 1)
    assert source.comments[comment["id"]].annotations_lost == 1


@pytest.mark.parametrize("edit", TEXT.values(), ids=TEXT.keys())
def test_a_change_of_text_is_billed(reinfer: ReinferSimulator, sync: Sync, comment: dict[str, Any], edit: Edit) -> None:
    sync(comment)
    edit(comment)
    assert counts(sync(comment)) == (0, 0, 1, 0, 1)
    source = reinfer.sources["bank", "desk"]
    assert (source.ai_units, source.text_changes, source.messages_changed) == (2, 1, 1)
    assert [write.billed for write in source.comments[comment["id"]].history] == [True, True]


def test_properties_are_replaced_and_not_merged(reinfer: ReinferSimulator, sync: Sync, comment: dict[str, Any]) -> None:
    sync(comment)
    sync({**comment, "user_properties": {"string:Mailbox": "desk@bank.example"}})
    stored = reinfer.sources["bank", "desk"].comments[comment["id"]]
    assert stored.properties == {"string:Mailbox": "desk@bank.example"}


def test_the_last_comment_wins_if_a_batch_has_an_id_twice(
    reinfer: ReinferSimulator, sync: Sync, comment: dict[str, Any]
) -> None:
    later = copy.deepcopy(comment)
    later["user_properties"]["string:Folder"] = "Done"
    assert counts(sync(comment, later)) == (1, 0, 1, 1, 0)
    assert reinfer.sources["bank", "desk"].comments[comment["id"]].properties["string:Folder"] == "Done"


def test_an_old_deployment_returns_only_three_counts(
    connect: Callable[..., httpx.Client], comment: dict[str, Any]
) -> None:
    with ReinferSimulator(sources=[("bank", "desk")], old_deployment=True) as old:
        answer = connect(old).post("/api/v1/sources/bank/desk/sync", json={"comments": [comment]})
    assert answer.json() == {"status": "ok", "new": 1, "updated": 0, "unchanged": 0}


def test_sending_the_original_of_a_translated_comment_changes_its_text(
    reinfer: ReinferSimulator, sync: Sync, comment: dict[str, Any]
) -> None:
    sync(comment)
    source = reinfer.sources["bank", "desk"]
    reinfer.store.translate(source, comment["id"], "Bitte Geschäft 4411 ansehen", "de")
    assert counts(sync(comment)) == (0, 0, 1, 0, 1)
    assert source.ai_units == 2


def test_deleting_comments_does_not_reduce_the_bill(
    reinfer: ReinferSimulator, client: httpx.Client, sync: Sync, comment: dict[str, Any]
) -> None:
    sync(comment)
    client.delete("/api/v1/sources/bank/desk/comments", params={"id": [comment["id"]]})
    assert reinfer.sources["bank", "desk"].comments == {}
    assert reinfer.ai_units == 1
    assert counts(sync(comment)) == (1, 0, 0, 0, 0)
    assert reinfer.ai_units == 2
