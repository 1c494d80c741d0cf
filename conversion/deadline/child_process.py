"""Convert emails in a child process that is killed at the deadline, for threads that no timer can interrupt.

The number of concurrent conversions is limited, since each takes a CPU core and memory.
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
"""Maximum number of concurrent conversions per process. Lower than the number of threads of a web process, so that
other requests are served meanwhile."""
START_SECONDS = 10.0
"""Seconds that the child has to start, in addition to the deadline."""
CHILD = "conversion.deadline.child"
ROOT = Path(__file__).parents[2]
ENVIRONMENT = ("PATH", "LANG", "LC_ALL", "LD_LIBRARY_PATH", "PYTHONHOME", "PYTHONPATH")
"""Environment variables that the child gets. It processes untrusted emails, so it gets no secrets."""

_places = threading.BoundedSemaphore(AT_ONCE)


class TooManyConversions(Exception):
    """The maximum number of conversions is running, and the `ConversionProcess` was created with `wait=False`."""

    def __str__(self) -> str:
        return "Other emails are being previewed at this moment. Try again in a few seconds."


class ConversionProcess:
    """A child process that converts emails. Used by one thread.

    The child is started for the first email. If an email crashes it or exceeds the deadline, a new child is started for
    the next email.
    """

    def __init__(self, *, wait: bool) -> None:
        """Prepare the process; the child starts later.

        Args:
            wait: Whether to wait while too many conversions are running. Otherwise `convert` raises
                `TooManyConversions`.
        """
        self._wait = wait
        self._process: subprocess.Popen[bytes] | None = None
        self._connection: Connection | None = None

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._stop()

    def convert(self, email: Email, place: EmailLocation, limits: Limits, deadline: ConversionDeadline) -> Outcome:
        """Convert an email. The child is stopped `START_SECONDS` after the wall-clock deadline at the latest.

        Args:
            email: The email.
            place: Its mailbox and folder.
            limits: The limits of the conversion.
            deadline: The time limits of the conversion.

        Returns:
            The comment, or the reason why there is none.

        Raises:
            TooManyConversions: Too many conversions are running.
            OSError: The child process cannot be started.
        """
        if not _places.acquire(blocking=self._wait):
            raise TooManyConversions
        try:
            return self._send_and_receive(Work(email, place, limits, deadline))
        finally:
            _places.release()

    def _send_and_receive(self, work: Work) -> Outcome:
        connection = self._connect()
        try:
            connection.send(work)
            if connection.poll(START_SECONDS + work.deadline.wall):
                outcome: Outcome = connection.recv()
                return outcome
        except (EOFError, OSError):
            return self._outcome_of_crash(work.deadline)
        except BaseException:
            self._stop()  # otherwise the next call would read the outcome of this email
            raise
        self._stop()
        return too_slow(work.deadline)

    def _connect(self) -> Connection:
        if self._connection is None:
            parent_end, child_end = socket.socketpair()
            with child_end:
                self._process = _start_child(child_end.fileno())
            self._connection = Connection(parent_end.detach())
        return self._connection

    def _outcome_of_crash(self, deadline: ConversionDeadline) -> Outcome:
        status = self._stop()
        if status == -signal.SIGXCPU:
            return too_slow(deadline)
        return failed(f"its process ended with signal {-status}" if status < 0 else f"its process ended with {status}")

    def _stop(self) -> int:
        """Stop the child. Returns its exit status, negative for a signal."""
        process, connection = self._process, self._connection
        self._process = self._connection = None
        if connection is not None:
            connection.close()
        if process is None:
            return 0
        try:
            return process.wait(0.5)  # the child exits when its socket is closed
        except subprocess.TimeoutExpired:
            process.kill()
            return process.wait()


def _start_child(socket_number: int) -> subprocess.Popen[bytes]:
    return subprocess.Popen(  # noqa: S603  # fixed command: this interpreter and a module of this package
        [sys.executable, "-m", CHILD, str(socket_number)],
        cwd=ROOT,
        env={name: os.environ[name] for name in ENVIRONMENT if name in os.environ},
        pass_fds=(socket_number,),
        stdin=subprocess.DEVNULL,
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,  # a traceback could quote the email
        start_new_session=True,
    )
