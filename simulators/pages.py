"""Bodies that a gateway, a virus scanner or a proxy returns instead of an email, with a success status."""

from __future__ import annotations

HTML = (
    b"<!DOCTYPE html>\r\n<html><head><title>Service unavailable</title></head>\r\n"
    b"<body>\r\nDate: today\r\nSubject: your request\r\n<p>Please try again later.</p>\r\n</body></html>\r\n"
)
JSON = (
    b'{\r\n"error": {"code": "UnknownError", "message": "The request could not be processed."},\r\n"Date": "today"\r\n}'
)
KINDS = ("html", "json", "empty", "cut")


def replacement_body(mime: bytes, kind: str) -> bytes:
    """The bytes of this kind (see `KINDS`) that replace an email.

    `cut` truncates the email: within the line of its Message-ID, or after 15 bytes if that line is missing or is the first
    line.
    """
    if kind == "cut":
        begin = max(0, mime.lower().find(b"\nmessage-id:"))
        return mime[: begin + len(b"\nmessage-id: <m")]
    return {"html": HTML, "json": JSON, "empty": b""}[kind]
