"""A release whose fixed rules include more emails: old emails wait for an admin, new emails are delivered at once."""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta
from typing import Any

import pytest

from integrations.messages import Change, FolderKind
from mailboxes import rules, rules_versions
from mailboxes.models import Mailbox
from mailboxes.rules import FilterVerdict, Rules
from mailboxes.rules_versions import RulesChange
from operations import mailbox_actions, newly_wanted_actions
from operations.results import ActionRefused
from sync.models import MailboxItem, MailboxState, NewlyWanted, RulesAnswer, SyncedFolder
from sync.reporting import newly_wanted
from sync.reporting.newly_wanted import AdminDecision
from tests.actors import ADMIN
from tests.mails import NOON, mail, received
from tests.sync.world import World

OLD = NOON - timedelta(days=30)
LATER = timedelta(days=2)


class Release:
    """Successive releases of the product. Release N has the rules of `CHANGES` up to version N.

    Version 2 reads mail in folders of another class and includes emails that are marked as drafts. Version 3 includes
    tasks. These rules exist only in this module, so that its tests do not depend on the rules of the product.
    """

    def __init__(self, monkeypatch: pytest.MonkeyPatch, world: World) -> None:
        self._patch, self._world = monkeypatch, world
        self._item_verdict = rules.item_verdict
        self.install(1)

    CHANGES = (
        RulesChange(2, "marked as draft or in odd folders", lambda change: change.draft),
        RulesChange(3, "tasks", lambda change: change.item_class == "IPM.Task"),
    )

    def install(self, version: int) -> None:
        self.version = version
        self._patch.setattr(rules_versions, "CHANGES", self.CHANGES[: version - 1])
        for module in ("sync.engine.prefilter", "sync.engine.backlog"):
            self._patch.setattr(f"{module}.item_verdict", self._verdict)
        for box in self._world.mailboxes.values():
            for entry in box.folders.values():
                if entry.folder.read_since > 1:
                    entry.folder = replace(entry.folder, holds_mail=version >= entry.folder.read_since)

    def _verdict(self, given: Rules, change: Change, folder: FolderKind) -> FilterVerdict:
        if self.version < 2 and change.draft:
            return FilterVerdict.DRAFT
        if self.version >= 3 and change.item_class == "IPM.Task":
            change = replace(change, item_class="IPM.Note")
        return self._item_verdict(given, change, folder)


@pytest.fixture(params=[False, True], ids=["new ids", "ids stay"])
def world(db: Any, request: pytest.FixtureRequest) -> World:
    return World(keeps_ids=request.param)


@pytest.fixture
def release(monkeypatch: pytest.MonkeyPatch, world: World) -> Release:
    return Release(monkeypatch, world)


def odd_folder(box: Any, name: str = "Imported", version: int = 2) -> None:
    folder_id = box.create_folder(name, holds_mail=False)
    entry = box.folders[folder_id]
    entry.folder = replace(entry.folder, read_since=version)


def mailbox_synced_by_release_1(
    world: World, address: str = "desk@bank.example", bucket: str = "desks"
) -> tuple[Mailbox, Any]:
    """Create a mailbox that release 1 synced: one email is a comment, and the old rules rejected three emails."""
    desk = world.mailbox(address, bucket)
    box = world.mailboxes[desk.address]
    odd_folder(box)
    box.deliver(mail("plain"), received=OLD)
    box.deliver(mail("odd-1"), "Imported", received=OLD)
    box.deliver(mail("odd-2"), "Imported", received=OLD)
    box.deliver(received(mail("draft")), received=OLD, draft=True)
    world.sync(desk)
    world.assert_all_is_well(["plain"], bucket)
    return desk, box


def settle(world: World, desk: Mailbox, syncs: int = 3) -> None:
    for _ in range(syncs):
        world.clock.turn(minutes=1)
        world.sync(desk)


def looked_for(desk: Mailbox) -> int:
    return MailboxState.objects.get(pk=desk.pk).looked_for


def bring(*mailboxes: Mailbox, **more: Any) -> object:
    return newly_wanted_actions.bring(ADMIN, mailboxes, **more)


