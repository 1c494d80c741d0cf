"""Which names a project and a bucket can have: asked by forms before anything is sent, and by the sink before it opens.

Pure.
"""

from __future__ import annotations

import re

_PROJECT = re.compile(r"[A-Za-z0-9_.-]{1,1024}")
_BUCKET = re.compile(r"[A-Za-z0-9_-]{1,256}")
_DOTS = (".", "..")


def problem_with_bucket(project: str, name: str) -> str | None:
    """Why no bucket `project/name` can exist, in words for an admin; None when it can.

    The rules are those of Re:infer's API specification: a project has letters, digits, dots, hyphens and underscores,
    at most 1,024 of them; a bucket the same without dots, at most 256.
    """
    return _problem("project", project, _PROJECT, 1024) or _problem("bucket name", name, _BUCKET, 256)


def _problem(what: str, value: str, allowed: re.Pattern[str], most: int) -> str | None:
    if not value:
        return f"The {what} is missing."
    if "/" in value:
        return (
            f"The {what} has a slash too many: the project and the bucket name are given apart, each without a slash."
        )
    if value != value.strip():
        return f"The {what} begins or ends with white space."
    if len(value) > most:
        return f"The {what} is longer than {most} characters."
    if value in _DOTS or not allowed.fullmatch(value):
        dots = "dots, " if allowed is _PROJECT else ""
        return f"The {what} may only have letters without accents, digits, {dots}hyphens and underscores."
    return None
