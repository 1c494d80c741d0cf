"""Check whether the real service behaves as this product expects of Graph, with small read-only requests.

`manage.py doctor` uses this module. The results contain no content of an email, no personal data and no token.
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
from integrations.graph.batches import AT_ONCE, batch_request
from integrations.graph.connection import GraphRequest, GraphSettings, connection
from integrations.graph.cursors import local_path
from integrations.graph.folders import WELL_KNOWN
from integrations.graph.item_locations import locate_items
from integrations.graph.mailbox import GraphMailbox
from integrations.graph.messages import MessageCache
from integrations.graph.moves import MoveObserver
from integrations.graph.responses import GraphResponse, parts_of
from integrations.graph.rows import CLASS, EXPAND, SELECT, SENSITIVITY, SIZE, TOPIC, item_id
from integrations.messages import ChangeKind, FolderId

PAGE_SIZE = 5
"""Messages per page: enough to check whether Graph applies a page size."""
MESSAGE_ID = re.compile(rb"^message-id:\s*(\S+)", re.IGNORECASE | re.MULTILINE)
HEADER_BYTES = 65_536
"""Bytes at the start of an email that are searched for its Message-ID."""


class FactDiffers(Exception):
    """The service does not behave as this product expects."""


class Untried(Exception):
    """The fact cannot be checked, for example because the mailbox is empty."""


@dataclass(frozen=True, slots=True)
class _PlainRequest(GraphRequest):
    """A request without the preference for immutable ids."""

    def headers(self) -> dict[str, str]:
        return {"client-request-id": str(uuid.uuid4())}


def checked_facts(settings: GraphSettings, address: str, *, wait_seconds: float = 0) -> Iterator[Fact]:
    """Check one fact after another. If a request of a check fails, the verdict of its fact is usually `UNTRIED`.

    Args:
        settings: Settings of the connection.
        address: Email address of the mailbox to check with.
        wait_seconds: Seconds to wait for emails that a person moves, to check how moves are reported.

    Yields:
        One fact per check.

    Raises:
        SettingsWrong: A setting cannot be used.
    """
    checks = _Checks(GraphMailbox(address, connection(settings)), wait_seconds)
    for name, check in checks.all():
        checks.mailbox.connection.deadline.start()
        try:
            yield Fact(name, StepVerdict.OK, check())
        except FactDiffers as error:
            yield Fact(name, StepVerdict.DIFFERS, str(error))
        except Untried as error:
            yield Fact(name, StepVerdict.UNTRIED, str(error))
        except IntegrationError as error:
            yield Fact(name, StepVerdict.UNTRIED, str(error))
        except (LookupError, TypeError, ValueError, AttributeError):
            # The text of the error is left out: it could quote the response.
            yield Fact(name, StepVerdict.DIFFERS, "The response does not have the documented format.")


class _Checks:
    """The checks with one mailbox. Some checks use the first page of the Inbox, which the check `_messages` reads."""

    def __init__(self, mailbox: GraphMailbox, wait_seconds: float) -> None:
        self.mailbox, self._watch = mailbox, wait_seconds
        self._moves = MoveObserver(mailbox, datetime.now(UTC))
        self._page: Mapping[str, Any] = {}
        """First delta page of the Inbox."""

    def all(self) -> Sequence[tuple[str, Callable[[], str]]]:
        return (
            ("Roles in the token", self._roles),
            ("Well-known folders", self._folders),
            ("Change tracking of folders", self._tree),
            ("Change tracking of messages", self._messages),
            ("Observed folders", self._begin_to_observe),
            ("Page size", self._page_size),
            ("Extended properties", self._extended),
            ("Last modified time", self._modified),
            ("Immutable ids", self._ids),
            ("MIME", self._mime),
            ("Batches", self._batch),
            ("Resuming from a link", self._link),
            ("Damaged link", self._damaged_link),
            ("Link of another folder", self._foreign_link),
            ("Email that does not exist", self._gone),
            ("Current folder of an email", self._current_folder),
            ("Moved emails", self._moved),
            ("Mailbox that does not exist", self._unknown_mailbox),
            ("Throttling", self._throttling),
        )

    # ---- sign-in --------------------------------------------------------------------------------------------------

    def _roles(self) -> str:
        token = self.mailbox.connection.sign_in.token()
        try:
            middle = token.split(".")[1]
            claims = json.loads(base64.urlsafe_b64decode(middle + "=" * (-len(middle) % 4)))
        except (LookupError, ValueError):
            raise Untried("The token cannot be read. That is not an error.") from None
        granted = claims.get("roles") or str(claims.get("scp") or "").split()
        names = ", ".join(sorted(re.sub(r"[^A-Za-z0-9_.]", "", str(role))[:40] for role in granted)[:20])
        if any(str(role).startswith("Mail.Read") for role in granted):
            return f"The token names {names}. To limit access by RBAC for Applications, remove the consent in Entra."
        roles = f"The token names {names}." if names else "The token names no role."
        return f"{roles} Only RBAC for Applications can grant access to mail."

    # ---- folders --------------------------------------------------------------------------------------------------

    def _folders(self) -> str:
        responses = self._batched([self.mailbox.relative("mailFolders", name, select="id") for name in WELL_KNOWN])
        existing = [name for number, name in enumerate(WELL_KNOWN) if responses[str(number)].ok]
        unexpected = sorted({response.status for response in responses.values()} - {200, 404})
        if "inbox" not in existing or unexpected:
            raise FactDiffers(f"Found: {', '.join(existing) or 'none'}. Other responses: HTTP {unexpected}.")
        return f"{len(existing)} of {len(WELL_KNOWN)} exist: {', '.join(existing)}."

    def _tree(self) -> str:
        page = self._document(self.mailbox.path("mailFolders", "delta", select="id,displayName,parentFolderId"))
        if "@odata.nextLink" not in page and "@odata.deltaLink" not in page:
            raise FactDiffers("The response has neither a next link nor a delta link.")
        return f"{len(page['value'])} folders on the first page."

    # ---- messages -------------------------------------------------------------------------------------------------

    def _messages(self) -> str:
        path = self.mailbox.path("mailFolders", "inbox", "messages", "delta", select=SELECT, expand=EXPAND)
        self._page = self._document(path, page_size=PAGE_SIZE)
        if "@odata.nextLink" not in self._page and "@odata.deltaLink" not in self._page:
            raise FactDiffers("The response has neither a next link nor a delta link.")
        return f"{len(self._page['value'])} messages on the first page of the Inbox."

    def _page_size(self) -> str:
        count = len(self._rows())
        counts = f"{PAGE_SIZE} messages were requested, {count} were returned"
        if count > PAGE_SIZE:
            raise FactDiffers(f"{counts}.")
        if count < PAGE_SIZE and "@odata.nextLink" in self._page:
            return f"{counts}, and there are more pages: a page may be shorter than requested."
        return f"{counts}."

    def _extended(self) -> str:
        names = {SIZE: "size", CLASS: "class", SENSITIVITY: "sensitivity", TOPIC: "topic"}
        missing = {name for row in self._rows() for tag, name in names.items() if not _has(row, tag)}
        # An email without a subject has no topic.
        if missing - {"topic"}:
            raise FactDiffers(f"Some messages lack: {', '.join(sorted(missing))}.")
        return "Every message has size, class and sensitivity."

    def _modified(self) -> str:
        if not all(row.get("lastModifiedDateTime") for row in self._rows()):
            raise FactDiffers(
                "Some messages have no last modified time. After a switch from EWS, these emails would be read a second time."
            )
        return "Every message has a last modified time."

    def _ids(self) -> str:
        row = self._rows()[0]
        plain = self._plain(self.mailbox.path("mailFolders", "inbox", "messages", select="id", top=PAGE_SIZE))
        ordinary = {str(message["id"]) for message in plain["value"]}
        if row["id"] in ordinary:
            raise FactDiffers("The ids are the same with and without the preference for immutable ids.")
        if not self.mailbox.get(self.mailbox.path("messages", row["id"], select="id")).ok:
            raise FactDiffers("A message cannot be requested by its immutable id.")
        return "Immutable ids differ from ordinary ids, and a message can be requested by its immutable id."

    def _mime(self) -> str:
        row = self._rows()[0]
        response = self.mailbox.get(self.mailbox.path("messages", row["id"], "$value"))
        if not response.ok:
            raise FactDiffers(f"The MIME content is not returned: HTTP {response.status} {response.code()}.")
        header = MESSAGE_ID.search(response.body[:HEADER_BYTES])
        listed = str(row.get("internetMessageId") or "").encode()
        if header is None or header[1] != listed:
            raise FactDiffers(
                "For one email, the Message-ID in the headers is missing, or is not the listed Message-ID."
            )
        size = f"{len(response.body):,} bytes"
        return f"{size}, with the listed Message-ID. Exchange reports a size of {_size(row):,} bytes."

    def _batch(self) -> str:
        url = self.mailbox.relative("mailFolders", "inbox", select="id")
        responses = self._batched([url] * AT_ONCE)
        statuses = sorted(response.status for response in responses.values())
        throttled = statuses.count(429)
        if len(statuses) != AT_ONCE or set(statuses) - {200, 429}:
            raise FactDiffers(f"{len(statuses)} of {AT_ONCE} parts have a response, with HTTP {sorted(set(statuses))}.")
        return f"All {AT_ONCE} parts have a response" + (f"; {throttled} of them are throttled." if throttled else ".")

    # ---- links ----------------------------------------------------------------------------------------------------

    def _link(self) -> str:
        page, pages = self._page, 1
        while "@odata.nextLink" in page and pages < 3:
            page = self._document(self._local_path(page["@odata.nextLink"]), page_size=PAGE_SIZE)
            pages += 1
        if "@odata.deltaLink" in page:
            after = self._document(self._local_path(page["@odata.deltaLink"]), page_size=PAGE_SIZE)
            return f"The delta link works: {len(after['value'])} changes since the listing."
        return f"{pages} consecutive pages were read."

    def _damaged_link(self) -> str:
        link = self._any_link()
        head, sign, token = link.partition("token=")
        if not sign:
            raise FactDiffers("The link has no recognisable token.")
        return self._check_rejection(f"{head}{sign}{token[:12]}AAAA{token[16:]}")

    def _foreign_link(self) -> str:
        link = self._any_link()
        head, sign, rest = link.partition("/messages/delta")
        if not sign:
            raise FactDiffers("The link does not lead to the change tracking of messages.")
        start = head.rpartition("/mailFolders")[0] or self.mailbox.path().rstrip("/")
        response = self.mailbox.get(f"{start}/mailFolders/sentitems{sign}{rest}", page_size=PAGE_SIZE)
        if response.ok:
            return "Graph accepts the link in the path of another folder. This product never sends such a link."
        return f"Graph rejects it: HTTP {response.status} {response.code()}."

    def _check_rejection(self, link: str) -> str:
        response = self.mailbox.get(link, page_size=PAGE_SIZE)
        status = f"HTTP {response.status} {response.code()}"
        if response.ok:
            raise FactDiffers("Graph accepts a damaged link.")
        if response.status != 400 and not isinstance(response.error(), CursorRefused):
            raise FactDiffers(
                f"Graph rejects a damaged link with {status}. This product does not recognise that as a rejected link, "
                "and would not list the folder again."
            )
        return f"Graph rejects a damaged link with {status}. The folder is then listed again."

    # ---- resources that do not exist ------------------------------------------------------------------------------

    def _gone(self) -> str:
        known = str(self._rows()[0]["id"])
        # An id in the format of Graph that names no message.
        other = known[:-12] + ("A" * 11 if known[-12:-1] != "A" * 11 else "B" * 11) + known[-1]
        response = self.mailbox.get(self.mailbox.path("messages", other, select="id"))
        code = response.code()
        if response.ok or code.casefold() not in {"erroritemnotfound", "errorinvalididmalformed", "errorinvalidid"}:
            raise FactDiffers(f"HTTP {response.status} {code}.")
        return f"HTTP {response.status} {code}."

    def _current_folder(self) -> str:
        inbox = FolderId(str(self._document(self.mailbox.path("mailFolders", "inbox", select="id"))["id"]))
        items = [item_id(row) for row in self._rows()]
        locations = locate_items(self.mailbox, MessageCache(self.mailbox), inbox, items)
        in_inbox = [
            change
            for change in locations.changes
            if change.kind is not ChangeKind.DELETED and change.folder_id == inbox
        ]
        if len(in_inbox) != len(items):
            raise FactDiffers(f"Of {len(items)} emails of the Inbox, {len(in_inbox)} are found there by their ids.")
        return f"{len(items)} emails of the Inbox are found there by their ids, in one batch."

    # ---- moves ----------------------------------------------------------------------------------------------------

    def _begin_to_observe(self) -> str:
        return f"{self._moves.begin()} folders are observed for emails that a person moves during the check."

    def _moved(self) -> str:
        time.sleep(self._watch)
        self.mailbox.connection.deadline.start()
        counts = self._moves.end()
        if not counts.moved:
            raise Untried(
                "No email was moved. Use --watch 60 and move emails in that time: a new email from the Inbox to "
                "another folder, and another new email away and back."
            )
        parts = [f"{counts.moved} moved"]
        parts += [f"{counts.documented} reported as documented"] if counts.documented else []
        parts += (
            [f"{counts.removed_only} back in their folder and reported only as removed"] if counts.removed_only else []
        )
        parts += [f"{counts.no_row} not reported by the target folder"] if counts.no_row else []
        return f"{', '.join(parts)}. Each is acceptable: this product requests the current folder of a moved email."

    def _unknown_mailbox(self) -> str:
        _, _, domain = self.mailbox.address.rpartition("@")
        unknown = GraphMailbox(f"doctor-{uuid.uuid4().hex[:12]}@{domain}", self.mailbox.connection)
        response = unknown.get(unknown.path("mailFolders", "inbox", select="id"))
        if response.ok:
            raise FactDiffers("Graph opens a mailbox that does not exist.")
        status = f"HTTP {response.status} {response.code()}"
        if isinstance(response.error(), MailboxNotFound):
            return f"{status}: recognised as a mailbox that does not exist."
        raise FactDiffers(f"{status}: recognised as “{response.error().kind}”, not as a mailbox that does not exist.")

    def _throttling(self) -> str:
        raise Untried(
            "This check does not provoke throttling in your tenant. Look at the runs of a first sync: a run that Graph "
            "throttled names this error, and the next run starts after the time that Graph requested."
        )

    # ---- requests -------------------------------------------------------------------------------------------------

    def _rows(self) -> Sequence[Mapping[str, Any]]:
        rows = [row for row in self._page.get("value", ()) if "@removed" not in row]
        if not rows:
            raise Untried("The Inbox could not be listed, or is empty. Use a mailbox with a few emails.")
        return rows

    def _any_link(self) -> str:
        link = self._page.get("@odata.nextLink") or self._page.get("@odata.deltaLink")
        if not link:
            raise Untried("The Inbox could not be listed.")
        return self._local_path(link)

    def _local_path(self, link: object) -> str:
        return local_path(link, self.mailbox.connection.settings.base)

    def _document(self, path: str, *, page_size: int = 0) -> Mapping[str, Any]:
        return self.mailbox.get(path, page_size=page_size).document()

    def _plain(self, path: str) -> Mapping[str, Any]:
        return self.mailbox.connection.ask(_PlainRequest(path)).document()

    def _batched(self, urls: Sequence[str]) -> dict[str, GraphResponse]:
        return parts_of(self.mailbox.connection.ask(batch_request(urls)).document())


def _has(row: Mapping[str, Any], tag: str) -> bool:
    kind, _, number = tag.partition(" ")
    wanted = int(number, 16)
    return any(
        str(item.get("id", "")).partition(" ")[0].casefold() == kind.casefold()
        and int(str(item["id"]).partition(" ")[2], 16) == wanted
        for item in row.get("singleValueExtendedProperties") or ()
    )


def _size(row: Mapping[str, Any]) -> int:
    sizes = [
        item["value"]
        for item in row.get("singleValueExtendedProperties") or ()
        if int(str(item["id"]).split()[1], 16) == 0x0E08
    ]
    return int(sizes[0]) if sizes else 0
