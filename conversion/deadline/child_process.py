"""Converts emails in a child process, which is terminated at the deadline: for threads that no timer can interrupt.

A few at once, since each takes a core and its memory.
"""

from __future__ import annotations

import os
import signal
import socket
import subprocess
import sys
import threading
from multiprocessing.connection import Connection
from pathlib import Path
from types import TracebackType
from typing import Self

from conversion.deadline.child import Work
from conversion.deadline.in_process import Outcome, failed, too_slow
from conversion.deadline.timer import ConversionDeadline
from conversion.limits import Limits
from conversion.transform import EmailLocation
from integrations.messages import Email

AT_ONCE = 2
"""Conversions of one process: fewer than a web process has threads, so that the others answer meanwhile."""
START = 10.0
"""Seconds that a child has to start, on top of its deadline."""
CHILD = "conversion.deadline.child"
ROOT = Path(__file__).parents[2]
KEPT = ("PATH", "LANG", "LC_ALL", "LD_LIBRARY_PATH", "PYTHONHOME", "PYTHONPATH")
"""Of the environment: the child reads hostile mail, and gets none of our secrets."""

_places = threading.BoundedSemaphore(AT_ONCE)


class AllPlacesTaken(Exception):
    """As many children as may be are at work, and nobody wants to wait."""

    def __str__(self) -> str:
        return "Other emails are being previewed at this moment. Try again in a few seconds."


class ConversionProcess:
    """A child process, started with its first email and again after one that ended it. Of one thread alone."""

    def __init__(self, *, wait: bool) -> None:
        """`wait`: for others to finish where too many are at work; else converting raises `AllPlacesTaken`."""
        self._wait = wait
        self._process: subprocess.Popen[bytes] | None = None
        self._connection: Connection | None = None

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._end()

    def convert(self, email: Email, place: EmailLocation, limits: Limits, deadline: ConversionDeadline) -> Outcome:
        """The comment that the email makes, or why it makes none; soon after the wall-clock deadline at the latest.

        Raises `AllPlacesTaken`, and `OSError` where no process can be started.
        """
        if not _places.acquire(blocking=self._wait):
            raise AllPlacesTaken
        try:
            return self._converted(Work(email, place, limits, deadline))
        finally:
            _places.release()

    def _converted(self, work: Work) -> Outcome:
        connection = self._connected()
        try:
            connection.send(work)
            if connection.poll(START + work.deadline.wall):
                outcome: Outcome = connection.recv()
                return outcome
        except (EOFError, OSError):
            return self._died(work.deadline)
        except BaseException:
            self._end()  # a half-read answer is nobody's
            raise
        self._end()
        return too_slow(work.deadline)

    def _connected(self) -> Connection:
        if self._connection is None:
            here, there = socket.socketpair()
            with there:
                self._process = _started(there.fileno())
            self._connection = Connection(here.detach())
        return self._connection

    def _died(self, deadline: ConversionDeadline) -> Outcome:
        status = self._end()
        if status == -signal.SIGXCPU:
            return too_slow(deadline)
        return failed(f"its process ended with signal {-status}" if status < 0 else f"its process ended with {status}")

    def _end(self) -> int:
        """End the child whatever it does; its exit status, negative for a signal."""
        process, connection = self._process, self._connection
        self._process = self._connection = None
        if connection is not None:
            connection.close()
        if process is None:
            return 0
        try:
            return process.wait(0.5)  # it ends by itself when its socket is closed
        except subprocess.TimeoutExpired:
            process.kill()
            return process.wait()


def _started(socket_number: int) -> subprocess.Popen[bytes]:
    return subprocess.Popen(  # noqa: S603  # this interpreter and a module of ours
        [sys.executable, "-m", CHILD, str(socket_number)],
        cwd=ROOT,
        env={name: os.environ[name] for name in KEPT if name in os.environ},
        pass_fds=(socket_number,),
        stdin=subprocess.DEVNULL,
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,  # a traceback could quote the mail
        start_new_session=True,
    )
