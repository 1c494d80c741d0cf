"""The data of the simulator, in memory: sources with their comments and AI units, buckets with their emails, datasets.

Tests compare the data with the expected result. All methods are thread-safe. `sources` is not a copy: read it only while no
client writes.
"""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import Any

from simulators.reinfer.body_checks import InvalidBody
from simulators.reinfer.buckets import Bucket
from simulators.reinfer.comments import JsonObject, Outcome, StoredComment, canonical
from simulators.reinfer.names import id_of, is_project_name, is_source_name
from simulators.reinfer.raw_emails import comment_of_email
from simulators.reinfer.uploads import Place, Uploads

SourceKey = tuple[str, str]
Clock = Callable[[], datetime]


class NoSuchSource(LookupError):
    pass


class SourceExists(ValueError):
    pass


@dataclass(slots=True)
class Source:
    """One source. Its counters do not decrease when comments are deleted, because AI units are not refunded."""

    project: str
    name: str
    created_at: datetime
    id: str = ""
    settings: dict[str, Any] = field(default_factory=dict)
    """Title, language and so on, as they were set when the source was created or updated."""
    updated_at: datetime | None = None
    comments: dict[str, StoredComment] = field(default_factory=dict)
    outcomes: dict[Outcome, int] = field(default_factory=lambda: dict.fromkeys(Outcome, 0))
    messages_changed: int = 0
    pushes: int = 0
    """Number of calls of `Store.sync`: one per accepted request with comments, and one per email of a linked bucket."""

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


@dataclass(frozen=True, slots=True)
class Dataset:
    """Sources that are annotated together. The simulator stores the ids of the sources and the settings, but no labels."""

    project: str
    name: str
    created_at: datetime
    source_ids: tuple[str, ...]
    settings: JsonObject

    @property
    def id(self) -> str:
        return id_of("dataset", self.project, self.name)


