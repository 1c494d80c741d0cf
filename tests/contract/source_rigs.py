"""The sources that the contract suite tests. Each rig has a mailbox that a test can change."""

from __future__ import annotations

import itertools
from collections.abc import Iterator, Mapping
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass, replace
from datetime import datetime
from typing import Protocol

from integrations.ews.connection import ConnectionSettings, close_all
from integrations.ews.source import ExchangeSource
from integrations.graph.connection import GraphSettings
from integrations.graph.connection import close_all as close_all_graph
from integrations.graph.source import GraphSource
from integrations.messages import ItemId
from integrations.ports import Source
from simulators import pages
from simulators.exchange import Account, Application, ExchangeSimulator, mail_of
from simulators.exchange.store import Item, Mailbox
from simulators.graph import GraphSimulator, Registration
from simulators.graph.identifiers import find_item
from simulators.graph.identifiers import item_id as shown_id
from simulators.graph.mime import rendered
from simulators.graph.removals import Removals
from tests.fakes.exchange import FakeMailbox, FakeSource
from tests.mails import NOON

ADDRESSES = [f"desk{number}@bank.example" for number in range(1, 1000)]
BUILD = "15.1.2507.39"


class Rig(Protocol):
    """A new mailbox and its sources. Methods take the path of a folder. The names of all folders must differ."""

    def source(self, *, page_size: int = 512) -> Source:
        """Return a new source, as a worker that just started would open it."""

    def source_of_missing_mailbox(self) -> Source:
        """Return a source of a mailbox that does not exist."""

    def deliver(
        self,
        mime: bytes,
        path: str = "Inbox",
        *,
        received: datetime = NOON,
        item_class: str = "IPM.Note",
        draft: bool = False,
        reported: bool = True,
        listed: bool = True,
    ) -> ItemId:
        """Deliver an email.

        If `reported` is False, the email is in no change report, only in a new listing. If `listed` is False, the email is in
        no change report and in no listing.
        """

    def item_ids(self, path: str) -> set[ItemId]:
        """Return the ids of the items that are really in a folder."""

    def move(self, item_id: ItemId, path: str) -> ItemId: ...

    def copy(self, item_id: ItemId, path: str) -> ItemId: ...

    def edit(self, item_id: ItemId, mime: bytes) -> None: ...

    def mark_read(self, item_id: ItemId) -> None: ...

    def delete(self, item_id: ItemId) -> None: ...

    def as_returned(self, mime: bytes) -> bytes:
        """Return the bytes that the server returns for a delivered email."""

    def make_unreadable(self, item_id: ItemId, code: str) -> None:
        """Make every fetch of the item fail with this code."""

    def create_folder(self, path: str, *, holds_mail: bool = True) -> None: ...

    def rename_folder(self, path: str, name: str) -> None: ...

    def move_folder(self, path: str, parent: str) -> None: ...

    def delete_folder(self, path: str) -> None: ...

    def forbid_folder(self, path: str, *, forbidden: bool = True, code: str = "ErrorAccessDenied") -> None:
        """Refuse to read a folder, with this error code, or permit it again. The folder stays in the tree."""

    def expire_cursors(self, *, bare: bool = False) -> None:
        """Invalidate all cursors. If `bare` is True, the server refuses the cursors without any optional detail."""

    def hand_out(self, item_id: ItemId, kind: str) -> None:
        """Return another body instead of the email in every fetch of this item. `simulators.pages` has the kinds."""

    def migrate(self) -> None: ...


