"""The scripted faults of Graph and their options.

- These replace the response: `error` (code, status, message, retry_after), `throttled` (retry_after, code), `status` (status,
  body, retry_after), `unauthorized`, `aadsts` (number; for the operation `token`).
- These affect how the response is sent, see `delivery_faults`: `hang` (seconds), `drip` (rate), `drop` (bytes), `truncate`
  (bytes).
- `slow` (seconds) delays the response, except for `batch`, `token` and `discovery`. During this time the request counts as
  running for the limits.
- These are states of a message. `corrupt` (message_id or item_id, status, code, properties): a response that contains one of
  `properties` or the MIME fails. Without `properties`, every response with properties or MIME of the message fails. `page`
  (message_id or item_id, kind of `simulators.pages.KINDS`): `$value` returns a body of this kind instead of the MIME, with
  status 200.
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
    """The response that replaces the real response; None if the fault affects only when or how the real response is sent."""
    options = rule.options
    headers = retry_after_header(options.get("retry_after"))
    match rule.effect:
        case "error":
            text = str(options.get("message", ""))
            return Refused(options["code"], text, status=options.get("status", 0), headers=headers).response(operation)
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
    """Raises `Refused` if one of the properties in `shown` is corrupt. An empty `shown` means all properties."""
    for rule in faults.lasting_rules("corrupt"):
        if _is_about(rule, item) and rule.matches(operation, mailbox.address):
            broken = set(rule.options.get("properties", ()))
            if (not broken or not shown or broken & set(shown)) and faults.applies(rule):
                status = rule.options.get("status", 500)
                usual = "UnknownError" if status == 504 else "ErrorInternalServerError"
                raise Refused(rule.options.get("code", usual), status=status)


def handed_out(faults: Faults, mailbox: Mailbox, item: Item, mime: bytes) -> bytes:
    """The MIME of a message, or the body with which a fault replaces the MIME."""
    for rule in faults.lasting_rules("page"):
        if _is_about(rule, item) and rule.matches("mime", mailbox.address) and faults.applies(rule):
            return pages.replacement_body(mime, rule.options["kind"])
    return mime


def _is_about(rule: Rule, item: Item) -> bool:
    named = rule.options.get("item_id"), rule.options.get("message_id")
    return item.id == named[0] or (named[1] is not None and item.mail.message_id == named[1])
