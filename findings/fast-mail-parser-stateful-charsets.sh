#!/usr/bin/env bash
# fast-mail-parser 0.10.0: a body in iso-2022-kr or hz-gb-2312 becomes one replacement character.
#
# Input:    two valid emails: text/plain in iso-2022-kr (RFC 1557) and in hz-gb-2312 (RFC 1842, RFC 1843), 7-bit, a few words.
# Guess:    the text is decoded, or the bytes are returned unchanged.
# Expected: the Korean and Chinese words, and in any case the ASCII word "invoice" after them.
# Observed: text_plain is a single U+FFFD for both. The whole text is lost, without an error. The library uses the
#           charset table of web browsers, which maps both names to an encoding that decodes nothing.
# Output:
#     fast-mail-parser 0.10.0
#     iso-2022-kr: expected '\uac00\ub098 invoice', observed '\ufffd'
#     hz-gb-2312: expected '\u4e2d\u6587 invoice', observed '\ufffd'
#     iso-2022-jp: expected '\u65e5\u672c invoice', observed '\u65e5\u672c invoice'
#     as described
# Exit code 0: the behaviour is as described. 1: it has changed.
set -euo pipefail
dir=$(mktemp -d); trap 'rm -rf "$dir"' EXIT
python3 -m venv "$dir/venv"
"$dir/venv/bin/pip" install -q --disable-pip-version-check fast-mail-parser==0.10.0
"$dir/venv/bin/python" - <<'PY'
import sys
from importlib.metadata import version

import fast_mail_parser

HEAD = b"From: a@x.example\r\nSubject: s\r\nMIME-Version: 1.0\r\nContent-Type: text/plain; charset=%s\r\n\r\n%s\r\n"
CASES = {
    "iso-2022-kr": (b"\x1b$)C\x0e0!3*\x0f invoice", "\uac00\ub098 invoice"),
    "hz-gb-2312": (b"~{VPND~} invoice", "\u4e2d\u6587 invoice"),
    "iso-2022-jp": (b"\x1b$BF|K\\\x1b(B invoice", "\u65e5\u672c invoice"),
}
print("fast-mail-parser", version("fast-mail-parser"))
observed = {}
for label, (body, meant) in CASES.items():
    assert body.decode(label.replace("hz-gb-2312", "hz")) == meant  # check of the input
    text = "".join(fast_mail_parser.parse_email(HEAD % (label.encode(), body)).text_plain).strip()
    observed[label] = text
    print(f"{label}: expected {ascii(meant)}, observed {ascii(text)}")
same = observed == {"iso-2022-kr": "\ufffd", "hz-gb-2312": "\ufffd", "iso-2022-jp": CASES["iso-2022-jp"][1]}
print("as described" if same else "CHANGED")
sys.exit(not same)
PY
