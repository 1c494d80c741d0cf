"""Functions of `sync.reporting.wording.reasons` as template filters."""

from django import template

from sync.reporting.wording import reasons

register = template.Library()
register.filter(reasons.explained)
register.filter(reasons.error_explained)
