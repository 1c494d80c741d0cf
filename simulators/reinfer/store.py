"""Sources and the comments in them, in memory, with the bill that Re:infer would write: the truth of every test.

All methods may be called from any thread. What `sources` shows is live: look at it when nobody is writing.
"""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import Any

from simulators.reinfer.comments import JsonObject, Outcome, StoredComment, canonical
from simulators.reinfer.names import id_of, is_project_name, is_source_name

SourceKey = tuple[str, str]
Clock = Callable[[], datetime]


class NoSuchSource(LookupError):
    pass


class SourceExists(ValueError):
    pass


@dataclass(slots=True)
class Source:
    """One source. Its counters never go down, also when comments are deleted: a bill is a bill."""

    project: str
    name: str
    created_at: datetime
    id: str = ""
    settings: dict[str, Any] = field(default_factory=dict)
    """What it was created with: title, language and so on."""
    comments: dict[str, StoredComment] = field(default_factory=dict)
    outcomes: dict[Outcome, int] = field(default_factory=lambda: dict.fromkeys(Outcome, 0))
    messages_changed: int = 0
    pushes: int = 0
    """Calls of `sync` that were accepted."""

    def __post_init__(self) -> None:
        self.id = self.id or id_of(self.project, self.name)

    @property
    def ai_units(self) -> int:
        return self.outcomes[Outcome.NEW] + self.outcomes[Outcome.TEXT_CHANGED]

    @property
    def text_changes(self) -> int:
        return self.outcomes[Outcome.TEXT_CHANGED]

    @property
    def updated(self) -> int:
        return self.outcomes[Outcome.PROPERTIES_ONLY] + self.outcomes[Outcome.TEXT_CHANGED]


class Store:
    def __init__(self, projects: Iterable[str] = (), *, clock: Clock = lambda: datetime.now(UTC)) -> None:
        self._lock = threading.RLock()
        self._clock = clock
        self.projects: set[str] = set()
        self.sources: dict[SourceKey, Source] = {}
        for project in projects:
            self.add_project(project)

    @property
    def ai_units(self) -> int:
        with self._lock:
            return sum(source.ai_units for source in self.sources.values())

    def add_project(self, name: str) -> None:
        """Raises `ValueError` if the name breaks the rule."""
        if not is_project_name(name):
            raise ValueError(f"no project can be called {name!r}")
        with self._lock:
            self.projects.add(name)

    def create(self, project: str, name: str, settings: JsonObject | None = None) -> Source:
        """Make an empty source, and its project if need be. Raises `SourceExists`, or `ValueError` for a bad name."""
        if not is_source_name(name):
            raise ValueError(f"no source can be called {name!r}")
        with self._lock:
            self.add_project(project)
            if (project, name) in self.sources:
                raise SourceExists(f"{project}/{name}")
            source = Source(project, name, self._clock(), settings=dict(settings or {}))
            self.sources[project, name] = source
            return source

    def source(self, project: str, name: str) -> Source:
        """Raises `NoSuchSource`."""
        with self._lock:
            try:
                return self.sources[project, name]
            except KeyError as error:
                raise NoSuchSource(f"{project}/{name}") from error

    def remove(self, project: str, name: str) -> None:
        """Delete a whole source with its comments and its bill. Raises `NoSuchSource`."""
        with self._lock:
            self.source(project, name)
            del self.sources[project, name]

    def sync(self, source: Source, comments: Sequence[JsonObject]) -> dict[Outcome, int]:
        """Take comments that passed the contract, in order; return how many had which outcome."""
        counts = dict.fromkeys(Outcome, 0)
        with self._lock:
            now = self._clock()
            for comment in comments:
                stored = source.comments.setdefault(comment["id"], StoredComment(comment["id"], source.id))
                write = stored.accept(canonical(comment), now)
                counts[write.outcome] += 1
                source.outcomes[write.outcome] += 1
                source.messages_changed += write.messages_changed
            source.pushes += 1
        return counts

    def delete(self, source: Source, ids: Iterable[str]) -> None:
        """Ids that are not there count as deleted."""
        with self._lock:
            for comment_id in ids:
                source.comments.pop(comment_id, None)

    def annotate(self, source: Source, comment_id: str) -> None:
        """Let a person have annotated the comment, which a change of its messages would throw away.

        Raises `KeyError` if the comment is not there.
        """
        with self._lock:
            source.comments[comment_id].has_annotations = True

    def translate(self, source: Source, comment_id: str, text: str, language: str) -> None:
        """Let Re:infer have translated the body, as it does in a source with `should_translate`.

        Raises `KeyError` if the comment is not there.
        """
        with self._lock:
            stored = source.comments[comment_id]
            messages = [
                {**message, "language": language, "body": {"text": text, "translated_from": message["body"]["text"]}}
                for message in stored.content["messages"]
            ]
            stored.content = {**stored.content, "messages": messages}
            stored.last_modified = self._clock()

    def arrivals(self, source: Source) -> list[StoredComment]:
        """The comments, the one that changed last first; of one batch the last first."""
        with self._lock:
            comments = list(source.comments.values())
        comments.reverse()
        comments.sort(key=_last_modified, reverse=True)
        return comments

    def in_time(self, source: Source) -> list[StoredComment]:
        """The comments by their own timestamp, oldest first."""
        with self._lock:
            return sorted(source.comments.values(), key=lambda comment: (comment.content["timestamp"], comment.id))


def _last_modified(comment: StoredComment) -> datetime:
    return comment.last_modified or datetime.min.replace(tzinfo=UTC)
