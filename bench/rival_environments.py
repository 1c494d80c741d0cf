"""Environments for the libraries that our cleaning is measured against, apart from ours: one of them pulls in a library
under the GPL, and another is not maintained any more."""

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
WITHOUT_THEIR_OWN = {"talon": ["talon==1.4.4"]}
"""Installed without what they ask for, since that does not install together."""


def answers(library: str, cases: Sequence[dict[str, Any]]) -> list[dict[str, Any]]:
    """What the library makes of each case. Raises `subprocess.CalledProcessError` if it cannot be installed or run."""
    python = _environment(library)
    asked = "".join(json.dumps(case) + "\n" for case in cases)
    run = subprocess.run([python, SCRIPT, library], input=asked, capture_output=True, text=True, check=True)
    return [json.loads(line) for line in run.stdout.splitlines()]


def _environment(library: str) -> Path:
    folder = ROOT / library
    python = folder / "bin" / "python"
    if not (folder / "ready").exists():
        print(f"Installing {library} into {folder} …", file=sys.stderr)
        venv.create(folder, with_pip=True, clear=True)
        _pip(python, PACKAGES[library])
        if library in WITHOUT_THEIR_OWN:
            _pip(python, ["--no-deps", *WITHOUT_THEIR_OWN[library]])
        (folder / "ready").touch()
    return python


def _pip(python: Path, packages: list[str]) -> None:
    subprocess.run([python, "-m", "pip", "install", "--quiet", *packages], check=True)
