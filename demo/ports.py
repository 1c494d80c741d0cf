"""Free ports on this machine, and whether one is taken."""

from __future__ import annotations

import socket


def is_free(port: int, host: str = "127.0.0.1") -> bool:
    with socket.socket() as probe:
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            probe.bind((host, port))
        except OSError:
            return False
    return True


def free(preferred: int = 0, host: str = "127.0.0.1") -> int:
    """The preferred port, or the next free one after it; any free one when none is preferred."""
    if preferred:
        for port in range(preferred, min(preferred + 50, 65_536)):
            if is_free(port, host):
                return port
    with socket.socket() as probe:
        probe.bind((host, 0))
        return int(probe.getsockname()[1])
