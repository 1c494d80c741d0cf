"""The routes of Graph: operations by method and path. The path is split before it is decoded, so `%2F` is no separator.

Graph accepts a key as a segment or in brackets (`mailFolders/inbox`, `mailFolders('inbox')`). In the links of Graph, keys are
in brackets.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass, replace
from urllib.parse import unquote

from simulators.graph.errors import Refused

VERSION = "v1.0"
KEYED = re.compile(r"\A([A-Za-z]+)\('(.*)'\)\Z")
DELTA = {"delta", "delta()", "microsoft.graph.delta", "microsoft.graph.delta()"}


@dataclass(frozen=True, slots=True)
class Call:
    """An operation with the keys of its path. `user` is an address, a user id or `me`."""

    operation: str
    user: str = ""
    folder: str = ""
    message: str = ""
    attachment: str = ""


def find_call(method: str, path: str) -> Call:
    """The operation of a request. Raises `Refused` for an unknown path, version or method."""
    version, *parts = _segments(path)
    if version != VERSION:
        raise Refused("BadRequest", f"Invalid version: {version}.")
    if parts == ["$batch"]:
        return _only("POST", method, Call("batch"))
    match parts:
        case [users, user, *rest] if users.casefold() == "users":
            return _only("GET", method, _of_user(user, rest))
        case [me, *rest] if me.casefold() == "me":
            return _only("GET", method, _of_user("me", rest))
    raise _no_segment(parts)


def _of_user(user: str, parts: Sequence[str]) -> Call:
    kinds = [part.casefold() for part in parts]
    match kinds:
        case []:
            return Call("user", user)
        case ["mailfolders"]:
            return Call("list-folders", user)
        case ["mailfolders", delta] if delta in DELTA:
            return Call("folders-delta", user)
        case ["mailfolders", _]:
            return Call("folder", user, parts[1])
        case ["mailfolders", _, "childfolders"]:
            return Call("child-folders", user, parts[1])
        case ["mailfolders", _, "messages", *_]:
            return _of_messages(user, parts[1], parts[3:])
        case ["messages", *_]:
            return _of_messages(user, "", parts[1:])
    raise _no_segment(parts)


def _of_messages(user: str, folder: str, parts: Sequence[str]) -> Call:
    match parts:
        case []:
            return Call("messages", user, folder)
        case [delta] if delta.casefold() in DELTA:
            if folder:
                return Call("messages-delta", user, folder)
            text = "Unsupported request: Change tracking is not supported against 'microsoft.graph.message'."
            raise Refused("ErrorInvalidRequest", text)
        case ["$count"]:
            return Call("messages-count", user, folder)
        case [message]:
            return Call("message", user, folder, message)
        case [message, "$value"]:
            return Call("mime", user, folder, message)
        case [message, attachments, *rest] if attachments.casefold() == "attachments":
            return _of_attachments(Call("attachments", user, folder, message), rest)
    raise _no_segment(parts)


def _of_attachments(call: Call, parts: Sequence[str]) -> Call:
    match parts:
        case []:
            return call
        case [attachment]:
            return replace(call, operation="attachment", attachment=attachment)
        case [attachment, "$value"]:
            return replace(call, operation="attachment-value", attachment=attachment)
    raise _no_segment(parts)


def _segments(path: str) -> list[str]:
    found: list[str] = []
    for part in path.strip("/").split("/"):
        text = unquote(part)
        keyed = KEYED.match(text)
        found += [keyed[1], keyed[2]] if keyed else [text]
    return found


def _only(allowed: str, method: str, call: Call) -> Call:
    """Return `call` for the allowed method. Raises `Refused` for other methods: no account may write."""
    if method == allowed:
        return call
    if method in ("POST", "PATCH", "PUT", "DELETE"):
        raise Refused("ErrorAccessDenied")
    raise Refused("BadRequest", f"{method} is not allowed here.", status=405)


def _no_segment(parts: Sequence[str]) -> Refused:
    return Refused("BadRequest", f"Resource not found for the segment '{parts[-1] if parts else ''}'.")
