"""Examples of request bodies in the OpenAPI schema."""

from __future__ import annotations

from typing import Any

from drf_spectacular.utils import OpenApiExample

_MAILBOXES = [
    {
        "email": "trades@bank.example",
        "enabled": True,
        "start_timestamp": "2026-01-01T00:00:00Z",
        "folder_denylist": [["Inbox", "Private"]],
        "participant_domain_denylist": ["newsletter.example"],
        "bucket_specification": {"project_name": "bank", "name": "trades", "title": "Trades"},
    }
]
_SERVER: dict[str, Any] = {
    "application": {"kind": "ntlm"},
    "access": {"kind": "user_access", "username": "BANK\\svc-reinfer", "password": "…"},
    "microsoft_api": {"kind": "ews"},
    "ews_endpoint": "https://mail.bank.example/EWS/Exchange.asmx",
    "build_version": None,
}
_GRAPH: dict[str, Any] = {
    "application": {
        "kind": "private_key",
        "tenant_id": "…",
        "client_id": "…",
        "thumbprint": "…",
        "private_key": "-----BEGIN PRIVATE KEY-----…",
    },
    "access": {"kind": "app_access"},
    "microsoft_api": {"kind": "graph"},
}
_ONLINE: dict[str, Any] = {
    "application": {"kind": "custom", "tenant_id": "…", "client_id": "…", "client_secret": "…"},
    "access": {"kind": "app_access"},
    "microsoft_api": {"kind": "ews"},
    "ews_endpoint": None,
}


def _example(name: str, connection: dict[str, Any], **settings: Any) -> OpenApiExample:
    configuration = {"connection": connection, "settings": settings, "mailboxes": _MAILBOXES}
    value = {"title": "Trading floor", "enabled": True, "configuration": configuration}
    return OpenApiExample(name, value=value, request_only=True)


INTEGRATIONS = [
    _example("Exchange Server with a service account", _SERVER, access="impersonation", tls_minimum="1.2"),
    _example("Exchange Online via Graph, with a certificate", _GRAPH),
    _example("Exchange Online via EWS, with a client secret", _ONLINE),
]


def _body(title: str, /, **value: Any) -> list[OpenApiExample]:
    return [OpenApiExample(title, value=value, request_only=True)]


DESTINATIONS = _body(
    "A tenant",
    name="Production",
    endpoint="https://cloud.uipath.com/bank/prod/reinfer_",
    token="…",  # noqa: S106
)
BUCKETS = _body("A bucket with a limit", destination=1, project_name="bank", name="trades", monthly_limit=50000)
LIMITS = _body("A new limit", monthly_limit=100000)
MAILBOXES = [OpenApiExample("A shared mailbox", value=_MAILBOXES[0], request_only=True)]
FILTERS = _body(
    "New filters", folder_denylist=[["Inbox", "Private"]], participant_domain_denylist=["newsletter.example"]
)
WEBHOOKS = _body(
    "Notifications that require an action",
    url="https://hooks.bank.example/exchange",
    secret="at least sixteen characters",  # noqa: S106
    events=["integration_disabled", "mailbox_disabled", "budget_reached"],
)
TOKENS = _body("For a CI job", name="Terraform", days=90)
SWITCHES = _body(
    "To a private cloud",
    endpoint="https://graph.cloud.example",
    authority="https://login.cloud.example",
    anyway=False,
)
