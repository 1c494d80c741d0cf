#!/usr/bin/env bash
# fast-mail-parser 0.10.0: an inner boundary that begins with the outer boundary adds an empty text.
#
# Input:    a multipart/mixed with boundary "q" that contains a multipart/alternative with boundary "q1" and one text.
#           RFC 2046, section 5.1.2, allows this: a delimiter line contains the whole boundary up to the end of the line.
# Guess:    one text, "hello".
# Expected: text_plain == ["hello"].
# Observed: a second, empty text. The delimiter lines of the inner multipart are read as delimiter lines of the outer one. With
#           the inner boundary "r1" there is one text.
# Output:
#     fast-mail-parser 0.10.0
#     inner boundary r1: expected ['hello'], observed ['hello']
#     inner boundary q1: expected ['hello'], observed ['hello', '']
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
