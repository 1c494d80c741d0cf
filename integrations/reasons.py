"""Why an email was set aside, in a sentence for an admin. What is remembered of it is a code or the other side's words."""

from __future__ import annotations

from integrations.bidi import closed
from integrations.catalogue import entry_of

CODES = {
    "ErrorMimeContentConversionFailed": "Exchange cannot render this email.",
    "ErrorContentConversionFailed": "Exchange cannot render this email.",
    "ErrorItemCorrupt": "The email is damaged in Exchange.",
    "ErrorCorruptData": "The email is damaged in Exchange.",
    "ErrorMessageSizeExceeded": "The email is larger than Exchange hands out.",
    "ErrorAccessDenied": "Exchange does not hand this email out to the account.",
    "ErrorInternalServerError": "Exchange fails over this email.",
    "ErrorBatchProcessingStopped": "Exchange stops at this email.",
    "no MIME content": "Exchange hands this email out empty.",
    "broken MIME content": "Exchange hands this email out damaged.",
}
WORKER = "A worker ended while it worked on this email."
FETCHING = "Exchange cannot hand this email out."
REFUSED = "Re:infer refused this comment."


def sentence(stage: str, reason: str) -> str:
    """What happened. `stage` and `reason` are those of the set-aside email; unknown codes are shown behind the sentence."""
    entry = entry_of(reason)
    if entry is not None:
        return entry.text
    if reason in CODES:
        return f"{CODES[reason]} ({reason})"
    match stage:
        case "transform":
            words = reason.partition(": ")[2] or reason
            return f"No comment can be made of it: {closed(words)}."
        case "fetch":
            return f"{FETCHING} ({closed(reason)})"
        case "push":
            return closed(reason) if reason.startswith("Re:infer") else f"{REFUSED} ({closed(reason)})"
    return WORKER
