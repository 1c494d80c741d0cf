"""The reasons of dead letters. Each dead letter stores a stage and a kind, for grouping and filtering.

`integrations.catalogue` has the text of each kind.
"""

from __future__ import annotations

from enum import StrEnum


class Stage(StrEnum):
    """The step of a delivery at which an email failed. The values are stored and part of the API."""

    FETCH = "fetch"
    """Exchange returned no email."""
    TRANSFORM = "transform"
    """The email could not be converted."""
    DEADLINE = "deadline"
    """The conversion took longer than `CONVERSION_DEADLINE`. The email is retried when a user requests it, and by a
    newer version of the conversion. It is not retried after a delay, because each attempt takes the whole deadline."""
    PUSH = "push"
    """Re:infer refused the comment, or failed repeatedly because of it."""
    WORKER = "worker"
    """A worker process ended while it processed the email."""
    GONE = "gone"
    """Exchange listed the email and could not find it a moment later. The dead letter is hidden from users: the fetch is
    retried a few times, and then the email counts as deleted."""
    AGAIN = "again"
    """Exchange returned content that is no email, once or twice. The dead letter is hidden: the fetch is retried soon."""


HIDDEN_STAGES = (Stage.GONE, Stage.AGAIN)
"""Stages that are hidden from users, because the outcome of the email is not known yet."""


class DeadLetterKind(StrEnum):
    """The reason of a dead letter, or of the failed preview of a file. Each kind has one stage, except `NOT_AN_EMAIL`."""

    UNREADABLE = "unreadable"
    """Exchange cannot return the email, or fails repeatedly because of it."""
    NESTED_TOO_DEEP = "nested_too_deep"
    """The parts of the email are nested deeper than the limit."""
    NO_DATE = "no_date"
    """The email has neither a date nor a time of arrival."""
    NO_EMAIL = "no_email"
    """A file that a user previews is not an email."""
    UNREADABLE_FILE = "unreadable_file"
    """A file that a user previews cannot be read."""
    NOT_CONVERTIBLE = "not_convertible"
    """Stored by an older version: the email could not be converted, for a reason that is no longer in use."""
    CONVERSION_DEADLINE = "conversion_deadline"
    """The conversion took longer than `CONVERSION_DEADLINE`."""
    CONVERSION_FAILED = "conversion_failed"
    """The conversion failed, because of a fault of this product or of a library, or because the memory was exhausted."""
    REFUSED = "refused"
    """Re:infer refuses this email, but not other emails, or fails repeatedly because of it."""
    ENDED_WORKERS = "ended_workers"
    """Workers ended while they processed the email."""
    VANISHED = "vanished"
    """Exchange listed the email, but does not find it when it is fetched."""
    NOT_AN_EMAIL = "not_an_email"
    """The returned content is no email: see `conversion.mime.head`. Before the third attempt, the stage is `AGAIN`."""

    @property
    def stage(self) -> Stage:
        """Return the stage of the kind; for `NOT_AN_EMAIL`, the stage from the third attempt on."""
        return _STAGES.get(self, Stage.TRANSFORM)


_STAGES = {
    DeadLetterKind.UNREADABLE: Stage.FETCH,
    DeadLetterKind.CONVERSION_DEADLINE: Stage.DEADLINE,
    DeadLetterKind.REFUSED: Stage.PUSH,
    DeadLetterKind.ENDED_WORKERS: Stage.WORKER,
    DeadLetterKind.VANISHED: Stage.GONE,
    DeadLetterKind.NOT_AN_EMAIL: Stage.FETCH,
}
"""The stages of all kinds that are not at stage `TRANSFORM`."""
