"""Child processes that end when their parent ends (on Linux). `stop` signals the last started child first."""

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
"""Seconds between SIGTERM and SIGKILL."""
PR_SET_PDEATHSIG = 1


class ChildDied(Exception):
    """A child process ended unexpectedly. The text contains its name and the end of its log."""


@dataclass
class Child:
    """One child process and its log."""

    name: str
    process: subprocess.Popen[bytes]
    log: Path

    def last_words(self, lines: int = 15) -> str:
        """Return the last lines of the log.

        Args:
            lines: number of lines

        Returns:
            The lines.
        """
        return "\n".join(self.log.read_text(errors="replace").splitlines()[-lines:])


class Processes:
    """A group of child processes. The end of the `with` block stops all of them."""

    def __init__(self, logs: Path, *, grace: float = GRACE) -> None:
        self._logs = logs
        self._grace = grace
        self._children: list[Child] = []

    def start(self, name: str, command: Sequence[str], environment: Mapping[str, str], *, piped: bool = False) -> Child:
        """Start a child with its own log.

        Args:
            name: name of the child and its log
            command: command with its arguments
            environment: environment variables
            piped: whether the parent reads the standard output; if not, the log contains it

        Returns:
            The child.
        """
        log = self._logs / f"{name}.log"
        with log.open("ab") as file:
            process = subprocess.Popen(
                command,
                env=dict(environment),
                stdin=subprocess.PIPE,
                stdout=subprocess.PIPE if piped else file,
                stderr=file,
                # A new session: Ctrl-C in the terminal reaches only the parent, which stops the children in order.
                start_new_session=True,
                preexec_fn=_end_with_parent,  # noqa: PLW1509  # the parent has no threads yet
            )
        child = Child(name, process, log)
        self._children.append(child)
        return child

    def check(self) -> None:
        """Check that all children are running.

        Raises:
            ChildDied: a child has ended
        """
        for child in self._children:
            code = child.process.poll()
            if code is not None:
                raise ChildDied(
                    f"{child.name} ended too early (exit code {code}). The last lines of its log, {child.log}:\n"
                    f"{child.last_words()}"
                )

    def stop(self) -> None:
        """Stop all children with SIGTERM. After the grace period, end the remaining children with SIGKILL."""
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
        # Signal the process group of the child, so that the child processes of the child also end.
        os.killpg(child.process.pid, number)


def _end_with_parent() -> None:
    """Make the kernel end this child when its parent ends for any reason (Linux only)."""
    if sys.platform == "linux":
        libc: Any = ctypes.CDLL(None, use_errno=True)
        libc.prctl(PR_SET_PDEATHSIG, signal.SIGTERM)
