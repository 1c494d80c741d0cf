"""Calls in processes of their own, two at a time, each with a limit of CPU seconds that nothing in it can evade."""

from __future__ import annotations

import multiprocessing
import resource
import sys
from collections.abc import Callable, Iterator, Sequence
from multiprocessing.connection import Connection, wait
from typing import Any

AT_ONCE = 2
LONGEST = 150
"""CPU seconds of one call."""
ENDED = "ended"
"""The result of a call whose process was ended: by its limit, for want of memory or by a crash."""
_MEMORY = 3 * 1024**3
"""Bytes of one process."""


def side_by_side(calls: Sequence[Callable[[], Any]]) -> Iterator[tuple[int, Any]]:
    """The number of each call and its result, as they come. The results travel between processes."""
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
            number, process = running.pop(connection)
            try:
                result = connection.recv()  # type: ignore[call-arg]  # `wait` returns what it was given
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
