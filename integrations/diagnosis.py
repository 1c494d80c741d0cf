"""A connection tested step by step, so that "cannot connect" never hides "may not read". Over the port, so for any adapter."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterable, Iterator, Sequence
from contextlib import suppress
from dataclasses import dataclass
from enum import StrEnum

from integrations.errors import (
    BucketNotFound,
    FolderGone,
    FolderNotFound,
    FolderRefused,
    IntegrationError,
    ReinferForbidden,
    ReinferTokenRefused,
    Scope,
)
from integrations.messages import Change, ChangeKind, Email, Folder, FolderKind
from integrations.ports import Sink, Source

MOST_TRIED = 10
"""Folders from which the test of a mailbox tries to read an email, where the Inbox may not be read."""


@dataclass(frozen=True, slots=True)
class DiagnosisStep:
    """What was tried, whether it worked, what there is to say of it, and how long it took in seconds."""

    name: str
    ok: bool
    text: str
    seconds: float
    kind: str = ""
    """Of the error, where it did not work."""


class StepVerdict(StrEnum):
    OK = "ok"
    DIFFERS = "differs"
    UNTRIED = "could not be tried"


@dataclass(frozen=True, slots=True)
class Fact:
    """Something that this product relies on, held against the real service."""

    name: str
    verdict: StepVerdict
    text: str


Probe = tuple[str, Callable[[], str]]
"""The name of a step, and what it does: it answers with what it found, or raises an `IntegrationError`."""


Failed = tuple[str, IntegrationError]
"""The name of the step that failed, and why."""


def walked(probes: Iterable[Probe]) -> Iterator[DiagnosisStep]:
    """Each step in turn, up to the first that fails."""
    for name, probe in probes:
        begun = time.monotonic()
        try:
            text = probe()
        except IntegrationError as error:
            yield DiagnosisStep(name, False, str(error), time.monotonic() - begun, error.kind)
            return
        yield DiagnosisStep(name, True, text, time.monotonic() - begun)


def mailbox_steps(source: Source, address: str) -> Iterator[DiagnosisStep]:
    """Sign in, open the mailbox, list its folders, read one email."""
    begun = time.monotonic()
    try:
        source.check()
    except IntegrationError as error:
        took = time.monotonic() - begun
        if error.scope is Scope.CONNECTION:
            yield DiagnosisStep("Sign in", False, str(error), took, error.kind)
            return
        yield DiagnosisStep("Sign in", True, "The account is known.", took)
        yield DiagnosisStep("Mailbox", False, str(error), 0.0, error.kind)
        return
    yield DiagnosisStep("Sign in", True, "The account is known.", time.monotonic() - begun)
    yield DiagnosisStep("Mailbox", True, f"{address} can be opened.", 0.0)
    yield from walked([("Folders", lambda: _folders(source)), ("One email", lambda: _one_email(source))])


def bucket_steps(sink: Sink, bucket: str) -> Iterator[DiagnosisStep]:
    """Reach Re:infer, be let in by the token, find the bucket. `bucket` empty: the first two."""
    begun = time.monotonic()
    failed: Failed | None = None
    try:
        sink.check()
    except BucketNotFound as error:
        failed = None if not bucket else ("Bucket", error)
    except ReinferForbidden as error:
        failed = ("Bucket", error)
    except ReinferTokenRefused as error:
        failed = ("Token", error)
    except IntegrationError as error:
        failed = ("Address", error)
    yield from _told(failed, bucket, time.monotonic() - begun)


def _told(failed: Failed | None, bucket: str, seconds: float) -> Iterator[DiagnosisStep]:
    """All of it is learned by one request, whose time the first step bears."""
    texts = {"Address": "Re:infer answers.", "Token": "The token is taken."}
    texts |= {"Bucket": f"{bucket} is there."} if bucket else {}
    for name, text in texts.items():
        if failed is not None and failed[0] == name:
            yield DiagnosisStep(name, False, str(failed[1]), seconds, failed[1].kind)
            return
        yield DiagnosisStep(name, True, text, seconds)
        seconds = 0.0
    if failed is not None:
        yield DiagnosisStep(failed[0], False, str(failed[1]), seconds, failed[1].kind)


def _folders(source: Source) -> str:
    count = sum(folder.holds_mail for folder in source.folders(None).changed)
    return f"{count} folder{'' if count == 1 else 's'} with mail."


def _one_email(source: Source) -> str:
    folders = [folder for folder in source.folders(None).changed if folder.holds_mail]
    inbox = next((folder for folder in folders if folder.kind is FolderKind.INBOX), None)
    if inbox is None:
        return "There is no Inbox to read from."
    try:
        return _one_email_of(source, inbox, "The Inbox")
    except FolderRefused as refused:
        return f"{_elsewhere(source, [one for one in folders if one is not inbox], refused)} The Inbox may not be read."


def _elsewhere(source: Source, folders: Sequence[Folder], refused: FolderRefused) -> str:
    """From one of the other folders: a delegate may have rights to some of them alone."""
    for folder in sorted(folders, key=lambda folder: -(folder.total or 0))[:MOST_TRIED]:
        with suppress(FolderRefused):
            return _one_email_of(source, folder, "Another folder")
    raise refused.of_mailbox from refused


def _one_email_of(source: Source, folder: Folder, name: str) -> str:
    try:
        change = _first(next(iter(source.changes(folder.id, None))).changes)
    except FolderGone as error:  # it was in the tree a moment ago
        raise FolderNotFound(error.detail) from error
    if change is None:
        return f"{name} is empty, so there was nothing to read."
    fetched = next(iter(source.fetch([change])))
    return (
        f"An email of {len(fetched.mime):,} bytes was read."
        if isinstance(fetched, Email)
        else "It could not be read alone."
    )


def _first(changes: Iterable[Change]) -> Change | None:
    return next((change for change in changes if change.kind is ChangeKind.CREATED and not change.draft), None)
