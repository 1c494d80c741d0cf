"""What a gateway, a scanner or a proxy hands out in place of an email, with the status of success."""

from __future__ import annotations

HTML = (
    b"<!DOCTYPE html>\r\n<html><head><title>Service unavailable</title></head>\r\n"
    b"<body>\r\nDate: today\r\nSubject: your request\r\n<p>Please try again later.</p>\r\n</body></html>\r\n"
)
JSON = (
    b'{\r\n"error": {"code": "UnknownError", "message": "The request could not be processed."},\r\n"Date": "today"\r\n}'
)
KINDS = ("html", "json", "empty", "cut")


def in_place_of(mime: bytes, kind: str) -> bytes:
    """The bytes of this kind (see `KINDS`) that come instead of an email. `cut`: the email ends in the middle of the line of
    its Message-ID, or of its first line where it has none."""
    if kind == "cut":
        begin = max(0, mime.lower().find(b"\nmessage-id:"))
        return mime[: begin + len(b"\nmessage-id: <m")]
    return {"html": HTML, "json": JSON, "empty": b""}[kind]
