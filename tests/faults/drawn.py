"""Which seeds are run."""

from __future__ import annotations

import os


def seeds(usual: str) -> range:
    """Those of FAULT_SEEDS, such as "0-1999" or "7"; `usual` where it is not set."""
    first, _, last = os.environ.get("FAULT_SEEDS", usual).partition("-")
    return range(int(first), int(last or first) + 1)
