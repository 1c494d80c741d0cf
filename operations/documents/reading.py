"""Read a document in the format of Re:infer's API or of its Sync App. No I/O."""

from __future__ import annotations

import json
from collections.abc import Iterable
from typing import Any

from integrations.reinfer.names import problem_with_bucket
from mailboxes.filter_text import problem_with_address, problem_with_domain
from operations.documents.desired import DesiredIntegration, DesiredMailbox, DocumentWrong
from operations.documents.reinfer_format import read_vendor
from operations.documents.sync_app import is_sync_app, read_sync_app

LONGEST = 1_000_000
"""Maximum number of characters of a document; sufficient for about 3,000 mailboxes with filters."""
MAX_PROBLEMS = 20
"""Maximum number of errors that are listed. A last text gives the number of further errors, if there are any."""


def parse_json(text: str) -> Any:
    """Parse the text of a document.

    Args:
        text: JSON.

    Returns:
        The parsed value.

    Raises:
        DocumentWrong: The text is not JSON (the error contains line and column), is too long or nested too deep, or contains
            an invalid number such as NaN.
    """
    if len(text) > LONGEST:
        raise DocumentWrong(f"The document is longer than {LONGEST:,} characters. Divide it into several integrations.")
    try:
        return json.loads(text.removeprefix("\ufeff"), parse_constant=_no_number)
    except json.JSONDecodeError as error:
        raise DocumentWrong(f"This is not JSON: line {error.lineno}, column {error.colno}.") from None
    except (RecursionError, ValueError):
        raise DocumentWrong("This JSON cannot be read: it is nested too deep, or contains an invalid number.") from None


def _no_number(name: str) -> Any:
    raise ValueError(name)


def read_document(document: Any, project: str = "", name: str = "") -> DesiredIntegration:
    """Read a document in the format of Re:infer's API or of its Sync App.

    Args:
        document: The parsed document.
        project: The project if the document does not contain one.
        name: The name if the document does not contain one.

    Returns:
        The desired state.

    Raises:
        DocumentWrong: The document has errors. If a value cannot be read, only the first error is listed. Otherwise at
            most `MAX_PROBLEMS` errors are listed.
    """
    if not isinstance(document, dict):
        raise DocumentWrong("The document must be an object.")
    desired = read_sync_app(document, project, name) if is_sync_app(document) else read_vendor(document, project, name)
    problems = list(_problems(desired))
    if problems:
        rest = len(problems) - MAX_PROBLEMS
        raise DocumentWrong(*problems[:MAX_PROBLEMS], *([f"And {rest:,} more errors."] if rest > 0 else []))
    return desired


def _problems(desired: DesiredIntegration) -> Iterable[str]:
    if not desired.project or not desired.name:
        yield "The document does not contain its project, its name, or both. Enter what is missing."
    seen: set[str] = set()
    for mailbox in desired.mailboxes:
        for problem in problems_of(mailbox):
            yield f"{mailbox.address[:80]}: {problem}"
        if mailbox.address.casefold() in seen:
            yield f"{mailbox.address[:80]}: it is in the document twice."
        seen.add(mailbox.address.casefold())


def problems_of(mailbox: DesiredMailbox) -> Iterable[str]:
    """Check the values of a desired mailbox: address, bucket, participants and domains.

    Args:
        mailbox: The desired mailbox.

    Yields:
        Each error as a sentence.
    """
    if problem_with_address(mailbox.address) or len(mailbox.address) > 320:
        yield "this is no email address."
    if problem := problem_with_bucket(mailbox.project, mailbox.bucket):
        yield problem
    for addresses in (mailbox.participant_allow, mailbox.participant_deny):
        yield from filter(None, map(problem_with_address, addresses))
    for domains in (mailbox.domain_allow, mailbox.domain_deny):
        yield from filter(None, map(problem_with_domain, domains))
