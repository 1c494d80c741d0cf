"""A process of the stack that can be killed and started again, with the same command and log, and its own session."""

from __future__ import annotations

import os
import signal
import subprocess
from collections.abc import Mapping, Sequence
from contextlib import suppress
from pathlib import Path

from demo.processes import Child, Processes


class Member:
    """A process that can be started again after it ended. `ended_by_us`: whether a test ended the process deliberately."""

    def __init__(self, name: str, command: Sequence[str], environment: dict[str, str], logs: Path) -> None:
        self.name = name
        self.command = command
        self.environment = environment
        self.ended_by_us = True
        self._processes = Processes(logs)
        self._child: Child | None = None

    def start(self) -> None:
        self._child = self._processes.start(self.name, self.command, self.environment)
        self.ended_by_us = False

    @property
    def pid(self) -> int:
        assert self._child is not None
        return self._child.process.pid

    @property
    def log(self) -> Path:
        assert self._child is not None
        return self._child.log

    @property
    def runs(self) -> bool:
        return self._child is not None and self._child.process.poll() is None

    def family(self) -> list[int]:
        """Return the pids of the process and its descendants, the process itself first."""
        return sorted(session_of(self.pid), key=lambda pid: (pid != self.pid, pid))

    def children(self) -> list[int]:
        return self.family()[1:]

    def signal(self, number: int) -> None:
        """Send a signal to the process itself, and not to its descendants, as a container engine does."""
        if self.runs:
            os.kill(self.pid, number)

    def terminate(self, seconds: float) -> bool:
        """Send SIGTERM, and return whether the process ended in time. If it did not, kill the process and its descendants."""
        self.ended_by_us = True
        self.signal(signal.SIGTERM)
        return self.ends(seconds)

    def ends(self, seconds: float) -> bool:
        assert self._child is not None
        try:
            self._child.process.wait(seconds)
        except subprocess.TimeoutExpired:
            self.kill_all()
            return False
        return True

    def kill(self) -> None:
        """Kill only the process itself by SIGKILL, and not its descendants."""
        self.ended_by_us = True
        self.signal(signal.SIGKILL)
        self.ends(10)

    def kill_all(self) -> None:
        """Kill the process and its descendants by SIGKILL."""
        self.ended_by_us = True
        with suppress(ProcessLookupError):
            os.killpg(self.pid, signal.SIGKILL)
        self.ends(10)

    def stop(self) -> None:
        self.ended_by_us = True
        self._processes.stop()


def session_of(leader: int) -> set[int]:
    """Return the pids of the processes of a session."""
    return {pid for pid in all_pids() if _session(pid) == leader}


def all_pids() -> list[int]:
    return [int(name) for name in os.listdir("/proc") if name.isdigit()]


def _session(pid: int) -> int:
    try:
        with open(f"/proc/{pid}/stat") as file:
            state, _, _, session = file.read().rpartition(")")[2].split()[:4]
    except OSError:
        return 0
    return int(session) if state != "Z" else 0


def limit_files(pids: Sequence[int], size: int | None, *, as_owner: Sequence[str] = ()) -> None:
    """Limit the size of files that processes can write, to simulate a full disk (the error is EFBIG instead of ENOSPC).

    Args:
        pids: The processes.
        size: Maximum size of a file in bytes; None removes the limit.
        as_owner: Command prefix that runs a program as the owner of the processes.
    """
    limit = "unlimited" if size is None else str(size)
    for pid in pids:
        # Set only the soft limit, because the owner can raise a soft limit again.
        command = [*as_owner, "prlimit", "--pid", str(pid), f"--fsize={limit}:"]
        subprocess.run(command, check=False, capture_output=True)


def environment_of(pid: int) -> Mapping[str, str]:
    try:
        with open(f"/proc/{pid}/environ", "rb") as file:
            pairs = file.read().decode(errors="replace").split("\0")
    except OSError:
        return {}
    return dict(pair.split("=", 1) for pair in pairs if "=" in pair)
