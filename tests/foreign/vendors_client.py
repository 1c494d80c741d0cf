"""`re`, the command-line client of Re:infer's maker, built from its published crate and pointed at a server of ours."""

from __future__ import annotations

import json
import os
import subprocess
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import Any

from tests.foreign.installing import built_by

BUILD = Path(__file__).parent / "reinfer_cli" / "build.sh"
PATIENCE = 180.0
"""Seconds that a command may take; against a server that fails, the client tries for more than half a minute."""


@cache
def program() -> Path:
    """`re`, built by the first test that asks for it. Skips the test where Cargo or a C compiler is not installed."""
    return built_by(BUILD, "cargo", "cc", "make", "tar") / "bin" / "re"


@dataclass(frozen=True)
class VendorsClient:
    """The client as somebody uses it who has this token, with a home folder of his own."""

    endpoint: str
    token: str
    home: Path

    def __call__(self, *arguments: str | Path) -> str:
        """What the command wrote to standard output. Raises `AssertionError` with all that it wrote where it failed."""
        done = self.run(*arguments)
        assert done.returncode == 0, (
            f"re {' '.join(map(str, arguments))}:\n{done.stdout[-2000:]}\n{done.stderr[-4000:]}"
        )
        return done.stdout

    def lines(self, *arguments: str | Path) -> list[dict[str, Any]]:
        """The JSON objects that a command wrote, one a line."""
        return [json.loads(line) for line in self("--output", "json", *arguments).split("\n") if line]

    def run(self, *arguments: str | Path) -> subprocess.CompletedProcess[str]:
        """The command, however it ends."""
        here = ["--config-file", str(self.home / "config.json"), "--endpoint", self.endpoint, "--token", self.token]
        # Nothing may go through a proxy that the machine happens to have.
        inherited = {name: value for name, value in os.environ.items() if not name.casefold().endswith("_proxy")}
        return subprocess.run(
            [str(program()), *here, *map(str, arguments)],
            capture_output=True,
            text=True,
            check=False,
            timeout=PATIENCE,
            stdin=subprocess.DEVNULL,
            env=inherited | {"HOME": str(self.home)},
        )
