"""Sources: found, created, changed, deleted, and counted."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from simulators.http import Response
from simulators.reinfer.answers import Refused, ok
from simulators.reinfer.comments import StoredComment, write_instant
from simulators.reinfer.contracts import CHANGED_SOURCE, COUNTED, NEW_SOURCE
from simulators.reinfer.shapes import read_instant
from simulators.reinfer.store import Source, SourceExists
from simulators.reinfer.tokens import ADMIN, READ, READ_BUCKETS
from simulators.reinfer.visit import Handler, Visit, check_names


def list_sources(visit: Visit) -> Response:
    """Those of one project, or all that the token sees."""
    if visit.parts:
        visit.require(READ, visit.project(visit.parts[0]))
    found = [source for key, source in sorted(visit.store.sources.items()) if visit.token.may(READ, key[0])]
    return ok(sources=[as_answer(source) for source in found if not visit.parts or source.project == visit.parts[0]])


def get_source(visit: Visit) -> Response:
    return ok(source=as_answer(visit.source(READ, *visit.parts)))


def get_source_by_id(visit: Visit) -> Response:
    return ok(source=as_answer(visit.source_by_id(READ, *visit.parts)))


def create_source(visit: Visit) -> Response:
    project, name = visit.parts
    check_names(project, name)
    visit.require(ADMIN, visit.project(project))
    settings = visit.json(NEW_SOURCE)["source"]
    _check_bucket(visit, settings)
    try:
        return ok(source=as_answer(visit.store.create(project, name, settings)))
    except SourceExists as error:
        raise Refused(409, f"Source {project}/{name} exists already") from error


def update_source(visit: Visit) -> Response:
    """A bucket that is not named again is detached: the vendor's own client once ran into that."""
    source = visit.source(ADMIN, *visit.parts)
    settings = visit.json(CHANGED_SOURCE)["source"]
    _check_bucket(visit, settings)
    visit.store.update(source, {"bucket_id": None, **settings})
    return ok(source=as_answer(source))


def delete_source(visit: Visit) -> Response:
    source = visit.source_by_id(ADMIN, *visit.parts)
    visit.store.remove(source.project, source.name)
    return ok()


def count(visit: Visit) -> Response:
    """Its comments by time, source and whether somebody annotated them. A source that is not this one counts nothing."""
    source = visit.source(READ, *visit.parts)
    wanted = visit.json(COUNTED).get("comment_filter", {})
    comments = list(source.comments.values()) if source.id in (wanted.get("sources") or [source.id]) else []
    return ok(statistics={"num_comments": sum(_is_wanted(comment, wanted) for comment in comments)})


def _is_wanted(comment: StoredComment, wanted: Mapping[str, Any]) -> bool:
    time, bounds = comment.content["timestamp"], wanted.get("timestamp", {})
    minimum, maximum = (_written(bounds.get(key)) for key in ("minimum", "maximum"))
    reviewed = wanted.get("reviewed")
    return (
        (minimum is None or time >= minimum)
        and (maximum is None or time <= maximum)
        and (reviewed is None or comment.has_annotations == (reviewed == "only_reviewed"))
    )


def _written(moment: str | None) -> str | None:
    return write_instant(read_instant(moment)) if moment else None


def _check_bucket(visit: Visit, settings: Mapping[str, Any]) -> None:
    if settings.get("bucket_id"):
        visit.bucket_by_id(READ_BUCKETS, settings["bucket_id"])


def as_answer(source: Source) -> dict[str, Any]:
    """The source as every call returns it."""
    updated = write_instant(source.updated_at or source.created_at)
    return {
        "id": source.id,
        "owner": source.project,
        "name": source.name,
        "title": source.name,
        "description": "",
        "language": "en",
        "should_translate": False,
        "sensitive_properties": [],
        "bucket_id": None,
        "email_transform_tag": None,
        "_kind": "unknown",
        **source.settings,
        "created_at": write_instant(source.created_at),
        "updated_at": updated,
        "last_modified": updated,
    }


HANDLERS: Mapping[str, Handler] = {
    "list-sources": list_sources,
    "list-project-sources": list_sources,
    "get-source": get_source,
    "get-source-by-id": get_source_by_id,
    "create-source": create_source,
    "update-source": update_source,
    "delete-source": delete_source,
    "statistics": count,
}