class Store:
    def __init__(self, projects: Iterable[str] = (), *, clock: Clock = lambda: datetime.now(UTC)) -> None:
        self._lock = threading.RLock()
        self._clock = clock
        self.projects: set[str] = set()
        self.sources: dict[SourceKey, Source] = {}
        self.buckets: dict[SourceKey, Bucket] = {}
        self.datasets: dict[SourceKey, Dataset] = {}
        self.uploads = Uploads()
        for project in projects:
            self.add_project(project)

    @property
    def ai_units(self) -> int:
        with self._lock:
            return sum(source.ai_units for source in self.sources.values())

    def add_project(self, name: str) -> None:
        """Add a project. Raises `ValueError` for an invalid name."""
        if not is_project_name(name):
            raise ValueError(f"not a valid project name: {name!r}")
        with self._lock:
            self.projects.add(name)

    def create(self, project: str, name: str, settings: JsonObject | None = None) -> Source:
        """Create an empty source, and its project if needed. Raises `SourceExists`, or `ValueError` for an invalid name."""
        if not is_source_name(name):
            raise ValueError(f"not a valid source name: {name!r}")
        with self._lock:
            self.add_project(project)
            if (project, name) in self.sources:
                raise SourceExists(f"{project}/{name}")
            source = Source(project, name, self._clock())
            self.sources[project, name] = source
            self.update(source, settings or {})
            return source

    def source(self, project: str, name: str) -> Source:
        """The source with this name. Raises `NoSuchSource`."""
        with self._lock:
            try:
                return self.sources[project, name]
            except KeyError as error:
                raise NoSuchSource(f"{project}/{name}") from error

    def remove(self, project: str, name: str) -> None:
        """Delete a source with its comments and counters. Raises `NoSuchSource`."""
        with self._lock:
            self.source(project, name)
            del self.sources[project, name]

    def sync(self, source: Source, comments: Sequence[JsonObject]) -> dict[Outcome, int]:
        """Store valid comments in order; returns the number of comments for each outcome."""
        counts = dict.fromkeys(Outcome, 0)
        with self._lock:
            now = self._clock()
            for comment in comments:
                stored = source.comments.setdefault(comment["id"], StoredComment(comment["id"], source.id))
                content = {key: value for key, value in comment.items() if key != "context"}
                write = stored.accept(self.uploads.linked(source.id, canonical(content)), now)
                counts[write.outcome] += 1
                source.outcomes[write.outcome] += 1
                source.messages_changed += write.messages_changed
            source.pushes += 1
        return counts

    def upload(self, place: Place, content: bytes) -> str:
        """Store the content of an attachment; returns its hash."""
        with self._lock:
            return self.uploads.put(place, content)

    def update(self, source: Source, settings: JsonObject) -> None:
        """Change these settings. If the source is then linked to a bucket, create comments of the emails in the bucket."""
        with self._lock:
            source.settings = {**source.settings, **settings}
            source.updated_at = self._clock()
            for bucket in self.buckets.values():
                if bucket.id == source.settings.get("bucket_id"):
                    self._feed(bucket, [email.content for email in bucket.in_time()], [source])

    # ---- buckets and datasets ---------------------------------------------------------------------------------------

    def create_bucket(self, project: str, name: str, title: str = "") -> Bucket:
        """Create a bucket, and its project if needed. Raises `SourceExists`, or `ValueError` for an invalid name."""
        if not is_source_name(name):
            raise ValueError(f"not a valid bucket name: {name!r}")
        with self._lock:
            self.add_project(project)
            if (project, name) in self.buckets:
                raise SourceExists(f"{project}/{name}")
            now = self._clock()
            return self.buckets.setdefault((project, name), Bucket(project, name, now, title or name, now))

    def update_bucket(self, bucket: Bucket, changes: JsonObject) -> None:
        with self._lock:
            bucket.title = changes.get("title", bucket.title)
            bucket.last_updated_by = changes.get("last_updated_by", bucket.last_updated_by)
            bucket.updated_at = self._clock()

    def remove_bucket(self, bucket: Bucket) -> None:
        """Delete a bucket with its emails. Raises `ValueError` while a source is linked to the bucket."""
        with self._lock:
            if self._linked(bucket):
                raise ValueError("a source is linked to this bucket")
            del self.buckets[bucket.project, bucket.name]

    def put_emails(self, bucket: Bucket, emails: Sequence[JsonObject]) -> None:
        """Store valid emails, and create their comments in the sources that are linked to the bucket."""
        with self._lock:
            now = self._clock()
            linked = [self.uploads.linked(bucket.id, email) for email in emails]
            for email in linked:
                bucket.put(email, now)
            self._feed(bucket, linked, self._linked(bucket))

    def delete_emails(self, bucket: Bucket, ids: Iterable[str]) -> None:
        with self._lock:
            bucket.delete(ids)

    def write_state(self, bucket: Bucket, key: str, state: JsonObject) -> None:
        with self._lock:
            bucket.sync_states[key] = {"last_synced_at": self._clock().isoformat(), "synced_until": None, **state}

    def delete_state(self, bucket: Bucket, key: str) -> None:
        """Delete a sync state. Raises `KeyError` if there is no state with this key."""
        with self._lock:
            del bucket.sync_states[key]

    def create_dataset(self, project: str, name: str, source_ids: Iterable[str], settings: JsonObject) -> Dataset:
        """Create a dataset, and its project if needed. Raises `SourceExists`, or `ValueError` for an invalid name."""
        if not is_source_name(name):
            raise ValueError(f"not a valid dataset name: {name!r}")
        with self._lock:
            self.add_project(project)
            if (project, name) in self.datasets:
                raise SourceExists(f"{project}/{name}")
            dataset = Dataset(project, name, self._clock(), tuple(source_ids), settings)
            return self.datasets.setdefault((project, name), dataset)

    def _linked(self, bucket: Bucket) -> list[Source]:
        return [source for source in self.sources.values() if source.settings.get("bucket_id") == bucket.id]

    def _feed(self, bucket: Bucket, emails: Iterable[JsonObject], sources: Sequence[Source]) -> None:
        """Create comments of the emails in these sources. An email that cannot be parsed gets no comment."""
        for email in emails:
            try:
                comment = comment_of_email(email)
            except InvalidBody:
                continue
            for source in sources:
                self.sync(source, [{**comment, "attachments": _without_content(comment["attachments"])}])

    # ---- comments ---------------------------------------------------------------------------------------------------

    def delete(self, source: Source, ids: Iterable[str]) -> None:
        """Delete comments. Unknown ids are no error."""
        with self._lock:
            for comment_id in ids:
                source.comments.pop(comment_id, None)

    def annotate(self, source: Source, comment_id: str) -> None:
        """Mark the comment as annotated by a person. A change of its `messages` deletes the annotation.

        Raises `KeyError` if the comment does not exist.
        """
        with self._lock:
            source.comments[comment_id].has_annotations = True

    def translate(self, source: Source, comment_id: str, text: str, language: str) -> None:
        """Translate the body, as Re:infer does in a source with `should_translate`.

        Raises `KeyError` if the comment does not exist.
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
        """The comments, most recently changed first. Of comments with equal times, the last created is first."""
        with self._lock:
            comments = list(source.comments.values())
        comments.reverse()
        comments.sort(key=_last_modified, reverse=True)
        return comments

    def in_time(self, source: Source) -> list[StoredComment]:
        """The comments by timestamp, oldest first."""
        with self._lock:
            return sorted(source.comments.values(), key=lambda comment: (comment.content["timestamp"], comment.id))


def _without_content(attachments: Iterable[JsonObject]) -> list[JsonObject]:
    """The attachments without hash and reference, which belong to the email and not to its comment."""
    return [
        {key: value for key, value in one.items() if key not in ("content_hash", "attachment_reference")}
        for one in attachments
    ]


def _last_modified(comment: StoredComment) -> datetime:
    return comment.last_modified or datetime.min.replace(tzinfo=UTC)
