"""What a scripted fault does to a call of the API: an answer instead of the real one, or a bad delivery of it.

The difference matters to a client. With `instead` nothing was taken; with `delivery` alone the data was taken, and
only the news of it is lost; with `taking` or `telling` the answer is a success, and not the whole truth.
"""

from __future__ import annotations

import inspect
import json
from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from typing import Any

from simulators.http import Delivery, Request, Response
from simulators.reinfer.answers import as_json, error, ok

_FOR_EVER = 24 * 3600.0
_COUNTS = ("new", "updated", "unchanged", "updated_properties_only", "updated_text_changed")


@dataclass(frozen=True, slots=True)
class Effect:
    instead: Response | None = None
    delivery: Delivery | None = None
    taking: Callable[[Request], Request] | None = None
    """What of the request is taken."""
    telling: Callable[[Response], Response] | None = None
    """What of the real answer is told."""

    def on(self, answer: Callable[[Request], Response], request: Request) -> Response:
        """The answer under this effect. `answer` does the real work, and is called only if the data is to be taken."""
        response = self.instead or answer(self.taking(request) if self.taking else request)
        response = self.telling(response) if self.telling else response
        return replace(response, delivery=self.delivery) if self.delivery else response


def busy(retry_after: str | float | None = None) -> Effect:
    """429: too many requests, with or without `Retry-After` (seconds, or a date as a string)."""
    headers = () if retry_after is None else (("Retry-After", str(retry_after)),)
    return Effect(error(429, "You are uploading too fast", headers))


def failure(status: int = 500, message: str = "Something went wrong") -> Effect:
    """A 4xx or 5xx in the envelope that it should have: 409, 500, 503, 422 …"""
    return Effect(error(status, message))


def bad_gateway(status: int = 502) -> Effect:
    """A gateway in between answers in HTML."""
    page = b"<html><head><title>502 Bad Gateway</title></head><body><h1>502 Bad Gateway</h1></body></html>"
    return Effect(Response(status=status, body=page, content_type="text/html"))


def hang(seconds: float = _FOR_EVER) -> Effect:
    """Nothing comes, nothing was taken; after that time the connection closes."""
    return Effect(Response(status=500), Delivery(hang=seconds, drop_after=0))


def drop() -> Effect:
    """The connection closes without an answer, and nothing was taken."""
    return Effect(Response(status=500), Delivery(drop_after=0))


def taken_then_dropped() -> Effect:
    """The data is taken, then the connection closes without an answer."""
    return Effect(delivery=Delivery(drop_after=0))


def taken_then_hang(seconds: float = _FOR_EVER) -> Effect:
    """The data is taken, and the answer comes only after that time."""
    return Effect(delivery=Delivery(hang=seconds))


def cut(at: int = 10) -> Effect:
    """The data is taken; the connection closes after so many bytes of the answer's body."""
    return Effect(delivery=Delivery(drop_after=max(1, at)))


def drip(rate: int = 1) -> Effect:
    """The data is taken; the answer's body comes at so many bytes per second."""
    return Effect(delivery=Delivery(drip=rate))


def error_as_ok() -> Effect:
    """200 with `status: error`, and nothing was taken."""
    return Effect(as_json({"status": "error", "message": "Something went wrong"}))


def ok_as_error(status: int = 400) -> Effect:
    """400 with `status: ok`, and nothing was taken."""
    return Effect(replace(ok(), status=status))


def empty(status: int = 200) -> Effect:
    """No body at all."""
    return Effect(Response(status=status))


def garbage() -> Effect:
    """200 with half a JSON text."""
    return Effect(Response(body=b'{"status": "ok", "new": '))


def bomb(megabytes: int = 64) -> Effect:
    """200 with an answer far larger than any honest one: spaces, which gzip makes small."""
    return Effect(Response(body=b'{"status": "ok"' + b" " * (megabytes * 1024 * 1024) + b"}"))


