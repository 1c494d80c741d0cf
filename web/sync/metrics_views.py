"""`/metrics` for Prometheus: for clients with the token; if no token is set, only for clients on this machine."""

from __future__ import annotations

import ipaddress

from django.conf import settings
from django.contrib.auth.decorators import login_not_required
from django.http import HttpRequest, HttpResponse
from django.http.request import split_domain_port, validate_host
from django.utils import timezone
from django.utils.crypto import constant_time_compare
from django.views.decorators.http import require_safe
from prometheus_client.exposition import CONTENT_TYPE_LATEST

from sync.reporting import metrics
from web.probes import probe

FORWARDED = ("X-Forwarded-For", "Forwarded", "X-Real-IP")
REFUSED = "Send the METRICS_TOKEN of this installation as a bearer token.\n"
UNSET = "Set METRICS_TOKEN and send it as a bearer token: without a token, only this machine may read the metrics.\n"


@probe
@login_not_required
@require_safe
def prometheus(request: HttpRequest) -> HttpResponse:
    """Return all metrics in the text format of Prometheus.

    The metrics contain no secrets, addresses or mail, but they show how much mail each integration has.

    Args:
        request: the request

    Returns:
        The metrics, or 401 without the right token.
    """
    if not _is_allowed(request):
        text = REFUSED if settings.METRICS_TOKEN else UNSET
        response = HttpResponse(text, status=401, content_type="text/plain")
        response["WWW-Authenticate"] = "Bearer"
        return response
    return HttpResponse(metrics.exposition(timezone.now()), content_type=CONTENT_TYPE_LATEST)


def _is_allowed(request: HttpRequest) -> bool:
    if settings.METRICS_TOKEN:
        header = request.headers.get("Authorization", "")
        return constant_time_compare(header, f"Bearer {settings.METRICS_TOKEN}")
    # A request through a proxy on this machine has the address of this machine, so its sender is unknown.
    forwarded = settings.BEHIND_PROXY or any(name in request.headers for name in FORWARDED)
    return not forwarded and _is_loopback(request.META.get("REMOTE_ADDR", "")) and _names_this_machine(request)


def _names_this_machine(request: HttpRequest) -> bool:
    """Whether the Host of the request is a name or address of this machine.

    A foreign page whose name resolves to 127.0.0.1 can make a browser on this machine send requests to this server (DNS
    rebinding). Such a request has the name of the page as its Host. Probes are answered before Django compares the Host with
    ALLOWED_HOSTS, so this view compares it.
    """
    host, _ = split_domain_port(request.META.get("HTTP_HOST") or request.META.get("SERVER_NAME", ""))
    return host == "localhost" or _is_loopback(host) or validate_host(host, settings.ALLOWED_HOSTS)


def _is_loopback(address: str) -> bool:
    try:
        return ipaddress.ip_address(address.strip("[]")).is_loopback
    except ValueError:
        return False  # for example the empty address of a Unix socket, which usually a proxy uses
