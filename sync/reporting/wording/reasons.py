"""Why an email was set aside or a folder is left out, in words."""

from __future__ import annotations

from integrations import catalogue
from sync.models import DeadLetter


def explained(email: DeadLetter) -> catalogue.CatalogueEntry:
    """Its entry in the catalogue: what happened, and what to do."""
    return catalogue.set_aside_entry(email.kind, email.stage)


def error_explained(kind: str) -> catalogue.CatalogueEntry | None:
    """The entry of an error in the catalogue."""
    return catalogue.entry_of(kind)
