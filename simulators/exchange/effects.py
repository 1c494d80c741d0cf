"""What the scripted faults of the Exchange do to an answer.

`busy` (how=fault|503|nested, back_off=ms, hint_first), `status` (status, body), `disabled` (403), `unauthorized`, `hang`
(seconds), `drip` (rate), `drop` (bytes), `truncate` (bytes), `invalid-state` (bare) and `item` (code, item_id or
message_id): the last two are states of the store and are looked at where they matter.
"""

from __future__ import annotations

from simulators.exchange.soap import ItemFault, SoapFault, envelope, failure, fault
from simulators.faults import Rule
from simulators.http import Response

STATES = ("item", "invalid-state")
XML = "text/xml; charset=utf-8"


def before(rule: Rule, operation: str, version: str) -> Response | None:
    """The answer that the fault gives instead of the real one; None where it only spoils the real one."""
    options = rule.options
    match rule.effect:
        case "busy":
            return _busy(options.get("how", "fault"), options, operation, version)
        case "status":
            return Response(options["status"], str(options.get("body", "<html>error</html>")).encode(), "text/html")
        case "disabled":
            return Response(403, b"EWS is disabled", "text/plain", label=operation)
        case "unauthorized":
            return Response(401, b"", headers=(("WWW-Authenticate", "NTLM"),), label=operation)
        case "fault":
            return Response(500, fault(SoapFault(options["code"], options["code"])), XML, label=operation)
    return None


def _busy(how: str, options: object, operation: str, version: str) -> Response:
    assert isinstance(options, dict)
    text = "The server cannot service this request right now. Try again later."
    back_off = options.get("back_off", 1000)
    if how == "503":
        return Response(503, b"Service Unavailable", "text/plain", label=operation)
    if how == "nested":
        code = '<t:Value Name="InnerErrorResponseCode">ErrorServerBusy</t:Value>'
        hint = f'<m:MessageXml>{code}<t:Value Name="BackOffMilliseconds">{back_off}</t:Value></m:MessageXml>'
        inner = failure(operation, ItemFault("ErrorInternalServerError", text), message_xml=hint)
        return Response(200, envelope(operation, inner, version), XML, label=operation)
    error = SoapFault("ErrorServerBusy", text, back_off=back_off, back_off_first=options.get("hint_first", True))
    return Response(500, fault(error), XML, label=operation)
