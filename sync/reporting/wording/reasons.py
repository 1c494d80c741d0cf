"""Explain why an email failed, a folder is left out, or another error occurred."""

from __future__ import annotations

from integrations import catalogue
from sync.models import DeadLetter


def explained(email: DeadLetter) -> catalogue.CatalogueEntry:
    """Return the catalogue entry of a failed email: what happened, and what to do.

    Args:
        email: The dead letter.

    Returns:
        The entry.
    """
    return catalogue.dead_letter_entry(email.kind, email.stage)


def error_explained(kind: str) -> catalogue.CatalogueEntry | None:
    """Return the catalogue entry of an error.

    Args:
        kind: The kind of the error.

    Returns:
        The entry; None for an unknown kind.
    """
    return catalogue.entry_of(kind)
