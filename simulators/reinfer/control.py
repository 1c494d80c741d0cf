"""The control endpoint, for a test or program in another process: state of the simulator as JSON, and scripted faults.

    GET    /control/state                            all sources with their counts, AI units, calls by operation
    GET    /control/sources/<project>/<name>         one source; ?comments=1 with each comment's writes and properties,
                                                     ?comments=full also with the content of the comments
    PUT    /control/sources/<project>/<name>         create the source, and its project if needed
    DELETE /control/sources/<project>/<name>         delete the source with its comments
    POST   /control/annotate                         {"source": "p/n", "id": …}: mark the comment as annotated
    POST   /control/translate                        {"source": "p/n", "id": …, "text": …, "language": …}: replace the body
    GET    /control/faults                           the active faults
    POST   /control/faults                           {"effect": "busy", "operation": "sync", "source": "p/n",
                                                      "comment_id": …, "times": 2, "after": 1, …options of the effect}
    DELETE /control/faults                           remove all faults

A fault needs only `effect`. A fault without the other keys affects every call, without a limit. Bodies must be sent as
`application/json`, so that a web page of another origin cannot post to this endpoint. The real Re:infer has no control
endpoint.
"""

from __future__ import annotations

import json
from collections import Counter
from collections.abc import Callable, Sequence
from typing import Any
from urllib.parse import unquote

from simulators.http import Request, Response
from simulators.reinfer.comments import Outcome, StoredComment
from simulators.reinfer.fault_script import FaultScript
from simulators.reinfer.responses import Refused, as_json, error
from simulators.reinfer.store import NoSuchSource, Source, SourceExists, Store


class Control:
    def __init__(self, store: Store, faults: FaultScript, requests: Sequence[str]) -> None:
        self._store = store
        self._faults = faults
        self._requests = requests

    def answer(self, request: Request) -> Response:
        parts = tuple(unquote(part) for part in request.path.strip("/").split("/")[1:])
        try:
            return as_json(self._answer(request, parts))
        except Refused as refused:
            return error(refused.status, refused.message)
        except (NoSuchSource, KeyError) as missing:
            return error(404, f"not found: {missing}")
        except SourceExists as exists:
            return error(409, f"exists already: {exists}")
        except (ValueError, TypeError) as wrong:
            return error(400, str(wrong))

    def _answer(self, request: Request, parts: tuple[str, ...]) -> Any:
        match request.method, *parts:
            case "GET", "state":
                return self._state()
            case "GET", "sources", project, name:
                return self._source(self._store.source(project, name), request.query.get("comments", [""])[0])
            case "PUT", "sources", project, name:
                return _summary(self._store.create(project, name))
            case "DELETE", "sources", project, name:
                self._store.remove(project, name)
                return {}
            case "POST", "annotate":
                return self._with_comment(_object(request), self._store.annotate, ())
            case "POST", "translate":
                return self._with_comment(_object(request), self._store.translate, ("text", "language"))
            case "GET", "faults":
                return {"faults": self._faults.described()}
            case "POST", "faults":
                self._faults.add(**_object(request))
                return {"faults": self._faults.described()}
            case "DELETE", "faults":
                self._faults.clear()
                return {"faults": []}
        raise Refused(404, "no such endpoint; see the docstring of simulators.reinfer.control")

    def _state(self) -> dict[str, Any]:
        sources = [_summary(source) for _, source in sorted(self._store.sources.items())]
        return {"sources": sources, "ai_units": self._store.ai_units, "requests": Counter(self._requests)}

    def _source(self, source: Source, comments: str) -> dict[str, Any]:
        if not comments:
            return _summary(source)
        full = comments == "full"
        listed = {comment.id: _comment(comment, full=full) for comment in self._store.in_time(source)}
        return {**_summary(source), "comment_list": listed}

    def _with_comment(self, body: dict[str, Any], change: Callable[..., None], keys: tuple[str, ...]) -> dict[str, Any]:
        project, _, name = str(body["source"]).partition("/")
        change(self._store.source(project, name), body["id"], *(str(body[key]) for key in keys))
        return {}


def _summary(source: Source) -> dict[str, Any]:
    return {
        "project": source.project,
        "name": source.name,
        "id": source.id,
        "comments": len(source.comments),
        "pushes": source.pushes,
        "created": source.outcomes[Outcome.NEW],
        "updated": source.updated,
        "unchanged": source.outcomes[Outcome.UNCHANGED],
        "text_changes": source.text_changes,
        "messages_changed": source.messages_changed,
        "ai_units": source.ai_units,
    }


def _comment(comment: StoredComment, *, full: bool) -> dict[str, Any]:
    summary = {
        "writes": [write.outcome for write in comment.history],
        "text_changes": comment.text_changes,
        "messages_changed": comment.messages_changes,
        "annotations_lost": comment.annotations_lost,
        "user_properties": comment.properties,
    }
    return {**summary, "content": comment.content} if full else summary


def _object(request: Request) -> dict[str, Any]:
    if request.headers.get_content_type() != "application/json":
        raise Refused(415, "send application/json")
    try:
        body = json.loads(request.body)
    except ValueError as wrong:
        raise Refused(400, "the body is not JSON") from wrong
    if not isinstance(body, dict):
        raise Refused(400, "the body must be an object")
    return body
