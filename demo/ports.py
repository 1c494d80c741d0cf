"""Find free TCP ports on this machine."""

from __future__ import annotations

import socket


def is_free(port: int, host: str = "127.0.0.1") -> bool:
    """Return whether a TCP port is free.

    Args:
        port: TCP port
        host: address to bind

    Returns:
        True if a server can bind the port.
    """
    with socket.socket() as candidate:
        candidate.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            candidate.bind((host, port))
        except OSError:
            return False
    return True


def free(preferred: int = 0, host: str = "127.0.0.1") -> int:
    """Return the first free port from `preferred` to `preferred` + 49; if there is none, return any free port.

    Args:
        preferred: TCP port; 0 for none
        host: address to bind

    Returns:
        The port.
    """
    if preferred:
        for port in range(preferred, min(preferred + 50, 65_536)):
            if is_free(port, host):
                return port
    with socket.socket() as candidate:
        candidate.bind((host, 0))
        return int(candidate.getsockname()[1])
