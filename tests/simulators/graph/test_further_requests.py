"""Attachments, the number of messages, folders by name, and users."""

from __future__ import annotations

import base64
from email.message import EmailMessage

import httpx
import pytest

from simulators.exchange import mail_of
from simulators.exchange.store import Item
from simulators.graph import GraphSimulator, Registration, User
from tests.mails import mail
from tests.simulators.graph.conftest import ADDRESS, DEFAULT, IMMUTABLE, OTHER, Reader

PICTURE = b"\x89PNG\r\n\x1a\n not really"


def with_files(reader: Reader) -> Item:
    """Deliver an email with three attachments: a file, an inline picture and an email."""
    message = EmailMessage()
    message["Message-ID"], message["Subject"] = "<files@north.example>", "Files"
    message.set_content("See what is attached.")
    message.add_attachment("a;b\n", subtype="csv", filename="Grüße.csv")
    message.add_attachment(PICTURE, "image", "png", filename="logo.png", disposition="inline", cid="<logo@x>")
    inner = EmailMessage()
    inner["Subject"] = "Forwarded"
    inner.set_content("Once more.")
    message.add_attachment(inner)
    return reader.mailbox.deliver(mail_of(message.as_bytes()))


def test_files_are_listed_with_their_content_and_attached_emails_without(reader: Reader) -> None:
    with_files(reader)
    (row,) = reader.get("messages").json()["value"]
    answer = reader.get(f"messages/{row['id']}/attachments").json()
    file, picture, email = answer["value"]
    assert (file["@odata.type"], file["name"], file["contentType"]) == (
        "#microsoft.graph.fileAttachment", "Grüße.csv", "text/csv",
    )  # fmt: skip
    assert base64.b64decode(file["contentBytes"]) == b"a;b\n"
    assert (picture["isInline"], picture["contentId"], picture["size"]) == (True, "logo@x", len(PICTURE))
    assert (email["@odata.type"], email["name"]) == ("#microsoft.graph.itemAttachment", "Forwarded")
    assert "contentBytes" not in email


def test_an_attachment_is_found_by_both_of_its_ids_and_returned_as_bytes(reader: Reader) -> None:
    item = with_files(reader)
    (row,) = reader.get("messages", IMMUTABLE).json()["value"]
    of_message = f"mailFolders/inbox/messages/{row['id']}/attachments"
    known = [one["id"] for one in reader.get(of_message, IMMUTABLE, select="name").json()["value"]]
    ordinary = [one["id"] for one in reader.get(of_message, select="name").json()["value"]]
    assert len({*known, *ordinary}) == 6
    one = reader.get(f"{of_message}/{ordinary[1]}", IMMUTABLE, select="name").json()
    assert {name: value for name, value in one.items() if not name.startswith("@")} == {
        "id": known[1],
        "name": "logo.png",
    }
    raw = reader.get(f"{of_message}/{known[1]}/$value")
    assert (raw.content, raw.headers["Content-Type"]) == (PICTURE, "image/png")
    assert b"Once more." in reader.get(f"{of_message}/{known[2]}/$value").content
    moved = reader.mailbox.move(item.id, "Sent Items")
    assert reader.get(f"messages/{row['id']}/attachments/{known[0]}").json()["name"] == "Grüße.csv"
    assert moved.id != item.id
    assert reader.error(f"{of_message}/{known[0]}") == (404, "ErrorItemNotFound")


def test_files_are_listed_page_by_page(reader: Reader) -> None:
    with_files(reader)
    (row,) = reader.get("messages").json()["value"]
    first = reader.get(f"messages/{row['id']}/attachments", top="2", count="true").json()
    assert (len(first["value"]), first["@odata.count"]) == (2, 3)
    assert len(reader.get(first["@odata.nextLink"]).json()["value"]) == 1


def test_an_unknown_attachment_is_not_found(reader: Reader) -> None:
    with_files(reader)
    (row,) = reader.get("messages").json()["value"]
    assert reader.error(f"messages/{row['id']}/attachments/{row['id']}") == (404, "ErrorItemNotFound")