def leave(*mailboxes: Mailbox) -> object:
    return newly_wanted_actions.leave(ADMIN, mailboxes)


def test_the_newly_wanted_emails_are_sent_only_after_the_decision(world: World, release: Release):
    desk, _ = mailbox_synced_by_release_1(world)
    release.install(2)
    pushes = world.pushes()
    settle(world, desk)
    assert world.pushes() == pushes
    amount = newly_wanted.amount(AdminDecision.WAITING)
    assert (amount.emails, amount.units, amount.is_counting, looked_for(desk)) == (3, 3, False, 2)
    bring(desk)
    settle(world, desk)
    world.assert_all_is_well(["plain", "odd-1", "odd-2", "draft"])
    assert world.ai_units() == 4
    assert newly_wanted.amount(AdminDecision.WAITING).emails == newly_wanted.amount(AdminDecision.APPROVED).emails == 0
    assert not NewlyWanted.objects.exists()


def test_emails_that_were_left_stay_left_after_a_full_resync_and_a_push_of_missing_comments(
    world: World, release: Release
):
    desk, box = mailbox_synced_by_release_1(world)
    release.install(2)
    settle(world, desk)
    leave(desk)
    settle(world, desk)
    mailbox_actions.list_again(ADMIN, desk)
    settle(world, desk)
    mailbox_actions.send_again(ADMIN, desk)
    settle(world, desk)
    box.forget_cursors()
    settle(world, desk)
    box.migrate()
    settle(world, desk)
    world.assert_all_is_well(["plain"])
    assert newly_wanted.amount(AdminDecision.WAITING).emails == 0
    assert newly_wanted.amount(AdminDecision.DECLINED).emails == 3


def test_emails_that_were_left_can_be_brought_later(world: World, release: Release):
    desk, _ = mailbox_synced_by_release_1(world)
    release.install(2)
    settle(world, desk)
    leave(desk)
    settle(world, desk)
    assert isinstance(bring(desk), ActionRefused)
    bring(desk, also_left=True)
    settle(world, desk)
    world.assert_all_is_well(["plain", "odd-1", "odd-2", "draft"])


def test_mail_that_arrives_after_the_upgrade_is_delivered_at_once(world: World, release: Release):
    desk, box = mailbox_synced_by_release_1(world)
    release.install(2)
    world.clock.turn(minutes=1)
    world.sync(desk)
    now = world.clock() + timedelta(seconds=10)
    world.clock.turn(minutes=1)
    box.deliver(mail("new-plain"), received=now)
    box.deliver(mail("new-odd"), "Imported", received=now)
    box.deliver(received(mail("new-draft")), received=now, draft=True)
    world.sync(desk)
    world.assert_all_is_well(["plain", "new-plain", "new-odd", "new-draft"])
    leave(desk)
    settle(world, desk)
    box.deliver(mail("copied-in"), "Imported", received=OLD)
    settle(world, desk)
    world.assert_all_is_well(["plain", "new-plain", "new-odd", "new-draft", "copied-in"])


def test_emails_that_the_old_rules_include_never_wait(world: World, release: Release):
    desk, box = mailbox_synced_by_release_1(world)
    box.deliver(mail("while-it-was-upgraded"), received=OLD)
    release.install(2)
    world.sync(desk)
    world.assert_all_is_well(["plain", "while-it-was-upgraded"])


def test_an_upgrade_lists_no_folder_again_before_live_mail(world: World, release: Release):
    desk, box = mailbox_synced_by_release_1(world)
    cursors = dict(SyncedFolder.objects.exclude(cursor="").values_list("name", "cursor"))
    release.install(2)
    box.deliver(mail("live"))
    run = world.sync(desk)
    assert run.created == 1
    assert run.listed == 3, "the new email, and the two in the folder that was not read before"
    assert cursors.keys() <= {folder.name for folder in SyncedFolder.objects.exclude(cursor="")}


