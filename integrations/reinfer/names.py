"""Rules for the names of projects and buckets. Forms, the API and the sink check the names. No I/O."""

from __future__ import annotations

import re

_PROJECT = re.compile(r"[A-Za-z0-9_.-]{1,1024}")
_BUCKET = re.compile(r"[A-Za-z0-9_-]{1,256}")
_DOTS = (".", "..")


def problem_with_bucket(project: str, name: str) -> str | None:
    """Return why no bucket `project/name` can exist.

    The rules are those of Re:infer's API specification. A project has at most 1,024 letters, digits, dots, hyphens and
    underscores, and is not `.` or `..`. A bucket name has at most 256 letters, digits, hyphens and
    underscores.

    Args:
        project: Name of the project.
        name: Name of the bucket without its project.

    Returns:
        A sentence for an admin. None where both names are valid.
    """
    return _problem("project", project, _PROJECT, 1024) or _problem("bucket name", name, _BUCKET, 256)


def _problem(label: str, value: str, allowed: re.Pattern[str], most: int) -> str | None:
    if not value:
        return f"The {label} is missing."
    if "/" in value:
        return f"The {label} must not contain a slash: the project and the bucket name are entered separately."
    if value != value.strip():
        return f"The {label} begins or ends with white space."
    if len(value) > most:
        return f"The {label} is longer than {most} characters."
    if value in _DOTS and allowed is _PROJECT:
        return f"The {label} must not consist of one dot or two dots."
    if not allowed.fullmatch(value):
        dots = "dots, " if allowed is _PROJECT else ""
        return f"The {label} may only contain letters without accents, digits, {dots}hyphens and underscores."
    return None
