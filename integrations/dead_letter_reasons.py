"""Why a single email can be set aside, as kinds: what is stored, grouped and filtered by. Their words are in the catalogue."""

from __future__ import annotations

from enum import StrEnum


class Stage(StrEnum):
    """How far an email came. What is told of it may change; these values are stored and part of the API."""

    FETCH = "fetch"
    TRANSFORM = "transform"
    DEADLINE = "deadline"
    """Making a comment of it took longer than `CONVERSION_DEADLINE`. Tried again by hand or by a newer transform, and
    never by the clock, since each try takes the whole deadline."""
    PUSH = "push"
    WORKER = "worker"
    """A worker ended while it had the email in hand."""
    GONE = "gone"
    """Exchange listed it and could not find it a moment later. Nobody needs to be told: it is looked for a few times more, and
    then taken for deleted."""
    AGAIN = "again"
    """What came in its place was no email, once or twice. Nobody needs to be told yet: it is asked for again soon."""


UNTOLD = (Stage.GONE, Stage.AGAIN)
"""Stages of which nobody is told: what becomes of the email is not known yet."""


class DeadLetterKind(StrEnum):
    """Each belongs to one stage."""

    UNREADABLE = "unreadable"
    """Exchange cannot hand it out, or fails over it again and again."""
    NESTED_TOO_DEEP = "nested_too_deep"
    NO_DATE = "no_date"
    NO_EMAIL = "no_email"
    """Only of a file that somebody previews."""
    UNREADABLE_FILE = "unreadable_file"
    """Only of a file that somebody previews."""
    NOT_CONVERTIBLE = "not_convertible"
    """Of an older version: a reason for which it makes no comment, and that is not known any more."""
    CONVERSION_DEADLINE = "conversion_deadline"
    CONVERSION_FAILED = "conversion_failed"
    """A fault of ours, or of a library."""
    REFUSED = "refused"
    """Re:infer refuses it alone, or fails over it again and again."""
    ENDED_WORKERS = "ended_workers"
    VANISHED = "vanished"
    NOT_AN_EMAIL = "not_an_email"
    """What comes in its place is no email: see `conversion.mime.head`. At the stage `again` before the third attempt."""

    @property
    def stage(self) -> Stage:
        return _STAGES.get(self, Stage.TRANSFORM)


_STAGES = {
    DeadLetterKind.UNREADABLE: Stage.FETCH,
    DeadLetterKind.CONVERSION_DEADLINE: Stage.DEADLINE,
    DeadLetterKind.REFUSED: Stage.PUSH,
    DeadLetterKind.ENDED_WORKERS: Stage.WORKER,
    DeadLetterKind.VANISHED: Stage.GONE,
    DeadLetterKind.NOT_AN_EMAIL: Stage.FETCH,
}
"""Of all but those that say why an email makes no comment."""
