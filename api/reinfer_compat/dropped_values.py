"""Restore the values that Re:infer's client drops when it changes an integration. Pure functions.

The client reads an integration, drops all keys that it does not know, and sends the remaining keys back. Without this
module, each change that is made with the client would reset the dropped values.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

DROPPED_MAILBOX_KEYS = ("meeting_messages", "delivery_reports")
"""Keys of a mailbox that the client drops."""
KNOWN_CONNECTION_KEYS = {
    "application": ("kind", "tenant_id", "client_id"),
    "access": ("kind", "username"),
}
"""The keys that the client knows in the objects `application` and `access` of a connection."""


def restore_dropped_values(
    wanted: Mapping[str, Any], stored: Mapping[str, Any], shown: Mapping[str, Any]
) -> dict[str, Any]:
    """Return the document that the client sent, with the values that the client dropped.

    Args:
        wanted: The document that the client sent. Values of an unexpected type are not changed.
        stored: The stored integration, as exported.
        shown: The stored integration, in the format in which the client received it.

    Returns:
        The sent document with the dropped values. If the client did not change the connection, the result contains no
        connection, and the stored connection stays.
    """
    restored = {**({"title": stored["title"]} if stored.get("title") else {}), **wanted}
    configuration = wanted.get("configuration")
    if not isinstance(configuration, dict):
        return restored
    new_configuration = dict(configuration)
    connection = configuration.get("connection")
    if isinstance(connection, dict):
        before = shown["configuration"].get("connection")
        api = stored["configuration"]["connection"].get("microsoft_api")
        if before and _known_keys(connection) == _known_keys(before) and connection.get("microsoft_api", api) == api:
            new_configuration.pop("connection")
        elif api:
            new_configuration["connection"] = {"microsoft_api": api, **connection}
    stored_mailboxes = {mailbox["email"].casefold(): mailbox for mailbox in stored["configuration"]["mailboxes"]}
    if isinstance(configuration.get("mailboxes"), list):
        new_configuration["mailboxes"] = [_mailbox(entry, stored_mailboxes) for entry in configuration["mailboxes"]]
    return {**restored, "configuration": new_configuration}


def _mailbox(entry: Any, stored_mailboxes: Mapping[str, Mapping[str, Any]]) -> Any:
    if not isinstance(entry, dict) or not isinstance(entry.get("email"), str):
        return entry
    before = stored_mailboxes.get(entry["email"].casefold(), {})
    return {**{key: before[key] for key in DROPPED_MAILBOX_KEYS if key in before}, **entry}


def _known_keys(connection: Mapping[str, Any]) -> Any:
    """Return those keys of a connection that the client knows, with their values, for a comparison.

    If `application` or `access` has another key or is not an object, the result equals no other result.
    """
    parts: dict[str, Any] = {}
    for part, known in KNOWN_CONNECTION_KEYS.items():
        value = connection.get(part)
        if not isinstance(value, dict) or set(value) - set(known):
            return object()
        parts[part] = value
    others = {key: connection.get(key) for key in ("ews_endpoint", "build_version") if connection.get(key)}
    return parts, others
