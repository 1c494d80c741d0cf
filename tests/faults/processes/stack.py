"""The installed product (PostgreSQL, Redis, web, two workers, two beats) with a simulated Exchange and a simulated Re:infer.

One stack is started for all seeds. Each seed creates its own integration, mailboxes and bucket.
"""

from __future__ import annotations

import os
import secrets
import shutil
import signal
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager, suppress
from functools import partial
from pathlib import Path

import httpx
import pytest
from cryptography.fernet import Fernet

from demo import broker, ports
from simulators.exchange import Account, ExchangeSimulator
from simulators.reinfer import DEFAULT_TOKEN, ReinferSimulator
from tests.faults.databases import ROOT
from tests.faults.processes.cluster import Cluster, programs
from tests.faults.processes.member import Member, all_pids, environment_of
from tests.faults.processes.queue import Queue

USER, PASSWORD = "BANK\\svc", "an-exchange-password"
MARK = "FAULTS_STACK"
SHORT = {
    "POLL_INTERVAL": "1", "POLL_INTERVAL_LEAST": "1", "DISPATCH_EVERY": "1", "SYNC_SLICE": "4", "LEASE": "6",
    "QUEUED_FOR": "5", "REINFER_DEADLINE": "2", "EXCHANGE_DEADLINE": "3", "HOLD_PROBE_EVERY": "3",
    "REFUSED_SIGN_INS_WITHIN": "9", "FETCH_COUNT": "2", "PUSH_COUNT": "3", "PAGE_SIZE": "4",
    "WORKER_CONCURRENCY": "2", "API_RATE": "100000/min",
}  # fmt: skip
LEASE = float(SHORT["LEASE"])
PATIENCE = 60.0
"""Maximum time in seconds for a process to start, long enough for a machine under load."""


