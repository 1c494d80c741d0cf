"""Run calls in separate processes, two at a time. The kernel limits the CPU time of each process, and on Linux its memory."""

from __future__ import annotations

import multiprocessing
import resource
import sys
from collections.abc import Callable, Iterator, Sequence
from multiprocessing.connection import Connection, wait
from typing import Any

AT_ONCE = 2
LONGEST = 150
"""Limit for the CPU time of one call, in seconds."""
ENDED = "ended"
"""The result of a call whose process ended because of a limit or a crash."""
_MEMORY = 3 * 1024**3
"""Limit for the memory of one process, in bytes."""


def side_by_side(calls: Sequence[Callable[[], Any]]) -> Iterator[tuple[int, Any]]:
    """Yield the index and the result of each call as soon as it ends. The results must be picklable."""
    context = multiprocessing.get_context("fork")
    waiting = list(enumerate(calls))[::-1]
    running: dict[Connection, tuple[int, Any]] = {}
    while waiting or running:
        while waiting and len(running) < AT_ONCE:
            number, call = waiting.pop()
            here, there = context.Pipe(duplex=False)
            process = context.Process(target=_run, args=(call, there), daemon=True)
            process.start()
            there.close()
            running[here] = (number, process)
        for connection in wait(list(running)):
            assert isinstance(connection, Connection)  # `wait` returns what it was given
            number, process = running.pop(connection)
            try:
                result = connection.recv()
            except EOFError:
                result = ENDED
            connection.close()
            process.join()
            yield number, result


def _run(call: Callable[[], Any], there: Connection) -> None:
    resource.setrlimit(resource.RLIMIT_CPU, (LONGEST, LONGEST + 1))
    if sys.platform == "linux":
        resource.setrlimit(resource.RLIMIT_AS, (_MEMORY, _MEMORY))
    there.send(call())