class FakeRig:
    def __init__(self, names: Mapping[str, str], *, keeps_ids: bool, quiet_moves: bool) -> None:
        self.mailbox = FakeMailbox("desk@bank.example", names, keeps_ids=keeps_ids, quiet_moves=quiet_moves)

    def source(self, *, page_size: int = 512) -> Source:
        return FakeSource(self.mailbox, page_size=page_size)

    def source_of_missing_mailbox(self) -> Source:
        return FakeSource(None)

    def deliver(
        self,
        mime: bytes,
        path: str = "Inbox",
        *,
        received: datetime = NOON,
        item_class: str = "IPM.Note",
        draft: bool = False,
        reported: bool = True,
        listed: bool = True,
    ) -> ItemId:
        return self.mailbox.deliver(
            mime, _leaf(path), received=received, item_class=item_class, draft=draft, reported=reported, listed=listed
        )

    def item_ids(self, path: str) -> set[ItemId]:
        return set(self.mailbox.folder(_leaf(path)).items)

    def move(self, item_id: ItemId, path: str) -> ItemId:
        return self.mailbox.move(item_id, _leaf(path))

    def copy(self, item_id: ItemId, path: str) -> ItemId:
        return self.mailbox.copy(item_id, _leaf(path))

    def edit(self, item_id: ItemId, mime: bytes) -> None:
        self.mailbox.edit(item_id, mime)

    def mark_read(self, item_id: ItemId) -> None:
        self.mailbox.read(item_id)

    def delete(self, item_id: ItemId) -> None:
        self.mailbox.delete(item_id)

    def as_returned(self, mime: bytes) -> bytes:
        return mime

    def make_unreadable(self, item_id: ItemId, code: str) -> None:
        self.mailbox.break_item(item_id, code)

    def hand_out(self, item_id: ItemId, kind: str) -> None:
        item = next(one.items[item_id] for one in self.mailbox.folders.values() if item_id in one.items)
        self.mailbox.hand_out(item_id, pages.replacement_body(item.mime, kind))

    def create_folder(self, path: str, *, holds_mail: bool = True) -> None:
        parent, _, name = path.rpartition("/")
        self.mailbox.create_folder(name, parent=_leaf(parent) or None, holds_mail=holds_mail)

    def rename_folder(self, path: str, name: str) -> None:
        self.mailbox.rename_folder(_leaf(path), name)

    def move_folder(self, path: str, parent: str) -> None:
        self.mailbox.move_folder(_leaf(path), _leaf(parent) or None)

    def delete_folder(self, path: str) -> None:
        self.mailbox.delete_folder(_leaf(path))

    def forbid_folder(self, path: str, *, forbidden: bool = True, code: str = "ErrorAccessDenied") -> None:
        if forbidden:
            self.mailbox.forbid_folder(_leaf(path), code)
        else:
            self.mailbox.permit_folder(_leaf(path))

    def expire_cursors(self, *, bare: bool = False) -> None:
        self.mailbox.forget_cursors()

    def migrate(self) -> None:
        self.mailbox.migrate()


class StoreRig:
    """A mailbox in the store of the simulators, and actions of its users. All item ids are the ids that the source returns."""

    def __init__(self, mailbox: Mailbox) -> None:
        self.mailbox = mailbox

    def deliver(
        self,
        mime: bytes,
        path: str = "Inbox",
        *,
        received: datetime = NOON,
        item_class: str = "IPM.Note",
        draft: bool = False,
        reported: bool = True,
        listed: bool = True,
    ) -> ItemId:
        mail = replace(mail_of(mime), received=received, item_class=item_class, draft=draft)
        return self.source_id(self.mailbox.deliver(mail, path, reported=reported, listed=listed))

    def item_ids(self, path: str) -> set[ItemId]:
        return {self.source_id(item) for item in self.mailbox.folder(path).items.values()}

    def move(self, item_id: ItemId, path: str) -> ItemId:
        return self.source_id(self.mailbox.move(self.item(item_id).id, path))

    def copy(self, item_id: ItemId, path: str) -> ItemId:
        return self.source_id(self.mailbox.copy(self.item(item_id).id, path))

    def edit(self, item_id: ItemId, mime: bytes) -> None:
        item = self.item(item_id)
        self.mailbox.edit(item.id, replace(item.mail, mime=mime, size=len(mime)))

    def mark_read(self, item_id: ItemId) -> None:
        self.mailbox.mark_read(self.item(item_id).id)

    def delete(self, item_id: ItemId) -> None:
        self.mailbox.delete(self.item(item_id).id, hard=True)

    def create_folder(self, path: str, *, holds_mail: bool = True) -> None:
        self.mailbox.create_folder(path, "IPF.Note" if holds_mail else "IPF.Appointment")

    def rename_folder(self, path: str, name: str) -> None:
        self.mailbox.rename_folder(path, name)

    def move_folder(self, path: str, parent: str) -> None:
        self.mailbox.move_folder(path, parent)

    def delete_folder(self, path: str) -> None:
        self.mailbox.delete_folder(path)

    def forbid_folder(self, path: str, *, forbidden: bool = True, code: str = "ErrorAccessDenied") -> None:
        self.mailbox.forbid_folder(path, forbidden=forbidden, code=code)

    def migrate(self) -> None:
        self.mailbox.migrate()

    def source_id(self, item: Item) -> ItemId:
        return ItemId(item.id)

    def item(self, item_id: ItemId) -> Item:
        return self.mailbox.item(item_id)


class ExchangeRig(StoreRig):
    def __init__(self, exchange: ExchangeSimulator, settings: ConnectionSettings, mailbox: Mailbox) -> None:
        super().__init__(mailbox)
        self.exchange, self.settings = exchange, settings

    def source(self, *, page_size: int = 512) -> ExchangeSource:
        return ExchangeSource(self.settings, self.mailbox.address, page_size=page_size)

    def source_of_missing_mailbox(self) -> ExchangeSource:
        return ExchangeSource(self.settings, "nobody@bank.example")

    def as_returned(self, mime: bytes) -> bytes:
        return mime

    def make_unreadable(self, item_id: ItemId, code: str) -> None:
        self.exchange.faults.add("item", item_id=item_id, code=code)

    def hand_out(self, item_id: ItemId, kind: str) -> None:
        self.make_unreadable(item_id, kind)

    def expire_cursors(self, *, bare: bool = False) -> None:
        self.mailbox.expire_sync_states()
        if bare:
            self.exchange.faults.add("invalid-state", bare=True)


