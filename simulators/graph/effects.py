"""What the scripted faults of Graph do to an answer.

Instead of it: `error` (code, status, message, retry_after), `throttled` (retry_after, code), `status` (status, body,
retry_after), `unauthorized`, `aadsts` (number; for the operation `token`). After it: `hang` (seconds), `drip` (rate),
`drop` (bytes), `truncate` (bytes). Around it: `slow` (seconds), which keeps a place within the limits for so long.
`corrupt` (message_id or item_id, status, code, properties) is a state of a message: whatever shows it fails, if it shows
one of these properties; without any named, always. `page` (message_id or item_id, kind of `simulators.pages.KINDS`) is
another: `$value` is answered by that page, with status 200.
"""

from __future__ import annotations

from collections.abc import Collection

from simulators import pages
from simulators.exchange.store import Item, Mailbox
from simulators.faults import Faults, Rule
from simulators.graph.entra import refusal
from simulators.graph.errors import Refused
from simulators.graph.throttle import retry_after_header
from simulators.http import Response

STATES = ("corrupt", "page")


def before(rule: Rule, operation: str) -> Response | None:
    """The answer that the fault gives instead of the real one; None where it only spoils the real one."""
    options = rule.options
    headers = retry_after_header(options.get("retry_after"))
    match rule.effect:
        case "error":
            told = str(options.get("message", ""))
            return Refused(options["code"], told, status=options.get("status", 0), headers=headers).response(operation)
        case "throttled":
            return Refused(str(options.get("code", "ApplicationThrottled")), headers=headers).response(operation)
        case "status":
            body = str(options.get("body", "<html>error</html>")).encode()
            return Response(options["status"], body, "text/html", headers, label=operation)
        case "unauthorized":
            text = "Lifetime validation failed, the token is expired."
            return Refused("InvalidAuthenticationToken", text).response(operation)
        case "aadsts":
            return refusal(options["number"])
    return None


def check_readable(faults: Faults, operation: str, mailbox: Mailbox, item: Item, shown: Collection[str]) -> None:
    """Raises `Refused` for a message that is corrupt in what is to be shown of it. None shown means all."""
    for rule in faults.standing("corrupt"):
        if _is_about(rule, item) and rule.matches(operation, mailbox.address):
            broken = set(rule.options.get("properties", ()))
            if (not broken or not shown or broken & set(shown)) and faults.strikes(rule):
                status = rule.options.get("status", 500)
                usual = "UnknownError" if status == 504 else "ErrorInternalServerError"
                raise Refused(rule.options.get("code", usual), status=status)


def handed_out(faults: Faults, mailbox: Mailbox, item: Item, mime: bytes) -> bytes:
    """A message's MIME, or the page that stands in its place."""
    for rule in faults.standing("page"):
        if _is_about(rule, item) and rule.matches("mime", mailbox.address) and faults.strikes(rule):
            return pages.in_place_of(mime, rule.options["kind"])
    return mime


def _is_about(rule: Rule, item: Item) -> bool:
    named = rule.options.get("item_id"), rule.options.get("message_id")
    return item.id == named[0] or (named[1] is not None and item.mail.message_id == named[1])
