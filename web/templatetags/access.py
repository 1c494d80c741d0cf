"""A template tag with which templates hide buttons from users who may not use them."""

from typing import Any

from django import template

from access.table import allows

register = template.Library()


@register.simple_tag(takes_context=True)
def allowed(context: Any, url: str) -> bool:
    """Return whether the user of this page may open a URL.

    Args:
        context: context of the template, with the request
        url: URL of a page of this product

    Returns:
        True if the user has the permission for the URL.
    """
    return allows(url, context["request"].user)
