"""The content of attachments: uploaded as a form with one file, before the comment or email is sent; and downloaded."""

from __future__ import annotations

from collections.abc import Mapping
from email import message_from_bytes, policy

from simulators.http import Response
from simulators.reinfer.answers import Refused, ok
from simulators.reinfer.tokens import ADD_COMMENTS, APPEND_EMAILS, READ
from simulators.reinfer.uploads import Place
from simulators.reinfer.visit import Handler, Held, Visit

_LARGEST_INDEX = 511


def put_of_comment(visit: Visit) -> Response:
    source_id, comment_id, index = visit.parts
    source = visit.source_by_id(ADD_COMMENTS, source_id)
    return _kept(visit, Place(source.id, comment_id, _index(index)))


def put_of_email(visit: Visit) -> Response:
    bucket_id, email_id, index = visit.parts
    bucket = visit.bucket_by_id(APPEND_EMAILS, bucket_id)
    return _kept(visit, Place(bucket.id, email_id, _index(index)))


def get(visit: Visit) -> Response:
    """The octets as they were uploaded, for whoever may read the source or bucket that holds them."""
    found = visit.store.uploads.content(visit.parts[0])
    if found is None:
        raise Refused(404, "Attachment not found")
    holder, content = found
    holders: list[Held] = [*visit.store.sources.values(), *visit.store.buckets.values()]
    for one in holders:
        if one.id == holder:
            visit.require(READ, one.project)
            return Response(body=content, content_type="application/octet-stream", compress=False)
    raise Refused(404, "Attachment not found")


def _kept(visit: Visit, place: Place) -> Response:
    return ok(content_hash=visit.store.upload(place, _file(visit)))


def _index(text: str) -> int:
    if not text.isascii() or not text.isdigit() or int(text) > _LARGEST_INDEX:
        raise Refused(400, f"the index of an attachment is 0 to {_LARGEST_INDEX}")
    return int(text)


def _file(visit: Visit) -> bytes:
    """The one file of a `multipart/form-data` body. Raises `Refused` for any other form."""
    kind = visit.request.headers.get("Content-Type", "")
    if visit.request.headers.get_content_type() != "multipart/form-data":
        raise Refused(415, "the Content-Type must be multipart/form-data")
    form = message_from_bytes(
        b"Content-Type: " + kind.encode("latin-1") + b"\r\n\r\n" + visit.body(), policy=policy.HTTP
    )
    parts = list(form.iter_parts()) if form.is_multipart() else []
    if (
        len(parts) != 1
        or parts[0].get_param("name", header="Content-Disposition") != "file"
        or not parts[0].get_filename()
    ):
        raise Refused(400, "the form must have one part, named file, with a filename")
    content = parts[0].get_payload(decode=True)
    return content if isinstance(content, bytes) else b""


HANDLERS: Mapping[str, Handler] = {
    "put-attachment": put_of_comment,
    "put-email-attachment": put_of_email,
    "get-attachment": get,
}
