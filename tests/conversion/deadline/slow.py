"""An endless conversion, for tests: a regular expression whose matching time doubles with each letter."""

from __future__ import annotations

import re

ENDLESS = "a" * 64 + "b"
MARK = "endless"
"""If the subject of an email contains this word, the conversion of the email does not end."""


def match_for_ever() -> None:
    try:
        re.search(r"(a+)+$", ENDLESS)
    except Exception:  # a library could catch all exceptions in this way
        match_for_ever()


def planted(clean):
    """Return `clean` in a wrapper that does not end if the subject contains `MARK`."""

    def slow(sections, subject, *given):
        if MARK in subject:
            match_for_ever()
        return clean(sections, subject, *given)

    return slow
