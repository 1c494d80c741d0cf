"""Value classes for the desired state that a document describes. No I/O."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

Path = tuple[str, ...]


class DocumentWrong(Exception):
    """A document that cannot be used.

    Attributes:
        problems: The errors as sentences. Most sentences name the place in the document, or the mailbox.
    """

    def __init__(self, *problems: str) -> None:
        """Store the errors.

        Args:
            *problems: The errors as sentences.
        """
        super().__init__(" ".join(problems))
        self.problems = problems


@dataclass(frozen=True, slots=True)
class DesiredMailbox:
    """The desired state of one mailbox.

    Attributes:
        address: The address of the mailbox.
        project: The project of the mailbox's bucket at Re:infer.
        bucket: The name of the bucket in this project.
        destination: The name of the destination. If empty, an existing mailbox keeps its destination, and a new mailbox
            gets the only destination.
        enabled: Whether the mailbox is started.
        start_at: Emails that arrived before this time are not wanted; in UTC. None for no limit.
        folder_allow: Only folders with these paths, and their subfolders, are wanted. Empty for all folders except those
            that are skipped by default.
        folder_deny: Folders with these paths, and their subfolders, are not wanted.
        participant_allow: Only emails with one of these addresses as a participant are wanted; empty for all emails.
        participant_deny: Emails with one of these addresses as a participant are not wanted.
        domain_allow: Only emails with a participant of one of these domains are wanted; empty for all emails.
        domain_deny: Emails with a participant of one of these domains are not wanted.
        meetings: Whether meeting messages are wanted.
        reports: Whether delivery and read reports are wanted.
    """

    address: str
    project: str
    bucket: str
    destination: str = ""
    enabled: bool = True
    start_at: datetime | None = None
    folder_allow: tuple[Path, ...] = ()
    folder_deny: tuple[Path, ...] = ()
    participant_allow: tuple[str, ...] = ()
    participant_deny: tuple[str, ...] = ()
    domain_allow: tuple[str, ...] = ()
    domain_deny: tuple[str, ...] = ()
    meetings: bool = False
    reports: bool = False


@dataclass(frozen=True, slots=True)
class DesiredIntegration:
    """The desired state of an integration. Settings and secrets that the document does not contain do not change.

    Attributes:
        project: The project of the integration.
        name: The name of the integration in its project.
        settings: Settings by the name of the model's field.
        secrets: Secrets by the name of the model's field.
        enabled: Whether the integration is started; None for no change.
        mailboxes: All mailboxes of the integration. A stored mailbox that is not among them is deleted.
        updated_at: The time of the last change of the integration or its mailboxes before the document was exported. The
            API uses it as an optimistic lock. None for no lock.
        warnings: Sentences about parts of the document that this product ignores or treats differently.
        defaults: Settings that a new integration gets if the document does not contain them.
    """

    project: str
    name: str
    settings: Mapping[str, Any]
    secrets: Mapping[str, str] = field(default_factory=dict, repr=False)
    enabled: bool | None = None
    mailboxes: tuple[DesiredMailbox, ...] = ()
    updated_at: datetime | None = None
    warnings: tuple[str, ...] = ()
    defaults: Mapping[str, Any] = field(default_factory=dict)