@pytest.mark.wording
def test_folders_are_searched_a_few_pages_at_a_time(world: World, release: Release):
    world.page_size = 1
    desk = world.mailbox()
    box = world.mailboxes[desk.address]
    for number in range(12):
        box.deliver(received(mail(f"draft-{number}")), received=OLD, draft=True)
    world.sync(desk)
    release.install(2)
    world.clock.turn(minutes=1)
    world.sync(desk)
    first = newly_wanted.amount(AdminDecision.WAITING)
    assert (first.emails, first.is_counting) == (4, True)
    assert "so far" in first.sentence
    settle(world, desk, syncs=8)
    last = newly_wanted.amount(AdminDecision.WAITING)
    assert (last.emails, last.is_counting) == (12, False)
    assert world.pushes() == 0


def test_a_decision_during_the_search_applies_to_emails_that_are_found_later(world: World, release: Release):
    world.page_size = 1
    for address, answer in (("desk@bank.example", bring), ("sales@bank.example", leave)):
        box_row = world.mailbox(address)
        for number in range(9):
            world.mailboxes[address].deliver(received(mail(f"{address[:4]}-{number}")), received=OLD, draft=True)
        world.sync(box_row)
        release.install(2)
        world.clock.turn(minutes=1)
        world.sync(box_row)
        answer(box_row)
        settle(world, box_row, syncs=8)
        release.install(1)
    world.assert_all_is_well([f"desk-{number}" for number in range(9)])


def test_a_mailbox_that_was_never_synced_needs_no_decision(world: World, release: Release):
    release.install(2)
    desk = world.mailbox()
    box = world.mailboxes[desk.address]
    odd_folder(box)
    release.install(2)
    box.deliver(mail("odd"), "Imported", received=OLD)
    box.deliver(received(mail("draft")), received=OLD, draft=True)
    world.sync(desk)
    world.assert_all_is_well(["odd", "draft"])


def test_a_mailbox_that_was_added_before_the_upgrade_and_never_synced_needs_no_decision(world: World, release: Release):
    desk = world.mailbox()
    world.mailboxes[desk.address].deliver(received(mail("draft")), received=OLD, draft=True)
    release.install(2)
    world.sync(desk)
    world.assert_all_is_well(["draft"])


def test_an_email_in_two_mailboxes_costs_one_ai_unit_and_a_delivered_one_none(world: World, release: Release):
    desk, sales = world.mailbox("desk@bank.example"), world.mailbox("sales@bank.example")
    for mailbox in (desk, sales):
        world.mailboxes[mailbox.address].deliver(received(mail("twice")), received=OLD, draft=True)
    world.mailboxes[desk.address].deliver(mail("known"), received=OLD)
    odd_folder(world.mailboxes[sales.address])
    world.mailboxes[sales.address].deliver(mail("known"), "Imported", received=OLD)
    world.sync_all()
    release.install(2)
    for mailbox in (desk, sales):
        settle(world, mailbox)
    amount = newly_wanted.amount(AdminDecision.WAITING)
    assert (amount.emails, amount.units, amount.mailboxes) == (3, 1, 2)
    assert len(world.bucket().writes) == 1, "nothing is sent, not even an email that costs nothing"
    bring(desk, sales)
    settle(world, desk)
    settle(world, sales)
    world.assert_all_is_well(["twice", "known"])


def test_a_waiting_email_that_is_moved_still_waits(world: World, release: Release):
    desk, box = mailbox_synced_by_release_1(world)
    box.create_folder("Aside")
    world.sync(desk)
    release.install(2)
    settle(world, desk)
    item = next(item.id for item in box.folder("Inbox").items.values() if item.draft)
    box.move(item, "Aside")
    settle(world, desk)
    leave(desk)
    box.move(next(iter(box.folder("Aside").items)), "Inbox")
    settle(world, desk)
    world.assert_all_is_well(["plain"])


def test_an_email_that_is_moved_to_a_folder_of_the_old_rules_is_delivered(world: World, release: Release):
    desk, box = mailbox_synced_by_release_1(world)
    release.install(2)
    settle(world, desk)
    leave(desk)
    box.move(next(iter(box.folder("Imported").items)), "Inbox")
    settle(world, desk)
    world.assert_all_is_well(["plain", "odd-1"])


