"""Handlers that list, read, create, update, delete and count buckets."""

from __future__ import annotations

from collections.abc import Mapping

from simulators.http import Response
from simulators.reinfer.api_call import ApiCall, Handler, check_names
from simulators.reinfer.contracts import CHANGED_BUCKET, NEW_BUCKET
from simulators.reinfer.responses import Refused, ok
from simulators.reinfer.store import SourceExists
from simulators.reinfer.tokens import READ_BUCKETS, WRITE_BUCKETS

EXACT_UP_TO = 10_000
"""Up to this number of emails, the count is exact.

For more emails, the count is a lower bound. The real limit is not published.
"""


def list_buckets(api_call: ApiCall) -> Response:
    """The buckets of one project, or all buckets that the token may read."""
    if api_call.parts:
        api_call.require(READ_BUCKETS, api_call.project(api_call.parts[0]))
    found = [
        bucket for key, bucket in sorted(api_call.store.buckets.items()) if api_call.token.may(READ_BUCKETS, key[0])
    ]
    return ok(
        buckets=[bucket.as_answer() for bucket in found if not api_call.parts or bucket.project == api_call.parts[0]]
    )


def get_bucket(api_call: ApiCall) -> Response:
    return ok(bucket=api_call.bucket(READ_BUCKETS, *api_call.parts).as_answer())


def get_bucket_by_id(api_call: ApiCall) -> Response:
    return ok(bucket=api_call.bucket_by_id(READ_BUCKETS, *api_call.parts).as_answer())


def create_bucket(api_call: ApiCall) -> Response:
    project, name = api_call.parts
    check_names(project, name)
    api_call.require(WRITE_BUCKETS, api_call.project(project))
    title = api_call.json(NEW_BUCKET)["bucket"].get("title", "")
    try:
        return ok(bucket=api_call.store.create_bucket(project, name, title).as_answer())
    except SourceExists as error:
        raise Refused(409, f"Bucket {project}/{name} exists already") from error


def update_bucket(api_call: ApiCall) -> Response:
    bucket = api_call.bucket(WRITE_BUCKETS, *api_call.parts)
    api_call.store.update_bucket(bucket, api_call.json(CHANGED_BUCKET)["bucket"])
    return ok(bucket=bucket.as_answer())


def delete_bucket(api_call: ApiCall) -> Response:
    bucket = api_call.bucket_by_id(WRITE_BUCKETS, *api_call.parts)
    try:
        api_call.store.remove_bucket(bucket)
    except ValueError as error:
        raise Refused(400, str(error)) from error
    return ok()


def count(api_call: ApiCall) -> Response:
    emails = len(api_call.bucket(READ_BUCKETS, *api_call.parts).emails)
    kind = "exact" if emails <= EXACT_UP_TO else "lower_bound"
    return ok(statistics={"count": {"kind": kind, "value": min(emails, EXACT_UP_TO)}})


HANDLERS: Mapping[str, Handler] = {
    "list-buckets": list_buckets,
    "list-project-buckets": list_buckets,
    "get-bucket": get_bucket,
    "get-bucket-by-id": get_bucket_by_id,
    "create-bucket": create_bucket,
    "update-bucket": update_bucket,
    "delete-bucket": delete_bucket,
    "bucket-statistics": count,
}
