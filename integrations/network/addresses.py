"""Connect to the first address of a server that accepts a connection, within one deadline.

A host name can have many addresses, and an address behind a firewall that drops packets does not answer. urllib3 would
wait the whole time-out for each address.
"""

from __future__ import annotations

import socket
import time
from collections.abc import Iterable
from typing import Any

from urllib3.util.connection import allowed_gai_family

EACH_ADDRESS = 10.0
"""Maximum number of seconds that one address may take to accept a connection."""


def connected(host: str, port: int, options: Iterable[tuple[Any, ...]], until: float) -> socket.socket:
    """Open a socket to a server.

    The lookup of the name cannot be interrupted; the operating system limits its time.

    Args:
        host: The host name, or an IP address with or without brackets.
        port: The port.
        options: Arguments for `socket.setsockopt`, one tuple for each option.
        until: The deadline, on the clock of `time.monotonic`.

    Returns:
        A connected socket, whose time-out is the time until the deadline.

    Raises:
        socket.gaierror: The name cannot be resolved.
        TimeoutError: The deadline passed, or the last address did not answer.
        OSError: The last address cannot be connected to for another reason, or the name has no address.
    """
    failure: OSError = OSError("it has no address")
    for family, kind, protocol, _, address in socket.getaddrinfo(
        host.strip("[]"), port, allowed_gai_family(), socket.SOCK_STREAM
    ):
        if time.monotonic() >= until:
            raise TimeoutError from failure
        try:
            return _connected(socket.socket(family, kind, protocol), address, options, until)
        except OSError as error:
            failure = error
    raise failure


def _connected(
    new_socket: socket.socket, address: Any, options: Iterable[tuple[Any, ...]], until: float
) -> socket.socket:
    try:
        for option in options:
            new_socket.setsockopt(*option)
        new_socket.settimeout(min(_left(until), EACH_ADDRESS))
        new_socket.connect(address)
        new_socket.settimeout(_left(until))
    except OSError:
        new_socket.close()
        raise
    return new_socket


def _left(until: float) -> float:
    # A time-out of 0 would make the socket non-blocking.
    return max(until - time.monotonic(), 0.001)
