"""Run the program of a third-party client, with JSON input and output."""

from __future__ import annotations

import json
import os
import subprocess
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

PATIENCE = 180.0
"""Seconds that a client may take. Java starts slowly on a busy computer."""


def run_program(command: Sequence[str | Path], given: Mapping[str, Any], **environment: str) -> dict[str, Any]:
    """Return the JSON object that the program writes as its last line. If it fails, raise `AssertionError`."""
    # Requests must not use a proxy of the machine.
    inherited = {name: value for name, value in os.environ.items() if not name.casefold().endswith("_proxy")}
    done = subprocess.run(
        [str(word) for word in command],
        input=json.dumps(given),
        capture_output=True,
        text=True,
        check=False,
        timeout=PATIENCE,
        env=inherited | environment,
    )
    assert done.returncode == 0, f"{command[0]} failed:\n{done.stdout[-2000:]}\n{done.stderr[-6000:]}"
    result: dict[str, Any] = json.loads(done.stdout.splitlines()[-1])
    return result
