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
        problems: The errors, each a sentence that names its place in the document.
    """

    def __init__(self, *problems: str) -> None:
        """Store the errors.

        Args:
            *problems: The errors, each a sentence that names its place in the document.
        """
        super().__init__(" ".join(problems))
        self.problems = problems


@dataclass(frozen=True, slots=True)
class DesiredMailbox:
    """The desired state of one mailbox.

    Attributes:
        address: The address of the mailbox.
        project: The project of its bucket at Re:infer.
        bucket: The name of its bucket.
        destination: The name of the destination. If empty, an existing mailbox keeps its destination, and a new mailbox
            gets the only destination.
        enabled: Whether it is running.
        start_at: Emails that arrived before this time are not read; in UTC.
        folder_allow: Paths of the only folders to read; empty for all.
        folder_deny: Paths of folders that are not read.
        participant_allow: Only emails with one of these addresses as a participant are read; empty for all emails.
        participant_deny: Emails with one of these addresses as a participant are not read.
        domain_allow: Only emails with a participant of one of these domains are read; empty for all emails.
        domain_deny: Emails with a participant of one of these domains are not read.
        meetings: Whether meeting messages are read.
        reports: Whether delivery and read reports are read.
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
    """The desired state of an integration. A setting or secret that is missing here does not change.

    Attributes:
        project: The project of the integration.
        name: The name of the integration in its project.
        settings: Settings by the name of the model's field.
        secrets: Secrets by the name of the model's field.
        enabled: Whether it is running; None for no change.
        mailboxes: All mailboxes of the integration.
        updated_at: The last change of the integration when the document was exported; an optimistic lock. None for no lock.
        warnings: Sentences about parts of the document that this product does not support.
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
