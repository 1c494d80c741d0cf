"""The MIME of an email as Graph renders it: the same content as from EWS, in other bytes.

Boundaries differ, and so do the order and the folding of headers. Text in base64 becomes quoted-printable, and other content
in base64 gets lines of another length. Content in any other encoding becomes base64. In a signed, encrypted or broken email,
only the headers differ. Attached emails, and bodies with an unknown transfer encoding, are unchanged.
"""

from __future__ import annotations

import base64
import binascii
import hashlib
import re
from email import policy
from email.generator import BytesGenerator
from email.message import Message
from email.parser import BytesParser
from io import BytesIO

PLAIN = policy.compat32.clone(linesep="\r\n", max_line_length=None)
PARSER = BytesParser(policy=policy.compat32)
FOLD_AT = 60
"""Maximum number of characters of a header line that can be folded. Mail clients fold at 76 or 78."""
BASE64_BYTES = 45
"""Number of bytes of content in one line of base64. The line has 60 characters."""
LAST = ("mime-version", "content-type", "content-transfer-encoding", "content-disposition", "content-id")
BREAK = re.compile(r"\r?\n(?=[ \t])")
SPACE = re.compile(r"(?<=\S)[ \t](?=\S)")
KEPT_TYPES = {"multipart/signed", "multipart/encrypted"}


def rendered(mime: bytes) -> bytes:
    """The email as `$value` returns it."""
    message = PARSER.parsebytes(mime)
    if _must_keep(message):
        head, blank, body = _split(mime)
        headers = PARSER.parsebytes(head)
        return _headers(headers) + blank + body if blank and not headers.get_payload() else mime
    return _part(message, hashlib.sha256(mime).hexdigest()[:16])


def _must_keep(message: Message) -> bool:
    """Whether only the headers may change."""
    unchanged = any(part.defects or part.get_content_type() in KEPT_TYPES or _is_raw(part) for part in message.walk())
    return unchanged or not message.keys() or message.get_content_maintype() == "message"


def _is_raw(part: Message) -> bool:
    """Whether the Content-Type has bytes that are invalid in headers. Such a part cannot be rewritten."""
    return any(name.casefold() == "content-type" and not str(value).isascii() for name, value in part.raw_items())


def _split(mime: bytes) -> tuple[bytes, bytes, bytes]:
    """Head, blank line, body."""
    found = re.search(rb"\r?\n(\r?\n)", mime)
    if found is None:
        return mime, b"", b""
    return mime[: found.start(1)], found[1], mime[found.end(1) :]


def _part(part: Message, mark: str) -> bytes:
    if part.is_multipart() and part.get_content_maintype() == "multipart":
        return _multipart(part, mark)
    if part.get_content_maintype() == "message":
        return _unchanged(part)
    encoding, body = _encoded(part)
    if encoding:
        del part["Content-Transfer-Encoding"]
        part["Content-Transfer-Encoding"] = encoding
    return _headers(part) + b"\r\n" + body


def _multipart(part: Message, mark: str) -> bytes:
    boundary = f"_{mark}_GRAPH_"
    part.set_boundary(boundary)
    line = f"--{boundary}".encode()
    children = [child for child in part.get_payload() if isinstance(child, Message)]
    inside = [line + b"\r\n" + _part(child, f"{mark}{number:02d}") for number, child in enumerate(children)]
    return _headers(part) + b"\r\n" + b"\r\n".join([*inside, line + b"--\r\n"])


def _encoded(part: Message) -> tuple[str, bytes]:
    """The new transfer encoding of a part, and its body in this encoding. If the encoding is blank, the part is unchanged."""
    content = part.get_payload(decode=True)
    if not isinstance(content, bytes) or part.defects:
        return "", _body_of(part)
    was = str(part.get("Content-Transfer-Encoding", "7bit")).strip().casefold()
    if was not in ("7bit", "8bit", "binary", "quoted-printable", "base64"):
        return "", _body_of(part)
    if was == "base64" and part.get_content_maintype() == "text":
        return "quoted-printable", binascii.b2a_qp(content, istext=False).replace(b"=\n", b"=\r\n")
    lines = (content[at : at + BASE64_BYTES] for at in range(0, len(content), BASE64_BYTES))
    return "base64", b"".join(base64.b64encode(line) + b"\r\n" for line in lines)


def _headers(part: Message) -> bytes:
    items = sorted(part.raw_items(), key=lambda item: _place(item[0]))
    return b"".join(_header(name, str(value)) for name, value in items)


def _place(name: str) -> tuple[int, str]:
    """Sort key of a header: by name, with the headers of `LAST` at the end. Headers with the same name keep their order."""
    known = name.casefold()
    return (LAST.index(known) + 1, "") if known in LAST else (0, known)


def _header(name: str, value: str) -> bytes:
    text = f"{name}: " + BREAK.sub("", value)
    parts, start, behind = [], 0, len(name) + 2
    while len(text) - start > FOLD_AT and (at := _fold_place(text, start + behind, start + FOLD_AT)):
        parts.append(text[start:at])
        start, behind = at, 1
    return ("\r\n".join([*parts, text[start:]]) + "\r\n").encode("ascii", "surrogateescape")


def _fold_place(text: str, begin: int, end: int) -> int:
    """Where a header is folded: at the last blank before `end`, otherwise at the next blank. Returns 0 if there is no blank."""
    short = [found.start() for found in SPACE.finditer(text, begin, end)]
    far = None if short else SPACE.search(text, max(begin, end - 1))
    return short[-1] if short else (far.start() if far else 0)


def _unchanged(part: Message) -> bytes:
    out = BytesIO()
    BytesGenerator(out, mangle_from_=False, maxheaderlen=0, policy=PLAIN).flatten(part)
    return out.getvalue()


def _body_of(part: Message) -> bytes:
    return _split(_unchanged(part))[2]