def test_a_delivered_email_that_is_moved_into_a_newly_read_folder_gets_that_folder(world: World, release: Release):
    desk, box = mailbox_synced_by_release_1(world)
    release.install(2)
    settle(world, desk)
    item = next(item.id for item in box.folder("Inbox").items.values() if not item.draft)
    box.move(item, "Imported")
    settle(world, desk)
    assert world.folder_of("plain") == "Imported"
    world.assert_all_is_well(["plain"])


def test_deleted_folders_and_emails_are_no_longer_waiting(world: World, release: Release):
    desk, box = mailbox_synced_by_release_1(world)
    release.install(2)
    settle(world, desk)
    box.delete_folder("Imported")
    item = next(item.id for item in box.folder("Inbox").items.values() if item.draft)
    box.delete(item)
    settle(world, desk)
    assert newly_wanted.amount(AdminDecision.WAITING).emails == 0
    bring(desk)
    settle(world, desk)
    world.assert_all_is_well(["plain"])


def test_one_decision_applies_to_the_emails_of_two_new_versions(world: World, release: Release):
    desk, box = mailbox_synced_by_release_1(world)
    box.deliver(mail("task"), received=OLD, item_class="IPM.Task")
    world.sync(desk)
    release.install(3)
    settle(world, desk)
    assert newly_wanted.amount(AdminDecision.WAITING).emails == 4
    leave(desk)
    settle(world, desk)
    world.assert_all_is_well(["plain"])


def test_a_decision_about_one_version_does_not_apply_to_the_next(world: World, release: Release):
    desk, box = mailbox_synced_by_release_1(world)
    box.deliver(mail("task"), received=OLD, item_class="IPM.Task")
    world.sync(desk)
    release.install(2)
    settle(world, desk)
    leave(desk)
    settle(world, desk)
    release.install(3)
    settle(world, desk)
    assert newly_wanted.amount(AdminDecision.WAITING).emails == 1
    bring(desk)
    settle(world, desk)
    world.assert_all_is_well(["plain", "task"])
    assert newly_wanted.amount(AdminDecision.DECLINED).emails == 3
    assert set(RulesAnswer.objects.values_list("version", "bring")) == {(2, False), (3, True)}


def test_the_old_emails_of_a_stopped_mailbox_wait_for_a_decision_when_it_is_started(world: World, release: Release):
    desk, _ = mailbox_synced_by_release_1(world)
    other, _ = mailbox_synced_by_release_1(world, "other@bank.example", "others")
    mailbox_actions.stop(ADMIN, desk)
    release.install(2)
    settle(world, other)
    box = world.mailboxes[desk.address]
    world.clock.turn(days=2)
    box.deliver(mail("while-it-was-stopped"), "Imported", received=world.clock() - timedelta(days=1))
    mailbox_actions.start(ADMIN, desk)
    settle(world, desk)
    world.assert_all_is_well(["plain", "while-it-was-stopped"])
    bring(desk)
    settle(world, desk)
    world.assert_all_is_well(["plain", "while-it-was-stopped", "odd-1", "odd-2", "draft"])
    assert newly_wanted.amount(AdminDecision.WAITING).emails == 3


def test_an_earlier_start_time_delivers_older_emails_but_not_those_that_were_left(world: World, release: Release):
    desk, box = mailbox_synced_by_release_1(world)
    box.deliver(mail("ancient"), "Imported", received=OLD - timedelta(days=300))
    Mailbox.objects.update(start_at=OLD - timedelta(days=1))
    settle(world, desk)
    release.install(2)
    settle(world, desk)
    leave(desk)
    Mailbox.objects.update(start_at=None)
    settle(world, desk)
    world.assert_all_is_well(["plain", "ancient"])


def test_emails_that_new_filters_exclude_are_no_longer_waiting(world: World, release: Release):
    desk, _ = mailbox_synced_by_release_1(world)
    release.install(2)
    settle(world, desk)
    Mailbox.objects.update(folder_deny=[["Imported"]])
    settle(world, desk)
    assert newly_wanted.amount(AdminDecision.WAITING).emails == 1


