"""Real Celery workers with their own Redis, database, Exchange and Re:infer, for tests that end workers."""

from __future__ import annotations

import json
import os
import subprocess
import sys
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pytest
from celery import Celery

from demo import broker
from simulators.exchange import Store, mail_of
from simulators.reinfer import DEFAULT_TOKEN, ReinferSimulator
from tests.faults.databases import ROOT, Databases
from tests.faults.ends import serving
from tests.faults.processes.member import Member
from tests.faults.processes.queue import Queue
from tests.mails import mail

SETTINGS = {
    "DJANGO_SETTINGS_MODULE": "config.settings", "PYTHONPATH": str(ROOT), "LOG_LEVEL": "WARNING", "LOG_FORMAT": "json",
}  # fmt: skip
"""Environment variables of every process."""
PATIENCE = 60.0
"""Maximum waiting time in seconds, long enough for a machine under load."""


class Workers:
    """The servers and the worker processes. `environment` has the environment variables of every process."""

    def __init__(self, environment: dict[str, str], queue: Queue, folder: Path, reinfer: ReinferSimulator) -> None:
        self.environment, self.queue, self.folder, self.reinfer = environment, queue, folder, reinfer
        self.members: list[Member] = []

    def run(self, *arguments: str) -> str:
        """Run a command of `tests.faults.worker` and return its output."""
        return self._run(["-m", "tests.faults.worker", *arguments]).stdout

    def manage(self, *arguments: str) -> subprocess.CompletedProcess[str]:
        return self._run(["manage.py", *arguments], check=False)

    def _run(self, command: Sequence[str], *, check: bool = True) -> subprocess.CompletedProcess[str]:
        return subprocess.run(
            [sys.executable, *command], cwd=ROOT, env=self.environment, capture_output=True, text=True, check=check,
            timeout=PATIENCE,
        )  # fmt: skip

    def start(
        self, name: str, *arguments: str, app: str = "config", what: str = "worker", **environment: str
    ) -> Member:
        command = [sys.executable, "-m", "celery", "-A", app, what, "-l", "WARNING", *arguments]
        member = Member(name, command, {**self.environment, **environment}, self.folder)
        self.members.append(member)
        member.start()
        return member

    def tick(self) -> None:
        """Send the dispatch task, which beat otherwise sends."""
        with Celery(broker=self.queue.url) as sender:
            sender.send_task("sync.tasks.dispatch", queue="control", ignore_result=True)

    def look(self) -> dict[str, Any]:
        return json.loads(self.run("look"))

    def wait(self, until: Callable[[], bool], seconds: float = PATIENCE) -> None:
        end = time.monotonic() + seconds
        while not until():
            assert time.monotonic() < end, "\n".join(member.log.read_text()[-2000:] for member in self.members)
            time.sleep(0.1)


@contextmanager
def workers(databases: Databases, folder: Path, address: str, names: Sequence[str], **more: str) -> Iterator[Workers]:
    """Start the servers, with emails of these names in the mailbox. The test starts the workers. `more`: settings."""
    if broker.binary() is None:
        pytest.skip("There is no Redis here that may be ended: install redis-server or valkey-server.")
    queue = Queue(folder)
    queue.start()
    with serving("ews") as end, ReinferSimulator(projects=["bank"], sources=[("bank", "desks")]) as reinfer:
        end.server.store = Store([address])
        for name in names:
            end.server.store[address].deliver(mail_of(mail(name)))
        settings = {"DATABASE_URL": databases.fresh(), "REDIS_URL": queue.url, "DATA_DIR": str(folder)}
        stage = Workers({**os.environ, **more, **settings}, queue, folder, reinfer)
        given = {"integration": end.row(), "reinfer": reinfer.url, "token": DEFAULT_TOKEN, "mailboxes": [address]}
        stage.run("seed", json.dumps(given))
        try:
            yield stage
        finally:
            for member in stage.members:
                if member.runs:
                    member.kill_all()
                member.stop()
            queue.server.stop()


__all__ = ["Workers", "workers"]
