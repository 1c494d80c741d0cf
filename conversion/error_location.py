"""Location of an unexpected error in the code: module and line, without the values that were processed. Pure."""

from __future__ import annotations

PRODUCT_PACKAGES = frozenset(
    (
        *("access", "api", "config", "conversion", "integrations", "mailboxes", "notifications", "operations"),
        *("sync", "web"),
    )
)
"""Packages of this product."""
RUNNER_PREFIX = "conversion.deadline."
"""Prefix of the modules that run a conversion under a deadline. They are never the location of an error."""


def error_location(error: BaseException) -> str:
    """Return where in this product's code an error was raised.

    Args:
        error: The error with its traceback.

    Returns:
        Module and line of the innermost frame of this product, such as `conversion.mime.headers:150`; empty if the
        traceback has no such frame.
    """
    traceback, location = error.__traceback__, ""
    while traceback is not None:
        module = str(traceback.tb_frame.f_globals.get("__name__", ""))
        if module.partition(".")[0] in PRODUCT_PACKAGES and not module.startswith(RUNNER_PREFIX):
            location = f"{module}:{traceback.tb_lineno}"
        traceback = traceback.tb_next
    return location
