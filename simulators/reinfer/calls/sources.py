"""Handlers that list, read, create, update and delete sources, and count their comments."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from simulators.http import Response
from simulators.reinfer.api_call import ApiCall, Handler, check_names
from simulators.reinfer.body_checks import read_instant
from simulators.reinfer.comments import StoredComment, write_instant
from simulators.reinfer.contracts import CHANGED_SOURCE, COUNTED, NEW_SOURCE
from simulators.reinfer.responses import Refused, ok
from simulators.reinfer.store import Source, SourceExists
from simulators.reinfer.tokens import ADMIN, READ, READ_BUCKETS


def list_sources(api_call: ApiCall) -> Response:
    """The sources of one project, or all sources that the token may read."""
    if api_call.parts:
        api_call.require(READ, api_call.project(api_call.parts[0]))
    found = [source for key, source in sorted(api_call.store.sources.items()) if api_call.token.may(READ, key[0])]
    return ok(
        sources=[as_answer(source) for source in found if not api_call.parts or source.project == api_call.parts[0]]
    )


def get_source(api_call: ApiCall) -> Response:
    return ok(source=as_answer(api_call.source(READ, *api_call.parts)))


def get_source_by_id(api_call: ApiCall) -> Response:
    return ok(source=as_answer(api_call.source_by_id(READ, *api_call.parts)))


def create_source(api_call: ApiCall) -> Response:
    project, name = api_call.parts
    check_names(project, name)
    api_call.require(ADMIN, api_call.project(project))
    settings = api_call.json(NEW_SOURCE)["source"]
    _check_bucket(api_call, settings)
    try:
        return ok(source=as_answer(api_call.store.create(project, name, settings)))
    except SourceExists as error:
        raise Refused(409, f"Source {project}/{name} exists already") from error


def update_source(api_call: ApiCall) -> Response:
    """Update the settings of a source.

    A request without `bucket_id` removes the link between the source and its bucket of Re:infer. A version of the vendor's
    client had a bug that removed this link with an update.
    """
    source = api_call.source(ADMIN, *api_call.parts)
    settings = api_call.json(CHANGED_SOURCE)["source"]
    _check_bucket(api_call, settings)
    api_call.store.update(source, {"bucket_id": None, **settings})
    return ok(source=as_answer(source))


def delete_source(api_call: ApiCall) -> Response:
    source = api_call.source_by_id(ADMIN, *api_call.parts)
    api_call.store.remove(source.project, source.name)
    return ok()


def count(api_call: ApiCall) -> Response:
    """The number of comments that match the filter (time, source, annotation); 0 if the filter names only other sources."""
    source = api_call.source(READ, *api_call.parts)
    wanted = api_call.json(COUNTED).get("comment_filter", {})
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


def _check_bucket(api_call: ApiCall, settings: Mapping[str, Any]) -> None:
    if settings.get("bucket_id"):
        api_call.bucket_by_id(READ_BUCKETS, settings["bucket_id"])


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
