"""How change tracking reports moved messages with immutable ids: as documented, and as in two public reports."""

from __future__ import annotations

from typing import Any

import pytest

from simulators.graph.removals import Removals
from tests.simulators.graph.conftest import IMMUTABLE, Reader, names

INBOX = "mailFolders/inbox/messages/delta"
SENT = "mailFolders/sentitems/messages/delta"


def round_after(reader: Reader, removals: Removals, *ways: str) -> tuple[list[str], list[str], str]:
    """Move a message to these folders in order.

    Returns the rows of the Inbox and of the Sent Items since the last round, and the id of the message.
    """
    reader.graph.removals = removals
    item = reader.deliver("a")
    (row,), inbox = reader.round(INBOX, IMMUTABLE)
    _, sent = reader.round(SENT, IMMUTABLE)
    for path in ways:
        item = reader.mailbox.move(item.id, path)
    here, there = reader.round(inbox, IMMUTABLE)[0], reader.round(sent, IMMUTABLE)[0]
    assert all(reported["id"] == row["id"] for reported in (*here, *there))
    return names(here), names(there), row["id"]


@pytest.mark.parametrize(
    ("removals", "there"),
    [(Removals.DOCUMENTED, ["a"]), (Removals.AWAY_AND_BACK, ["a"]), (Removals.NO_ROW, [])],
)
def test_a_moved_message_is_removed_in_one_folder_and_may_appear_in_the_other(
    reader: Reader, removals: Removals, there: list[str]
) -> None:
    here, reported, number = round_after(reader, removals, "Sent Items")
    assert (here, reported) == (["-"], there)
    assert reader.get(f"messages/{number}", IMMUTABLE).json()["parentFolderId"] == sent_items(reader)["id"]


@pytest.mark.parametrize(
    ("removals", "here"),
    [(Removals.DOCUMENTED, ["a"]), (Removals.AWAY_AND_BACK, ["-"]), (Removals.NO_ROW, ["-"])],
)
def test_a_message_that_was_moved_back_is_returned_or_removed(
    reader: Reader, removals: Removals, here: list[str]
) -> None:
    reported, _, number = round_after(reader, removals, "Sent Items", "Inbox")
    assert reported == here
    assert reader.get(f"messages/{number}", IMMUTABLE).json()["parentFolderId"] == inbox(reader)["id"]


@pytest.mark.parametrize("removals", [Removals.AWAY_AND_BACK, Removals.NO_ROW])
def test_an_unreported_message_is_reported_when_it_changes(reader: Reader, removals: Removals) -> None:
    reader.graph.removals = removals
    item = reader.deliver("a")
    _, link = reader.round(INBOX, IMMUTABLE)
    back = reader.mailbox.move(reader.mailbox.move(item.id, "Sent Items").id, "Inbox")
    rows, link = reader.round(link, IMMUTABLE)
    assert names(rows) == ["-"]
    reader.mailbox.mark_read(back.id)
    assert names(reader.round(link, IMMUTABLE)[0]) == ["a"]


@pytest.mark.parametrize("removals", list(Removals))
def test_a_first_round_returns_all_messages(reader: Reader, removals: Removals) -> None:
    reader.graph.removals = removals
    reader.mailbox.move(reader.deliver("a").id, "Sent Items")
    assert names(reader.round(SENT, IMMUTABLE)[0]) == ["a"]
    assert names(reader.round(INBOX, IMMUTABLE)[0]) == []


@pytest.mark.parametrize("removals", list(Removals))
def test_a_message_that_came_and_went_between_two_rounds_is_reported_as_removed(
    reader: Reader, removals: Removals
) -> None:
    reader.graph.removals = removals
    _, link = reader.round(INBOX, IMMUTABLE)
    reader.mailbox.move(reader.deliver("a").id, "Sent Items")
    assert names(reader.round(link, IMMUTABLE)[0]) == ["-"]


@pytest.mark.parametrize("removals", list(Removals))
def test_moves_with_ordinary_ids_are_reported_as_documented(reader: Reader, removals: Removals) -> None:
    reader.graph.removals = removals
    item = reader.deliver("a")
    _, inbox_link = reader.round(INBOX)
    _, sent_link = reader.round(SENT)
    reader.mailbox.move(item.id, "Sent Items")
    assert names(reader.round(inbox_link)[0]) == ["-"]
    assert names(reader.round(sent_link)[0]) == ["a"]


def inbox(reader: Reader) -> dict[str, Any]:
    return dict(reader.get("mailFolders/inbox").json())


def sent_items(reader: Reader) -> dict[str, Any]:
    return dict(reader.get("mailFolders/sentitems").json())