def redirect(location: str = "https://login.example/", status: int = 302) -> Effect:
    """Somebody put a login page in front."""
    return Effect(Response(status=status, headers=(("Location", location),)))


def quota(status: int = 403) -> Effect:
    """The tenant's quota is used up. The wording is ours: the vendor publishes the quota's name, not the sentence."""
    return Effect(error(status, "Quota exceeded: comments_per_source (hard limit reached)"))


def token_revoked() -> Effect:
    """401, as after somebody made a new token for the same user."""
    return Effect(error(401, "Invalid or missing API token"))


def forbidden() -> Effect:
    """403, as after somebody took a permission away."""
    return Effect(error(403, "The permission sources-add-comments is missing"))


def uncounted() -> Effect:
    """All is taken, and the answer has no counts: the first published description of `sync` knows none."""
    return Effect(telling=_without_counts)


def miscounted(by: int = -1) -> Effect:
    """All is taken, and the first count that is not 0 is wrong by so much."""
    return Effect(telling=lambda response: _miscounted(response, by))


def loses_one(at: int = 0, counted: str = "yes") -> Effect:
    """Success, although the comment at this place was dropped; the counts are those of the others, or missing ("no").

    Raises `ValueError` for anything else than yes or no.
    """
    if counted not in ("yes", "no"):
        raise ValueError("counted must be yes or no")
    return Effect(
        taking=lambda request: _without_one(request, at), telling=_without_counts if counted == "no" else None
    )


def _without_one(request: Request, at: int) -> Request:
    """A request whose body is no list of comments is left as it is: the API says what is wrong with it."""
    try:
        body = json.loads(request.body)
        comments = body["comments"]
        comments.pop(at % len(comments))
    except (ValueError, TypeError, KeyError, AttributeError, ZeroDivisionError):
        return request
    return replace(request, body=json.dumps(body).encode())


def _without_counts(response: Response) -> Response:
    return _told(response, lambda told: {key: value for key, value in told.items() if key not in _COUNTS})


def _miscounted(response: Response, by: int) -> Response:
    def changed(told: dict[str, Any]) -> dict[str, Any]:
        name = next((key for key in _COUNTS if told.get(key)), None)
        return told if name is None else {**told, name: max(0, told[name] + by)}

    return _told(response, changed)


def _told(response: Response, change: Callable[[dict[str, Any]], dict[str, Any]]) -> Response:
    """A success of the API with another body; anything else is left alone."""
    if response.status != 200 or response.content_type != "application/json":
        return response
    told = json.loads(response.body)
    return replace(response, body=json.dumps(change(told), ensure_ascii=False).encode())


EFFECTS: Mapping[str, Callable[..., Effect]] = {
    function.__name__.replace("_", "-"): function
    for function in (
        busy, failure, bad_gateway, hang, drop, taken_then_dropped, taken_then_hang, cut, drip, error_as_ok,
        ok_as_error, empty, garbage, bomb, redirect, quota, token_revoked, forbidden, uncounted, miscounted, loses_one,
    )
}  # fmt: skip
"""By the names that the control endpoint uses."""


def make_effect(name: str, options: Mapping[str, Any]) -> Effect:
    """Raises `ValueError` with what there is if the effect or an option is unknown, `TypeError` for a wrong kind."""
    if name not in EFFECTS:
        raise ValueError(f"effect must be one of {', '.join(EFFECTS)}")
    known = inspect.signature(EFFECTS[name]).parameters
    for option, value in options.items():
        if option not in known:
            raise ValueError(f"{name} knows no {option}; it takes {', '.join(known) or 'nothing'}")
        usual = known[option].default
        kinds = (str, int, float) if usual is None else (str,) if isinstance(usual, str) else (int, float)
        if not isinstance(value, kinds):
            raise TypeError(f"{option} must be {'text' if kinds == (str,) else 'a number'}")
    return EFFECTS[name](**options)
