"""Tests of a folder that is in the tree and cannot be read: only this folder is left out."""

from __future__ import annotations

from datetime import timedelta

import pytest

from integrations import errors
from integrations.models import Integration
from mailboxes.models import Mailbox
from operations import integration_actions, mailbox_actions
from operations.resumption import settings_changed
from sync.jobs import verification
from sync.models import DeadLetter, LedgerEntry, MailboxState, SyncedFolder, Verification
from tests.actors import ADMIN
from tests.mails import NOON, comment_id_of, mail
from tests.sync.slow import slow, with_folders
from tests.sync.world import World

pytestmark = pytest.mark.django_db(transaction=True)


@pytest.fixture
def desk(world: World) -> Mailbox:
    """A mailbox with three folders of wanted mail. The account has no right to read `Claims`."""
    desk = world.mailbox()
    box = world.mailboxes[desk.address]
    for name in ("Claims", "Trades"):
        box.create_folder(name)
    box.deliver(mail("inbox"))
    box.deliver(mail("claims"), "Claims")
    box.deliver(mail("trades"), "Trades")
    box.forbid_folder("Claims")
    return desk


def row(name: str) -> SyncedFolder:
    return SyncedFolder.objects.get(name=name, gone=False)


def test_the_folders_before_and_after_a_refused_folder_are_read_in_the_same_sync(world: World, desk):
    assert world.sync(desk).outcome == "done"
    world.assert_all_is_well(["inbox", "trades"])
    claims = row("Claims")
    assert (claims.refused_kind, claims.refused_detail) == ("folder_access_denied", "ErrorAccessDenied")
    assert (claims.left_out, claims.cursor, claims.up_to_date) == (True, "", False)
    assert claims.refused_since == world.clock()


def test_a_folder_that_is_refused_for_days_never_disables_its_mailbox_and_its_mail_arrives_when_access_is_granted(
    world: World, desk
):
    for day in range(9):
        world.mailboxes[desk.address].deliver(mail(f"day{day}"), "Trades")
        assert world.sync(desk).outcome == "done"
        world.clock.turn(days=1)
    desk.refresh_from_db()
    assert desk.enabled
    assert MailboxState.objects.get().failures == 0
    world.mailboxes[desk.address].permit_folder("Claims")
    world.clock.turn(days=1)
    world.sync(desk)
    world.assert_all_is_well(["inbox", "trades", "claims", *(f"day{day}" for day in range(9))])
    claims = row("Claims")
    assert (claims.refused_since, claims.refused_kind, claims.left_out, claims.retry_at) == (None, "", False, None)
    assert claims.up_to_date


def tries(world: World, desk: Mailbox, name: str, minutes: int) -> list[int]:
    """Sync the mailbox once a minute. Return the minutes in which the folder was tried."""
    tried_at = []
    before = row(name).refused_attempts if SyncedFolder.objects.exists() else 0
    for minute in range(minutes):
        world.run(desk)
        after = row(name).refused_attempts
        tried_at += [minute] * (after - before)
        before = after
        world.clock.turn(minutes=1)
    return tried_at


@pytest.mark.long
def test_a_refused_folder_is_retried_more_and_more_rarely(world: World, desk):
    assert tries(world, desk, "Claims", 90) == [0, 5, 20, 80]
    claims = row("Claims")
    assert claims.retry_at - world.clock() == timedelta(hours=4) - timedelta(minutes=10)


def test_the_checkpoint_of_a_folder_does_not_move_while_the_folder_is_refused(world: World, desk):
    box = world.mailboxes[desk.address]
    box.permit_folder("Claims")
    world.sync(desk)
    before = row("Claims").cursor
    box.forbid_folder("Claims")
    box.deliver(mail("meanwhile"), "Claims")
    for _ in range(4):
        world.sync(desk)
        world.clock.turn(hours=2)
    assert row("Claims").cursor == before
    box.permit_folder("Claims")
    world.clock.turn(days=1)
    fetched = world.fetched()
    world.sync(desk)
    assert world.fetched() == fetched + 1
    world.assert_all_is_well(["inbox", "trades", "claims", "meanwhile"])


