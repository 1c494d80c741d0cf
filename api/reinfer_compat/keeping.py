"""What the vendor's client cannot say is kept when it replaces an integration. Pure.

It reads an integration, drops every key that it does not know, and sends the rest back: what it dropped was not meant to be
undone.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

UNKNOWN_TO_IT = ("meeting_messages", "delivery_reports")
"""Keys of a mailbox."""
READ_BY_IT = {
    "application": ("kind", "tenant_id", "client_id"),
    "access": ("kind", "username"),
}


def with_what_is_kept(wanted: Mapping[str, Any], stored: Mapping[str, Any], shown: Mapping[str, Any]) -> dict[str, Any]:
    """The document with what the client left out because it does not know it. `stored`: the whole integration as exported;
    `shown`: as the client was told it. Parts that have not the right shape are left for who reads them."""
    found = {**({"title": stored["title"]} if stored.get("title") else {}), **wanted}
    configuration = wanted.get("configuration")
    if not isinstance(configuration, dict):
        return found
    kept = dict(configuration)
    connection = configuration.get("connection")
    if isinstance(connection, dict):
        before = shown["configuration"].get("connection")
        api = stored["configuration"]["connection"].get("microsoft_api")
        if before and _as_read(connection) == _as_read(before) and connection.get("microsoft_api", api) == api:
            kept.pop("connection")
        elif api:
            kept["connection"] = {"microsoft_api": api, **connection}
    there = {mailbox["email"].casefold(): mailbox for mailbox in stored["configuration"]["mailboxes"]}
    if isinstance(configuration.get("mailboxes"), list):
        kept["mailboxes"] = [_mailbox(entry, there) for entry in configuration["mailboxes"]]
    return {**found, "configuration": kept}


def _mailbox(entry: Any, there: Mapping[str, Mapping[str, Any]]) -> Any:
    if not isinstance(entry, dict) or not isinstance(entry.get("email"), str):
        return entry
    before = there.get(entry["email"].casefold(), {})
    return {**{key: before[key] for key in UNKNOWN_TO_IT if key in before}, **entry}


def _as_read(connection: Mapping[str, Any]) -> Any:
    """What the client makes of a connection. One that says more, a secret perhaps, is like no other."""
    parts: dict[str, Any] = {}
    for part, known in READ_BY_IT.items():
        value = connection.get(part)
        if not isinstance(value, dict) or set(value) - set(known):
            return object()
        parts[part] = value
    rest = {key: connection.get(key) for key in ("ews_endpoint", "build_version") if connection.get(key)}
    return parts, rest
