#!/usr/bin/env bash
# fast-mail-parser 0.10.0: an inner boundary that begins with the outer one makes a text that nobody wrote.
#
# Input:    a multipart/mixed with boundary "q" that holds a multipart/alternative with boundary "q1" and one text in it.
#           RFC 2046, section 5.1.2, allows it: a delimiter line is the boundary up to the end of the line.
# Guess:    one text, "hello".
# Expected: text_plain == ["hello"].
# Observed: a second, empty text. The delimiter lines of the inner multipart count as those of the outer one. With "r1" inside
#           there is one text.
# Output:
#     fast-mail-parser 0.10.0
#     inner boundary r1: expected ['hello'], observed ['hello']
#     inner boundary q1: expected ['hello'], observed ['hello', '']
#     as described
# Exit 0 while this is so, 1 when it changes.
set -euo pipefail
dir=$(mktemp -d); trap 'rm -rf "$dir"' EXIT
python3 -m venv "$dir/venv"
"$dir/venv/bin/pip" install -q --disable-pip-version-check fast-mail-parser==0.10.0
"$dir/venv/bin/python" - <<'PY'
import sys
from importlib.metadata import version

import fast_mail_parser


def texts(inner: str) -> list[str]:
    lines = [
        "From: a@x.example", "Subject: s", "MIME-Version: 1.0", 'Content-Type: multipart/mixed; boundary="q"', "",
        "--q", f'Content-Type: multipart/alternative; boundary="{inner}"', "",
        f"--{inner}", "Content-Type: text/plain", "", "hello", f"--{inner}--", "--q--", "",
    ]
    return [text.strip() for text in fast_mail_parser.parse_email("\r\n".join(lines).encode()).text_plain]


print("fast-mail-parser", version("fast-mail-parser"))
observed = {inner: texts(inner) for inner in ("r1", "q1")}
for inner, found in observed.items():
    print(f"inner boundary {inner}: expected ['hello'], observed {found}")
same = observed == {"r1": ["hello"], "q1": ["hello", ""]}
print("as described" if same else "CHANGED")
sys.exit(not same)
PY
