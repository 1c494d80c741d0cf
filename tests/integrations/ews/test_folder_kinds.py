"""The kinds of well-known folders, also if Exchange returns an error for one of them, and which folders hold mail."""

from __future__ import annotations

import re
from collections.abc import Callable
from dataclasses import replace

import pytest

from integrations.errors import ExchangeBusy, ExchangeFailed, IntegrationError, MailboxMoving
from integrations.ews.source import ExchangeSource
from integrations.messages import Folder, FolderKind
from simulators.exchange import Store
from simulators.http import Request, Response
from tests.integrations.ews.peers import ADDRESS, answers_of, peer

MESSAGE = re.compile(rb"<m:GetFolderResponseMessage .*?</m:GetFolderResponseMessage>", re.S)
DRAFTS = 2
"""Index of Drafts among the requested well-known folders."""


def failing_for_drafts(store: Store, code: str) -> Callable[[Request], Response]:
    original = answers_of(store)
    failure = (
        f'<m:GetFolderResponseMessage ResponseClass="Error"><m:MessageText>No.</m:MessageText>'
        f"<m:ResponseCode>{code}</m:ResponseCode><m:Folders/></m:GetFolderResponseMessage>"
    ).encode()

    def answer(request: Request) -> Response:
        response = original(request)
        messages = MESSAGE.findall(response.body)
        return replace(response, body=response.body.replace(messages[DRAFTS], failure)) if messages else response

    return answer


def folders(answer: Callable[[Request], Response]) -> dict[str, Folder]:
    with peer(answer) as peer_server:
        return {folder.name: folder for folder in ExchangeSource(peer_server.settings, ADDRESS).folders(None).changed}


@pytest.mark.parametrize("code", ["ErrorFolderNotFound", "ErrorItemNotFound", "ErrorAccessDenied"])
def test_a_missing_well_known_folder_does_not_affect_the_others(code: str) -> None:
    by_name = folders(failing_for_drafts(Store([ADDRESS]), code))
    assert by_name["Drafts"].kind is FolderKind.ORDINARY
    assert by_name["Inbox"].kind is FolderKind.INBOX
    assert by_name["Junk Email"].kind is FolderKind.JUNK


@pytest.mark.parametrize(
    ("code", "kind"),
    [
        ("ErrorServerBusy", ExchangeBusy),
        ("ErrorMailboxStoreUnavailable", MailboxMoving),
        ("ErrorInternalServerError", ExchangeFailed),
    ],
)
def test_a_transient_error_for_drafts_does_not_make_drafts_an_ordinary_folder(
    code: str, kind: type[IntegrationError]
) -> None:
    with pytest.raises(kind):
        folders(failing_for_drafts(Store([ADDRESS]), code))


def test_a_search_folder_is_part_of_the_tree_and_holds_no_mail() -> None:
    store = Store([ADDRESS])
    store[ADDRESS].create_folder("Unread", "IPF.Note")
    original = answers_of(store)
    plain = re.compile(rb"<t:Folder>((?:(?!</t:Folder>).)*<t:DisplayName>Unread<.*?)</t:Folder>", re.S)

    def answer(request: Request) -> Response:
        response = original(request)
        return replace(response, body=plain.sub(rb"<t:SearchFolder>\1</t:SearchFolder>", response.body))

    by_name = folders(answer)
    assert not by_name["Unread"].holds_mail
    assert by_name["Inbox"].holds_mail


def listed_folders(**classes: str) -> dict[str, Folder]:
    """Create folders with these names and classes, and return all folders as the source lists them."""
    store = Store([ADDRESS])
    for name, folder_class in classes.items():
        store[ADDRESS].create_folder(name, folder_class)
    store[ADDRESS].create_folder("Secret", "IPF.Note", hidden=True)
    return folders(answers_of(store))


def test_folders_of_imported_custom_and_unknown_classes_hold_mail() -> None:
    by_name = listed_folders(Imap="IPF.Imap", Bare="IPF", None_="", Custom="IPF.Note.Custom", Strange="IPF.Strange")
    for name in ("Imap", "Bare", "None_", "Custom", "Strange"):
        assert by_name[name].holds_mail, name
    assert by_name["Imap"].folder_class == "IPF.Imap"


def test_folders_of_other_classes_and_hidden_ones_hold_no_mail_and_have_their_class() -> None:
    by_name = listed_folders(Birthdays="IPF.Appointment.Birthday", Chats="IPF.SkypeTeams.Message", Files="IPF.Files")
    for name in ("Birthdays", "Chats", "Files", "Calendar", "Secret"):
        assert not by_name[name].holds_mail, name
    assert (by_name["Secret"].hidden, by_name["Files"].hidden) == (True, False)
    assert by_name["Chats"].folder_class == "IPF.SkypeTeams.Message"
