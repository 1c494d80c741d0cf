"""The pages of the EWS site that are not EWS operations: the page of the service, and its description (WSDL)."""

from __future__ import annotations

from xml.sax.saxutils import escape

from simulators.exchange.soap import MESSAGES, TYPES
from simulators.http import Request, Response

FOLDER = "/ews/"
PATH = "/EWS/Exchange.asmx"
WSDL = "/EWS/Services.wsdl"
OPERATIONS = (
    "ConvertId", "FindFolder", "FindItem", "GetAttachment", "GetFolder", "GetItem", "GetServerTimeZones", "ResolveNames",
    "SyncFolderHierarchy", "SyncFolderItems",
)  # fmt: skip


def page(request: Request) -> Response | None:
    """The response to a request that is not an EWS operation; None for an EWS operation."""
    path = request.path.casefold()
    if path == WSDL.casefold():
        if request.method != "GET":
            return Response(405, b"Method not allowed", "text/plain", (("Allow", "GET"),), label="not-allowed")
        return Response(200, _wsdl(), "text/xml; charset=utf-8", label="wsdl")
    if path != PATH.casefold():
        return not_found()
    if request.method == "GET":
        return Response(200, _service_page(request.headers.get("Host") or ""), "text/html; charset=utf-8", label="page")
    return None


def not_found() -> Response:
    return Response(404, b"Not found", "text/plain", label="not-found")


def _service_page(host: str) -> bytes:
    """The page that the web server of Exchange returns for a service."""
    return (
        "<html><head><title>Service</title></head><body><h1>Service</h1><p>You have created a service.</p>"
        "<p>To test this service, you will need to create a client and use it to call the service.</p>"
        f"<pre>svcutil.exe https://{escape(host)}{WSDL}</pre></body></html>"
    ).encode()


def _wsdl() -> bytes:
    parts, operations = "", ""
    for name in OPERATIONS:
        parts += (
            f'<wsdl:message name="{name}SoapIn"><wsdl:part name="request" element="tns:{name}"/></wsdl:message>'
            f'<wsdl:message name="{name}SoapOut"><wsdl:part name="{name}Result" element="tns:{name}Response"/>'
            "</wsdl:message>"
        )
        operations += (
            f'<wsdl:operation name="{name}"><wsdl:input message="tns:{name}SoapIn"/>'
            f'<wsdl:output message="tns:{name}SoapOut"/></wsdl:operation>'
        )
    return (
        '<?xml version="1.0" encoding="utf-8"?><wsdl:definitions xmlns:wsdl="http://schemas.xmlsoap.org/wsdl/"'
        f' xmlns:tns="{MESSAGES}" xmlns:t="{TYPES}" targetNamespace="{MESSAGES}">{parts}'
        f'<wsdl:portType name="ExchangeServicePortType">{operations}</wsdl:portType></wsdl:definitions>'
    ).encode()
