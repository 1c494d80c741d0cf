"""Handlers that write, read, list and delete comments."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from simulators.http import Response
from simulators.reinfer.api_call import ApiCall, Handler, page
from simulators.reinfer.comments import JsonObject, Outcome, StoredComment, canonical
from simulators.reinfer.contract import check_put, check_sync
from simulators.reinfer.responses import Refused, ok
from simulators.reinfer.store import Source
from simulators.reinfer.tokens import ADD_COMMENTS, ADMIN, READ

_MAX_DELETED = 128


def sync(api_call: ApiCall) -> Response:
    source = api_call.source(ADD_COMMENTS, *api_call.parts)
    api_call.refuse_free_of_charge()
    comments = api_call.json(check_sync)["comments"]
    refuse_unknown_content(api_call, source.id, comments)
    return ok(**counts_of(api_call, api_call.store.sync(source, comments)))


def put(api_call: ApiCall) -> Response:
    """Add comments. An existing comment is overwritten only if the request has its current `context`.

    An identical comment may be sent again without the `context`.
    """
    source = api_call.source(ADD_COMMENTS, *api_call.parts)
    api_call.refuse_free_of_charge()
    comments = api_call.json(check_put)["comments"]
    refuse_unknown_content(api_call, source.id, comments)
    for position, comment in enumerate(comments):
        if _conflicts(api_call, source, comment):
            raise Refused(409, f"comments[{position}]: exists already, and its context is another one")
    api_call.store.sync(source, comments)
    return ok()


def get(api_call: ApiCall) -> Response:
    source = api_call.source(READ, *api_call.parts[:2])
    comment = source.comments.get(api_call.parts[2])
    if comment is None:
        raise Refused(404, "Comment not found")
    return ok(comment=comment.as_answer(include_markup=api_call.flag("include_markup")))


def delete(api_call: ApiCall) -> Response:
    source = api_call.source(ADMIN, *api_call.parts)
    api_call.store.delete(source, api_call.several("id", _MAX_DELETED))
    return ok()


def list_comments(api_call: ApiCall) -> Response:
    """A page of the comments of a source, ordered by timestamp, and `continuation` if more pages follow."""
    comments, more = page(
        _wanted(api_call, api_call.source(READ, *api_call.parts)), api_call.single("after"), api_call.limit()
    )
    include_markup = api_call.flag("include_markup")
    listed = [comment.as_answer(include_markup=include_markup) for comment in comments]
    return ok(comments=listed, **({"continuation": more} if more else {}))


def counts_of(api_call: ApiCall, counts: Mapping[Outcome, int]) -> dict[str, int]:
    """The counts in the response to a push: three counts in an old deployment, otherwise five counts."""
    split = (Outcome.PROPERTIES_ONLY, Outcome.TEXT_CHANGED)
    totals = {
        "new": counts[Outcome.NEW],
        "updated": sum(counts[key] for key in split),
        "unchanged": counts[Outcome.UNCHANGED],
    }
    return totals if api_call.old_deployment else {**totals, **{str(key): counts[key] for key in split}}


def refuse_unknown_content(api_call: ApiCall, holder: str, items: Sequence[JsonObject]) -> None:
    """Raises `Refused` if no content with the hash of an attachment was uploaded for its item and index."""
    for position, item in enumerate(items):
        for index in api_call.store.uploads.unknown(holder, item):
            raise Refused(400, f"element {position}, attachments[{index}]: no content of this hash was uploaded for it")


def _conflicts(api_call: ApiCall, source: Source, comment: JsonObject) -> bool:
    stored = source.comments.get(comment["id"])
    if stored is None:
        return False
    given = {key: value for key, value in comment.items() if key != "context"}
    same = stored.content == api_call.store.uploads.linked(source.id, canonical(given))
    return not same and comment.get("context") != stored.as_answer(include_markup=True)["context"]


def _wanted(api_call: ApiCall, source: Source) -> list[StoredComment]:
    direction = api_call.single("direction") or "ascending"
    if direction not in ("ascending", "descending"):
        raise Refused(400, "direction must be ascending or descending")
    first, end = api_call.bound("from_timestamp"), api_call.bound("to_timestamp")
    comments = [
        comment
        for comment in api_call.store.in_time(source)
        if (not first or comment.content["timestamp"] >= first) and (not end or comment.content["timestamp"] < end)
    ]
    return comments if direction == "ascending" else comments[::-1]


HANDLERS: Mapping[str, Handler] = {
    "sync": sync,
    "put-comments": put,
    "get-comment": get,
    "delete-comments": delete,
    "list-comments": list_comments,
}
