"""What we had to take Microsoft's word for, asked of the real service: read-only, one small question after the other.

For `manage.py doctor`. Nothing that an answer says of an email or a person is told, and never a token.
"""

from __future__ import annotations

import base64
import json
import re
import time
import uuid
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any

from integrations.diagnosis import Fact, StepVerdict
from integrations.errors import CursorRefused, IntegrationError, MailboxNotFound
from integrations.graph.batches import AT_ONCE, batch_of
from integrations.graph.connection import GraphRequest, GraphSettings, connection
from integrations.graph.cursors import local
from integrations.graph.folders import WELL_KNOWN
from integrations.graph.mailbox import GraphMailbox
from integrations.graph.messages import Messages
from integrations.graph.moves import Moves
from integrations.graph.refusals import GraphAnswer, parts_of
from integrations.graph.rows import CLASS, EXPAND, SELECT, SENSITIVITY, SIZE, TOPIC, item_id
from integrations.graph.whereabouts import whereabouts
from integrations.messages import ChangeKind, FolderId

PAGE = 5
"""Messages a page: enough to see whether a page size is obeyed."""
MESSAGE_ID = re.compile(rb"^message-id:\s*(\S+)", re.IGNORECASE | re.MULTILINE)
HEADERS = 65_536
"""Bytes of an email that are looked at."""


class ProbeDiffers(Exception):
    """The service does something else than this product was made for."""


class Untried(Exception):
    """It could not be seen here, for example since a mailbox is empty."""


@dataclass(frozen=True, slots=True)
class _Plain(GraphRequest):
    """A request that does not ask for ids that stay."""

    def headers(self) -> dict[str, str]:
        return {"client-request-id": str(uuid.uuid4())}


def probed(settings: GraphSettings, address: str, *, watch: float = 0) -> Iterator[Fact]:
    """One fact after the other. Raises `SettingsWrong`; what the network brings makes a fact untried.

    `watch`: seconds in which somebody may move emails, to see how moves are told.
    """
    probes = _Probes(GraphMailbox(address, connection(settings)), watch)
    for name, probe in probes.all():
        probes.mailbox.connection.deadline.start()
        try:
            yield Fact(name, StepVerdict.OK, probe())
        except ProbeDiffers as error:
            yield Fact(name, StepVerdict.DIFFERS, str(error))
        except Untried as error:
            yield Fact(name, StepVerdict.UNTRIED, str(error))
        except IntegrationError as error:
            yield Fact(name, StepVerdict.UNTRIED, str(error))
        except (LookupError, TypeError, ValueError, AttributeError):
            # Its text could quote the answer.
            yield Fact(name, StepVerdict.DIFFERS, "The answer is not shaped as documented.")


