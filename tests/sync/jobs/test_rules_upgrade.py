"""An upgrade from a release whose fixed rules wrongly rejected emails, with a simulated Exchange and Re:infer."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field, replace
from datetime import timedelta

import pytest

from integrations.connect import open_source
from integrations.models import Destination, Integration
from mailboxes.models import Bucket, Mailbox
from mailboxes.rules import Rules
from operations import newly_wanted_actions
from simulators.exchange import Store, mail_of
from simulators.reinfer import DEFAULT_TOKEN, ReinferSimulator
from sync.engine.filter_digest import wanted_digest
from sync.jobs import runner, scheduling
from sync.models import MailboxState, SyncedFolder
from sync.reporting import newly_wanted
from sync.reporting.newly_wanted import AdminDecision
from tests.actors import ADMIN
from tests.faults.ends import End, EwsEnd, serving
from tests.mails import NOON, comment_id_of, mail, received
from tests.migrations.schemas import bring_up, go_back
from tests.releases import BEFORE, BEHIND, IMPORTED, AsReleased, release
from tests.sync.world import Clock

BUCKET = ("bank", "desks")


@pytest.fixture(params=["ews", "graph"])
def end(request: pytest.FixtureRequest) -> Iterator[End]:
    with serving(request.param) as started:
        yield started


@dataclass
class Bank:
    """One mailbox with emails. The rules of the previous release reject some of these emails."""

    end: End
    reinfer: ReinferSimulator
    clock: Clock = field(default_factory=Clock)

    def __post_init__(self) -> None:
        self.end.server.store = Store(["desk@bank.example"])
        self.box = next(iter(self.end.server.store))
        # Graph does not list folders of the class IPF.Imap, so this folder has the class IPF.Note over Graph.
        self.box.create_folder(IMPORTED, "IPF.Imap" if isinstance(self.end, EwsEnd) else "IPF.Note")
        self.box.create_folder("Archive")
        destination = Destination.objects.create(name="Re:infer", endpoint=self.reinfer.url, token=DEFAULT_TOKEN)
        integration = Integration.objects.create(
            project="bank", name="mail", enabled=True, disabled_reason="", **self.end.row()
        )
        bucket = Bucket.objects.create(destination=destination, project=BUCKET[0], name=BUCKET[1])
        self.mailbox = Mailbox.objects.create(integration=integration, bucket=bucket, address="desk@bank.example")
        scheduling.make_states()

    def deliver(self, name: str, folder: str, *, draft: bool = False, old: bool = True) -> None:
        mime = received(mail(name))
        arrival = NOON - timedelta(days=1) if old else self.clock() + timedelta(seconds=1)
        self.box.deliver(replace(mail_of(mime), received=arrival, draft=draft), folder)

    def sync(self, times: int = 1) -> None:
        around = runner.RunEnvironment(
            open_source=lambda *given, **named: AsReleased(open_source(*given, **named)),
            clock=self.clock,
            monotonic=lambda: self.clock.now.timestamp(),  # noqa: PLW0108  # `turn` replaces `clock.now`
            chance=lambda: 0.5,
        )
        for _ in range(times):
            self.clock.turn(minutes=1)
            run = runner.run(self.mailbox.pk, around)
            assert run is not None
            assert run.outcome == "done", run.error_text

    def comment_ids(self) -> set[str]:
        return set(self.reinfer.sources[BUCKET].comments)


@pytest.fixture
def bank(end: End, transactional_db: None) -> Iterator[Bank]:
    with ReinferSimulator(projects=["bank"], sources=[BUCKET]) as reinfer:
        try:
            yield Bank(end, reinfer)
        finally:
            end.close()


def migrate_from_previous_release() -> None:
    """Undo and apply the migrations since the previous release, so that new columns have their migrated values."""
    go_back()
    bring_up()


def sync_before_upgrade(bank: Bank, emails: int, rejected: int) -> tuple[set[str], set[str]]:
    """Sync with the previous release. Return the comment ids of the pushed and of the wrongly rejected emails."""
    names = [f"m{number}" for number in range(emails)]
    wrongly = set(names[:: emails // rejected])
    for number, name in enumerate(names):
        is_draft = number % 3 == 0
        folder = (IMPORTED if not is_draft else "Archive") if name in wrongly else ("Inbox", "Archive")[number % 2]
        bank.deliver(name, folder, draft=name in wrongly and is_draft)
    with release(BEFORE):
        bank.sync(2)
    return {comment_id_of(name) for name in names if name not in wrongly}, {comment_id_of(name) for name in wrongly}


@pytest.mark.long
@pytest.mark.parametrize(
    ("emails", "rejected"), [(60, 6), pytest.param(2000, 100, marks=pytest.mark.long)], ids=["60", "2000"]
)
def test_newly_wanted_emails_are_pushed_only_after_an_admin_decided_so(bank: Bank, emails: int, rejected: int):
    arrived, wrongly = sync_before_upgrade(bank, emails, rejected)
    assert len(wrongly) == rejected
    assert bank.comment_ids() == arrived
    migrate_from_previous_release()
    before = bank.reinfer.sources[BUCKET].ai_units
    with release(BEHIND):
        requests = len(bank.reinfer.requests)
        bank.sync(6)
        assert len(bank.reinfer.requests) == requests, "not even an update without AI units is pushed"
        amount = newly_wanted.amount(AdminDecision.WAITING)
        assert (amount.emails, amount.units, amount.is_counting) == (rejected, rejected, False)
        assert bank.comment_ids() == arrived
        bank.deliver("live", IMPORTED, old=False)
        bank.sync()
        assert bank.comment_ids() == arrived | {comment_id_of("live")}
        newly_wanted_actions.bring(ADMIN, [bank.mailbox])
        bank.sync(3)
    assert bank.comment_ids() == arrived | wrongly | {comment_id_of("live")}
    assert bank.reinfer.sources[BUCKET].ai_units == before + rejected + 1


@pytest.mark.long
def test_the_migration_marks_a_database_with_the_rules_version_of_the_previous_release(bank: Bank):
    sync_before_upgrade(bank, 6, 2)
    migrate_from_previous_release()
    state = MailboxState.objects.get()
    assert (state.rules, state.looked_for) == (1, 1)
    assert set(SyncedFolder.objects.values_list("looked_through", flat=True)) == {1}


def test_the_digest_of_the_first_rules_version_equals_that_of_the_previous_release():
    """With another digest, an upgrade would list every folder again. The previous release computed the expected value."""
    rules = Rules(start=NOON, folder_deny=(("Inbox", "Private"),), domain_allow=("bank.example",))
    digest = wanted_digest(rules, bucket="7", address="Desk@bank.example", version=1)
    assert digest == "86382ee5272a65f52d10ac1c424256ac0375c1fa33ee27b51c28d13414128e9d"
