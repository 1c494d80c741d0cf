"""Comments: written, read back, listed and deleted."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from simulators.http import Response
from simulators.reinfer.answers import Refused, ok
from simulators.reinfer.comments import JsonObject, Outcome, StoredComment, canonical
from simulators.reinfer.contract import check_put, check_sync
from simulators.reinfer.store import Source
from simulators.reinfer.tokens import ADD_COMMENTS, ADMIN, READ
from simulators.reinfer.visit import Handler, Visit, page

_MOST_DELETED = 128


def sync(visit: Visit) -> Response:
    source = visit.source(ADD_COMMENTS, *visit.parts)
    visit.refuse_free_of_charge()
    comments = visit.json(check_sync)["comments"]
    refuse_unknown_content(visit, source.id, comments)
    return ok(**counts_of(visit, visit.store.sync(source, comments)))


def put(visit: Visit) -> Response:
    """Only adds. What is there already is overwritten when its current `context` is named, and may be sent again as it is."""
    source = visit.source(ADD_COMMENTS, *visit.parts)
    visit.refuse_free_of_charge()
    comments = visit.json(check_put)["comments"]
    refuse_unknown_content(visit, source.id, comments)
    for position, comment in enumerate(comments):
        if _conflicts(visit, source, comment):
            raise Refused(409, f"comments[{position}]: exists already, and its context is not the one given")
    visit.store.sync(source, comments)
    return ok()


def get(visit: Visit) -> Response:
    source = visit.source(READ, *visit.parts[:2])
    comment = source.comments.get(visit.parts[2])
    if comment is None:
        raise Refused(404, "Comment not found")
    return ok(comment=comment.as_answer(include_markup=visit.flag("include_markup")))


def delete(visit: Visit) -> Response:
    source = visit.source(ADMIN, *visit.parts)
    visit.store.delete(source, visit.several("id", _MOST_DELETED))
    return ok()


def list_comments(visit: Visit) -> Response:
    """A page of a source by the comments' own timestamps; `continuation` is there as long as more follow."""
    comments, more = page(_wanted(visit, visit.source(READ, *visit.parts)), visit.single("after"), visit.limit())
    include_markup = visit.flag("include_markup")
    listed = [comment.as_answer(include_markup=include_markup) for comment in comments]
    return ok(comments=listed, **({"continuation": more} if more else {}))


def counts_of(visit: Visit, counts: Mapping[Outcome, int]) -> dict[str, int]:
    """The counts as this deployment tells them."""
    split = (Outcome.PROPERTIES_ONLY, Outcome.TEXT_CHANGED)
    told = {
        "new": counts[Outcome.NEW],
        "updated": sum(counts[key] for key in split),
        "unchanged": counts[Outcome.UNCHANGED],
    }
    return told if visit.old_deployment else {**told, **{str(key): counts[key] for key in split}}


def refuse_unknown_content(visit: Visit, holder: str, items: Sequence[JsonObject]) -> None:
    """Raises `Refused` for an attachment with the hash of something that was not uploaded for its place."""
    for position, item in enumerate(items):
        for index in visit.store.uploads.unknown(holder, item):
            raise Refused(400, f"element {position}, attachments[{index}]: no content of this hash was uploaded for it")


def _conflicts(visit: Visit, source: Source, comment: JsonObject) -> bool:
    stored = source.comments.get(comment["id"])
    if stored is None:
        return False
    given = {key: value for key, value in comment.items() if key != "context"}
    same = stored.content == visit.store.uploads.linked(source.id, canonical(given))
    return not same and comment.get("context") != stored.as_answer(include_markup=True)["context"]


def _wanted(visit: Visit, source: Source) -> list[StoredComment]:
    direction = visit.single("direction") or "ascending"
    if direction not in ("ascending", "descending"):
        raise Refused(400, "direction must be ascending or descending")
    first, end = visit.bound("from_timestamp"), visit.bound("to_timestamp")
    comments = [
        comment
        for comment in visit.store.in_time(source)
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
