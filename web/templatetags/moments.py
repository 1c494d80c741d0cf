"""Functions of `sync.reporting.wording.moments` as template filters."""

from django import template

from sync.reporting.wording import moments

register = template.Library()
register.filter(moments.moment)
register.filter(moments.exactly)
register.filter(moments.took)
register.filter(moments.lasting)
