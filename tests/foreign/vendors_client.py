"""`re`, the CLI of Re:infer, built from its published crate and run against a simulator."""

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
"""Seconds that a command may take. If a server fails, the client retries for more than half a minute."""


@cache
def program() -> Path:
    """Return the path of `re`, which the first call builds. Skip the test if Cargo or a C compiler is missing."""
    return built_by(BUILD, "cargo", "cc", "make", "tar") / "bin" / "re"


@dataclass(frozen=True)
class VendorsClient:
    """The client with an API token and a separate home folder."""

    endpoint: str
    token: str
    home: Path

    def __call__(self, *arguments: str | Path) -> str:
        """Run a command and return its standard output. If it fails, raise `AssertionError` with its output."""
        done = self.run(*arguments)
        assert done.returncode == 0, (
            f"re {' '.join(map(str, arguments))}:\n{done.stdout[-2000:]}\n{done.stderr[-4000:]}"
        )
        return done.stdout

    def lines(self, *arguments: str | Path) -> list[dict[str, Any]]:
        """Run a command and return the JSON objects that it writes, one per line."""
        return [json.loads(line) for line in self("--output", "json", *arguments).split("\n") if line]

    def run(self, *arguments: str | Path) -> subprocess.CompletedProcess[str]:
        """Run a command, which may fail."""
        options = ["--config-file", str(self.home / "config.json"), "--endpoint", self.endpoint, "--token", self.token]
        # Requests must not use a proxy of the machine.
        inherited = {name: value for name, value in os.environ.items() if not name.casefold().endswith("_proxy")}
        return subprocess.run(
            [str(program()), *options, *map(str, arguments)],
            capture_output=True,
            text=True,
            check=False,
            timeout=PATIENCE,
            stdin=subprocess.DEVNULL,
            env=inherited | {"HOME": str(self.home)},
        )
