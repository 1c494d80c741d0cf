"""From the name of a server to a connection, by whichever of its addresses accepts first, while there is time.

A name has many addresses, and a firewall that drops says nothing: urllib3 gives each of them the whole of the time.
"""

from __future__ import annotations

import socket
import time
from collections.abc import Iterable
from typing import Any

from urllib3.util.connection import allowed_gai_family

EACH_ADDRESS = 10.0
"""Seconds that one address may take to accept."""


def connected(host: str, port: int, options: Iterable[tuple[Any, ...]], until: float) -> socket.socket:
    """A socket with these options, with the time that is left as its time-out.

    `until` is of `time.monotonic`. Raises `OSError`: `socket.gaierror` for a name that is not known, `TimeoutError` when
    the time is over or the last address did not answer. Looking up the name cannot be cut short; the system bounds that.
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


def _connected(made: socket.socket, address: Any, options: Iterable[tuple[Any, ...]], until: float) -> socket.socket:
    try:
        for option in options:
            made.setsockopt(*option)
        made.settimeout(min(_left(until), EACH_ADDRESS))
        made.connect(address)
        made.settimeout(_left(until))
    except OSError:
        made.close()
        raise
    return made


def _left(until: float) -> float:
    # A time-out of nothing would mean a socket that does not wait at all.
    return max(until - time.monotonic(), 0.001)
