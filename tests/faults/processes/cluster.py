"""A PostgreSQL server for the process seeds, which kill it. If the tests run as root, the server runs as another user."""

from __future__ import annotations

import contextlib
import os
import pwd
import shutil
import signal
import subprocess
import time
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any

import psycopg

from demo import ports
from tests.faults.processes.member import Member, limit_files

PATIENCE = 60.0
"""Maximum time in seconds for the server to recover, long enough for a machine under load."""
ROLE, DATABASE = "product", "product"


def programs() -> Path | None:
    """Return the folder of PostgreSQL's programs, from PATH or from Debian's folder; None if PostgreSQL is not installed."""
    initdb = shutil.which("initdb")
    folders = [Path(initdb).resolve().parent] if initdb else []
    folders += sorted(
        Path("/usr/lib/postgresql").glob("*/bin"), key=lambda path: path.parent.name.zfill(4), reverse=True
    )
    return next((folder for folder in folders if (folder / "initdb").exists()), None)


class Cluster:
    """The server. `url` has the role of the product, which is not a superuser, so that connection limits apply to it."""

    def __init__(self, folder: Path) -> None:
        bin_ = programs()
        assert bin_ is not None
        self.port = ports.free()
        self._bin, self._data = bin_, folder / "postgres"
        self._data.mkdir(mode=0o700)
        self._as = _unprivileged(self._data)
        self._run("initdb", "-D", str(self._data), "-U", "test", "--auth=trust", "-E", "UTF8", "--no-sync")
        # fsync is off: only a power failure would lose data that was not synced. A killed process does not.
        options = {
            "port": self.port, "listen_addresses": "127.0.0.1", "unix_socket_directories": "", "fsync": "off",
            "max_connections": "60", "shared_buffers": "32MB", "max_wal_size": "256MB",
        }  # fmt: skip
        command = [*self._as, str(bin_ / "postgres"), "-D", str(self._data)]
        command += [part for name, value in options.items() for part in ("-c", f"{name}={value}")]
        self.server = Member("postgres", command, dict(os.environ), folder)

    @property
    def url(self) -> str:
        return f"postgres://{ROLE}@127.0.0.1:{self.port}/{DATABASE}"

    def start(self) -> None:
        """Start the server and wait until it responds. Retries while processes of a killed server still exist."""
        end = time.monotonic() + PATIENCE
        self.server.start()
        while True:
            if not self.server.runs:
                time.sleep(0.2)
                self.server.start()
            try:
                self.ask("SELECT 1", database="postgres")
            except psycopg.OperationalError:
                pass
            else:
                return
            if time.monotonic() > end:
                raise AssertionError(f"PostgreSQL does not come back: {self.server.log.read_text()[-1000:]}")
            time.sleep(0.1)

    def make(self) -> None:
        """Create the role and the empty database of the product."""
        self.tell(f"CREATE ROLE {ROLE} LOGIN", f"CREATE DATABASE {DATABASE} OWNER {ROLE}", database="postgres")

    def stop(self) -> None:
        if self.server.runs:
            self.server.signal(signal.SIGINT)
            self.server.ends(10)
        self.server.stop()

    # ---- queries --------------------------------------------------------------------------------------------------

    def ask(self, query: str, *given: Any, database: str = DATABASE) -> list[tuple[Any, ...]]:
        with self._connection(database) as connection:
            return connection.execute(query, given).fetchall()

    def tell(self, *statements: str, database: str = DATABASE) -> None:
        with self._connection(database) as connection:
            for statement in statements:
                connection.execute(statement)

    def connections(self) -> int:
        """Return the number of connections of the product."""
        rows = self.ask("SELECT count(*) FROM pg_stat_activity WHERE usename = %s", ROLE, database="postgres")
        return int(rows[0][0])

    @contextlib.contextmanager
    def _connection(self, database: str) -> Iterator[psycopg.Connection[Any]]:
        address = f"postgres://test@127.0.0.1:{self.port}/{database}"
        options = "-c default_transaction_read_only=off"
        with psycopg.connect(address, autocommit=True, connect_timeout=5, options=options) as connection:
            yield connection

    # ---- faults ---------------------------------------------------------------------------------------------------

    def kill(self) -> None:
        """Kill the postmaster by SIGKILL. Its backends notice this and end."""
        self.server.kill()

    def kill_backend(self) -> bool:
        """Kill one backend of the product by SIGKILL. PostgreSQL then ends all sessions and recovers.

        Returns:
            False if the product has no connection.
        """
        query = "SELECT pid FROM pg_stat_activity WHERE usename = %s ORDER BY (state = 'active') DESC LIMIT 1"
        backends = self.ask(query, ROLE, database="postgres")
        for (pid,) in backends:
            with contextlib.suppress(ProcessLookupError):
                os.kill(pid, signal.SIGKILL)
        return bool(backends)

    def stop_at_once(self) -> None:
        """Stop the server as `pg_ctl -m immediate stop` does: without a checkpoint."""
        self.server.ended_by_us = True
        self.server.signal(signal.SIGQUIT)
        self.server.ends(20)

    def throw_out(self) -> None:
        """End the sessions of the product, so that new settings of the database apply to all of its sessions."""
        self.ask("SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE usename = %s", ROLE, database="postgres")

    def fill_disk(self) -> None:
        """Let PostgreSQL write no file beyond 64 KiB, not even the WAL, so that PostgreSQL aborts and restarts."""
        limit_files(self.server.family(), 65_536, as_owner=self._as)

    def free_disk(self) -> None:
        """Remove the limit and wait until PostgreSQL responds. If the server has ended, start it, as an init system does."""
        if self.server.runs:
            limit_files(self.server.family(), None, as_owner=self._as)
        self.await_answer()

    def await_answer(self) -> None:
        end = time.monotonic() + PATIENCE
        while time.monotonic() < end:
            if not self.server.runs:
                self.start()
            try:
                self.ask("SELECT 1")
            except psycopg.Error:
                pass
            else:
                return
            limit_files(self.server.family(), None, as_owner=self._as)
            time.sleep(0.1)
        raise AssertionError(f"PostgreSQL does not come back: {self.server.log.read_text()[-1000:]}")

    def _run(self, program: str, *arguments: str) -> None:
        subprocess.run([*self._as, str(self._bin / program), *arguments], check=True, capture_output=True, cwd="/")


def _unprivileged(folder: Path) -> Sequence[str]:
    """Return a command prefix that runs a program as an unprivileged user, who becomes the owner of the folder.

    The prefix is empty if the tests do not run as root.
    """
    if os.geteuid():
        return ()
    name = next(name for name in ("postgres", "nobody") if _user(name))
    user = pwd.getpwnam(name)
    os.chown(folder, user.pw_uid, user.pw_gid)
    who = [f"--reuid={user.pw_uid}", f"--regid={user.pw_gid}", "--clear-groups"]
    return ("setpriv", *who, "--pdeathsig=INT")


def _user(name: str) -> bool:
    try:
        pwd.getpwnam(name)
    except KeyError:
        return False
    return True
