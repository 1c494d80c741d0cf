"""Well-known folders: one that a mailbox lacks is nothing to speak of; one that cannot be told now must not be guessed."""

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
"""Its place among the well-known folders that are asked for."""


def failing_for_drafts(store: Store, code: str) -> Callable[[Request], Response]:
    usual = answers_of(store)
    failure = (
        f'<m:GetFolderResponseMessage ResponseClass="Error"><m:MessageText>No.</m:MessageText>'
        f"<m:ResponseCode>{code}</m:ResponseCode><m:Folders/></m:GetFolderResponseMessage>"
    ).encode()

    def answer(request: Request) -> Response:
        response = usual(request)
        messages = MESSAGE.findall(response.body)
        return replace(response, body=response.body.replace(messages[DRAFTS], failure)) if messages else response

    return answer


def folders(answer: Callable[[Request], Response]) -> dict[str, Folder]:
    with peer(answer) as made:
        return {folder.name: folder for folder in ExchangeSource(made.settings, ADDRESS).folders(None).changed}


@pytest.mark.parametrize("code", ["ErrorFolderNotFound", "ErrorItemNotFound", "ErrorAccessDenied"])
def test_a_well_known_folder_that_is_not_there_leaves_the_others_known(code: str) -> None:
    told = folders(failing_for_drafts(Store([ADDRESS]), code))
    assert told["Drafts"].kind is FolderKind.ORDINARY
    assert told["Inbox"].kind is FolderKind.INBOX
    assert told["Junk Email"].kind is FolderKind.JUNK


@pytest.mark.parametrize(
    ("code", "kind"),
    [
        ("ErrorServerBusy", ExchangeBusy),
        ("ErrorMailboxStoreUnavailable", MailboxMoving),
        ("ErrorInternalServerError", ExchangeFailed),
    ],
)
def test_drafts_that_cannot_be_told_now_are_not_taken_for_an_ordinary_folder(
    code: str, kind: type[IntegrationError]
) -> None:
    with pytest.raises(kind):
        folders(failing_for_drafts(Store([ADDRESS]), code))


def test_a_search_folder_is_part_of_the_tree_and_holds_no_mail() -> None:
    store = Store([ADDRESS])
    store[ADDRESS].create_folder("Unread", "IPF.Note")
    usual = answers_of(store)
    plain = re.compile(rb"<t:Folder>((?:(?!</t:Folder>).)*<t:DisplayName>Unread<.*?)</t:Folder>", re.S)

    def answer(request: Request) -> Response:
        response = usual(request)
        return replace(response, body=plain.sub(rb"<t:SearchFolder>\1</t:SearchFolder>", response.body))

    told = folders(answer)
    assert not told["Unread"].holds_mail
    assert told["Inbox"].holds_mail


def read_by_ews(**classes: str) -> dict[str, Folder]:
    """A folder of each name and class, as the product sees it."""
    store = Store([ADDRESS])
    for name, folder_class in classes.items():
        store[ADDRESS].create_folder(name, folder_class)
    store[ADDRESS].create_folder("Secret", "IPF.Note", hidden=True)
    return folders(answers_of(store))


def test_folders_of_classes_that_a_migration_leaves_hold_mail() -> None:
    told = read_by_ews(Imap="IPF.Imap", Bare="IPF", None_="", Custom="IPF.Note.Custom", Strange="IPF.Strange")
    for name in ("Imap", "Bare", "None_", "Custom", "Strange"):
        assert told[name].holds_mail, name
    assert told["Imap"].folder_class == "IPF.Imap"


def test_folders_of_other_classes_and_hidden_ones_hold_no_mail_and_tell_their_class() -> None:
    told = read_by_ews(Birthdays="IPF.Appointment.Birthday", Chats="IPF.SkypeTeams.Message", Files="IPF.Files")
    for name in ("Birthdays", "Chats", "Files", "Calendar", "Secret"):
        assert not told[name].holds_mail, name
    assert (told["Secret"].hidden, told["Files"].hidden) == (True, False)
    assert told["Chats"].folder_class == "IPF.SkypeTeams.Message"
