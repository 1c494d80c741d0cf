"""Buckets: found, created, changed, deleted, and counted."""

from __future__ import annotations

from collections.abc import Mapping

from simulators.http import Response
from simulators.reinfer.answers import Refused, ok
from simulators.reinfer.contracts import CHANGED_BUCKET, NEW_BUCKET
from simulators.reinfer.store import SourceExists
from simulators.reinfer.tokens import READ_BUCKETS, WRITE_BUCKETS
from simulators.reinfer.visit import Handler, Visit, check_names

EXACT_UP_TO = 10_000
"""Emails that are counted exactly. The real limit is not published; a client must be ready for either."""


def list_buckets(visit: Visit) -> Response:
    """Those of one project, or all that the token sees."""
    if visit.parts:
        visit.require(READ_BUCKETS, visit.project(visit.parts[0]))
    found = [bucket for key, bucket in sorted(visit.store.buckets.items()) if visit.token.may(READ_BUCKETS, key[0])]
    return ok(buckets=[bucket.as_answer() for bucket in found if not visit.parts or bucket.project == visit.parts[0]])


def get_bucket(visit: Visit) -> Response:
    return ok(bucket=visit.bucket(READ_BUCKETS, *visit.parts).as_answer())


def get_bucket_by_id(visit: Visit) -> Response:
    return ok(bucket=visit.bucket_by_id(READ_BUCKETS, *visit.parts).as_answer())


def create_bucket(visit: Visit) -> Response:
    project, name = visit.parts
    check_names(project, name)
    visit.require(WRITE_BUCKETS, visit.project(project))
    title = visit.json(NEW_BUCKET)["bucket"].get("title", "")
    try:
        return ok(bucket=visit.store.create_bucket(project, name, title).as_answer())
    except SourceExists as error:
        raise Refused(409, f"Bucket {project}/{name} exists already") from error


def update_bucket(visit: Visit) -> Response:
    bucket = visit.bucket(WRITE_BUCKETS, *visit.parts)
    visit.store.update_bucket(bucket, visit.json(CHANGED_BUCKET)["bucket"])
    return ok(bucket=bucket.as_answer())


def delete_bucket(visit: Visit) -> Response:
    bucket = visit.bucket_by_id(WRITE_BUCKETS, *visit.parts)
    try:
        visit.store.remove_bucket(bucket)
    except ValueError as error:
        raise Refused(400, str(error)) from error
    return ok()


def count(visit: Visit) -> Response:
    emails = len(visit.bucket(READ_BUCKETS, *visit.parts).emails)
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
