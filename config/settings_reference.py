"""Generates the reference of all settings: `python -m config.settings_reference > docs/configuration.md`.

The generator parses the source of config/settings.py, so the page does not depend on the environment. A setting is a call
of `env`, of one of its methods or of `seconds`, with a constant name. The lines above the call that begin with `#:` are the
description of the setting. A line `# ---- title ---` begins a section. The fields of `Limits` are settings, too.
"""

from __future__ import annotations

import ast
import inspect
import itertools
import re
import sys
import textwrap
from collections.abc import Iterator
from dataclasses import MISSING, dataclass, fields
from pathlib import Path
from typing import Any

SETTINGS = Path(__file__).with_name("settings.py")
TYPES = {
    "env": "text",
    "bool": "`true` or `false`",
    "int": "whole number",
    "float": "number",
    "list": "list, separated by commas",
    "db": "URL",
    "email_url": "URL",
    "seconds": "seconds",
}
INTRODUCTION = """\
# Configuration

<!-- Written by `make reference` from config/settings.py and the limits of the conversion. Do not edit it by hand. -->

All settings are environment variables. `NAME_FILE` names a file that holds the value of the setting `NAME`. With Docker
Compose, write the settings into `docker/.env`. Sizes are in bytes.
"""


@dataclass(frozen=True, slots=True)
class Setting:
    """One environment variable.

    Attributes:
        name: Name of the environment variable.
        type: Type of the value, in Markdown.
        default: Default value, in Markdown.
        meaning: Description, in Markdown.
    """

    name: str
    type: str
    default: str
    meaning: str


def main() -> int:
    """Print the page.

    Returns:
        The exit code 0.
    """
    sys.stdout.write(page())
    return 0


def page() -> str:
    """Return the text of docs/configuration.md."""
    from config import settings

    parts = [INTRODUCTION]
    parts += [_section(title, settings_of_section) for title, settings_of_section in read(SETTINGS.read_text()).items()]
    limits = list(read_limits(type(settings.LIMITS)))
    note = "Content beyond a limit is cut, and the comment has the property `Truncated`, unless the row says otherwise."
    parts.append(_section("Limits of the conversion", limits, note))
    return "\n".join(parts)


def read(source: str) -> dict[str, list[Setting]]:
    """Return the settings of each section, in the order of the source.

    Args:
        source: The source code of config/settings.py.

    Returns:
        A mapping from the title of a section to its settings.

    Raises:
        ValueError: A setting has no description.
    """
    lines = source.splitlines()
    sections: dict[str, list[Setting]] = {}
    calls = [node for node in ast.walk(ast.parse(source)) if isinstance(node, ast.Call)]
    for call in sorted(calls, key=lambda node: (node.lineno, node.col_offset)):
        if (kind := _kind(call)) and isinstance(call.args[0], ast.Constant):
            sections.setdefault(_title(lines, call.lineno), []).append(_setting(call, kind, lines))
    return sections


def read_limits(limits: type[Any]) -> Iterator[Setting]:
    """Return a setting `LIMIT_…` for each field of the data class of the limits.

    Args:
        limits: The data class. The docstring below each field is its description.

    Yields:
        The settings, in the order of the fields.

    Raises:
        ValueError: A field has no description or no default.
    """
    (body,) = (
        node.body
        for node in ast.parse(textwrap.dedent(inspect.getsource(limits))).body
        if isinstance(node, ast.ClassDef)
    )
    meanings = {
        field.target.id: below.value.value
        for field, below in itertools.pairwise(body)
        if isinstance(field, ast.AnnAssign) and isinstance(field.target, ast.Name)
        if isinstance(below, ast.Expr) and isinstance(below.value, ast.Constant) and isinstance(below.value.value, str)
    }
    for field in fields(limits):
        name = f"LIMIT_{field.name.upper()}"
        if field.name not in meanings or field.default is MISSING:
            raise ValueError(f"{name} has no description or no default.")
        yield Setting(name, TYPES["int"], _shown(field.default), " ".join(meanings[field.name].split()))


def _kind(call: ast.Call) -> str | None:
    match call.func:
        case ast.Name(id="env" | "seconds" as kind) if call.args:
            return kind
        case ast.Attribute(value=ast.Name(id="env"), attr=kind) if call.args:
            return kind
    return None


def _title(lines: list[str], number: int) -> str:
    """Return the title of the section that contains the line `number`, counted from 1."""
    titles = (re.match(r"# ---- (.+?) -+$", line) for line in reversed(lines[:number]))
    title = next(match[1] for match in titles if match)
    return title[0].upper() + title[1:]


def _setting(call: ast.Call, kind: str, lines: list[str]) -> Setting:
    name = ast.literal_eval(call.args[0])
    comment: list[str] = []
    # The description is above the statement or, in a dictionary, above the line of the call.
    for line in reversed(lines[: call.lineno - 1]):
        if not line.lstrip().startswith("#:"):
            break
        comment.insert(0, line.lstrip().removeprefix("#:").strip())
    default = [line.removeprefix("Default: ") for line in comment if line.startswith("Default: ")]
    meaning = " ".join(line for line in comment if not line.startswith("Default: "))
    if not meaning:
        raise ValueError(
            f"{name} has no description in {SETTINGS.name}: lines that begin with #: directly above the setting."
        )
    return Setting(name, TYPES[kind], default[0] if default else _default(call), meaning)


def _default(call: ast.Call) -> str:
    default = next((keyword.value for keyword in call.keywords if keyword.arg == "default"), None)
    expression = default if default is not None else call.args[1]
    # A default is a constant or a product of constants; any other default needs a line `#: Default:`.
    value = eval(compile(ast.Expression(expression), SETTINGS.name, "eval"), {"__builtins__": {}})  # noqa: S307  # the source is part of the product
    return _shown(value)


def _shown(value: object) -> str:
    match value:
        case bool():
            return f"`{str(value).lower()}`"
        case "" | []:
            return "empty"
        case list():
            return f"`{','.join(map(str, value))}`"
        case int() if value and value % 1024**2 == 0:
            return f"`{value}` ({value // 1024**2} MiB)"
        case int() if value and value % 86_400 == 0:
            return f"`{value}` ({value // 86_400} days)"
    return f"`{value}`"


def _section(title: str, settings: list[Setting], note: str = "") -> str:
    rows = [f"| `{setting.name}` | {setting.type} | {setting.default} | {setting.meaning} |" for setting in settings]
    head = ["| Setting | Type | Default | Meaning |", "| --- | --- | --- | --- |"]
    return "\n".join([f"## {title}", "", *([note, ""] if note else []), *head, *rows, ""])


if __name__ == "__main__":
    raise SystemExit(main())
