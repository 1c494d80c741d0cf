"""Where an unforeseen error happened: enough to find the fault, and nothing of what was being worked on. Pure."""

from __future__ import annotations

OURS = frozenset(
    (
        *("access", "api", "config", "conversion", "integrations", "mailboxes", "notifications", "operations"),
        *("sync", "web"),
    )
)
"""The packages of this product."""
AROUND = "conversion.deadline."
"""What only runs a conversion and ends it: never the place of a fault."""


def place_of(error: BaseException) -> str:
    """Module and line of the innermost frame of our own code that was at work, as in `conversion.mime.headers:150`.
    Empty where there is none."""
    trace, place = error.__traceback__, ""
    while trace is not None:
        module = str(trace.tb_frame.f_globals.get("__name__", ""))
        if module.partition(".")[0] in OURS and not module.startswith(AROUND):
            place = f"{module}:{trace.tb_lineno}"
        trace = trace.tb_next
    return place
