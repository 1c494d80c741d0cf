#!/usr/bin/env bash
# fast-mail-parser 0.10.0 and mail-parser 4.8.0: encoded words with a language (RFC 2231, section 5) are not decoded correctly.
#
# Input:    Subject: Rechnung =?iso-8859-1*de?q?f=FCr?= Mai    (RFC 2231 adds the star and the language to RFC 2047)
# Guess:    both ignore the language and decode the word, as Python's own email package does.
# Expected: "Rechnung für Mai".
# Observed: fast-mail-parser returns the encoded word undecoded. mail-parser looks for a charset called "iso-8859-1*de",
#           and the non-ASCII letter is missing in the subject, without an error. With utf-8 the result is right.
# Output:
#     fast-mail-parser 0.10.0 / mail-parser 4.8.0
#     expected 'Rechnung f\xfcr Mai'
#     fast-mail-parser latin-1: 'Rechnung =?iso-8859-1*de?q?f=FCr?= Mai'
#     mail-parser latin-1: 'Rechnung fr Mai'
#     mail-parser utf-8: 'Rechnung f\xfcr Mai'
#     as described
# Exit code 0: the behaviour is as described. 1: it has changed.
set -euo pipefail
dir=$(mktemp -d); trap 'rm -rf "$dir"' EXIT
python3 -m venv "$dir/venv"
"$dir/venv/bin/pip" install -q --disable-pip-version-check fast-mail-parser==0.10.0 mail-parser==4.8.0
"$dir/venv/bin/python" - <<'PY'
import email
import email.policy
import sys
from importlib.metadata import version

import fast_mail_parser
import mailparser

LATIN = b"From: a@x.example\r\nSubject: Rechnung =?iso-8859-1*de?q?f=FCr?= Mai\r\n\r\ntext\r\n"
UTF_8 = b"From: a@x.example\r\nSubject: Rechnung =?utf-8*de?q?f=C3=BCr?= Mai\r\n\r\ntext\r\n"
MEANT = "Rechnung f\u00fcr Mai"
for raw in (LATIN, UTF_8):
    assert email.message_from_bytes(raw, policy=email.policy.default)["subject"] == MEANT
observed = [
    fast_mail_parser.parse_email(LATIN).subject,
    mailparser.parse_from_bytes(LATIN).subject,
    mailparser.parse_from_bytes(UTF_8).subject,
]
print("fast-mail-parser", version("fast-mail-parser"), "/ mail-parser", version("mail-parser"))
print("expected", ascii(MEANT))
for name, subject in zip(("fast-mail-parser latin-1", "mail-parser latin-1", "mail-parser utf-8"), observed, strict=True):
    print(f"{name}: {ascii(subject)}")
same = "=?iso-8859-1*de?q?f=FCr?=" in observed[0] and "\u00fc" not in observed[1] and "=?" not in observed[1] and observed[2] == MEANT
print("as described" if same else "CHANGED")
sys.exit(not same)
PY
