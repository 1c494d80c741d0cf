"""Change tracking of messages: rounds, moves, both kinds of ids, and invalid links."""

from __future__ import annotations

import random
from datetime import timedelta

import pytest

from simulators.exchange import mail_of
from simulators.exchange.store import Mailbox
from tests.mails import NOON, mail
from tests.simulators.graph.conftest import IMMUTABLE, OTHER, Reader, names

INBOX = "mailFolders/inbox/messages/delta"
SENT = "mailFolders/sentitems/messages/delta"


def test_a_first_round_returns_all_messages_and_the_next_one_the_changes(reader: Reader) -> None:
    items = [reader.deliver(str(number), sent=NOON + timedelta(hours=number)) for number in range(5)]
    rows, link = reader.round(INBOX, "odata.maxpagesize=2", select="internetMessageId")
    assert names(rows) == ["4", "3", "2", "1", "0"]
    assert set(rows[0]) == {"@odata.type", "@odata.etag", "id", "internetMessageId"}
    assert "mailFolders('inbox')/messages/delta?$deltatoken=" in link
    assert reader.round(link)[0] == []
    reader.mailbox.mark_read(items[1].id)
    reader.mailbox.delete(items[2].id, hard=True)
    reader.deliver("new")
    rows, link = reader.round(link)
    assert names(rows) == ["1", "-", "new"]
    assert rows[1]["@removed"] == {"reason": "deleted"}
    assert set(rows[0]) == {"@odata.type", "@odata.etag", "id", "internetMessageId"}


def test_the_default_page_size_is_10_and_preferences_are_confirmed(reader: Reader) -> None:
    for number in range(12):
        reader.deliver(str(number))
    assert len(reader.get(INBOX).json()["value"]) == 10
    assert len(reader.get(INBOX, top="7").json()["value"]) == 7
    page = reader.get(INBOX, IMMUTABLE, "odata.maxpagesize=12")
    assert len(page.json()["value"]) == 12
    assert page.headers["Preference-Applied"] == 'IdType="ImmutableId", odata.maxpagesize=12'


def test_a_moved_email_is_removed_from_the_old_folder_and_has_another_id_in_the_new_one(reader: Reader) -> None:
    item = reader.deliver("a")
    (before,), inbox = reader.round(INBOX)
    _, sent = reader.round(SENT)
    reader.mailbox.move(item.id, "Sent Items")
    (gone,), _ = reader.round(inbox)
    (there,), _ = reader.round(sent)
    assert (gone["id"], "@removed" in gone) == (before["id"], True)
    assert there["id"] != before["id"]
    assert reader.error(f"messages/{before['id']}") == (404, "ErrorItemNotFound")


def test_an_immutable_id_survives_the_move(reader: Reader) -> None:
    item = reader.deliver("a")
    (before,), inbox = reader.round(INBOX, IMMUTABLE)
    _, sent = reader.round(SENT, IMMUTABLE)
    reader.mailbox.move(item.id, "Sent Items")
    (gone,), _ = reader.round(inbox, IMMUTABLE)
    (there,), _ = reader.round(sent, IMMUTABLE)
    assert gone["id"] == there["id"] == before["id"]
    assert before["id"].startswith("AAkALgAA")
    found = reader.get(f"messages/{before['id']}", IMMUTABLE).json()
    assert (found["id"], found["internetMessageId"]) == (before["id"], "<a@north.example>")
    assert reader.get(f"messages/{before['id']}").json()["id"].startswith("AAMk")


def test_an_email_that_was_moved_away_and_back_is_not_removed_with_immutable_ids(reader: Reader) -> None:
    item = reader.deliver("a")
    _, link = reader.round(INBOX, IMMUTABLE)
    reader.mailbox.move(reader.mailbox.move(item.id, "Sent Items").id, "Inbox")
    assert names(reader.round(link, IMMUTABLE)[0]) == ["a"]
    assert names(reader.round(link)[0]) == ["-", "a"]


def test_a_copy_has_another_immutable_id(reader: Reader) -> None:
    item = reader.deliver("a")
    reader.mailbox.copy(item.id, "Inbox")
    rows, _ = reader.round(INBOX, IMMUTABLE)
    assert len({row["id"] for row in rows}) == 2


def test_a_link_serves_both_kinds_of_ids(reader: Reader) -> None:
    item = reader.deliver("a")
    _, link = reader.round(INBOX)
    reader.mailbox.mark_read(item.id)
    assert reader.round(link)[0][0]["id"].startswith("AAMk")
    assert reader.round(link, IMMUTABLE)[0][0]["id"].startswith("AAkA")


def test_a_filter_excludes_older_messages_in_every_round(reader: Reader) -> None:
    for hours in (-2, -1, 0, 1):
        reader.deliver(f"h{hours}", sent=NOON + timedelta(hours=hours))
    rows, link = reader.round(INBOX, "odata.maxpagesize=1", filter="receivedDateTime ge 2026-03-01T12:00:00Z")
    assert names(rows) == ["h1", "h0"]
    reader.deliver("old", sent=NOON - timedelta(days=1))
    reader.deliver("young", sent=NOON + timedelta(days=1))
    assert names(reader.round(link)[0]) == ["young"]
    assert names(reader.round(INBOX, filter="receivedDateTime gt 2026-03-01T12:00:00Z")[0]) == ["young", "h1"]


