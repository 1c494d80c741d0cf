"""The scripted faults of Exchange and their options.

- These replace the response: `busy` (how=fault|inner|503|nested, back_off=ms, hint_first, status), `status` (status, body),
  `disabled`, `unauthorized` (offers), `fault` (code).
- These affect how the response is sent, see `delivery_faults`: `hang` (seconds), `drip` (rate), `drop` (bytes), `truncate`
  (bytes).
- These are lasting states, which `operations` applies. `times` and `after` can limit an `item`, but not an `invalid-state`.
  `item` (code, item_id or message_id): GetItem returns this error code for the item. If `code` is `broken-base64`,
  `unknown-element` or `control-character`, the item is malformed. If `code` is one of `simulators.pages.KINDS`, a body of this
  kind replaces the MIME of the item. `invalid-state` (bare): if `bare` is true, the error response to a SyncFolderHierarchy or
  SyncFolderItems contains no sync state.
"""

from __future__ import annotations

from simulators.exchange.signin import SCHEMES_ON_PREMISES
from simulators.exchange.soap import ItemFault, SoapFault, envelope, failure, fault
from simulators.faults import Rule
from simulators.http import Response

STATES = ("item", "invalid-state")
XML = "text/xml; charset=utf-8"


def before(rule: Rule, operation: str, version: str) -> Response | None:
    """The response that replaces the real one; None if the fault affects only how the real response is sent."""
    options = rule.options
    match rule.effect:
        case "busy":
            return _busy(options.get("how", "fault"), options, operation, version)
        case "status":
            return Response(options["status"], str(options.get("body", "<html>error</html>")).encode(), "text/html")
        case "disabled":
            return Response(403, b"EWS is disabled", "text/plain", label=operation)
        case "unauthorized":
            usual = ('Bearer realm=""',) if version.startswith("15.20.") else SCHEMES_ON_PREMISES
            headers = tuple(("WWW-Authenticate", offer) for offer in options.get("offers", usual))
            return Response(401, b"", headers=headers, label=operation)
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
    inner = "ErrorServerBusy" if how == "inner" else ""
    code = "ErrorInternalServerError" if inner else "ErrorServerBusy"
    error = SoapFault(code, text, back_off=back_off, back_off_first=options.get("hint_first", True), inner=inner)
    return Response(options.get("status", 500), fault(error), XML, label=operation)
