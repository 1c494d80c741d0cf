"""A template tag that hides buttons from users who may not use them."""

from typing import Any

from django import template

from access.table import allows

register = template.Library()


@register.simple_tag(takes_context=True)
def allowed(context: Any, url: str) -> bool:
    """Return whether the user of this page may open an address.

    Args:
        context: context of the template, with the request
        url: address of a page of this product

    Returns:
        True if the role of the user allows it.
    """
    return allows(url, context["request"].user)
