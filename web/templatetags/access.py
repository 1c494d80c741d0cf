"""Buttons that are not there for who may not press them."""

from typing import Any

from django import template

from access.table import allows

register = template.Library()


@register.simple_tag(takes_context=True)
def allowed(context: Any, url: str) -> bool:
    """Whether the reader of this page may follow an address of ours."""
    return allows(url, context["request"].user)
