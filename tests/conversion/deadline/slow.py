"""A conversion that does not end, planted by tests: a pattern whose matching takes a time that doubles with each letter."""

from __future__ import annotations

import re

ENDLESS = "a" * 64 + "b"
MARK = "endless"
"""What the subject of an email holds whose conversion shall not end."""


def match_for_ever() -> None:
    try:
        re.search(r"(a+)+$", ENDLESS)
    except Exception:  # as a library might do
        match_for_ever()


def planted(clean):
    """`conversion.transform.clean`, which does not end for an email with the mark in its subject."""

    def slow(sections, subject, *given):
        if MARK in subject:
            match_for_ever()
        return clean(sections, subject, *given)

    return slow
