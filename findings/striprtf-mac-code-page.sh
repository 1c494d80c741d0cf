#!/usr/bin/env bash
# striprtf 0.0.35: a Macintosh code page is an error, and a pair of \u control words becomes two surrogates instead of one character.
#
# Input:    (1) {\rtf1\mac\ansicpg10000 caf\'8e}: code page 10000 is Mac OS Roman, according to the RTF specification 1.9.1.
#           (2) {\rtf1\ansi\uc1 \u-10179?\u-8704?}: U+1F600 as two signed 16-bit numbers of UTF-16, as RTF requires.
# Guess:    (1) "café", (2) one character.
# Expected: the same.
# Observed: (1) UnicodeDecodeError; (2) a string of two surrogates. It cannot be encoded in UTF-8, so writing it to a file or database
#           fails later.
# Output:
#     striprtf 0.0.35
#     code page 10000: expected 'caf\xe9', observed 'UnicodeDecodeError' / code page 1252 'caf\xe9'
#     pair: expected '\U0001f600', observed '\ud83d\ude00'
#     as described
# Exit code 0: the behaviour is as described. 1: it has changed.
set -euo pipefail
dir=$(mktemp -d); trap 'rm -rf "$dir"' EXIT
python3 -m venv "$dir/venv"
"$dir/venv/bin/pip" install -q --disable-pip-version-check striprtf==0.0.35
"$dir/venv/bin/python" - <<'PY'
import sys
from importlib.metadata import version

from striprtf.striprtf import rtf_to_text


def text_or_error(rtf: str) -> str:
    try:
        return rtf_to_text(rtf)
    except Exception as error:
        return type(error).__name__


print("striprtf", version("striprtf"))
mac = text_or_error(r"{\rtf1\mac\ansicpg10000 caf\'8e}")
windows = text_or_error(r"{\rtf1\ansi\ansicpg1252 caf\'e9}")
pair = text_or_error(r"{\rtf1\ansi\uc1 \u-10179?\u-8704?}")
print("code page 10000: expected 'caf\\xe9', observed", ascii(mac), "/ code page 1252", ascii(windows))
print("pair: expected '\\U0001f600', observed", ascii(pair))
same = (mac, windows, pair) == ("UnicodeDecodeError", "caf\u00e9", "\ud83d\ude00")
print("as described" if same else "CHANGED")
sys.exit(not same)
PY
