"""The functions of `sync.reporting.wording.counts` as template filters."""

from django import template

from sync.reporting.wording import counts

register = template.Library()
register.filter(counts.grouped)
