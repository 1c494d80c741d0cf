"""The results of operations."""

from __future__ import annotations

from dataclasses import dataclass

from access import history
from access.history import NO_SUBJECT, Changes, Subject
from integrations.diagnosis import DiagnosisStep
from operations.actor import Actor


@dataclass(frozen=True, slots=True)
class Finding:
    """The result of a test or an estimate.

    Attributes:
        ok: Whether everything worked.
        text: The result as sentences for the admin.
        steps: The steps of a connection test; empty for other tests and for estimates.
        kind: The kind of the error; empty if there was none, or if its kind is not known.
    """

    ok: bool
    text: str
    steps: tuple[DiagnosisStep, ...] = ()
    kind: str = ""

    @property
    def outcome(self) -> str:
        """The outcome for the audit log: the failed step and the kind of its error, without the error text."""
        failed = next((f" at {step.name}" for step in self.steps if not step.ok), "")
        return "it works" if self.ok else f"failed{failed}: {self.kind or 'unknown'}"


@dataclass(frozen=True, slots=True)
class ActionRefused:
    """The reason why an action was not done. Pages show the text as an error; the API responds with 422, or 409 for a switch.

    Attributes:
        text: The reason, as sentences for the admin.
    """

    text: str


def recorded(actor: Actor, text: str, about: Subject = NO_SUBJECT, changes: Changes = ()) -> str:
    """Record an action in the audit log, and return its text.

    Args:
        actor: Who acts.
        text: What was done, as sentences.
        about: The object of the action.
        changes: Field, value before, value after.

    Returns:
        The text, for the admin.
    """
    history.record(actor.name, text, about=about, changes=changes)
    return text