def test_a_failing_email_does_not_stop_the_other_brought_emails(world: World, release: Release):
    desk, box = mailbox_synced_by_release_1(world)
    bad = next(iter(box.folder("Imported").items))
    box.break_item(bad, "ErrorItemCorrupt")
    release.install(2)
    settle(world, desk)
    bring(desk)
    settle(world, desk)
    world.assert_all_is_well(["plain", "odd-2", "draft"])
    assert desk.dead_letters.waiting().count() == 1


def test_a_draft_that_was_never_sent_is_fetched_once_when_it_is_brought(world: World, release: Release):
    desk, box = mailbox_synced_by_release_1(world)
    box.deliver(mail("never-sent"), received=OLD, draft=True)
    settle(world, desk)
    release.install(2)
    settle(world, desk)
    bring(desk)
    settle(world, desk)
    world.assert_all_is_well(["plain", "odd-1", "odd-2", "draft"])
    assert not NewlyWanted.objects.exists()
    assert MailboxItem.objects.filter(verdict=FilterVerdict.NEVER_SENT).count() == 1


def test_an_email_that_kills_the_worker_is_isolated(world: World, release: Release):
    class WorkerKilled(BaseException):
        pass

    desk, box = mailbox_synced_by_release_1(world)
    release.install(2)
    settle(world, desk)
    killing_id = next(iter(box.folder("Imported").items))
    bring(desk)
    plain = world.wrap

    class KillingSource:
        def __init__(self, source: Any) -> None:
            self._source = source

        def __getattr__(self, name: str) -> Any:
            return getattr(self._source, name)

        def __enter__(self) -> Any:
            return self

        def __exit__(self, *exc: object) -> None:
            self._source.close()

        def fetch(self, changes: Any) -> Any:
            if any(change.item_id == killing_id for change in changes):
                raise WorkerKilled
            return self._source.fetch(changes)

    world.wrap = lambda port, it: KillingSource(it) if port == "source" else it
    for _ in range(12):
        world.clock.turn(minutes=30)
        try:
            world.sync(desk)
        except WorkerKilled:
            MailboxState.objects.filter(pk=desk.pk).update(lease_until=None, lease_token=None)
    world.wrap = plain
    world.assert_all_is_well(["plain", "odd-2", "draft"])
    assert desk.dead_letters.waiting().get().kind == "ended_workers"


def test_a_downgrade_sends_nothing_and_the_next_upgrade_asks_again(world: World, release: Release):
    desk, _ = mailbox_synced_by_release_1(world)
    release.install(2)
    settle(world, desk)
    release.install(1)
    settle(world, desk)
    world.assert_all_is_well(["plain"])
    release.install(2)
    settle(world, desk)
    world.assert_all_is_well(["plain"])
    assert newly_wanted.amount(AdminDecision.WAITING).emails == 3
    assert MailboxItem.objects.filter(verdict="newly_wanted").count() == 3


def test_the_search_ends_despite_an_unreadable_folder_and_the_decision_applies_to_its_emails_later(
    world: World, release: Release
):
    desk, box = mailbox_synced_by_release_1(world)
    box.create_folder("Closed")
    box.deliver(mail("closed"), "Closed", received=OLD, draft=True)
    world.sync(desk)
    box.forbid_folder("Closed")
    release.install(2)
    settle(world, desk)
    amount = newly_wanted.amount(AdminDecision.WAITING)
    assert (amount.emails, amount.is_counting) == (3, False)
    leave(desk)
    box.permit_folder("Closed")
    SyncedFolder.objects.try_again()
    settle(world, desk, syncs=4)
    world.assert_all_is_well(["plain"])
    assert newly_wanted.amount(AdminDecision.DECLINED).emails == 4


def test_all_emails_of_a_folder_that_is_created_after_the_upgrade_are_delivered(world: World, release: Release):
    desk, box = mailbox_synced_by_release_1(world)
    release.install(2)
    settle(world, desk)
    leave(desk)
    odd_folder(box, "Imported later")
    release.install(2)
    box.deliver(mail("old-but-new"), "Imported later", received=OLD)
    settle(world, desk)
    world.assert_all_is_well(["plain", "old-but-new"])
