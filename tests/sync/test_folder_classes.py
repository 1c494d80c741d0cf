"""Tests of folders of several classes, with the simulated servers, before and after an upgrade.

Some of these folder classes are created when mail is migrated to Exchange from another system.
"""

from __future__ import annotations

from functools import partial

import pytest

from integrations import folder_classes
from mailboxes.models import Mailbox
from operations.results import ActionRefused
from simulators.exchange import mail_of
from sync.models import MailboxState, SyncedFolder
from tests.faults.midlife import ADDRESSES, Midlife
from tests.mails import comment_id_of, mail

pytestmark = pytest.mark.django_db(transaction=True)
BUCKET = ("bank", "desks")


@pytest.fixture
def life():
    with Midlife().stage() as staged:
        yield staged


@pytest.fixture
def box(life):
    """A mailbox with mail in folders of several classes. The other two mailboxes are empty."""
    box = life.store[ADDRESSES[0]]
    for name, folder_class in (("Old mail", "IPF.Imap"), ("Older mail", "IPF"), ("Birthdays", "IPF.Appointment")):
        box.create_folder(name, folder_class)
        box.deliver(mail_of(mail(name.casefold().replace(" ", "-"))), name)
    box.create_folder("Secret", hidden=True)
    box.deliver(mail_of(mail("secret")), "Secret")
    box.deliver(mail_of(mail("inbox")), "Inbox")
    return box


@pytest.fixture
def before(monkeypatch):
    """Use the rule of an older release, which read only `IPF.Note` and folders without a class.

    Call the yielded function to upgrade.
    """
    with monkeypatch.context() as release:
        release.setattr(folder_classes, "VERSION", 1)
        old_rule = partial(folder_classes.holds_mail, version=1)
        release.setattr("integrations.ews.folders.holds_mail", old_rule)
        yield release.undo


def stored(life) -> set[str]:
    return set(life.reinfer.sources[BUCKET].comments)


def ids(*names: str) -> set[str]:
    return {comment_id_of(name) for name in names}


def test_an_email_in_a_folder_that_the_old_release_did_not_read_arrives_after_the_upgrade_and_is_billed_once(
    life, box, before
):
    life.sync()
    life.sync()
    assert not ids("old-mail", "older-mail") & stored(life)
    before()
    for _ in range(3):
        life.sync()
    assert stored(life) == ids("inbox", "old-mail", "older-mail")
    assert life.reinfer.ai_units == 3
    assert set(MailboxState.objects.values_list("tree_version", flat=True)) == {folder_classes.VERSION}


def test_the_whole_tree_is_requested_only_once_after_an_upgrade(life, box, before):
    life.sync()
    before()
    life.sync()
    cursors = set(MailboxState.objects.values_list("folders_cursor", flat=True))
    life.ews.requests.clear()
    life.sync()
    assert set(MailboxState.objects.values_list("folders_cursor", flat=True)) == cursors
    assert life.ews.operations.count("SyncFolderHierarchy") == len(ADDRESSES)
    assert "GetFolder" not in life.ews.operations


@pytest.mark.wording
def test_folders_that_are_not_read_are_stored_with_class_count_and_reason(life, box):
    life.sync()
    rows = SyncedFolder.objects.not_read().filter(mailbox__address=box.address)
    folders = {row.name: (row.folder_class, row.total, row.why_not_read) for row in rows}
    assert folders["Birthdays"] == ("IPF.Appointment", 1, "contains appointments")
    assert folders["Secret"] == ("IPF.Note", 1, "hidden: no mail client shows it")
    assert "Old mail" not in folders
    assert stored(life) == ids("inbox", "old-mail", "older-mail")


@pytest.mark.parametrize("api", ["ews", "graph"])
def test_a_folder_in_the_tree_that_is_not_found_is_left_out_and_its_mail_arrives_when_the_right_is_granted(life, api):
    box = life.store[ADDRESSES[0]]
    box.create_folder("Claims")
    box.deliver(mail_of(mail("claims")), "Claims")
    box.deliver(mail_of(mail("inbox")), "Inbox")
    box.forbid_folder("Claims", code="ErrorItemNotFound")
    if api == "graph":
        assert isinstance(life.switch("graph"), str)
    life.sync()
    life.sync()
    (left_out,) = SyncedFolder.objects.left_out()
    assert (left_out.name, left_out.refused_kind) == ("Claims", "folder_not_found")
    assert "ErrorItemNotFound" in left_out.refused_detail
    box.forbid_folder("Claims", forbidden=False)
    life.clock.turn(days=1)
    for _ in range(2):
        life.sync()
    assert not SyncedFolder.objects.left_out().exists()
    assert stored(life) == ids("inbox", "claims")
    assert life.reinfer.ai_units == 2


def test_a_folder_is_read_only_while_it_is_not_hidden(life, box):
    life.sync()
    box.hide_folder("Secret", hidden=False)
    life.sync()
    assert ids("secret") < stored(life)
    box.hide_folder("Secret")
    box.deliver(mail_of(mail("unseen")), "Secret")
    life.sync()
    assert not ids("unseen") & stored(life)
    assert life.reinfer.ai_units == 4


def test_a_switch_to_graph_is_refused_with_the_names_of_folders_that_graph_does_not_list(life, box):
    life.sync()
    refused = life.switch("graph")
    assert isinstance(refused, ActionRefused)
    assert "Old mail (IPF.Imap, 1 item)" in refused.text
    assert "Older mail (IPF, 1 item)" in refused.text
    assert "Birthdays" not in refused.text
    assert Mailbox.objects.first().integration.microsoft_api == "ews"
    box.folder("Old mail").folder_class = "IPF.Note"
    box.rename_folder("Old mail", "Old mail")
    Mailbox.objects.filter(address=box.address).update(folder_deny=[["Older mail"]])
    life.sync()
    assert isinstance(life.switch("graph"), str)
    life.sync()
    assert stored(life) == ids("inbox", "old-mail", "older-mail")
    assert life.reinfer.ai_units == 3
