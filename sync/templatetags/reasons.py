"""Why an email was set aside, in words."""

from __future__ import annotations

from django import template

from integrations import catalogue
from sync.models import SetAsideEmail

register = template.Library()


@register.filter
def explained(email: SetAsideEmail) -> catalogue.Entry:
    """Its entry in the catalogue: what happened, and what to do."""
    return catalogue.set_aside_entry(email.kind, email.stage)
