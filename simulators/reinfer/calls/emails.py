"""Handlers that put, read, list, query and delete the raw emails of a bucket."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from simulators.http import Response
from simulators.reinfer.api_call import ApiCall, Handler, page
from simulators.reinfer.body_checks import read_instant
from simulators.reinfer.buckets import StoredEmail
from simulators.reinfer.calls.comments import refuse_unknown_content
from simulators.reinfer.contracts import EMAIL_PAGE, EMAIL_QUERY, PUT_EMAILS
from simulators.reinfer.responses import ok
from simulators.reinfer.tokens import APPEND_EMAILS, READ_EMAILS, WRITE_BUCKETS

_MAX_DELETED = 32


def put_emails(api_call: ApiCall) -> Response:
    """Store emails. The response has no counts. If one email is invalid, the whole request is refused."""
    bucket = api_call.bucket(APPEND_EMAILS, *api_call.parts)
    api_call.refuse_free_of_charge()
    emails = api_call.json(PUT_EMAILS)["emails"]
    refuse_unknown_content(api_call, bucket.id, emails)
    api_call.store.put_emails(bucket, emails)
    return ok()


def get_emails(api_call: ApiCall) -> Response:
    """The emails with this id, one for each mailbox that contains the email."""
    (wanted,) = api_call.several("id", 1)
    bucket = api_call.bucket(READ_EMAILS, *api_call.parts)
    return ok(emails=[email.as_answer() for email in bucket.in_time() if email.content["id"] == wanted])


def list_emails(api_call: ApiCall) -> Response:
    bucket = api_call.bucket(READ_EMAILS, *api_call.parts)
    asked = api_call.json(EMAIL_PAGE)
    emails, more = page(bucket.in_time(), asked.get("continuation"), asked["limit"])
    return ok(emails=[email.as_answer() for email in emails], **({"continuation": more} if more else {}))


def query_emails(api_call: ApiCall) -> Response:
    """Select a page, then filter the emails of this page. So a page with few or no emails can have a continuation."""
    bucket = api_call.bucket(READ_EMAILS, *api_call.parts)
    asked = api_call.json(EMAIL_QUERY)
    emails, more = page(bucket.in_time(), asked.get("continuation"), asked["limit"])
    found = [email.as_answer() for email in emails if _is_wanted(email, asked)]
    return ok(emails=found, more_results=more is not None, **({"continuation": more} if more else {}))


def delete_emails(api_call: ApiCall) -> Response:
    bucket = api_call.bucket(WRITE_BUCKETS, *api_call.parts)
    api_call.store.delete_emails(bucket, api_call.several("id", _MAX_DELETED))
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
