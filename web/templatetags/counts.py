"""A function of `sync.reporting.wording.counts` as a template filter."""

from django import template

from sync.reporting.wording import counts

register = template.Library()
register.filter(counts.grouped)