class GraphRig(StoreRig):
    """A mailbox that is read through Graph with immutable ids, which do not change when an item moves."""

    def __init__(self, graph: GraphSimulator, settings: GraphSettings, mailbox: Mailbox) -> None:
        super().__init__(mailbox)
        self.graph, self.settings = graph, settings

    def source(self, *, page_size: int = 512) -> GraphSource:
        return GraphSource(self.settings, self.mailbox.address, page_size=page_size)

    def source_of_missing_mailbox(self) -> GraphSource:
        return GraphSource(self.settings, "nobody@bank.example")

    def as_returned(self, mime: bytes) -> bytes:
        return rendered(mime)

    def make_unreadable(self, item_id: ItemId, code: str) -> None:
        # In Graph, ErrorAccessDenied always concerns the whole mailbox.
        code = code if code.startswith("Error") and code != "ErrorAccessDenied" else "ErrorItemCorrupt"
        self.graph.faults.add("corrupt", item_id=self.item(item_id).id, operation="mime", code=code)

    def hand_out(self, item_id: ItemId, kind: str) -> None:
        self.graph.faults.add("page", item_id=self.item(item_id).id, kind=kind)

    def expire_cursors(self, *, bare: bool = False) -> None:
        self.mailbox.expire_sync_states()
        if bare:
            for operation in ("messages-delta", "folders-delta"):
                self.graph.faults.add("status", operation=operation, status=410, body="", times=1)

    def source_id(self, item: Item) -> ItemId:
        return ItemId(shown_id(item, immutable=True))

    def item(self, item_id: ItemId) -> Item:
        return find_item(self.mailbox, item_id)


WAYS = ("NTLM, impersonation", "OAuth, impersonation", "Basic, delegate")
FAKES = ("fake", "fake that keeps ids", "fake with quiet moves")
GRAPH = {
    "Graph": Removals.DOCUMENTED,
    "Graph, away and back": Removals.AWAY_AND_BACK,
    "Graph, no row": Removals.NO_ROW,
}
NAMES = (*FAKES, *WAYS, *GRAPH)


@dataclass
class Rigs:
    """Creates rigs, each with its own mailbox, over the simulators of the test session."""

    exchange: ExchangeSimulator
    graph: GraphSimulator
    _addresses: Iterator[str]

    def rig(self, name: str, names: Mapping[str, str] | None = None) -> Rig:
        """Create a rig with a new mailbox. `names`: names of well-known folders in another language, by their English names."""
        if name in FAKES:
            return FakeRig(names or {}, keeps_ids=name != "fake", quiet_moves=name == "fake with quiet moves")
        by_place = {english.casefold().replace(" ", ""): local for english, local in (names or {}).items()}
        mailbox = self.exchange.store.add(next(self._addresses), by_place)
        if name in GRAPH:
            self.graph.removals = GRAPH[name]
            return GraphRig(self.graph, graph_settings_for(self.graph), mailbox)
        return ExchangeRig(self.exchange, settings_for(self.exchange, name), mailbox)


@contextmanager
def rigs() -> Iterator[Rigs]:
    accounts = [Account("BANK\\svc", "s3cret", delegate_of=frozenset(ADDRESSES))]
    with ExitStack() as stack:
        applications = [Application("tenant", "client", "s3cret")]
        exchange = stack.enter_context(ExchangeSimulator(accounts=accounts, applications=applications))
        registrations = [Registration("tenant", "client", "s3cret")]
        graph = stack.enter_context(GraphSimulator(exchange.store, registrations=registrations))
        stack.callback(close_all)
        stack.callback(close_all_graph)
        yield Rigs(exchange, graph, itertools.chain(ADDRESSES))


def settings_for(exchange: ExchangeSimulator, way: str) -> ConnectionSettings:
    """Return the settings of a connection to the simulator, as an admin would enter them."""
    auth, _, access = way.casefold().partition(", ")
    if auth == "oauth":
        return ConnectionSettings(
            way,
            exchange.url("online"),
            "oauth2",
            access,
            tenant_id="tenant",
            client_id="client",
            client_secret="s3cret",
            authority=exchange.authority_url,
            build_version="15.20.9245.11",
            ca_bundle=exchange.ca,
            deadline=30,
        )
    return ConnectionSettings(
        way,
        exchange.url("onprem"),
        auth,
        access,
        username="BANK\\svc",
        password="s3cret",
        build_version=BUILD,
        ca_bundle=exchange.ca,
        deadline=30,
    )


def graph_settings_for(graph: GraphSimulator) -> GraphSettings:
    return GraphSettings(
        "Graph",
        graph.url,
        "oauth2",
        tenant_id="tenant",
        client_id="client",
        client_secret="s3cret",
        authority=graph.authority_url,
        ca_bundle=graph.ca,
        deadline=30,
    )


def _leaf(path: str) -> str:
    return path.rpartition("/")[2]
