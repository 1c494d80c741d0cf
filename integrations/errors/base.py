"""The base class of all errors, and the terms by which an error is classified.

`kind` is stable: the error catalogue, the API, the database and the retry policy use it as a key. Where the vendor's
product has the same error, the kind is the vendor's name for it.
"""

from __future__ import annotations

from datetime import timedelta
from enum import StrEnum

from integrations.bidi import closed

LONGEST_DETAIL = 500
"""Maximum number of characters of `IntegrationError.detail`."""


class Scope(StrEnum):
    """The part of an installation that an error stops."""

    CONNECTION = "connection"
    MAILBOX = "mailbox"
    FOLDER = "folder"
    DESTINATION = "destination"
    BUCKET = "bucket"
    PROCESS = "process"
    """This worker process and its machine. No connection, mailbox or bucket is stopped."""


class Evidence(StrEnum):
    """The class of an error: what the response of the server proves about the cause of the error.

    `sync.engine.error_scope` decides from the evidence, and from the results of other mailboxes, what is at fault and
    what is paused.
    """

    TRANSPORT = "transport"
    """No usable connection or no response: the server cannot be reached, TLS fails, or the sign-in service is down."""
    SETTINGS = "settings"
    """A setting or a stored secret of this product cannot be used. No request reached the server."""
    PASSWORD = "password"  # noqa: S105  # the name of a class of evidence
    """A sign-in was refused. Further refusals can lock the account out."""
    RESPONSE = "response"
    """A refusal that does not count as a wrong password, for example status 403 or a rejected version."""
    OVERLOAD = "overload"
    """The server is busy, too slow, or answers with an internal error."""
    MAILBOX = "mailbox"
    """The answer is about the mailbox: it was not found, was moved, or cannot be read by this account."""
    FOLDER = "folder"
    """The answer is about the folder: it was not found, or its cursor is no longer valid."""
    FOLDER_REFUSED = "folder_refused"
    """The account may not read this folder."""
    DESTINATION = "destination"
    """Re:infer, its endpoint or its token failed."""
    BUCKET = "bucket"
    """Re:infer refused one bucket."""
    PROCESS = "process"
    """A fault of this process, its settings or its machine. Other workers may still succeed."""
    OURS = "ours"
    """A fault of this product, or of a service that it needs, such as PostgreSQL."""


class Side(StrEnum):
    """The system that has to be repaired."""

    EXCHANGE = "exchange"
    """Exchange or its sign-in service."""
    REINFER = "reinfer"
    PRODUCT = "product"


WIDEST = {
    Evidence.TRANSPORT: Scope.CONNECTION,
    Evidence.SETTINGS: Scope.CONNECTION,
    Evidence.PASSWORD: Scope.CONNECTION,
    Evidence.RESPONSE: Scope.CONNECTION,
    Evidence.OVERLOAD: Scope.MAILBOX,
    Evidence.MAILBOX: Scope.MAILBOX,
    Evidence.FOLDER: Scope.FOLDER,
    Evidence.DESTINATION: Scope.DESTINATION,
    Evidence.BUCKET: Scope.BUCKET,
    Evidence.FOLDER_REFUSED: Scope.FOLDER,
    Evidence.PROCESS: Scope.PROCESS,
    Evidence.OURS: Scope.MAILBOX,
}
"""The widest scope that one error of each evidence can stop. An overload stops a connection only when several mailboxes
report it."""


class IntegrationError(Exception):
    """Base class of every error of this package. `str(error)` states for an admin what happened and what to do next."""

    kind: str = "unknown"
    scope: Scope = Scope.MAILBOX
    """The widest scope that the error can stop. It is derived from `evidence`; a subclass must not set it."""
    evidence: Evidence = Evidence.OURS
    ours: bool = False
    """Whether this product or a service that it needs is the cause, not Exchange or Re:infer."""
    text: str = "An unknown error occurred."
    remedy: str = "It is retried automatically. If it persists, check the log of the worker."
    may_be_item: bool = False
    """Whether a single email can cause the error, so that the other emails must be tried without that email."""

    def __init_subclass__(cls) -> None:
        """Derive the scope of a subclass from its evidence.

        Raises:
            TypeError: The subclass sets `scope` itself.
        """
        super().__init_subclass__()
        if "scope" in vars(cls):
            raise TypeError(f"{cls.__name__} sets `scope`, which is derived from `evidence`")
        cls.scope = WIDEST[cls.evidence]

    def __init__(self, detail: str = "", *, retry_after: timedelta | None = None) -> None:
        """Create the error.

        Args:
            detail: A code, a status line or a short text, never content of mail; cut to `LONGEST_DETAIL` characters.
            retry_after: How long the server requested to wait; None if it requested no time.
        """
        self.detail = closed(detail[:LONGEST_DETAIL])
        self.retry_after = retry_after
        super().__init__(self.detail)

    @classmethod
    def side(cls) -> Side:
        """Return the system that has to be repaired."""
        if cls.ours or cls is IntegrationError:
            return Side.PRODUCT
        return Side.REINFER if cls.scope in (Scope.DESTINATION, Scope.BUCKET) else Side.EXCHANGE

    def __str__(self) -> str:
        """Return what happened, the detail in brackets, and the remedy."""
        detail = f" ({self.detail})" if self.detail else ""
        return f"{self.text}{detail} {self.remedy}"


class Transient(IntegrationError):
    """An error that can disappear without any change by a person."""


class Refused(IntegrationError):
    """An error that stays until a person changes something: a credential, a right, a setting."""
