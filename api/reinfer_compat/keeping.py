"""Values that Re:infer's client drops when it replaces an integration stay as they are. Pure.

The client reads an integration, drops every key that it does not have, and sends the rest back.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

UNKNOWN_TO_IT = ("meeting_messages", "delivery_reports")
"""Keys of a mailbox that the client drops."""
READ_BY_IT = {
    "application": ("kind", "tenant_id", "client_id"),
    "access": ("kind", "username"),
}
"""Keys of a connection that the client reads, by their object."""


def with_what_is_kept(wanted: Mapping[str, Any], stored: Mapping[str, Any], shown: Mapping[str, Any]) -> dict[str, Any]:
    """Add the values that the client dropped to its document.

    Args:
        wanted: The document that the client sent. Parts of another type are left unchanged.
        stored: The stored integration as exported.
        shown: The stored integration as the client received it.

    Returns:
        The document with the stored values.
    """
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
    """Return what the client makes of a connection. A connection with further keys equals no other."""
    parts: dict[str, Any] = {}
    for part, known in READ_BY_IT.items():
        value = connection.get(part)
        if not isinstance(value, dict) or set(value) - set(known):
            return object()
        parts[part] = value
    rest = {key: connection.get(key) for key in ("ews_endpoint", "build_version") if connection.get(key)}
    return parts, rest
