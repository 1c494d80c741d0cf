"""Mail folders: changes of the tree, lists, and single folders by id or well-known name."""

from __future__ import annotations

from typing import Any

import pytest

from tests.simulators.graph.conftest import OTHER, OUTSIDE, Reader


def by_name(rows: list[dict[str, Any]]) -> dict[str, dict[str, Any]]:
    return {row["displayName"]: row for row in rows if "displayName" in row}


def test_the_tree_is_listed_in_pages_and_then_only_its_changes(reader: Reader) -> None:
    reader.mailbox.create_folder("Inbox/Trades")
    rows, link = reader.round("mailFolders/delta", "odata.maxpagesize=3")
    listed = by_name(rows)
    assert {"Inbox", "Trades", "Sent Items", "Conflicts"} <= set(listed)
    assert not {"Calendar", "Contacts", "Tasks", "Top of Information Store"} & set(listed)
    assert listed["Trades"]["parentFolderId"] == listed["Inbox"]["id"]
    assert listed["Inbox"]["childFolderCount"] == 1
    assert reader.round(link)[0] == []
    reader.mailbox.rename_folder("Inbox/Trades", "Deals")
    reader.mailbox.create_folder("Done")
    rows, link = reader.round(link)
    assert list(by_name(rows)) == ["Deals", "Done"]
    assert by_name(rows)["Deals"]["id"] == listed["Trades"]["id"]
    reader.mailbox.move_folder("Inbox/Deals", "Done")
    reader.mailbox.delete_folder("Done")
    rows, _ = reader.round(link)
    assert {row["@removed"]["reason"] for row in rows} == {"deleted"}
    assert listed["Trades"]["id"] in {row["id"] for row in rows}


def test_a_folder_that_is_deleted_between_two_pages_is_reported_as_removed(reader: Reader) -> None:
    reader.mailbox.create_folder("Passing")
    first = reader.get("mailFolders/delta", "odata.maxpagesize=50").json()
    reader.mailbox.delete_folder("Passing")
    assert "Passing" in by_name(first["value"])
    rows, _ = reader.round(first["@odata.deltaLink"])
    assert [row["id"] for row in rows] == [by_name(first["value"])["Passing"]["id"]]


@pytest.mark.parametrize("name", ["inbox", "SentItems", "syncissues", "msgfolderroot"])
def test_a_well_known_folder_is_found_by_its_name_and_by_its_id(reader: Reader, name: str) -> None:
    found = reader.get(f"mailFolders/{name}").json()
    assert reader.get(f"mailFolders/{found['id']}").json() == found
    assert reader.get(f"mailFolders('{found['id']}')").json() == found


def test_only_selected_properties_of_v1_are_returned(reader: Reader) -> None:
    reader.deliver("a")
    listed = reader.get("mailFolders/inbox", select="displayName,totalItemCount").json()
    assert {name: listed[name] for name in listed if name[0] != "@" and name != "id"} == {
        "displayName": "Inbox",
        "totalItemCount": 1,
    }
    assert reader.error("mailFolders/inbox", select="wellKnownName") == (400, "RequestBroker--ParseUri")


def test_folders_below_a_folder_are_listed_page_by_page(reader: Reader) -> None:
    for number in range(5):
        reader.mailbox.create_folder(f"Inbox/{number}")
    page = reader.get("mailFolders/inbox/childFolders", top="3", count="true").json()
    rest = reader.get(page["@odata.nextLink"]).json()
    assert [folder["displayName"] for folder in page["value"] + rest["value"]] == ["0", "1", "2", "3", "4"]
    assert (page["@odata.count"], "@odata.nextLink" in rest) == (5, False)
    top = reader.get("mailFolders", top="100").json()["value"]
    assert "Conflicts" not in by_name(top)


def test_an_unknown_folder_is_not_found(reader: Reader) -> None:
    strange = reader.graph.store[OTHER].folder("Inbox").id.replace("/", "-").replace("+", "_")
    calendar = reader.mailbox.folder("Calendar").id.replace("/", "-").replace("+", "_")
    assert reader.error("mailFolders/archive") == (404, "ErrorItemNotFound")
    assert reader.error(f"mailFolders/{strange}") == (404, "ErrorItemNotFound")
    assert reader.error(f"mailFolders/{calendar}") == (404, "ErrorItemNotFound")
    assert reader.error("mailFolders/nonsense") == (400, "ErrorInvalidIdMalformed")


def test_a_mailbox_outside_the_scope_is_denied_and_an_unknown_one_is_not_found(reader: Reader) -> None:
    root = f"{reader.graph.url}/v1.0/users"
    assert reader.get(f"{root}/{OTHER}/mailFolders/inbox").status_code == 200
    assert reader.error(f"{root}/{OUTSIDE}/mailFolders/inbox") == (403, "ErrorAccessDenied")
    assert reader.error(f"{root}/nobody@bank.example/mailFolders/inbox") == (404, "ErrorInvalidUser")


def test_hidden_folders_are_listed_only_if_they_are_requested(reader: Reader) -> None:
    reader.mailbox.create_folder("Inbox/Secret", hidden=True)
    reader.mailbox.create_folder("Attic", hidden=True)
    assert "Attic" not in by_name(reader.get("mailFolders").json()["value"])
    rows = reader.get("mailFolders?includeHiddenFolders=true&$top=50").json()["value"]
    assert by_name(rows)["Attic"]["isHidden"]
    assert not by_name(rows)["Inbox"]["isHidden"]
    assert reader.get("mailFolders/inbox/childFolders").json()["value"] == []
    rows = reader.get("mailFolders/inbox/childFolders?includeHiddenFolders=true").json()["value"]
    assert list(by_name(rows)) == ["Secret"]


def test_hidden_folders_are_not_listed_and_a_folder_that_is_hidden_later_is_removed(reader: Reader) -> None:
    reader.mailbox.create_folder("Attic", hidden=True)
    reader.mailbox.create_folder("Cellar")
    rows, link = reader.round("mailFolders/delta")
    listed = by_name(rows)
    assert "Cellar" in listed
    assert "Attic" not in listed
    reader.mailbox.hide_folder("Cellar")
    rows, link = reader.round(link)
    assert [(row["id"], "@removed" in row) for row in rows] == [(listed["Cellar"]["id"], True)]
    reader.mailbox.hide_folder("Attic", hidden=False)
    assert list(by_name(reader.round(link)[0])) == ["Attic"]


def test_a_folder_in_the_tree_can_be_reported_as_not_found(reader: Reader) -> None:
    folder = reader.mailbox.create_folder("Claims").id
    reader.mailbox.forbid_folder("Claims", code="ErrorItemNotFound")
    listed = by_name(reader.round("mailFolders/delta")[0])
    where = f"mailFolders/{listed['Claims']['id']}/messages/delta"
    assert reader.error(where) == (404, "ErrorItemNotFound")
    assert reader.mailbox.by_id(folder) is not None