@pytest.mark.parametrize(
    "press",
    [
        lambda desk: mailbox_actions.sync_now(ADMIN, desk),
        lambda desk: mailbox_actions.start(ADMIN, desk),
        lambda desk: mailbox_actions.list_again(ADMIN, desk),
        lambda desk: integration_actions.start(ADMIN, desk.integration),
        lambda desk: mailbox_actions.sync_many_now(ADMIN, [desk]),
        lambda desk: mailbox_actions.list_many_again(ADMIN, [desk]),
        lambda desk: mailbox_actions.list_folder_again(ADMIN, row("Claims")),
        lambda desk: settings_changed(desk.integration),
    ],
    ids=["sync now", "start", "list again", "start all", "sync many", "list many", "list folder", "settings"],
)
def test_a_sync_that_a_user_requests_tries_a_refused_folder_at_once(world: World, desk, press, monkeypatch):
    monkeypatch.setattr("sync.tasks.sync_mailbox.delay", lambda *given: None)
    for _ in range(3):
        world.sync(desk)
        world.clock.turn(hours=2)
    since = row("Claims").refused_since
    press(desk)
    world.sync(desk)
    assert (row("Claims").refused_attempts, row("Claims").refused_since) == (1, since)
    world.mailboxes[desk.address].permit_folder("Claims")
    press(desk)
    world.sync(desk)
    world.assert_all_is_well(["inbox", "trades", "claims"])


def test_when_every_folder_is_refused_the_mailbox_fails(world: World, desk):
    box = world.mailboxes[desk.address]
    for entry in box.folders.values():
        entry.forbidden = True
    for _ in range(3):
        run = world.sync(desk)
        assert (run.outcome, run.error_kind) == ("failed", errors.AccessDenied.kind)
        assert not SyncedFolder.objects.left_out().exists()
        assert not world.due()
        world.clock.turn(minutes=21)
    assert MailboxState.objects.get().failures == 3
    world.clock.turn(days=4)
    world.sync(desk)
    desk.refresh_from_db()
    assert (desk.enabled, desk.disabled_kind) == (False, errors.AccessDenied.kind)
    box.permit_folder("Trades")
    mailbox_actions.start(ADMIN, desk)
    assert world.sync(desk).outcome == "done"
    world.assert_all_is_well(["trades"])
    assert {folder.name for folder in SyncedFolder.objects.left_out()} == {"Inbox", "Sent Items", "Claims"}


@pytest.mark.long
def test_a_refused_mailbox_of_many_folders_fails_although_one_slice_does_not_reach_all_of_them(world: World, settings):
    settings.SYNC_SLICE = timedelta(seconds=1)
    desk = with_folders(world, 20)
    for entry in world.mailboxes[desk.address].folders.values():
        entry.forbidden = True
    slow(world, 0.1)
    for _ in range(2):
        outcomes = [world.sync(desk).outcome]
        while outcomes[-1] == "yielded" and len(outcomes) < 9:
            outcomes.append(world.sync(desk).outcome)
        assert outcomes[-1] == "failed"
        assert len(outcomes) < 5
        world.clock.turn(minutes=21)


def test_a_refused_folder_whose_mail_is_not_wanted_is_not_left_out(world: World, desk):
    Mailbox.objects.update(folder_deny=[["Claims"]])
    world.sync(desk)
    assert not SyncedFolder.objects.left_out().exists()
    assert row("Claims").refused_since
    Mailbox.objects.update(folder_deny=[])
    world.sync(desk)
    assert SyncedFolder.objects.left_out().count() == 1
    Mailbox.objects.update(folder_deny=[["Claims"]])
    world.sync(desk)
    assert not SyncedFolder.objects.left_out().exists()


def test_the_backlog_of_a_refused_folder_waits_without_counting_attempts(world: World, desk):
    box = world.mailboxes[desk.address]
    box.permit_folder("Claims")
    bad = box.deliver(mail("bad"), "Claims")
    box.break_item(bad, "ErrorMimeContentConversionFailed")
    world.sync(desk)
    assert DeadLetter.objects.get().attempts == 1
    box.mend_item(bad)
    box.forbid_folder("Claims")
    box.rename_folder("Claims", "Claims of today")
    world.clock.turn(days=1)
    world.sync(desk)
    assert LedgerEntry.objects.filter(dirty=True).count() == 1
    assert DeadLetter.objects.get().attempts == 1
    box.permit_folder("Claims of today")
    world.clock.turn(days=2)
    world.sync(desk)
    assert world.folder_of("claims") == "Claims of today"
    world.assert_all_is_well(["inbox", "trades", "claims", "bad"])


