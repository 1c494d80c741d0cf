"""Why an email was set aside or a folder is left out, in words."""

from __future__ import annotations

from integrations import catalogue
from sync.models import SetAsideEmail


def explained(email: SetAsideEmail) -> catalogue.Entry:
    """Its entry in the catalogue: what happened, and what to do."""
    return catalogue.set_aside_entry(email.kind, email.stage)


def error_explained(kind: str) -> catalogue.Entry | None:
    """The entry of an error in the catalogue."""
    return catalogue.entry_of(kind)