class Stack:
    """The running processes. The clocks of the workers can be changed if Debian's faketime is installed.

    Args:
        folder: Folder for data and logs.
        settings: Settings of the product.
        app: Celery application of the workers.
    """

    def __init__(self, folder: Path, settings: Mapping[str, str], app: str = "config") -> None:
        self.folder, self.settings, self.app = folder, settings, app
        self.keys = [Fernet.generate_key().decode()]
        self.cluster, self.queue = Cluster(folder), Queue(folder)
        self.exchange = ExchangeSimulator(accounts=[Account(USER, PASSWORD)])
        self.reinfer = ReinferSimulator(projects=["bank"])
        self.web_port = ports.free()
        self.mark = secrets.token_hex(8)
        self.environment = self._environment()
        self.web = self._member("web", "gunicorn", "--bind", f"127.0.0.1:{self.web_port}")
        self.workers = [self._worker(number) for number in (1, 2)]
        self.beats = [self._beat(number) for number in (1, 2)]
        self.token = ""

    @property
    def members(self) -> list[Member]:
        return [self.web, *self.workers, *self.beats]

    @contextmanager
    def running(self) -> Iterator[Stack]:
        with self.exchange, self.reinfer:
            try:
                self._start()
                yield self
            finally:
                for member in reversed(self.members):
                    if member.runs:
                        member.kill_all()
                    member.stop()
                self.queue.server.stop()
                self.cluster.stop()

    def manage(self, *arguments: str, **more: str) -> str:
        """Run a management command and return its output."""
        command = [sys.executable, "manage.py", *arguments]
        done = subprocess.run(
            command, cwd=ROOT, env={**self.environment, **more}, capture_output=True, text=True, check=False
        )
        if done.returncode:
            raise AssertionError(f"{' '.join(arguments)} failed: {done.stderr[-2000:]}")
        return done.stdout.strip()

    # ---- state of the processes ---------------------------------------------------------------------------------------

    def awake(self) -> None:
        """Wait until the web process responds and every running worker waits for tasks."""
        self.wait(self._answers, "the pages answer")
        for worker in self.workers:
            self.wait(partial(self._waits, worker), f"{worker.name} waits for tasks")

    def wait(self, until: Callable[[], bool], what: str, seconds: float = PATIENCE) -> None:
        if not self.comes(until, seconds):
            raise AssertionError(f"not within {seconds:.0f} s: {what}")

    @staticmethod
    def comes(until: Callable[[], bool], seconds: float) -> bool:
        """Return whether a condition becomes true in time."""
        end = time.monotonic() + seconds
        while not until():
            if time.monotonic() > end:
                return False
            time.sleep(0.05)
        return True

    def died(self) -> list[str]:
        """Return the members that ended although no test ended them."""
        return [member.name for member in self.members if not member.runs and not member.ended_by_us]

    def strays(self) -> list[int]:
        """Return processes of the stack that belong to no running member, for example children of a killed process."""
        known = {pid for member in self.members if member.runs for pid in member.family()}
        return [pid for pid in all_pids() if pid not in known and environment_of(pid).get(MARK) == self.mark]

    def mend(self) -> None:
        """Continue all stopped processes. Start Redis, PostgreSQL and the members that do not run, as an init system does."""
        for member in (*self.members, self.queue.server, self.cluster.server):
            if member.runs:
                for pid in member.family():
                    with suppress(ProcessLookupError):
                        os.kill(pid, signal.SIGCONT)
        if not self.queue.server.runs:
            self.queue.start()
        if not self.cluster.server.runs:
            self.cluster.start()
        for member in self.members:
            if not member.runs:
                member.start()

    def turn_clock(self, worker: Member, minutes: int) -> None:
        """Set the clock of a worker ahead by this number of minutes. A negative number sets the clock back."""
        self._clock(worker.name).write_text(f"{minutes:+d}m" if minutes else "+0")

    def right_clocks(self) -> None:
        for worker in self.workers:
            worker.kill_all()
            self.turn_clock(worker, 0)
            worker.start()

    def _clock(self, name: str) -> Path:
        return self.folder / f"clock-{name}"

    def set_keys(self, keys: list[str]) -> None:
        """Set the encryption keys for all processes that are started from now on."""
        self.keys = keys
        for environment in (self.environment, *(member.environment for member in self.members)):
            environment["ENCRYPTION_KEYS"] = ",".join(keys)

    # ---- setting up ---------------------------------------------------------------------------------------------------

    def _start(self) -> None:
        for worker in self.workers:
            self.turn_clock(worker, 0)
        self.cluster.start()
        self.cluster.make()
        self.queue.start()
        self.manage("migrate", "--noinput", "-v", "0")
        self.manage(
            "createsuperuser", "--noinput", "--username", "admin", "--email", "a@bank.example",
            DJANGO_SUPERUSER_PASSWORD=secrets.token_hex(),
        )  # fmt: skip
        self.token = self.manage("api_token", "admin", "faults")
        for member in self.members:
            member.start()
        self.awake()

    def _answers(self) -> bool:
        try:
            return httpx.get(f"http://127.0.0.1:{self.web_port}/healthz", timeout=5, trust_env=False).status_code < 500
        except httpx.HTTPError:
            return False

    def _waits(self, worker: Member) -> bool:
        """Return whether this worker waits for tasks, or does not run."""
        return not worker.runs or self.queue.serves(worker.pid)

    def _worker(self, number: int) -> Member:
        member = self._member(
            f"worker{number}", "celery", "-A", self.app, "worker", "-Q", "control,sync", "-l", "WARNING",
            "-n", f"worker{number}@here",
            # Without this option, a starting worker waits for responses of other workers. Redis cannot tell this from waiting
            # for tasks.
            "--without-mingle",
        )  # fmt: skip
        library = faketime_library()
        if library is not None:
            member.environment |= {
                # The monotonic clock, which timeouts use, jumps too, unlike on a real machine. The library has an option
                # not to change that clock, but with this option every sleep fails.
                "LD_PRELOAD": str(library), "FAKETIME_TIMESTAMP_FILE": str(self._clock(member.name)),
                "FAKETIME_NO_CACHE": "1",
            }  # fmt: skip
        return member

    def _beat(self, number: int) -> Member:
        schedule = str(self.folder / f"schedule{number}")
        return self._member(f"beat{number}", "celery", "-A", "config", "beat", "-l", "WARNING", "-s", schedule)

    def _member(self, name: str, *command: str) -> Member:
        return Member(name, [sys.executable, "-m", *command], dict(self.environment), self.folder)

    def _environment(self) -> dict[str, str]:
        kept = {key: value for key, value in os.environ.items() if not key.lower().endswith("_proxy")}
        return kept | dict(self.settings) | {
            "DJANGO_SETTINGS_MODULE": "config.settings", "PYTHONPATH": str(ROOT), "SECRET_KEY": secrets.token_hex(),
            "ENCRYPTION_KEYS": self.keys[0], "DATA_DIR": str(self.folder), "DATABASE_URL": self.cluster.url,
            "REDIS_URL": self.queue.url, "LOG_LEVEL": "WARNING", "LOG_FORMAT": "json", MARK: self.mark,
        }  # fmt: skip


@contextmanager
def running_stack(settings: Mapping[str, str] = SHORT, app: str = "config") -> Iterator[Stack]:
    """Start a stack in a temporary folder. The test is skipped if PostgreSQL or Redis is not installed."""
    if programs() is None:
        pytest.skip("There is no PostgreSQL here that may be killed: install Debian's package postgresql.")
    if broker.binary() is None:
        pytest.skip("There is no Redis here that may be killed: install redis-server or valkey-server.")
    # The user who runs PostgreSQL may not read the temporary folder of pytest.
    folder = Path(tempfile.mkdtemp(prefix="reinfer-exchange-faults-"))
    folder.chmod(0o755)
    with Stack(folder, settings, app).running() as started:
        yield started
    if "KEEP_LOGS" not in os.environ:
        shutil.rmtree(folder, ignore_errors=True)


def faketime_library() -> Path | None:
    """Return the path of the library of Debian's package faketime; None if the package is not installed."""
    return next(iter(sorted(Path("/usr/lib").glob("*/faketime/libfaketime.so.1"))), None)


__all__ = ["DEFAULT_TOKEN", "LEASE", "PASSWORD", "USER", "Stack", "faketime_library", "running_stack"]
