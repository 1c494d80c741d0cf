#!/usr/bin/env bash
# RTFDE 0.1.2.2: after \uc0 the space that ends a control word is kept in the HTML, and \ansicpg65001 is decoded byte by byte.
#
# Input:    HTML in RTF (MS-OXRTFEX): (1) <p>\uc0\u8364 x ; (2) a head with \ansicpg65001 and the text \'c3\'a9.
#           In RTF one space after a control word is part of the control word. \uc0 means that no fallback character follows.
# Guess:    (1) "<p>€x", (2) "<p>é".
# Expected: the same.
# Observed: (1) "<p>€ x": a space within words if the RTF uses \uc0. (2) "<p>Ã©". With \uc1 and a "?" the first is right.
# Output:
#     RTFDE 0.1.2.2
#     uc1: expected '<p>\u20acx', observed '<p>\u20acx'
#     uc0: expected '<p>\u20acx', observed '<p>\u20ac x'
#     65001: expected '<p>\xe9', observed '<p>\xc3\xa9'
#     as described
# Exit code 0: the behaviour is as described. 1: it has changed.
set -euo pipefail
dir=$(mktemp -d); trap 'rm -rf "$dir"' EXIT
python3 -m venv "$dir/venv"
"$dir/venv/bin/pip" install -q --disable-pip-version-check RTFDE==0.1.2.2
"$dir/venv/bin/python" - <<'PY'
import logging
import sys
from importlib.metadata import version

from RTFDE.deencapsulate import DeEncapsulator

logging.disable(logging.CRITICAL)


def html(code_page: int, text: bytes) -> str:
    head = rb"{\rtf1\ansi\ansicpg%d\fromhtml1 \deff0{\fonttbl{\f0\fswiss Arial;}}{\*\htmltag64 <p>}" % code_page
    reader = DeEncapsulator(head + text + b"}")
    reader.deencapsulate()
    return reader.html.decode() if isinstance(reader.html, bytes) else reader.html


print("RTFDE", version("RTFDE"))
fallback, none, utf_8 = html(1252, rb"\uc1\u8364 ?x"), html(1252, rb"\uc0\u8364 x"), html(65001, rb"\'c3\'a9")
print("uc1: expected '<p>\\u20acx', observed", ascii(fallback))
print("uc0: expected '<p>\\u20acx', observed", ascii(none))
print("65001: expected '<p>\\xe9', observed", ascii(utf_8))
same = (fallback, none, utf_8) == ("<p>\u20acx", "<p>\u20ac x", "<p>\u00c3\u00a9")
print("as described" if same else "CHANGED")
sys.exit(not same)
PY
