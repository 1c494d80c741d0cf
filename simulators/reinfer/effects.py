"""The effects of scripted faults on a call of the API.

There are three kinds of `Effect`, and a client must react differently to each kind. If the field `instead` is set, the data
is not stored. If only `delivery` is set, the data is stored, and the response is lost or late. If `change_request` or
`change_response` is set, the response is a success, but incomplete or wrong.
"""

from __future__ import annotations

import inspect
import json
from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from typing import Any

from simulators.http import Delivery, Request, Response
from simulators.reinfer.responses import as_json, error, ok

_FOR_EVER = 24 * 3600.0
_COUNTS = ("new", "updated", "unchanged", "updated_properties_only", "updated_text_changed")


@dataclass(frozen=True, slots=True)
class Effect:
    instead: Response | None = None
    delivery: Delivery | None = None
    change_request: Callable[[Request], Request] | None = None
    """Changes the request before the API handles it."""
    change_response: Callable[[Response], Response] | None = None
    """Changes the response of the API."""

    def on(self, answer: Callable[[Request], Response], request: Request) -> Response:
        """The response with this effect. `answer` handles the request. If `instead` is set, `answer` is not called."""
        response = self.instead or answer(self.change_request(request) if self.change_request else request)
        response = self.change_response(response) if self.change_response else response
        return replace(response, delivery=self.delivery) if self.delivery else response


def busy(retry_after: str | float | None = None) -> Effect:
    """429: too many requests, with or without `Retry-After` (seconds, or a date as a string)."""
    headers = () if retry_after is None else (("Retry-After", str(retry_after)),)
    return Effect(error(429, "You are uploading too fast", headers))


def failure(status: int = 500, message: str = "Something went wrong") -> Effect:
    """A 4xx or 5xx with the JSON of Re:infer's errors, such as 409, 422, 500 or 503."""
    return Effect(error(status, message))


def bad_gateway(status: int = 502) -> Effect:
    """HTML, as from a gateway in front of Re:infer; no data is stored."""
    page = b"<html><head><title>502 Bad Gateway</title></head><body><h1>502 Bad Gateway</h1></body></html>"
    return Effect(Response(status=status, body=page, content_type="text/html"))


def hang(seconds: float = _FOR_EVER) -> Effect:
    """No response is sent, and no data is stored. The connection closes after `seconds`."""
    return Effect(Response(status=500), Delivery(hang=seconds, drop_after=0))


def drop() -> Effect:
    """The connection closes without a response, and no data is stored."""
    return Effect(Response(status=500), Delivery(drop_after=0))


def taken_then_dropped() -> Effect:
    """The data is stored, then the connection closes without a response."""
    return Effect(delivery=Delivery(drop_after=0))


def taken_then_hang(seconds: float = _FOR_EVER) -> Effect:
    """The data is stored. The response is sent after `seconds`."""
    return Effect(delivery=Delivery(hang=seconds))


def cut(at: int = 10) -> Effect:
    """The data is stored. The connection closes after `at` bytes of the response body, or after 1 byte if `at` is less."""
    return Effect(delivery=Delivery(drop_after=max(1, at)))


def drip(rate: int = 1) -> Effect:
    """The data is stored. The response body is sent at `rate` bytes per second."""
    return Effect(delivery=Delivery(drip=rate))


def error_as_ok() -> Effect:
    """200 with `status: error`, and no data is stored."""
    return Effect(as_json({"status": "error", "message": "Something went wrong"}))


def ok_as_error(status: int = 400) -> Effect:
    """A 4xx or 5xx with `status: ok`, and no data is stored."""
    return Effect(replace(ok(), status=status))


def empty(status: int = 200) -> Effect:
    """An empty body; no data is stored."""
    return Effect(Response(status=status))


def garbage() -> Effect:
    """200 with truncated JSON; no data is stored."""
    return Effect(Response(body=b'{"status": "ok", "new": '))


def bomb(megabytes: int = 64) -> Effect:
    """200 with a body of many spaces, which gzip compresses to less than 1 %; no data is stored."""
    return Effect(Response(body=b'{"status": "ok"' + b" " * (megabytes * 1024 * 1024) + b"}"))


