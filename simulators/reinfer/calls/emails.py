"""The raw emails of a bucket: put, read back by id or in pages, and deleted."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from simulators.http import Response
from simulators.reinfer.answers import ok
from simulators.reinfer.buckets import StoredEmail
from simulators.reinfer.calls.comments import refuse_unknown_content
from simulators.reinfer.contracts import EMAIL_PAGE, EMAIL_QUERY, PUT_EMAILS
from simulators.reinfer.shapes import read_instant
from simulators.reinfer.tokens import APPEND_EMAILS, READ_EMAILS, WRITE_BUCKETS
from simulators.reinfer.visit import Handler, Visit, page

_MOST_DELETED = 32


def put_emails(visit: Visit) -> Response:
    """No counts: created and updated cannot be told from the answer. One wrong email refuses all of them."""
    bucket = visit.bucket(APPEND_EMAILS, *visit.parts)
    visit.refuse_free_of_charge()
    emails = visit.json(PUT_EMAILS)["emails"]
    refuse_unknown_content(visit, bucket.id, emails)
    visit.store.put_emails(bucket, emails)
    return ok()


def get_emails(visit: Visit) -> Response:
    """Those with this id: one for each mailbox that holds it."""
    (wanted,) = visit.several("id", 1)
    bucket = visit.bucket(READ_EMAILS, *visit.parts)
    return ok(emails=[email.as_answer() for email in bucket.in_time() if email.content["id"] == wanted])


def list_emails(visit: Visit) -> Response:
    bucket = visit.bucket(READ_EMAILS, *visit.parts)
    asked = visit.json(EMAIL_PAGE)
    emails, more = page(bucket.in_time(), asked.get("continuation"), asked["limit"])
    return ok(emails=[email.as_answer() for email in emails], **({"continuation": more} if more else {}))


def query_emails(visit: Visit) -> Response:
    """A page is cut before it is filtered: it can be short, or empty, and more can follow."""
    bucket = visit.bucket(READ_EMAILS, *visit.parts)
    asked = visit.json(EMAIL_QUERY)
    emails, more = page(bucket.in_time(), asked.get("continuation"), asked["limit"])
    found = [email.as_answer() for email in emails if _is_wanted(email, asked)]
    return ok(emails=found, more_results=more is not None, **({"continuation": more} if more else {}))


def delete_emails(visit: Visit) -> Response:
    bucket = visit.bucket(WRITE_BUCKETS, *visit.parts)
    visit.store.delete_emails(bucket, visit.several("id", _MOST_DELETED))
    return ok()


def _is_wanted(email: StoredEmail, asked: Mapping[str, Any]) -> bool:
    first, end = asked.get("from_timestamp"), asked.get("to_timestamp")
    return (
        asked.get("mailbox_name") in (None, email.mailbox)
        and (first is None or email.timestamp >= read_instant(first))
        and (end is None or email.timestamp < read_instant(end))
    )


HANDLERS: Mapping[str, Handler] = {
    "put-emails": put_emails,
    "get-emails": get_emails,
    "list-emails": list_emails,
    "query-emails": query_emails,
    "delete-emails": delete_emails,
}
