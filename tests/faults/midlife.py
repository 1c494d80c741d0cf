"""A few mailboxes whose integration is switched between EWS and Graph, with both simulators on the same store."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass, field
from datetime import timedelta
from random import Random
from typing import Any

from integrations import connect
from integrations.ews.connection import close_all as close_ews
from integrations.graph.connection import close_all as close_graph
from integrations.models import Destination, Integration
from mailboxes.models import Bucket, Mailbox
from operations import api_migration
from operations.results import ActionRefused
from simulators.exchange import Application, ExchangeSimulator, Store
from simulators.graph import GraphSimulator, Registration
from simulators.reinfer import DEFAULT_TOKEN, ReinferSimulator
from sync.jobs import runner, scheduling
from sync.models import LedgerEntry, MailboxState, SyncRun
from tests.actors import ADMIN
from tests.faults.oracle import complaints
from tests.faults.story import Story
from tests.sync.world import Clock

BUCKET = ("bank", "desks")
ADDRESSES = ("desk@bank.example", "sales@bank.example", "ops@bank.example")
Api = Integration.Api


@dataclass
class Midlife:
    """Within `stage`, call `begin`, then `sync`, `live` and `switch`. `complaints` returns the violated conditions."""

    number: int = 1
    clock: Clock = field(default_factory=Clock)

    def __post_init__(self) -> None:
        self.random = Random(self.number)
        self.store = Store(ADDRESSES)
        self.story = Story(self.random, self.store)
        for box in self.store:
            box.clock = self.clock

    @contextmanager
    def stage(self) -> Iterator[Midlife]:
        with ExitStack() as stack:
            application = Application("tenant", "client", "secret")
            self.ews = stack.enter_context(ExchangeSimulator(self.store, accounts=[], applications=[application]))
            self.graph = stack.enter_context(
                GraphSimulator(self.store, registrations=[Registration("tenant", "client", "secret")])
            )
            self.reinfer = stack.enter_context(ReinferSimulator(projects=["bank"], sources=[BUCKET]))
            stack.callback(close_ews)
            stack.callback(close_graph)
            self._rows()
            yield self

    def begin(self, count: int) -> None:
        self.story.begin(count)
        self._pass_time(days=1)

    def live(self, happenings: int) -> None:
        """Let this number of random things happen: mail arrives, or is moved, edited, marked as read or copied."""
        story = self.story
        things = [
            story.arrives,
            story.arrives,
            story.moves,
            story.moves,
            story.is_edited,
            story.is_read,
            story.is_copied,
        ]
        for _ in range(happenings):
            self.random.choice(things)()
        self._pass_time(minutes=1)

    def sync(self, between: Any = None) -> list[SyncRun]:
        """Sync each mailbox once. `between` wraps each source, so that something can happen while the source is read."""
        environment = runner.RunEnvironment(
            open_source=(lambda *given, **named: between(connect.open_source(*given, **named)))
            if between
            else connect.open_source,
            clock=self.clock,
            monotonic=lambda: self.clock.now.timestamp(),  # noqa: PLW0108  # `now` is replaced
            chance=lambda: 0.5,
        )
        runs = [runner.run(pk, environment) for pk in Mailbox.objects.order_by("pk").values_list("pk", flat=True)]
        self._pass_time(minutes=1)
        return [run for run in runs if run is not None]

    def switch(self, api: str) -> str | ActionRefused:
        integration = Integration.objects.get()
        endpoint, authority = self._addresses(api)
        target = api_migration.target_of(integration, api, endpoint, authority, {"client_secret": "secret"})
        assert isinstance(target, api_migration.Target), target
        return api_migration.switch(ADMIN, integration, target)

    def complaints(self) -> list[str]:
        violations = complaints(self.story, self.reinfer, BUCKET, ())
        billed = LedgerEntry.objects.filter(billed=True).count()
        if billed != self.reinfer.ai_units:
            violations.append(f"the ledger counts {billed} AI units, and Re:infer {self.reinfer.ai_units}")
        open_entries = LedgerEntry.objects.exclude(state="confirmed", dirty=False).count()
        return violations + ([f"{open_entries} entries are not settled"] if open_entries else [])

    def _addresses(self, api: str) -> tuple[str, str]:
        if api == Api.GRAPH:
            return self.graph.url, self.graph.authority_url
        return self.ews.url("online"), self.ews.authority_url

    def _rows(self) -> None:
        destination = Destination.objects.create(name="Re:infer", endpoint=self.reinfer.url, token=DEFAULT_TOKEN)
        endpoint, authority = self._addresses(Api.EWS)
        integration = Integration.objects.create(
            project="bank", name="mail", enabled=True, disabled_reason="", auth="oauth2", tenant_id="tenant",
            client_id="client", client_secret="secret", endpoint=endpoint, authority=authority,
            ca_bundle=self.ews.ca + self.graph.ca, build_version="15.20.9000.0",
        )  # fmt: skip
        bucket = Bucket.objects.create(destination=destination, project=BUCKET[0], name=BUCKET[1])
        for address in ADDRESSES:
            Mailbox.objects.create(integration=integration, bucket=bucket, address=address)
        scheduling.make_states()

    def _pass_time(self, **length: float) -> None:
        self.clock.now = max(self.clock.now, self.story.now) + timedelta(**length)
        self.story.now = self.clock.now
        MailboxState.objects.update(queued_until=None)
