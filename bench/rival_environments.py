"""Virtual environments for the libraries with which the text cleaning of this project is compared.

They are separate from the environment of this project, because one of these libraries requires a GPL library, and another
library is not maintained.
"""

from __future__ import annotations

import json
import subprocess
import sys
import venv
from collections.abc import Sequence
from pathlib import Path
from typing import Any

ROOT = Path("data/bench")
SCRIPT = Path(__file__).with_name("rivals.py")
PACKAGES = {
    "mail-parser-reply": ["mail-parser-reply==1.36", "inscriptis==2.7.0"],
    "talon": [
        "lxml",
        "regex",
        "cssselect",
        "html5lib",
        "chardet",
        "cchardet==2.4.0",
        "joblib",
        "six",
        "inscriptis==2.7.0",
    ],
    "quotequail": ["quotequail==0.5.0", "inscriptis==2.7.0"],
    "unquotemail": ["unquotemail==1.0.11"],
}
WITHOUT_DEPENDENCIES = {"talon": ["talon==1.4.4"]}
"""Packages that are installed without their declared dependencies, because those dependencies cannot be installed together."""


def answers(library: str, cases: Sequence[dict[str, Any]]) -> list[dict[str, Any]]:
    """Return the result of the library for each case. Raises `subprocess.CalledProcessError` if the library fails."""
    python = _environment(library)
    lines = "".join(json.dumps(case) + "\n" for case in cases)
    run = subprocess.run([python, SCRIPT, library], input=lines, capture_output=True, text=True, check=True)
    return [json.loads(line) for line in run.stdout.splitlines()]


def _environment(library: str) -> Path:
    folder = ROOT / library
    python = folder / "bin" / "python"
    if not (folder / "ready").exists():
        print(f"Installing {library} into {folder} …", file=sys.stderr)
        venv.create(folder, with_pip=True, clear=True)
        _pip(python, PACKAGES[library])
        if library in WITHOUT_DEPENDENCIES:
            _pip(python, ["--no-deps", *WITHOUT_DEPENDENCIES[library]])
        (folder / "ready").touch()
    return python


def _pip(python: Path, packages: list[str]) -> None:
    subprocess.run([python, "-m", "pip", "install", "--quiet", *packages], check=True)
