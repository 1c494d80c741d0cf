"""Tests of a folder that is in the tree but not found when it is read.

Either the account has no right to read the folder, or the folder was just deleted.
"""

from __future__ import annotations

from datetime import timedelta

import pytest

from integrations import errors
from mailboxes.models import Mailbox
from sync.models import MailboxState, SyncedFolder
from sync.reporting import alerts, status
from tests.mails import mail
from tests.sync.world import World

pytestmark = pytest.mark.django_db(transaction=True)
CODES = ("ErrorItemNotFound", "ErrorFolderNotFound")


@pytest.fixture(params=CODES)
def desk(world: World, request: pytest.FixtureRequest) -> Mailbox:
    """A mailbox with three folders of wanted mail. For `Claims`, the account has only the right FolderVisible."""
    desk = world.mailbox()
    box = world.mailboxes[desk.address]
    for name in ("Claims", "Trades"):
        box.create_folder(name)
    box.deliver(mail("inbox"))
    box.deliver(mail("claims"), "Claims")
    box.deliver(mail("trades"), "Trades")
    box.forbid_folder("Claims", request.param)
    return desk


def row(name: str = "Claims") -> SyncedFolder:
    return SyncedFolder.objects.get(name=name, gone=False)


def state_of(desk: Mailbox, world: World) -> status.Status:
    return status.status_of(status.with_status(Mailbox.objects.filter(pk=desk.pk), world.clock()).get())


@pytest.mark.wording
def test_a_folder_is_left_out_when_it_is_still_in_the_tree_and_still_not_found(world: World, desk):
    assert world.sync(desk).outcome == "done"
    assert not SyncedFolder.objects.left_out().exists()
    world.clock.turn(minutes=1)
    assert world.sync(desk).outcome == "done"
    world.assert_all_is_well(["inbox", "trades"])
    claims = row()
    assert (claims.refused_kind, claims.left_out, claims.up_to_date) == (errors.FolderNotFound.kind, True, False)
    assert claims.refused_detail in CODES
    assert state_of(desk, world) is status.Status.LEFT_OUT
    (problem,) = [one for one in alerts.problems(world.clock()) if one.kind == errors.FolderNotFound.kind]
    assert "no right to read it" in problem.text
    assert claims.refused_detail in problem.text


def test_a_folder_that_is_not_found_is_retried_more_and_more_rarely_and_recovers(world: World, desk):
    attempts = []
    for _ in range(30):
        world.run(desk)
        attempts.append(row().refused_attempts)
        world.clock.turn(minutes=1)
    assert attempts == [0] + [1] * 5 + [2] * 15 + [3] * 9
    assert row().retry_at - world.clock() > timedelta(minutes=30)
    world.mailboxes[desk.address].permit_folder("Claims")
    world.clock.turn(hours=1)
    world.sync(desk)
    world.assert_all_is_well(["inbox", "trades", "claims"])
    claims = row()
    assert (claims.refused_since, claims.left_out, claims.not_found, claims.up_to_date) == (None, False, False, True)
    assert state_of(desk, world) is status.Status.UP_TO_DATE


def test_a_folder_that_was_deleted_while_it_was_read_is_no_problem(world: World, desk, monkeypatch):
    box = world.mailboxes[desk.address]
    box.permit_folder("Claims")
    world.sync(desk)
    before = world.mailboxes[desk.address].folder("Claims")
    # Simulate that the folder is deleted after the tree was read: the tree still contains it, but a request does not find it.
    monkeypatch.setattr(before, "forbidden", True)
    world.sync(desk)
    assert row().not_found
    monkeypatch.setattr(before, "forbidden", False)
    box.delete_folder("Claims")
    world.sync(desk)
    assert not SyncedFolder.objects.left_out().exists()
    assert not SyncedFolder.objects.filter(refused_since__isnull=False).exists()
    assert state_of(desk, world) is status.Status.UP_TO_DATE


def test_a_folder_that_was_not_found_once_and_can_be_read_afterwards_is_no_problem(world: World, desk):
    world.sync(desk)
    world.mailboxes[desk.address].permit_folder("Claims")
    world.sync(desk)
    world.assert_all_is_well(["inbox", "trades", "claims"])
    assert not row().not_found


def test_an_email_that_was_listed_before_the_right_was_revoked_arrives_when_the_right_is_granted_again(
    world: World, desk
):
    box = world.mailboxes[desk.address]
    code = box.folder("Claims").denied_as
    box.permit_folder("Claims")
    world.sync(desk)
    box.deliver(mail("late"), "Claims")
    box.fail("fetch", errors.ExchangeBusy())
    assert world.sync(desk).outcome == "failed"
    box.forbid_folder("Claims", code)
    for _ in range(12):
        world.clock.turn(hours=3)
        world.sync(desk)
    box.permit_folder("Claims")
    for _ in range(3):
        world.clock.turn(days=1)
        world.sync(desk)
    world.assert_all_is_well(["inbox", "trades", "claims", "late"])


def test_when_no_folder_of_a_mailbox_is_found_the_mailbox_fails_with_its_own_error_kind(world: World, desk):
    box = world.mailboxes[desk.address]
    for entry in box.folders.values():
        entry.forbidden, entry.denied_as = True, "ErrorItemNotFound"
    assert world.sync(desk).outcome == "done"
    for _ in range(2):
        world.clock.turn(minutes=21)
        run = world.sync(desk)
        assert (run.outcome, run.error_kind) == ("failed", errors.InboxHidden.kind)
        assert not SyncedFolder.objects.left_out().exists()
    assert MailboxState.objects.get().failures == 2


def test_a_folder_that_is_denied_by_the_filter_is_no_problem_when_it_is_not_found(world: World, desk):
    Mailbox.objects.filter(pk=desk.pk).update(folder_deny=[["Claims"]])
    for _ in range(3):
        world.sync(desk)
        world.clock.turn(minutes=1)
    assert not SyncedFolder.objects.left_out().exists()
