"""Upload and download of attachments.

A client uploads the content as a form with one file, and then sends the comment or email with the attachment.
"""

from __future__ import annotations

from collections.abc import Mapping
from email import message_from_bytes, policy

from simulators.http import Response
from simulators.reinfer.api_call import ApiCall, Handler, ProjectResource
from simulators.reinfer.responses import Refused, ok
from simulators.reinfer.tokens import ADD_COMMENTS, APPEND_EMAILS, READ
from simulators.reinfer.uploads import Place

_LARGEST_INDEX = 511


def put_of_comment(api_call: ApiCall) -> Response:
    source_id, comment_id, index = api_call.parts
    source = api_call.source_by_id(ADD_COMMENTS, source_id)
    return _store(api_call, Place(source.id, comment_id, _index(index)))


def put_of_email(api_call: ApiCall) -> Response:
    bucket_id, email_id, index = api_call.parts
    bucket = api_call.bucket_by_id(APPEND_EMAILS, bucket_id)
    return _store(api_call, Place(bucket.id, email_id, _index(index)))


def get(api_call: ApiCall) -> Response:
    """The bytes as they were uploaded. The token needs `sources-read` in the project of the source or bucket."""
    found = api_call.store.uploads.content(api_call.parts[0])
    if found is None:
        raise Refused(404, "Attachment not found")
    holder, content = found
    holders: list[ProjectResource] = [*api_call.store.sources.values(), *api_call.store.buckets.values()]
    for one in holders:
        if one.id == holder:
            api_call.require(READ, one.project)
            return Response(body=content, content_type="application/octet-stream", compress=False)
    raise Refused(404, "Attachment not found")


def _store(api_call: ApiCall, place: Place) -> Response:
    return ok(content_hash=api_call.store.upload(place, _file(api_call)))


def _index(text: str) -> int:
    if not text.isascii() or not text.isdigit() or int(text) > _LARGEST_INDEX:
        raise Refused(400, f"the index of an attachment is 0 to {_LARGEST_INDEX}")
    return int(text)


def _file(api_call: ApiCall) -> bytes:
    """The one file of a `multipart/form-data` body. Raises `Refused` for any other form."""
    kind = api_call.request.headers.get("Content-Type", "")
    if api_call.request.headers.get_content_type() != "multipart/form-data":
        raise Refused(415, "the Content-Type must be multipart/form-data")
    form = message_from_bytes(
        b"Content-Type: " + kind.encode("latin-1") + b"\r\n\r\n" + api_call.body(), policy=policy.HTTP
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
