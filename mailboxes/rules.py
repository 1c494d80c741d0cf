"""Filter rules of a mailbox: which folders, item classes, dates and participants are wanted. No side effects."""

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
"""Folders that are skipped with their subfolders, unless the folder allow list covers them. The kind identifies a folder.
The names are for display."""


UNSENT = {FolderKind.DRAFTS, FolderKind.OUTBOX}
"""Folders in which an item that is marked as a draft counts as a draft. Their subfolders are treated like any other folder:
mail programs store unsent mail directly in Drafts, but a user may have imported mail into a subfolder."""


class FilterVerdict(StrEnum):
    """Whether a folder or an item is wanted, and if not, why."""

    WANTED = "wanted"
    DENIED_FOLDER = "denied_folder"
    SKIPPED_FOLDER = "skipped_folder"
    DRAFT = "draft"
    """The item is marked as a draft in a folder of `UNSENT`. Version 1 of the rules gave this verdict to every item
    marked as a draft, in any folder. An item outside of `UNSENT` that has this verdict is newly wanted: see
    `sync.engine.newly_wanted`."""
    NEVER_SENT = "never_sent"
    """The item is marked as a draft outside of `UNSENT`, and has no Received header. Decided after the fetch."""
    ITEM_CLASS = "item_class"
    TOO_OLD = "too_old"
    PARTICIPANT = "participant"


@dataclass(frozen=True, slots=True)
class Rules:
    """The filters of one mailbox. Deny lists take precedence over allow lists.

    Attributes:
        start: Earliest received time that is wanted, inclusive, in UTC. None: no limit.
        folder_allow: Folder paths; only these folders and their subfolders are wanted. If empty, all folders are wanted
            except those in `SKIPPED_BY_DEFAULT`.
        folder_deny: Folder paths; these folders and their subfolders are not wanted.
        participant_allow: Addresses; at least one participant must match this list or `domain_allow`. If both lists are
            empty, all participants are allowed.
        participant_deny: Addresses; no participant may match.
        domain_allow: Domains; see `participant_allow`.
        domain_deny: Domains; no participant may match.
        meetings: Whether meeting messages are wanted.
        reports: Whether delivery and read reports are wanted.
    """

    start: datetime | None = None
    folder_allow: tuple[Path, ...] = ()
    folder_deny: tuple[Path, ...] = ()
    participant_allow: tuple[str, ...] = ()
    participant_deny: tuple[str, ...] = ()
    domain_allow: tuple[str, ...] = ()
    domain_deny: tuple[str, ...] = ()
    meetings: bool = False
    reports: bool = False


def folder_verdict(rules: Rules, path: Path, kinds: Iterable[FolderKind]) -> FilterVerdict:
    """Decide whether the mail of a folder is wanted.

    A path in a rule covers the whole subtree, ignores case and starts at the mailbox root.

    Args:
        rules: The filters of the mailbox.
        path: Folder names from the mailbox root down.
        kinds: The kinds of the folder and of all its ancestors.

    Returns:
        WANTED, DENIED_FOLDER or SKIPPED_FOLDER.
    """
    if any(_covers(denied, path) for denied in rules.folder_deny):
        return FilterVerdict.DENIED_FOLDER
    if any(_covers(allowed, path) for allowed in rules.folder_allow):
        return FilterVerdict.WANTED
    if any(kind in SKIPPED_BY_DEFAULT for kind in kinds):
        return FilterVerdict.SKIPPED_FOLDER
    return FilterVerdict.DENIED_FOLDER if rules.folder_allow else FilterVerdict.WANTED


def item_verdict(rules: Rules, change: Change, folder: FolderKind) -> FilterVerdict:
    """Decide whether an item is wanted, judged by its entry in a listing.

    An item without a received time is never too old. Outside of `UNSENT`, the mark as a draft does not
    matter: `draft_verdict` decides about a marked item after the item is fetched.

    Args:
        rules: The filters of the mailbox.
        change: The entry of the item in the listing.
        folder: The kind of the folder that contains the item.

    Returns:
        WANTED, DRAFT, ITEM_CLASS or TOO_OLD.
    """
    if change.draft and folder in UNSENT:
        return FilterVerdict.DRAFT
    if not _wanted_class(rules, change.item_class):
        return FilterVerdict.ITEM_CLASS
    if rules.start is not None and change.received is not None and change.received < rules.start:
        return FilterVerdict.TOO_OLD
    return FilterVerdict.WANTED


def draft_verdict(folder: FolderKind, *, marked: bool, received: bool) -> FilterVerdict:
    """Decide whether a fetched item is an email or a draft.

    Exchange marks every email that was imported over EWS, Graph or IMAP as a draft, in any folder, and never
    removes the mark. A Received header shows that a server accepted the email (RFC 5321 §4.4).

    Args:
        folder: The kind of the folder that contains the item.
        marked: Whether Exchange marks the item as a draft.
        received: Whether the MIME of the item has a Received header.

    Returns:
        WANTED, DRAFT or NEVER_SENT.
    """
    if not marked:
        return FilterVerdict.WANTED
    if folder in UNSENT:
        return FilterVerdict.DRAFT
    return FilterVerdict.WANTED if received else FilterVerdict.NEVER_SENT


def participants_verdict(rules: Rules, addresses: Iterable[str]) -> FilterVerdict:
    """Decide whether an email between these addresses is wanted.

    Args:
        rules: The filters of the mailbox.
        addresses: The addresses of From, Sender, To, Cc and Bcc.

    Returns:
        WANTED or PARTICIPANT.
    """
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
    # For example REPORT.IPM.Note.NDR: a report about the delivery or reading of a message.
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
    """Return whether a domain matches the rule. A rule with a leading dot matches its domain and all subdomains."""
    if rule.startswith("."):
        return domain == rule[1:] or domain.endswith(rule)
    return domain == rule
