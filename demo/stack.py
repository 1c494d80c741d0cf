"""The stack of the demo: broker, simulators, database, and the web, worker and beat processes of the product."""

from __future__ import annotations

import json
import os
import secrets
import socket
import subprocess
import sys
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from cryptography.fernet import Fernet

from demo import broker, ports
from demo.processes import ChildDied, Processes

ROOT = Path(__file__).resolve().parent.parent
PATIENCE = 40.0
"""Seconds that a process may take to start."""


@dataclass
class Stack:
    """The processes of the demo, their settings and the URLs of the simulators."""

    processes: Processes
    folder: Path
    host: str = "127.0.0.1"
    port: int = 8000
    simulators: dict[str, Any] = field(default_factory=dict)
    environment: dict[str, str] = field(default_factory=dict)

    @property
    def url(self) -> str:
        """Return the URL of the pages."""
        return f"http://{'127.0.0.1' if self.host == '0.0.0.0' else self.host}:{self.port}/"

    def prepare(self, simulator_arguments: Sequence[str]) -> None:
        """Start broker and simulators, and create an empty database. Raises `NoBroker` and `ChildDied`."""
        self.environment = self._environment(self._broker())
        self._simulators(simulator_arguments)
        self.manage("migrate", "--noinput", "-v", "0")

    def run(self) -> None:
        """Start web, worker and beat. Return as soon as the web server accepts connections."""
        python = [sys.executable, "-m"]
        self.processes.start(
            "web",
            [*python, "gunicorn", "--bind", f"{self.host}:{self.port}"],
            self.environment,
        )
        celery = [*python, "celery", "-A", "config"]
        # SQLite allows only one writer at a time, so the worker syncs in a single process (`-P solo`).
        self.processes.start(
            "worker", [*celery, "worker", "-P", "solo", "-Q", "control,sync", "-l", "WARNING"], self.environment
        )
        schedule = str(self.folder / "beat-schedule")
        self.processes.start("beat", [*celery, "beat", "-l", "WARNING", "-s", schedule], self.environment)
        self.wait(lambda: _accepts_connections(self.port), "the pages")

    def manage(self, *arguments: str) -> str:
        """Run a management command to its end.

        Args:
            *arguments: name and arguments of the command

        Returns:
            The output of the command.

        Raises:
            ChildDied: the command failed
        """
        return self._child([sys.executable, "manage.py", *arguments])

    def product(self, *arguments: str, given: Any = None) -> Any:
        """Run a command of `demo.product` in its own process, with JSON as input and output.

        Args:
            *arguments: name and arguments of the command
            given: the input

        Returns:
            The output.

        Raises:
            ChildDied: the command failed
        """
        return json.loads(self._child([sys.executable, "-m", "demo.product", *arguments], given) or "null")

    def wait(self, until: Callable[[], bool], what: str, seconds: float = PATIENCE) -> None:
        """Wait for a condition, and check meanwhile that all processes are running.

        Args:
            until: the condition
            what: name of the awaited event, for the error message
            seconds: time limit in seconds

        Raises:
            ChildDied: a process ended, or the time limit was exceeded
        """
        end = time.monotonic() + seconds
        while not until():
            self.processes.check()
            if time.monotonic() > end:
                raise ChildDied(
                    f"Waited {seconds:.0f} seconds without success for {what}. The logs are in {self.folder}."
                )
            time.sleep(0.05)

    def _child(self, command: Sequence[str], given: Any = None) -> str:
        done = subprocess.run(
            command,
            cwd=ROOT,
            env=self.environment,
            input=json.dumps(given),
            capture_output=True,
            text=True,
            check=False,
        )
        if done.returncode:
            raise ChildDied(f"{' '.join(command[1:])} failed:\n{done.stderr[-3000:]}")
        return done.stdout

    def _broker(self) -> str:
        url = broker.given_url()
        if url:
            return url
        server = broker.binary()
        if server is None:
            raise broker.NoBroker(
                "There is no Redis server: install redis-server or valkey-server, or set REDIS_URL to a server for the demo."
            )
        port = ports.free()
        self.processes.start("broker", broker.command(server, port, self.folder), os.environ)
        self.wait(lambda: _accepts_connections(port), "the broker")
        return f"redis://127.0.0.1:{port}/0"

    def _simulators(self, arguments: Sequence[str]) -> None:
        command = [sys.executable, "-m", "simulators", *arguments]
        child = self.processes.start("simulators", command, self.environment, piped=True)
        assert child.process.stdout is not None
        line = child.process.stdout.readline()
        if not line:
            child.process.wait(5)
            raise ChildDied(child.last_words(1) or "the simulators did not start")
        self.simulators = json.loads(line)

    def _environment(self, redis_url: str) -> dict[str, str]:
        inherited = {key: value for key, value in os.environ.items() if not key.lower().endswith("_proxy")}
        return inherited | {
            "DJANGO_SETTINGS_MODULE": "config.settings",
            "PYTHONPATH": str(ROOT),
            "SECRET_KEY": secrets.token_urlsafe(50),
            "ENCRYPTION_KEYS": Fernet.generate_key().decode(),
            "DATA_DIR": str(self.folder),
            "DATABASE_URL": f"sqlite:///{self.folder / 'demo.sqlite3'}",
            "REDIS_URL": redis_url,
            "ALLOWED_HOSTS": "*" if self.host == "0.0.0.0" else "127.0.0.1,localhost",
            "LOG_FORMAT": "console",
            "LOG_LEVEL": "INFO",
            "DISPATCH_EVERY": "1",
            "POLL_INTERVAL": "2",
            "POLL_INTERVAL_LEAST": "1",
        }


def _accepts_connections(port: int) -> bool:
    try:
        socket.create_connection(("127.0.0.1", port), timeout=0.2).close()
    except OSError:
        return False
    return True