def test_messages_are_counted_as_plain_text(reader: Reader) -> None:
    for name in ("a", "b", "c"):
        reader.deliver(name)
    reader.deliver("d", "Sent Items")
    answer = reader.get("mailFolders/inbox/messages/$count")
    assert (answer.text, answer.headers["Content-Type"]) == ("3", "text/plain")
    assert reader.get("messages/$count").text == "4"
    assert reader.get("messages/$count", filter="internetMessageId eq '<d@north.example>'").text == "1"
    assert reader.error("mailFolders/inbox/messages/$count", top="1") == (400, "ErrorInvalidUrlQuery")


@pytest.mark.parametrize(
    ("test", "found"),
    [
        ("displayName eq 'inbox'", ["Inbox"]),
        ("displayName eq 'O''Hara'", ["O'Hara"]),
        ("startswith(displayName, 'Sent')", ["Sent Items"]),
        ("contains(displayName,'email')", ["Junk Email"]),
        ("displayName eq 'none'", []),
    ],
)
def test_folders_are_found_by_their_names(reader: Reader, test: str, found: list[str]) -> None:
    reader.mailbox.create_folder("O'Hara")
    answer = reader.get("mailFolders", filter=test, count="true").json()
    assert [row["displayName"] for row in answer["value"]] == found
    assert answer["@odata.count"] == len(found)


def test_folders_below_a_folder_are_found_by_their_names_too(reader: Reader) -> None:
    reader.mailbox.create_folder("Inbox/Trades")
    reader.mailbox.create_folder("Inbox/Done")
    rows = reader.get("mailFolders/inbox/childFolders", filter="displayName eq 'Done'").json()["value"]
    assert [row["displayName"] for row in rows] == ["Done"]
    assert reader.error("mailFolders", filter="totalItemCount gt 3") == (400, "ErrorInvalidUrlQuery")


def test_a_body_is_html_and_has_a_preview(reader: Reader) -> None:
    reader.deliver("a", body="One < two\nthree")
    (row,) = reader.get("messages", select="body,bodyPreview").json()["value"]
    assert row["body"]["contentType"] == "html"
    assert row["body"]["content"].startswith("<html><head></head><body>One &lt; two<br>\nthree")
    assert row["bodyPreview"] == "One < two three"


def test_reading_a_user_needs_a_directory_permission(reader: Reader) -> None:
    assert reader.error("") == (403, "Authorization_RequestDenied")
    app = Registration("tenant", "reader", "s3cret", permissions=frozenset({"Mail.Read", "User.Read.All"}))
    person = User("tenant", ADDRESS, "pa55", permissions=frozenset({"Mail.Read", "User.Read"}))
    with (
        GraphSimulator(reader.graph.store, registrations=[app], users=[person], tls=False) as graph,
        httpx.Client() as client,
    ):
        directory = Reader(graph, client)
        directory.sign_in(client_id="reader")
        user = directory.get("").json()
        assert (user["userPrincipalName"], user["mail"], "userType" in user) == (ADDRESS, ADDRESS, False)
        assert directory.get("", select="userType").json()["userType"] == "Member"
        by_id = f"{graph.url}/v1.0/users/{user['id']}"
        assert directory.get(by_id).json()["mail"] == ADDRESS
        assert directory.get(f"{by_id}/mailFolders/inbox").json()["displayName"] == "Inbox"
        assert directory.error(f"{graph.url}/v1.0/users/nobody@bank.example") == (404, "Request_ResourceNotFound")
        form = {"grant_type": "password", "username": ADDRESS, "password": "pa55", "scope": DEFAULT}
        directory.sign_in(client_id="reader", **form)
        assert directory.get(f"{graph.url}/v1.0/me").json()["mail"] == ADDRESS
        assert directory.error(f"{graph.url}/v1.0/users/{OTHER}") == (403, "Authorization_RequestDenied")


def test_an_email_without_files_has_no_attachments(reader: Reader) -> None:
    item = reader.mailbox.deliver(mail_of(mail("plain")))
    (row,) = reader.get("messages").json()["value"]
    assert reader.get(f"messages/{row['id']}/attachments").json()["value"] == []
    assert not item.mail.has_attachments
