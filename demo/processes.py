"""Child processes that never outlive their parent: started in order, stopped in the opposite one."""

from __future__ import annotations

import ctypes
import os
import signal
import subprocess
import sys
import time
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from types import TracebackType
from typing import Any, Self

GRACE = 8.0
"""Seconds that a child has to end by itself."""
PR_SET_PDEATHSIG = 1


class ChildDied(Exception):
    """A child ended that should have gone on. The text names it, and its last words."""


@dataclass
class Child:
    name: str
    process: subprocess.Popen[bytes]
    log: Path

    def last_words(self, lines: int = 15) -> str:
        return "\n".join(self.log.read_text(errors="replace").splitlines()[-lines:])


class Processes:
    """A group of children; leaving the context stops all of them."""

    def __init__(self, logs: Path, *, grace: float = GRACE) -> None:
        self._logs = logs
        self._grace = grace
        self._children: list[Child] = []

    def start(self, name: str, command: Sequence[str], environment: Mapping[str, str], *, piped: bool = False) -> Child:
        """Start a child with its output in a log of its own; `piped`: its standard output is for us to read."""
        log = self._logs / f"{name}.log"
        with log.open("ab") as file:
            process = subprocess.Popen(
                command,
                env=dict(environment),
                stdin=subprocess.PIPE,
                stdout=subprocess.PIPE if piped else file,
                stderr=file,
                # A session of its own: Ctrl-C in the terminal reaches us alone, and we stop them in order.
                start_new_session=True,
                preexec_fn=_die_with_parent,  # noqa: PLW1509  # started before any thread of ours
            )
        child = Child(name, process, log)
        self._children.append(child)
        return child

    def check(self) -> None:
        """Raises `ChildDied` if any of them has ended."""
        for child in self._children:
            code = child.process.poll()
            if code is not None:
                raise ChildDied(
                    f"{child.name} ended by itself (exit code {code}). Its last words, from {child.log}:\n"
                    f"{child.last_words()}"
                )

    def stop(self) -> None:
        """End all of them: politely, then for sure."""
        for child in reversed(self._children):
            _signal(child, signal.SIGTERM)
        end = time.monotonic() + self._grace
        for child in reversed(self._children):
            try:
                child.process.wait(max(0.1, end - time.monotonic()))
            except subprocess.TimeoutExpired:
                _signal(child, signal.SIGKILL)
                child.process.wait()
            for stream in (child.process.stdin, child.process.stdout):
                if stream is not None:
                    stream.close()
        self._children.clear()

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.stop()


def _signal(child: Child, number: int) -> None:
    if child.process.poll() is None:
        # The whole session of the child: what it started itself ends with it.
        os.killpg(child.process.pid, number)


def _die_with_parent() -> None:
    """On Linux the kernel ends the child when we are gone, however we went."""
    if sys.platform == "linux":
        libc: Any = ctypes.CDLL(None, use_errno=True)
        libc.prctl(PR_SET_PDEATHSIG, signal.SIGTERM)
