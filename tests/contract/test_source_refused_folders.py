"""The behaviour that `Source` requires for a folder that is in the tree and cannot be read."""

from __future__ import annotations

import pytest

from integrations.errors import AccessDenied, FolderGone, FolderRefused, Scope
from integrations.messages import Gone, Unreadable
from tests.contract.source_reading import inbox, lines, only, start_of, tree
from tests.contract.source_rigs import Rig
from tests.mails import mail


def test_a_forbidden_folder_is_an_error_of_this_folder_with_the_code_of_the_server(rig: Rig) -> None:
    rig.create_folder("Inbox/Private")
    rig.forbid_folder("Inbox/Private")
    rig.deliver(mail("a"))
    with rig.source() as source:
        folder = tree(source)["Inbox/Private"].id
        with pytest.raises(FolderRefused) as refused:
            lines(source, folder)
        assert len(lines(source, inbox(source))) == 1
        source.check()
    assert refused.value.scope is Scope.FOLDER
    assert "ErrorAccessDenied" in refused.value.detail
    assert isinstance(refused.value.of_mailbox, AccessDenied)
    assert refused.value.of_mailbox.detail == refused.value.detail


def test_a_folder_that_may_be_read_again_continues_at_its_cursor(rig: Rig) -> None:
    rig.create_folder("Inbox/Private")
    rig.deliver(mail("before"), "Inbox/Private")
    with rig.source() as source:
        folder = tree(source)["Inbox/Private"].id
        cursor = start_of(source, folder)
        rig.forbid_folder("Inbox/Private")
        item_id = rig.deliver(mail("meanwhile"), "Inbox/Private")
        with pytest.raises(FolderRefused):
            lines(source, folder, cursor)
        rig.forbid_folder("Inbox/Private", forbidden=False)
        assert only(lines(source, folder, cursor)).item_id == item_id


def test_an_email_of_a_forbidden_folder_does_not_affect_other_emails(rig: Rig) -> None:
    rig.create_folder("Inbox/Private")
    rig.deliver(mail("open"))
    rig.deliver(mail("hidden"), "Inbox/Private")
    with rig.source() as source:
        changes = [*lines(source, inbox(source)), *lines(source, tree(source)["Inbox/Private"].id)]
        rig.forbid_folder("Inbox/Private")
        first, second = source.fetch(changes)
    assert not isinstance(first, Gone | Unreadable)
    assert isinstance(second, Unreadable)


@pytest.mark.parametrize("code", ["ErrorItemNotFound", "ErrorFolderNotFound"])
def test_a_folder_in_the_tree_that_the_server_does_not_find_is_gone_with_the_code_of_the_server(
    rig: Rig, code: str
) -> None:
    rig.create_folder("Inbox/Private")
    item_id = rig.deliver(mail("before"), "Inbox/Private")
    with rig.source() as source:
        folder = tree(source)["Inbox/Private"].id
        listed = only(lines(source, folder))
        rig.forbid_folder("Inbox/Private", code=code)
        with pytest.raises(FolderGone) as gone:
            lines(source, folder)
        assert "NotFound" in gone.value.detail
        assert "Inbox/Private" in tree(source)
        assert list(source.fetch([listed])) == [Gone(listed)]
        rig.forbid_folder("Inbox/Private", forbidden=False)
        assert only(lines(source, folder)).item_id == item_id
