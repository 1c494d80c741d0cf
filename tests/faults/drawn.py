"""The numbers of the seeds to run."""

from __future__ import annotations

import os


def seeds(usual: str) -> range:
    """Return the seeds of FAULT_SEEDS, such as "0-1999" or "7"; without this variable, the seeds of `usual`."""
    first, _, last = os.environ.get("FAULT_SEEDS", usual).partition("-")
    return range(int(first), int(last or first) + 1)
