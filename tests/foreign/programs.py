"""Runs the program of a foreign client: one JSON object goes in, one comes out."""

from __future__ import annotations

import json
import os
import subprocess
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

PATIENCE = 180.0
"""Seconds that a client may take: a Java machine on a busy computer starts slowly."""


def told_by(command: Sequence[str | Path], given: Mapping[str, Any], **environment: str) -> dict[str, Any]:
    """What the program wrote to standard output. Raises `AssertionError` where it failed or wrote no JSON object."""
    # Nothing may go through a proxy that the machine happens to have.
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
    told: dict[str, Any] = json.loads(done.stdout.splitlines()[-1])
    return told