def test_a_listing_that_is_refused_after_its_first_page_continues_when_access_is_granted(world: World, desk):
    world.page_size = 2
    box = world.mailboxes[desk.address]
    box.permit_folder("Claims")
    for number in range(5):
        box.deliver(mail(f"more{number}"), "Claims")

    class ForbidsAfterAPage:
        def __init__(self, source):
            self._source = source

        def __getattr__(self, name):
            return getattr(self._source, name)

        def __enter__(self):
            return self

        def __exit__(self, *error):
            self._source.close()

        def changes(self, folder, after):
            for page in self._source.changes(folder, after):
                yield page
                if box.folders[folder].folder.name == "Claims":
                    box.forbid_folder("Claims")

    usual = world.wrap
    world.wrap = lambda port, it: ForbidsAfterAPage(it) if port == "source" else it
    assert world.sync(desk).outcome == "done"
    assert row("Claims").cursor
    world.wrap = usual
    box.permit_folder("Claims")
    world.clock.turn(minutes=6)
    world.sync(desk)
    world.assert_all_is_well(["inbox", "trades", "claims", *(f"more{number}" for number in range(5))])


def test_a_verification_counts_the_folders_that_it_could_not_read(world: World, desk):
    world.sync(desk)
    done = verification.begin(desk, repair=False, clock=world.clock)
    while done.ended_at is None:
        done = verification.run_slice(done.pk, world.around())
    result = Verification.objects.get()
    assert (result.emails, result.well, result.left_out) == (2, 2, 1)
    assert desk.enabled
    assert MailboxState.objects.get().failures == 0


def switch(world: World, desk: Mailbox, api: str) -> None:
    """Switch the integration to the other API, where folders and emails have other ids."""
    Integration.objects.update(microsoft_api=api, auth="oauth2")
    world.mailboxes[desk.address].migrate()


def test_a_folder_that_was_refused_over_one_api_is_tried_at_once_over_the_other(world: World, desk):
    for _ in range(4):
        world.sync(desk)
        world.clock.turn(hours=2)
    box = world.mailboxes[desk.address]
    switch(world, desk, "graph")
    world.sync(desk)
    claims = row("Claims")
    assert (claims.refused_attempts, claims.refused_since) == (1, world.clock())
    assert SyncedFolder.objects.left_out().count() == 1
    box.permit_folder("Claims")
    switch(world, desk, "ews")
    world.sync(desk)
    assert not SyncedFolder.objects.left_out().exists()
    world.assert_all_is_well(["inbox", "trades", "claims"])
    assert not SyncedFolder.objects.exclude(refused_since=None).exists()


def test_the_emails_of_a_refused_folder_are_recognised_after_a_switch(world: World, desk):
    box = world.mailboxes[desk.address]
    box.permit_folder("Claims")
    world.sync(desk)
    box.forbid_folder("Claims")
    switch(world, desk, "graph")
    world.sync(desk)
    fetched = world.fetched()
    box.permit_folder("Claims")
    world.clock.turn(minutes=6)
    world.sync(desk)
    assert comment_id_of("claims") in world.bucket().comments
    assert world.fetched() - fetched <= 1
    world.assert_all_is_well(["inbox", "trades", "claims"])


def test_a_refused_folder_is_tried_at_once_after_the_address_of_its_mailbox_changed(world: World, desk):
    for _ in range(4):
        world.sync(desk)
        world.clock.turn(hours=2)
    box = world.mailboxes.pop(desk.address)
    Mailbox.objects.update(address="another@bank.example")
    desk.refresh_from_db()
    world.mailboxes[desk.address] = box
    world.sync(desk)
    assert row("Claims").refused_attempts == 1


def test_a_refused_folder_that_is_deleted_is_not_left_out_any_more(world: World, desk):
    world.sync(desk)
    world.mailboxes[desk.address].delete_folder("Claims")
    world.sync(desk)
    assert not SyncedFolder.objects.left_out().exists()


@pytest.mark.wording
def test_the_text_of_a_verification_names_folders_that_were_not_compared():
    sentence = Verification(emails=2, well=2, left_out=1, ended_at=NOON).sentence
    assert sentence == "2 emails compared: 2 correct. 1 folder could not be read, so emails there were not compared."
    assert "3 folders could not be read" in Verification(left_out=3, ended_at=NOON).sentence