def redirect(location: str = "https://login.example/", status: int = 302) -> Effect:
    """A redirect to a login page; no data is stored."""
    return Effect(Response(status=status, headers=(("Location", location),)))


def quota(status: int = 403) -> Effect:
    """The quota of the tenant is exhausted. The vendor publishes the name of the quota, but not the text of the error."""
    return Effect(error(status, "Quota exceeded: comments_per_source (hard limit reached)"))


def token_revoked() -> Effect:
    """401, as after a new token was created for the same user."""
    return Effect(error(401, "Invalid or missing API token"))


def forbidden() -> Effect:
    """403, as after a permission was removed."""
    return Effect(error(403, "The permission sources-add-comments is missing"))


def uncounted() -> Effect:
    """All data is stored. The response has no counts, as in the first published description of `sync`."""
    return Effect(change_response=_without_counts)


def miscounted(by: int = -1) -> Effect:
    """All data is stored. `by` is added to the first count that is not 0. The result is not less than 0."""
    return Effect(change_response=lambda response: _miscounted(response, by))


def loses_one(at: int = 0, counted: str = "yes") -> Effect:
    """Success, but the comment at index `at` is not stored.

    With `counted` "yes", the response has the counts of the other comments. With "no", the response has no counts. Raises
    `ValueError` for any other value.
    """
    if counted not in ("yes", "no"):
        raise ValueError("counted must be yes or no")
    return Effect(
        change_request=lambda request: _without_one(request, at),
        change_response=_without_counts if counted == "no" else None,
    )


def _without_one(request: Request, at: int) -> Request:
    """The request without one comment. A body without comments, or with an invalid list, is unchanged."""
    try:
        body = json.loads(request.body)
        comments = body["comments"]
        comments.pop(at % len(comments))
    except (ValueError, TypeError, KeyError, AttributeError, ZeroDivisionError):
        return request
    return replace(request, body=json.dumps(body).encode())


def _without_counts(response: Response) -> Response:
    return _with_json(response, lambda body: {key: value for key, value in body.items() if key not in _COUNTS})


def _miscounted(response: Response, by: int) -> Response:
    def changed(body: dict[str, Any]) -> dict[str, Any]:
        name = next((key for key in _COUNTS if body.get(key)), None)
        return body if name is None else {**body, name: max(0, body[name] + by)}

    return _with_json(response, changed)


def _with_json(response: Response, change: Callable[[dict[str, Any]], dict[str, Any]]) -> Response:
    """Apply `change` to the JSON of a successful response. Other responses are unchanged."""
    if response.status != 200 or response.content_type != "application/json":
        return response
    body = json.loads(response.body)
    return replace(response, body=json.dumps(change(body), ensure_ascii=False).encode())


EFFECTS: Mapping[str, Callable[..., Effect]] = {
    function.__name__.replace("_", "-"): function
    for function in (
        busy, failure, bad_gateway, hang, drop, taken_then_dropped, taken_then_hang, cut, drip, error_as_ok,
        ok_as_error, empty, garbage, bomb, redirect, quota, token_revoked, forbidden, uncounted, miscounted, loses_one,
    )
}  # fmt: skip
"""Effects by the names that the control endpoint uses."""


def make_effect(name: str, options: Mapping[str, Any]) -> Effect:
    """Make an effect by its name.

    Raises `ValueError` with the valid names if the effect or an option is unknown, `TypeError` for an option of a wrong type.
    """
    if name not in EFFECTS:
        raise ValueError(f"effect must be one of {', '.join(EFFECTS)}")
    known = inspect.signature(EFFECTS[name]).parameters
    for option, value in options.items():
        if option not in known:
            raise ValueError(f"{name} has no option {option}; its options: {', '.join(known) or 'none'}")
        usual = known[option].default
        kinds = (str, int, float) if usual is None else (str,) if isinstance(usual, str) else (int, float)
        if not isinstance(value, kinds):
            raise TypeError(f"{option} must be {'text' if kinds == (str,) else 'a number'}")
    return EFFECTS[name](**options)
