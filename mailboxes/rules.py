"""Which mail a mailbox wants, as pure rules: folders, item classes, dates, participants → wanted, or why not."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum

from integrations.messages import Change, FolderKind

Path = tuple[str, ...]

SKIPPED_BY_DEFAULT = {
    FolderKind.DRAFTS: "Drafts",
    FolderKind.OUTBOX: "Outbox",
    FolderKind.JUNK: "Junk Email",
    FolderKind.DELETED: "Deleted Items",
    FolderKind.SYNC_ISSUES: "Sync Issues",
    FolderKind.CONVERSATION_HISTORY: "Conversation History",
    FolderKind.RSS: "RSS Feeds",
}
"""Unless an allow list names them. The names are for people; the folders are recognised by their kind."""


UNSENT = {FolderKind.DRAFTS, FolderKind.OUTBOX}
"""Where an item that is marked as a draft is one. In the folders themselves, by their distinguished ids, and not in those below
them: mail programs keep what is being written in Drafts, while a folder below it was made by a person, who may keep imported
mail there. What lies in such a folder is looked at like anything marked as a draft elsewhere."""


class FilterVerdict(StrEnum):
    """What becomes of a folder or an item, and why."""

    WANTED = "wanted"
    DENIED_FOLDER = "denied_folder"
    SKIPPED_FOLDER = "skipped_folder"
    DRAFT = "draft"
    """Told by its listing. The first version of these rules told it of every item marked as a draft, wherever it lay. What has
    this verdict outside `UNSENT` is what the present rules newly want: fetched, and sent if a server received it."""
    NEVER_SENT = "never_sent"
    """Marked as a draft, outside `UNSENT`, and its MIME has no Received header: told once it was fetched."""
    ITEM_CLASS = "item_class"
    TOO_OLD = "too_old"
    PARTICIPANT = "participant"


@dataclass(frozen=True, slots=True)
class Rules:
    """The wishes of one mailbox. Deny beats allow; an empty allow list allows all."""

    start: datetime | None = None
    """Received from then on, inclusive."""
    folder_allow: tuple[Path, ...] = ()
    folder_deny: tuple[Path, ...] = ()
    participant_allow: tuple[str, ...] = ()
    participant_deny: tuple[str, ...] = ()
    domain_allow: tuple[str, ...] = ()
    domain_deny: tuple[str, ...] = ()
    meetings: bool = False
    reports: bool = False


def folder_verdict(rules: Rules, path: Path, kinds: Iterable[FolderKind]) -> FilterVerdict:
    """Whether mail of this folder is wanted. `kinds` are the folder's own and those of its ancestors.

    A path of a rule covers its subtree, compares without case and starts at the mailbox root.
    """
    if any(_covers(denied, path) for denied in rules.folder_deny):
        return FilterVerdict.DENIED_FOLDER
    if any(_covers(allowed, path) for allowed in rules.folder_allow):
        return FilterVerdict.WANTED
    if any(kind in SKIPPED_BY_DEFAULT for kind in kinds):
        return FilterVerdict.SKIPPED_FOLDER
    return FilterVerdict.DENIED_FOLDER if rules.folder_allow else FilterVerdict.WANTED


def item_verdict(rules: Rules, change: Change, folder: FolderKind) -> FilterVerdict:
    """Whether this item is wanted, by what a page tells of it. An item without a received time is never too old.

    `folder`: the kind of the folder that it lies in. Of what is marked as a draft elsewhere, `draft_verdict` decides later.
    """
    if change.draft and folder in UNSENT:
        return FilterVerdict.DRAFT
    if not _wanted_class(rules, change.item_class):
        return FilterVerdict.ITEM_CLASS
    if rules.start is not None and change.received is not None and change.received < rules.start:
        return FilterVerdict.TOO_OLD
    return FilterVerdict.WANTED


def draft_verdict(folder: FolderKind, *, marked: bool, received: bool) -> FilterVerdict:
    """Whether an item that was fetched is an email or a draft.

    Exchange marks mail as a draft that was imported over EWS, Graph or IMAP, whatever its folder, and for good. `marked`: so
    marked. `received`: its MIME has a Received header, as whatever a server took in has (RFC 5321 §4.4).
    """
    if not marked:
        return FilterVerdict.WANTED
    if folder in UNSENT:
        return FilterVerdict.DRAFT
    return FilterVerdict.WANTED if received else FilterVerdict.NEVER_SENT


def participants_verdict(rules: Rules, addresses: Iterable[str]) -> FilterVerdict:
    """Whether an email between these addresses is wanted: from, sender, to, cc and bcc."""
    known = {address.casefold() for address in addresses}
    if _any_matches(known, rules.participant_deny, rules.domain_deny):
        return FilterVerdict.PARTICIPANT
    if not rules.participant_allow and not rules.domain_allow:
        return FilterVerdict.WANTED
    wanted = _any_matches(known, rules.participant_allow, rules.domain_allow)
    return FilterVerdict.WANTED if wanted else FilterVerdict.PARTICIPANT


def _covers(rule: Path, path: Path) -> bool:
    return 0 < len(rule) <= len(path) and all(
        wanted.casefold() == name.casefold() for wanted, name in zip(rule, path, strict=False)
    )


def _wanted_class(rules: Rules, item_class: str) -> bool:
    name = item_class.casefold() or "ipm.note"
    if _is_or_below(name, "ipm.note"):
        return True
    if _is_or_below(name, "ipm.schedule.meeting"):
        return rules.meetings
    # REPORT.IPM.Note.NDR and its like: what happened to a message.
    return rules.reports and (_is_or_below(name, "report"))


def _is_or_below(name: str, parent: str) -> bool:
    return name == parent or name.startswith(parent + ".")


def _any_matches(addresses: set[str], people: Sequence[str], domains: Sequence[str]) -> bool:
    if addresses.intersection(person.casefold() for person in people):
        return True
    return any(
        _domain_matches(address.rpartition("@")[2], domain.casefold()) for address in addresses for domain in domains
    )


def _domain_matches(domain: str, rule: str) -> bool:
    """A domain matches itself; a rule with a leading dot its subdomains too."""
    if rule.startswith("."):
        return domain == rule[1:] or domain.endswith(rule)
    return domain == rule
