"""The environment for tests of syncs: the real database, an Exchange and buckets in memory, and a manual clock.

The engine, ledger, checkpoints, leases, retry policy and scheduling are the code of the product. Only the source and the
sink are fakes. These fakes pass the same contract tests as the adapters.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from typing import Any

from integrations.messages import Comment
from integrations.models import Destination, Integration
from mailboxes.models import Bucket, Mailbox
from sync.jobs import runner, scheduling
from sync.models import LedgerEntry, MailboxState, SyncRun
from sync.store.checkpoints import DatabaseCheckpoints
from sync.store.ledger import DatabaseLedger
from tests.fakes.exchange import FakeMailbox, FakeSource
from tests.fakes.sink import FakeBucket, FakeSink
from tests.mails import comment_id_of


@dataclass
class Clock:
    """A clock that moves only when a test calls `turn` or sets `now`."""

    now: datetime = datetime(2026, 3, 2, 8, tzinfo=UTC)

    def __call__(self) -> datetime:
        return self.now

    def minutes(self, count: float) -> timedelta:
        return timedelta(minutes=count)

    def turn(self, **length: float) -> None:
        self.now += timedelta(**length)


@dataclass
class World:
    clock: Clock = field(default_factory=Clock)
    mailboxes: dict[str, FakeMailbox] = field(default_factory=dict)
    buckets: dict[tuple[str, str], FakeBucket] = field(default_factory=dict)
    sources: list[FakeSource] = field(default_factory=list)
    sinks: list[FakeSink] = field(default_factory=list)
    signed_in_anew: list[str] = field(default_factory=list)
    """Addresses of the mailboxes whose source was opened with a new sign-in."""
    page_size: int = 512
    keeps_ids: bool = False
    """Whether moved items keep their ids."""
    quiet_moves: bool = False
    """Whether moves are missing in the change reports of the folder to which an item is moved."""
    wrap: Callable[[str, Any], Any] = lambda port, it: it  # tests wrap the ports with this function

    def __post_init__(self) -> None:
        self.destination = Destination.objects.create(name="Re:infer", endpoint="https://re.example", token="t")
        self.integration = Integration.objects.create(
            project="bank", name="mail", endpoint="https://ex.example/EWS/Exchange.asmx", username="u", password="p",
            enabled=True, disabled_reason="", most_at_once=64,
        )  # fmt: skip

    def mailbox(self, address: str = "desk@bank.example", bucket: str = "desks", **rules: Any) -> Mailbox:
        """Create a mailbox that syncs into this bucket of project `bank`."""
        made = FakeMailbox(address, keeps_ids=self.keeps_ids, quiet_moves=self.quiet_moves)
        self.mailboxes.setdefault(address, made)
        row, _ = Bucket.objects.get_or_create(destination=self.destination, project="bank", name=bucket)
        mailbox = Mailbox.objects.create(integration=self.integration, address=address, bucket=row, **rules)
        scheduling.make_states()
        MailboxState.objects.filter(pk=mailbox.pk).update(asked_at=self.clock())
        return mailbox

    # ---- syncs ----------------------------------------------------------------------------------------------------

    def sync(self, mailbox: Mailbox) -> SyncRun:
        """Run one sync of this mailbox now, even if a circuit breaker is open, as *Sync now* does."""
        MailboxState.objects.filter(pk=mailbox.pk).update(probe=True)
        run = self.run(mailbox)
        assert run is not None, "another worker holds the lease"
        return run

    def run(self, mailbox: Mailbox) -> SyncRun | None:
        """Run the task of this mailbox. Return None if no sync starts, for example because a circuit breaker is open."""
        return runner.run(mailbox.pk, self.around())

    def sync_all(self, rounds: int = 1) -> None:
        for _ in range(rounds):
            for mailbox in Mailbox.objects.filter(enabled=True).order_by("pk"):
                self.sync(mailbox)

    def due(self) -> list[int]:
        """Return the keys of the mailboxes that are due now, in the order in which the scheduler would queue them."""
        sent: list[int] = []
        scheduling.dispatch(sent.append, self.clock)
        MailboxState.objects.update(queued_until=None)
        return sent

    def around(self) -> runner.RunEnvironment:
        wrap = self.wrap
        return runner.RunEnvironment(
            open_source=lambda *given, fresh=False: wrap("source", self._opened(*given, fresh=fresh)),
            open_sink=lambda *given: wrap("sink", self.open_sink(*given)),
            make_ledger=lambda *given, **named: wrap("ledger", DatabaseLedger(*given, **named)),
            make_checkpoints=lambda *given: wrap("checkpoints", DatabaseCheckpoints(*given)),
            clock=self.clock,
            monotonic=lambda: self.clock.now.timestamp(),  # noqa: PLW0108  # read the clock at each call
            chance=lambda: 0.5,
        )

    def _opened(self, integration: Integration, address: str, *, fresh: bool) -> FakeSource:
        if fresh:
            self.signed_in_anew.append(address)
        return self.open_source(integration, address)

    def open_source(self, integration: Integration, address: str) -> FakeSource:
        source = FakeSource(self.mailboxes.get(address), page_size=self.page_size)
        self.sources.append(source)
        return source

    def open_sink(self, destination: Destination, project: str, name: str) -> FakeSink:
        sink = FakeSink(self.buckets.setdefault((project, name), FakeBucket()))
        self.sinks.append(sink)
        return sink

    @contextmanager
    def every_sink(self, prepare: Callable[[FakeSink], object]) -> Iterator[None]:
        """Within this context, call `prepare` with every sink before it is used."""
        usual = self.open_sink

        def prepared(*given: Any, **named: Any) -> FakeSink:
            sink = usual(*given, **named)
            prepare(sink)
            return sink

        self.open_sink = prepared
        try:
            yield
        finally:
            self.open_sink = usual

    # ---- results --------------------------------------------------------------------------------------------------

    def bucket(self, name: str = "desks") -> FakeBucket:
        return self.buckets.setdefault(("bank", name), FakeBucket())

    def comment(self, name: str, bucket: str = "desks") -> Comment:
        return self.bucket(bucket).comments[comment_id_of(name)]

    def folder_of(self, name: str) -> object:
        return self.comment(name).properties["string:Folder"]

    def fetched(self) -> int:
        return sum(source.fetched for source in self.sources)

    def pushes(self) -> int:
        return sum(len(sink.pushes) for sink in self.sinks)

    def ai_units(self) -> int:
        """Return the number of AI units according to the ledger."""
        return LedgerEntry.objects.filter(billed=True).count()

    def assert_all_is_well(self, names: Iterable[str], bucket: str = "desks", unsettled: int = 0) -> None:
        """Check that exactly these emails are comments: each created once, no text changed, no open ledger entry.

        `unsettled`: the expected number of ledger entries that are dirty or not confirmed.
        """
        stored = self.bucket(bucket)
        assert set(stored.comments) == {comment_id_of(name) for name in names}
        assert stored.billed == len(stored.comments)
        assert stored.text_changes == stored.messages_changes == 0
        open_entries = LedgerEntry.objects.filter(bucket__name=bucket).exclude(state="confirmed", dirty=False)
        assert open_entries.count() == unsettled


__all__ = ["World"]