def test_a_filtered_first_round_ends_at_its_limit_without_a_notice(reader: Reader) -> None:
    reader.graph._filtered_most = 3
    for number in range(5):
        reader.deliver(str(number), sent=NOON + timedelta(hours=number))
    rows, link = reader.round(INBOX, "odata.maxpagesize=2", filter="receivedDateTime ge 2020-01-01T00:00:00Z")
    assert names(rows) == ["4", "3", "2"]
    reader.deliver("new", sent=NOON)
    assert names(reader.round(link)[0]) == ["new"]
    assert len(reader.round(INBOX)[0]) == 6


@pytest.mark.parametrize(("kind", "reported"), [("created", ["new"]), ("updated", ["a"]), ("deleted", ["-"])])
def test_one_kind_of_change_can_be_requested(reader: Reader, kind: str, reported: list[str]) -> None:
    first, second = reader.deliver("a"), reader.deliver("b")
    _, link = reader.round(INBOX, changeType=kind)
    reader.mailbox.mark_read(first.id)
    reader.mailbox.delete(second.id)
    reader.deliver("new")
    assert names(reader.round(link)[0]) == reported


def test_links_expire_when_the_sync_states_of_their_mailbox_expire(reader: Reader) -> None:
    _, link = reader.round(INBOX)
    _, tree = reader.round("mailFolders/delta")
    reader.mailbox.expire_sync_states()
    assert reader.error(link) == (410, "SyncStateNotFound")
    assert reader.error(tree) == (410, "SyncStateNotFound")
    assert reader.round(INBOX)[0] == []


def test_old_links_of_a_round_may_be_forgotten(reader: Reader) -> None:
    reader.graph.links.kept = 3
    for number in range(6):
        reader.deliver(str(number))
    pages = [reader.get(INBOX, "odata.maxpagesize=1").json()["@odata.nextLink"]]
    for _ in range(3):
        pages.append(reader.get(pages[-1], "odata.maxpagesize=1").json()["@odata.nextLink"])
    assert reader.error(pages[0]) == (410, "SyncStateNotFound")
    assert [reader.get(page, "odata.maxpagesize=1").status_code for page in pages[2:]] == [200, 200]


def test_a_link_is_valid_only_for_its_folder(reader: Reader) -> None:
    reader.deliver("a")
    reader.deliver("b")
    _, link = reader.round(INBOX)
    token = link.partition("?")[2]
    other = f"{reader.graph.url}/v1.0/users/{OTHER}/mailFolders/inbox/messages/delta?{token}"
    assert reader.error(other) == (400, "SyncStateInvalid")
    assert reader.error(f"{SENT}?{token}") == (400, "SyncStateInvalid")
    assert reader.error(f"mailFolders/delta?{token}") == (400, "SyncStateInvalid")
    assert reader.error(f"{INBOX}?{token.replace('deltatoken', 'skiptoken')}") == (400, "BadRequest")
    assert reader.error(link[:-3]) == (400, "BadRequest")
    assert reader.error(f"{INBOX}?$deltatoken=latest") == (400, "BadRequest")
    assert reader.error(f"{link}&$select=id") == (400, "ErrorInvalidUrlQuery")


def test_a_link_of_a_migrated_mailbox_is_not_found(reader: Reader) -> None:
    folder = reader.get("mailFolders/inbox").json()["id"]
    _, link = reader.round(f"mailFolders/{folder}/messages/delta")
    reader.mailbox.migrate()
    assert reader.error(link) == (404, "ErrorItemNotFound")


def happen(box: Mailbox, chance: random.Random) -> None:
    """Deliver an email, or move, mark as read or delete a random item. Do nothing if the chosen folder is empty."""
    here = list(box.folder("Inbox").items)
    there = list(box.folder("Sent Items").items)
    match chance.randrange(5):
        case 0:
            box.deliver(mail_of(mail(str(chance.random()))))
        case 1 if here:
            box.move(chance.choice(here), "Sent Items")
        case 2 if there:
            box.move(chance.choice(there), "Inbox")
        case 3 if here:
            box.mark_read(chance.choice(here))
        case 4 if here:
            box.delete(chance.choice(here), hard=True)


@pytest.mark.parametrize("prefer", [(), (IMMUTABLE,)], ids=["ordinary", "immutable"])
@pytest.mark.parametrize("seed", range(6))
def test_a_client_that_applies_all_rounds_knows_the_messages_of_the_folder(
    reader: Reader, seed: int, prefer: tuple[str, ...]
) -> None:
    chance, known = random.Random(seed), set[str]()
    for _ in range(12):
        reader.deliver(str(chance.random()))
    link, pages = INBOX, 0
    while True:
        for _ in range(chance.randrange(4) if pages < 25 else 0):
            happen(reader.mailbox, chance)
        answer = reader.get(link, *prefer, f"odata.maxpagesize={chance.randint(1, 5)}").json()
        for row in answer["value"]:
            (known.discard if "@removed" in row else known.add)(row["id"])
        link = answer.get("@odata.nextLink") or answer["@odata.deltaLink"]
        if "@odata.deltaLink" in answer and pages >= 25:
            break
        pages += 1
    listed = reader.get("mailFolders/inbox/messages", *prefer, top="1000", select="id").json()["value"]
    assert known == {row["id"] for row in listed}
