"""The filter rules of a mailbox: which folders and emails are wanted."""

from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from integrations.messages import Change, ChangeKind, FolderId, FolderKind, ItemId
from mailboxes.rules import FilterVerdict, Rules, draft_verdict, folder_verdict, item_verdict, participants_verdict

NOON = datetime(2026, 3, 1, 12, tzinfo=UTC)
PLAIN = [FolderKind.ORDINARY]


def change(**values):
    values_with_defaults: dict[str, Any] = {"item_class": "IPM.Note", "received": NOON} | values
    return Change(ChangeKind.CREATED, FolderId("f"), ItemId("i"), **values_with_defaults)


def verdict_on(rules, change, folder=FolderKind.INBOX):
    return item_verdict(rules, change, folder)


def test_without_rules_every_ordinary_folder_is_wanted():
    assert folder_verdict(Rules(), ("Inbox", "Trades"), PLAIN) is FilterVerdict.WANTED


@pytest.mark.parametrize("kind", sorted(set(FolderKind) - {FolderKind.ORDINARY, FolderKind.INBOX, FolderKind.SENT}))
def test_folders_of_these_kinds_and_all_below_them_are_skipped_by_default(kind):
    assert folder_verdict(Rules(), ("Any name",), [kind]) is FilterVerdict.SKIPPED_FOLDER
    assert folder_verdict(Rules(), ("x", "below"), [kind, FolderKind.ORDINARY]) is FilterVerdict.SKIPPED_FOLDER


def test_an_allow_list_includes_a_folder_that_is_skipped_by_default():
    rules = Rules(folder_allow=(("Deleted Items",),))
    assert folder_verdict(rules, ("Deleted Items", "Old"), [FolderKind.DELETED]) is FilterVerdict.WANTED


def test_a_path_covers_its_subtree_and_ignores_case():
    rules = Rules(folder_allow=(("inbox", "TRADES"),))
    assert folder_verdict(rules, ("Inbox", "Trades", "2026"), PLAIN) is FilterVerdict.WANTED
    assert folder_verdict(rules, ("Inbox",), PLAIN) is FilterVerdict.DENIED_FOLDER
    assert folder_verdict(rules, ("Archive", "Inbox", "Trades"), PLAIN) is FilterVerdict.DENIED_FOLDER


def test_deny_lists_take_precedence_over_allow_lists():
    rules = Rules(folder_allow=(("Inbox",),), folder_deny=(("Inbox", "Private"),))
    assert folder_verdict(rules, ("Inbox", "Private", "Deep"), PLAIN) is FilterVerdict.DENIED_FOLDER
    assert folder_verdict(rules, ("Inbox", "Other"), PLAIN) is FilterVerdict.WANTED


def test_an_empty_path_in_a_rule_covers_nothing():
    assert folder_verdict(Rules(folder_deny=((),)), ("Inbox",), PLAIN) is FilterVerdict.WANTED


def test_the_start_time_is_inclusive():
    assert verdict_on(Rules(start=NOON), change()) is FilterVerdict.WANTED
    assert verdict_on(Rules(start=NOON), change(received=NOON - timedelta(seconds=1))) is FilterVerdict.TOO_OLD


def test_mail_without_a_received_time_is_never_too_old():
    assert verdict_on(Rules(start=NOON), change(received=None)) is FilterVerdict.WANTED


@pytest.mark.parametrize("item_class", ["IPM.Note", "ipm.note.smime", "IPM.Note.SMIME.MultipartSigned", ""])
def test_emails_with_these_item_classes_are_wanted(item_class):
    assert verdict_on(Rules(), change(item_class=item_class)) is FilterVerdict.WANTED


@pytest.mark.parametrize("item_class", ["IPM.Appointment", "IPM.Contact", "IPM.Notebook", "IPM.Task"])
def test_items_other_than_mail_are_not_wanted(item_class):
    assert verdict_on(Rules(meetings=True, reports=True), change(item_class=item_class)) is FilterVerdict.ITEM_CLASS


def test_meeting_messages_and_reports_are_wanted_only_if_switched_on():
    request, report = change(item_class="IPM.Schedule.Meeting.Request"), change(item_class="REPORT.IPM.Note.NDR")
    assert verdict_on(Rules(), request) is FilterVerdict.ITEM_CLASS
    assert verdict_on(Rules(), report) is FilterVerdict.ITEM_CLASS
    assert verdict_on(Rules(meetings=True), request) is FilterVerdict.WANTED
    assert verdict_on(Rules(reports=True), report) is FilterVerdict.WANTED


@pytest.mark.parametrize("kind", FolderKind)
def test_the_draft_mark_in_a_listing_counts_only_in_drafts_and_outbox(kind):
    expected = FilterVerdict.DRAFT if kind in (FolderKind.DRAFTS, FolderKind.OUTBOX) else FilterVerdict.WANTED
    assert verdict_on(Rules(), change(draft=True), kind) is expected
    assert verdict_on(Rules(), change(draft=False), kind) is FilterVerdict.WANTED


def test_an_item_marked_as_a_draft_elsewhere_is_a_draft_unless_a_server_received_it():
    assert draft_verdict(FolderKind.INBOX, marked=True, received=True) is FilterVerdict.WANTED
    assert draft_verdict(FolderKind.ORDINARY, marked=True, received=False) is FilterVerdict.NEVER_SENT
    assert draft_verdict(FolderKind.ORDINARY, marked=False, received=False) is FilterVerdict.WANTED
    assert draft_verdict(FolderKind.DRAFTS, marked=True, received=True) is FilterVerdict.DRAFT


def test_one_participant_on_the_allow_list_is_enough():
    rules = Rules(participant_allow=("Ann@North.example",))
    assert participants_verdict(rules, {"ann@north.example", "x@y.example"}) is FilterVerdict.WANTED
    assert participants_verdict(rules, {"x@y.example"}) is FilterVerdict.PARTICIPANT


def test_a_denied_participant_takes_precedence_over_an_allowed_domain():
    rules = Rules(domain_allow=("north.example",), participant_deny=("bot@north.example",))
    assert participants_verdict(rules, {"ann@north.example", "bot@north.example"}) is FilterVerdict.PARTICIPANT


def test_a_domain_matches_itself_and_with_a_leading_dot_its_subdomains_too():
    assert participants_verdict(Rules(domain_deny=("north.example",)), {"a@x.north.example"}) is FilterVerdict.WANTED
    assert (
        participants_verdict(Rules(domain_deny=(".north.example",)), {"a@x.north.example"}) is FilterVerdict.PARTICIPANT
    )
    assert (
        participants_verdict(Rules(domain_deny=(".north.example",)), {"a@north.example"}) is FilterVerdict.PARTICIPANT
    )
    assert participants_verdict(Rules(domain_deny=(".north.example",)), {"a@notnorth.example"}) is FilterVerdict.WANTED
