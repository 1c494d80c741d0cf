"""What a document asks for, as values. Pure."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

Path = tuple[str, ...]


class DocumentWrong(Exception):
    """A document that cannot be used. `problems`: what is wrong, each a sentence that names its place."""

    def __init__(self, *problems: str) -> None:
        super().__init__(" ".join(problems))
        self.problems = problems


@dataclass(frozen=True, slots=True)
class DesiredMailbox:
    """One mailbox as it shall be."""

    address: str
    project: str
    bucket: str
    destination: str = ""
    """Its name. Empty: the one that the mailbox has, or the only one there is."""
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
    """An integration as it shall be. What `settings` and `secrets` do not name stays as it is."""

    project: str
    name: str
    settings: Mapping[str, Any]
    """By the name of the model's field."""
    secrets: Mapping[str, str] = field(default_factory=dict, repr=False)
    enabled: bool | None = None
    """None: as it is."""
    mailboxes: tuple[DesiredMailbox, ...] = ()
    updated_at: datetime | None = None
    """The state that the document was made from, for those who want to be told of changes since."""
    warnings: tuple[str, ...] = ()
    """What the document says and nobody here understands."""
    usual: Mapping[str, Any] = field(default_factory=dict)
    """Settings of a new integration, where the document says nothing of them."""
