"""Test a connection step by step, so that the result distinguishes "cannot connect" from "may not read".

The steps use only the ports, so they work with every adapter.
"""

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

MAX_TRIED = 10
"""If the account may not read the Inbox, the test tries to read an email from at most this many other folders."""


@dataclass(frozen=True, slots=True)
class DiagnosisStep:
    """The result of one step.

    Attributes:
        name: The name of the step.
        ok: Whether the step succeeded.
        text: What was found, or the error.
        seconds: How long the step took; 0 if its result comes from the request of an earlier step.
        kind: The kind of the error; blank where the step succeeded.
    """

    name: str
    ok: bool
    text: str
    seconds: float
    kind: str = ""


class StepVerdict(StrEnum):
    """The result of verifying one assumption."""

    OK = "ok"
    DIFFERS = "differs"
    UNTRIED = "could not be tried"


@dataclass(frozen=True, slots=True)
class Fact:
    """An assumption of this product about a service, verified against the real service.

    Attributes:
        name: The assumption.
        verdict: The result.
        text: What was observed.
    """

    name: str
    verdict: StepVerdict
    text: str


StepFunction = tuple[str, Callable[[], str]]
"""The name of a step and its function, which returns what was found or raises an `IntegrationError`."""


FailedStep = tuple[str, IntegrationError]
"""The name of the step that failed, and its error."""


def run_steps(functions: Iterable[StepFunction]) -> Iterator[DiagnosisStep]:
    """Run steps in order, up to the first that fails.

    Args:
        functions: The steps.

    Yields:
        The result of each step that ran.
    """
    for name, function in functions:
        started = time.monotonic()
        try:
            text = function()
        except IntegrationError as error:
            yield DiagnosisStep(name, False, str(error), time.monotonic() - started, error.kind)
            return
        yield DiagnosisStep(name, True, text, time.monotonic() - started)


def mailbox_steps(source: Source, address: str) -> Iterator[DiagnosisStep]:
    """Test a mailbox: sign in, open the mailbox, list its folders, read one email.

    Args:
        source: The mailbox.
        address: The address of the mailbox.

    Yields:
        The result of each step, up to the first that fails.
    """
    started = time.monotonic()
    try:
        source.check()
    except IntegrationError as error:
        seconds = time.monotonic() - started
        if error.scope is Scope.CONNECTION:
            yield DiagnosisStep("Sign in", False, str(error), seconds, error.kind)
            return
        yield DiagnosisStep("Sign in", True, "The sign-in succeeded.", seconds)
        yield DiagnosisStep("Mailbox", False, str(error), 0.0, error.kind)
        return
    yield DiagnosisStep("Sign in", True, "The sign-in succeeded.", time.monotonic() - started)
    yield DiagnosisStep("Mailbox", True, f"{address} can be opened.", 0.0)
    yield from run_steps([("Folders", lambda: _folders(source)), ("One email", lambda: _one_email(source))])


def bucket_steps(sink: Sink, bucket: str) -> Iterator[DiagnosisStep]:
    """Test a bucket: reach Re:infer, authenticate with the token, find the bucket.

    Args:
        sink: The bucket.
        bucket: The name of the bucket, for the result. If blank, only the endpoint and the token are tested, but a 403 is
            still reported as a failed step `Bucket`.

    Yields:
        The result of each step, up to the first that fails.
    """
    started = time.monotonic()
    failed: FailedStep | None = None
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
    yield from _bucket_results(failed, bucket, time.monotonic() - started)


def _bucket_results(failed: FailedStep | None, bucket: str, seconds: float) -> Iterator[DiagnosisStep]:
    """Yield the results of the steps. All come from one request; the first result contains the duration of the request."""
    texts = {"Address": "Re:infer answers.", "Token": "The token is accepted."}
    texts |= {"Bucket": f"{bucket} exists."} if bucket else {}
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
        others = [folder for folder in folders if folder is not inbox]
        return f"{_one_email_of_others(source, others, refused)} The Inbox may not be read."


def _one_email_of_others(source: Source, folders: Sequence[Folder], refused: FolderRefused) -> str:
    """Read an email from another folder than the Inbox: a delegate may have rights to some folders only."""
    for folder in sorted(folders, key=lambda folder: -(folder.total or 0))[:MAX_TRIED]:
        with suppress(FolderRefused):
            return _one_email_of(source, folder, "Another folder")
    raise refused.of_mailbox from refused


def _one_email_of(source: Source, folder: Folder, name: str) -> str:
    try:
        change = _first(next(iter(source.changes(folder.id, None))).changes)
    except FolderGone as error:  # the folder was in the tree a moment ago
        raise FolderNotFound(error.detail) from error
    if change is None:
        return f"{name} has no email that could be read."
    fetched = next(iter(source.fetch([change])))
    return (
        f"An email of {len(fetched.mime):,} bytes was read."
        if isinstance(fetched, Email)
        else "The mailbox can be read, but one email could not be read: it is faulty, or was moved or deleted meanwhile."
    )


def _first(changes: Iterable[Change]) -> Change | None:
    return next((change for change in changes if change.kind is ChangeKind.CREATED and not change.draft), None)