class _Probes:
    def __init__(self, mailbox: GraphMailbox, watch: float) -> None:
        self.mailbox, self._watch = mailbox, watch
        self._moves = Moves(mailbox, datetime.now(UTC))
        self._page: Mapping[str, Any] = {}
        """The first page of the Inbox by change tracking."""

    def all(self) -> Sequence[tuple[str, Callable[[], str]]]:
        return (
            ("Token and its roles", self._roles),
            ("Well-known folders", self._folders),
            ("Change tracking of folders", self._tree),
            ("Change tracking of messages", self._messages),
            ("Folders that are watched", self._begin_to_watch),
            ("Page size", self._page_size),
            ("Extended properties", self._extended),
            ("Time of the last change", self._modified),
            ("Ids that stay", self._ids),
            ("MIME", self._mime),
            ("Batches", self._batch),
            ("Going on from a link", self._link),
            ("A link that is refused", self._refused_link),
            ("A link of another folder", self._foreign_link),
            ("An email that is gone", self._gone),
            ("Where an email is", self._whereabouts),
            ("Emails that were moved", self._moved),
            ("A mailbox that does not exist", self._nobody),
            ("Throttling", self._throttling),
        )

    # ---- signing in -----------------------------------------------------------------------------------------------

    def _roles(self) -> str:
        token = self.mailbox.connection.sign_in.token()
        try:
            middle = token.split(".")[1]
            claims = json.loads(base64.urlsafe_b64decode(middle + "=" * (-len(middle) % 4)))
        except (LookupError, ValueError):
            raise Untried("The token is none that can be read; that is no fault.") from None
        found = claims.get("roles") or str(claims.get("scp") or "").split()
        named = ", ".join(sorted(re.sub(r"[^A-Za-z0-9_.]", "", str(role))[:40] for role in found)[:20])
        if any(str(role).startswith("Mail.Read") for role in found):
            return (
                f"The token names {named}. If RBAC for Applications shall be its limit, take the consent in Entra away."
            )
        granted = f"The token names {named}" if named else "The token names no role"
        return f"{granted}: reading mail comes from RBAC for Applications, if at all."

    # ---- folders --------------------------------------------------------------------------------------------------

    def _folders(self) -> str:
        answers = self._batched([self.mailbox.relative("mailFolders", name, select="id") for name in WELL_KNOWN])
        found = [name for number, name in enumerate(WELL_KNOWN) if answers[str(number)].ok]
        strange = sorted({answer.status for answer in answers.values()} - {200, 404})
        if "inbox" not in found or strange:
            raise ProbeDiffers(f"Found: {', '.join(found) or 'none'}; other answers: HTTP {strange}.")
        return f"{len(found)} of {len(WELL_KNOWN)} are there: {', '.join(found)}."

    def _tree(self) -> str:
        page = self._document(self.mailbox.path("mailFolders", "delta", select="id,displayName,parentFolderId"))
        if "@odata.nextLink" not in page and "@odata.deltaLink" not in page:
            raise ProbeDiffers("Its answer has neither a next link nor a delta link.")
        return f"{len(page['value'])} folders on its first page."

    # ---- messages -------------------------------------------------------------------------------------------------

    def _messages(self) -> str:
        path = self.mailbox.path("mailFolders", "inbox", "messages", "delta", select=SELECT, expand=EXPAND)
        self._page = self._document(path, page_size=PAGE)
        if "@odata.nextLink" not in self._page and "@odata.deltaLink" not in self._page:
            raise ProbeDiffers("Its answer has neither a next link nor a delta link.")
        return f"{len(self._page['value'])} messages on the first page of the Inbox."

    def _page_size(self) -> str:
        count = len(self._rows())
        if count > PAGE:
            raise ProbeDiffers(f"{PAGE} were asked for, and {count} came.")
        if count < PAGE and "@odata.nextLink" in self._page:
            return f"{PAGE} were asked for, and {count} came with more behind them: pages may be shorter."
        return f"{PAGE} were asked for, and {count} came."

    def _extended(self) -> str:
        names = {SIZE: "size", CLASS: "class", SENSITIVITY: "sensitivity", TOPIC: "topic"}
        missing = {name for row in self._rows() for tag, name in names.items() if not _has(row, tag)}
        # An email without a subject has no topic.
        if missing - {"topic"}:
            raise ProbeDiffers(f"Not told of every message: {', '.join(sorted(missing))}.")
        return "Size, class and sensitivity are told of every message."

    def _modified(self) -> str:
        if not all(row.get("lastModifiedDateTime") for row in self._rows()):
            raise ProbeDiffers(
                "It is not told of every message. After a switch from EWS, all emails would be read once more."
            )
        return "It is told of every message."

    def _ids(self) -> str:
        row = self._rows()[0]
        plain = self._plain(self.mailbox.path("mailFolders", "inbox", "messages", select="id", top=PAGE))
        ordinary = {str(one["id"]) for one in plain["value"]}
        if row["id"] in ordinary:
            raise ProbeDiffers("With and without the wish for immutable ids, the ids are the same.")
        if not self.mailbox.ask(self.mailbox.path("messages", row["id"], select="id")).ok:
            raise ProbeDiffers("A message cannot be asked for by its immutable id.")
        return "Immutable ids are others than ordinary ones, and a message is found by its own."

    def _mime(self) -> str:
        row = self._rows()[0]
        answer = self.mailbox.ask(self.mailbox.path("messages", row["id"], "$value"))
        if not answer.ok:
            raise ProbeDiffers(f"It is not handed out: HTTP {answer.status} {answer.code()}.")
        header = MESSAGE_ID.search(answer.body[:HEADERS])
        listed = str(row.get("internetMessageId") or "").encode()
        if header is None or header[1] != listed:
            raise ProbeDiffers("The Message-ID in the headers is not the one of the list, for this email at least.")
        return f"{len(answer.body):,} bytes, with the Message-ID of the list; Exchange counts {_size(row):,} bytes."

    def _batch(self) -> str:
        url = self.mailbox.relative("mailFolders", "inbox", select="id")
        answers = self._batched([url] * AT_ONCE)
        statuses = sorted(answer.status for answer in answers.values())
        throttled = statuses.count(429)
        if len(statuses) != AT_ONCE or set(statuses) - {200, 429}:
            raise ProbeDiffers(f"{len(statuses)} of {AT_ONCE} parts were answered, with HTTP {sorted(set(statuses))}.")
        return f"All {AT_ONCE} parts are answered" + (f", {throttled} of them throttled." if throttled else ".")

    # ---- links ----------------------------------------------------------------------------------------------------

    def _link(self) -> str:
        page, pages = self._page, 1
        while "@odata.nextLink" in page and pages < 3:
            page = self._document(self._local(page["@odata.nextLink"]), page_size=PAGE)
            pages += 1
        if "@odata.deltaLink" in page:
            after = self._document(self._local(page["@odata.deltaLink"]), page_size=PAGE)
            return f"The delta link leads on: {len(after['value'])} changes since."
        return f"{pages} pages follow one another."

    def _refused_link(self) -> str:
        link = self._any_link()
        head, sign, token = link.partition("token=")
        if not sign:
            raise ProbeDiffers("The link bears no token that could be recognised.")
        return self._refused(f"{head}{sign}{token[:12]}AAAA{token[16:]}")

    def _foreign_link(self) -> str:
        link = self._any_link()
        head, sign, rest = link.partition("/messages/delta")
        if not sign:
            raise ProbeDiffers("The link does not lead to where it came from.")
        start = head.rpartition("/mailFolders")[0] or self.mailbox.path().rstrip("/")
        answer = self.mailbox.ask(f"{start}/mailFolders/sentitems{sign}{rest}", page_size=PAGE)
        if answer.ok:
            return "It is answered, by the folder of its token; this product never asks for that."
        return f"It is refused: HTTP {answer.status} {answer.code()}."

    def _refused(self, link: str) -> str:
        answer = self.mailbox.ask(link, page_size=PAGE)
        said = f"HTTP {answer.status} {answer.code()}"
        if answer.ok:
            raise ProbeDiffers("A damaged link is answered as if it were good.")
        if answer.status != 400 and not isinstance(answer.refusal(), CursorRefused):
            raise ProbeDiffers(
                f"A damaged link is refused with {said}, which is not taken for that: the folder would not start over."
            )
        return f"A damaged link is refused with {said}: the folder is listed again."

    # ---- what is not there ----------------------------------------------------------------------------------------

    def _gone(self) -> str:
        known = str(self._rows()[0]["id"])
        # Of a shape that Graph gives, and of nothing.
        other = known[:-12] + ("A" * 11 if known[-12:-1] != "A" * 11 else "B" * 11) + known[-1]
        answer = self.mailbox.ask(self.mailbox.path("messages", other, select="id"))
        code = answer.code()
        if answer.ok or code.casefold() not in {"erroritemnotfound", "errorinvalididmalformed", "errorinvalidid"}:
            raise ProbeDiffers(f"HTTP {answer.status} {code}.")
        return f"HTTP {answer.status} {code}."

    def _whereabouts(self) -> str:
        inbox = FolderId(str(self._document(self.mailbox.path("mailFolders", "inbox", select="id"))["id"]))
        items = [item_id(row) for row in self._rows()]
        found = whereabouts(self.mailbox, Messages(self.mailbox), inbox, items)
        here = [
            change for change in found.changes if change.kind is not ChangeKind.DELETED and change.folder_id == inbox
        ]
        if len(here) != len(items):
            raise ProbeDiffers(f"Of {len(items)} emails of the Inbox, {len(here)} are said to be there by their ids.")
        return f"{len(items)} emails of the Inbox are found there, by their ids in one batch."

    # ---- moves ----------------------------------------------------------------------------------------------------

    def _begin_to_watch(self) -> str:
        return f"{self._moves.begin()} folders are watched for emails that somebody moves meanwhile."

    def _moved(self) -> str:
        time.sleep(self._watch)
        self.mailbox.connection.deadline.start()
        seen = self._moves.end()
        if not seen.moved:
            raise Untried(
                "Nobody moved one. With --watch 60 there is time for it: move a new email from the Inbox to another folder, "
                "and another one away and back."
            )
        told = [f"{seen.moved} were moved"]
        told += [f"{seen.told} told as documented"] if seen.told else []
        told += [f"{seen.removed_alone} back in their folder and told as removed alone"] if seen.removed_alone else []
        told += [f"{seen.no_row} not told by the folder that they went to"] if seen.no_row else []
        return f"{', '.join(told)}. Either is right for this product, which asks where they are."

    def _nobody(self) -> str:
        _, _, domain = self.mailbox.address.rpartition("@")
        nobody = GraphMailbox(f"doctor-{uuid.uuid4().hex[:12]}@{domain}", self.mailbox.connection)
        answer = nobody.ask(nobody.path("mailFolders", "inbox", select="id"))
        if answer.ok:
            raise ProbeDiffers("A mailbox that cannot exist was opened.")
        said = f"HTTP {answer.status} {answer.code()}"
        if isinstance(answer.refusal(), MailboxNotFound):
            return f"{said}: it is said not to exist."
        raise ProbeDiffers(f"{said}: taken for “{answer.refusal().kind}”, and not for a mailbox that does not exist.")

    def _throttling(self) -> str:
        raise Untried(
            "Nobody provokes it in a tenant of others. Look at the runs of a first sync: one that was throttled says so, and "
            "goes on after the time that Graph names."
        )

    # ---- asking ---------------------------------------------------------------------------------------------------

    def _rows(self) -> Sequence[Mapping[str, Any]]:
        rows = [row for row in self._page.get("value", ()) if "@removed" not in row]
        if not rows:
            raise Untried("The Inbox could not be listed, or is empty. Name a mailbox with a few emails.")
        return rows

    def _any_link(self) -> str:
        link = self._page.get("@odata.nextLink") or self._page.get("@odata.deltaLink")
        if not link:
            raise Untried("The Inbox could not be listed.")
        return self._local(link)

    def _local(self, link: object) -> str:
        return local(link, self.mailbox.connection.settings.base)

    def _document(self, path: str, *, page_size: int = 0) -> Mapping[str, Any]:
        return self.mailbox.ask(path, page_size=page_size).document()

    def _plain(self, path: str) -> Mapping[str, Any]:
        return self.mailbox.connection.ask(_Plain(path)).document()

    def _batched(self, urls: Sequence[str]) -> dict[str, GraphAnswer]:
        return parts_of(self.mailbox.connection.ask(batch_of(urls)).document())


def _has(row: Mapping[str, Any], tag: str) -> bool:
    kind, _, number = tag.partition(" ")
    wanted = int(number, 16)
    return any(
        str(one.get("id", "")).partition(" ")[0].casefold() == kind.casefold()
        and int(str(one["id"]).partition(" ")[2], 16) == wanted
        for one in row.get("singleValueExtendedProperties") or ()
    )


def _size(row: Mapping[str, Any]) -> int:
    found = [
        one["value"]
        for one in row.get("singleValueExtendedProperties") or ()
        if int(str(one["id"]).split()[1], 16) == 0x0E08
    ]
    return int(found[0]) if found else 0
