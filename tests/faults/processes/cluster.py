"""A PostgreSQL of the suite's own, since it is killed; never run by root, which it refuses."""

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
"""Seconds that a server has to recover on a machine that has other things to do."""
ROLE, DATABASE = "product", "product"


def programs() -> Path | None:
    """Where PostgreSQL's programs lie: on the PATH, or where Debian puts them. None: there is none."""
    found = shutil.which("initdb")
    folders = [Path(found).resolve().parent] if found else []
    folders += sorted(
        Path("/usr/lib/postgresql").glob("*/bin"), key=lambda path: path.parent.name.zfill(4), reverse=True
    )
    return next((folder for folder in folders if (folder / "initdb").exists()), None)


class Cluster:
    """`url` is that of the product: a role which is no superuser, so that limits and locks hold for it."""

    def __init__(self, folder: Path) -> None:
        bin_ = programs()
        assert bin_ is not None
        self.port = ports.free()
        self._bin, self._data = bin_, folder / "postgres"
        self._data.mkdir(mode=0o700)
        self._as = _unprivileged(self._data)
        self._run("initdb", "-D", str(self._data), "-U", "test", "--auth=trust", "-E", "UTF8", "--no-sync")
        # Not to the disk itself: what a killed process wrote is there all the same, and only a power cut would lose it.
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
        """Returns when it answers. What a killed one left behind may need a moment to go: tried until then."""
        end = time.monotonic() + PATIENCE
        self.server.start()
        while True:
            if not self.server.runs:
                time.sleep(0.2)
                self.server.start()
            with contextlib.suppress(psycopg.OperationalError):
                self.ask("SELECT 1", database="postgres")
                return
            if time.monotonic() > end:
                raise AssertionError(f"PostgreSQL does not come back: {self.server.log.read_text()[-1000:]}")
            time.sleep(0.1)

    def make(self) -> None:
        """The product's role and its empty database."""
        self.tell(f"CREATE ROLE {ROLE} LOGIN", f"CREATE DATABASE {DATABASE} OWNER {ROLE}", database="postgres")

    def stop(self) -> None:
        if self.server.runs:
            self.server.signal(signal.SIGINT)
            self.server.ends(10)
        self.server.stop()

    # ---- asking ---------------------------------------------------------------------------------------------------

    def ask(self, query: str, *given: Any, database: str = DATABASE) -> list[tuple[Any, ...]]:
        with self._connection(database) as connection:
            return connection.execute(query, given).fetchall()  # type: ignore[arg-type]

    def tell(self, *statements: str, database: str = DATABASE) -> None:
        with self._connection(database) as connection:
            for statement in statements:
                connection.execute(statement)  # type: ignore[arg-type]

    def connections(self) -> int:
        """Those of the product."""
        rows = self.ask("SELECT count(*) FROM pg_stat_activity WHERE usename = %s", ROLE, database="postgres")
        return int(rows[0][0])

    @contextlib.contextmanager
    def _connection(self, database: str) -> Iterator[psycopg.Connection[Any]]:
        address = f"postgres://test@127.0.0.1:{self.port}/{database}"
        options = "-c default_transaction_read_only=off"
        with psycopg.connect(address, autocommit=True, connect_timeout=5, options=options) as connection:
            yield connection

    # ---- breaking -------------------------------------------------------------------------------------------------

    def kill(self) -> None:
        """`kill -9` of the postmaster: its backends notice, and go."""
        self.server.kill()

    def kill_backend(self) -> bool:
        """`kill -9` of one that serves the product: all are thrown out, and the server recovers. False: there is none."""
        query = "SELECT pid FROM pg_stat_activity WHERE usename = %s ORDER BY (state = 'active') DESC LIMIT 1"
        found = self.ask(query, ROLE, database="postgres")
        for (pid,) in found:
            with contextlib.suppress(ProcessLookupError):
                os.kill(pid, signal.SIGKILL)
        return bool(found)

    def stop_at_once(self) -> None:
        """As `pg_ctl -m immediate stop`: nothing is finished, nothing is written down."""
        self.server.ended_by_us = True
        self.server.signal(signal.SIGQUIT)
        self.server.ends(20)

    def throw_out(self) -> None:
        """End the sessions of the product: what holds for new ones holds then for all."""
        self.ask("SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE usename = %s", ROLE, database="postgres")

    def fill_disk(self) -> None:
        """No file can be written beyond its beginning, nor the log of transactions: PostgreSQL gives up, and starts over."""
        limit_files(self.server.family(), 65_536, as_owner=self._as)

    def free_disk(self) -> None:
        """And is back when it has recovered; it may have given up for good, and is started then, as an init system does."""
        if self.server.runs:
            limit_files(self.server.family(), None, as_owner=self._as)
        self.await_answer()

    def await_answer(self) -> None:
        end = time.monotonic() + PATIENCE
        while time.monotonic() < end:
            if not self.server.runs:
                self.start()
            with contextlib.suppress(psycopg.Error):
                self.ask("SELECT 1")
                return
            limit_files(self.server.family(), None, as_owner=self._as)
            time.sleep(0.1)
        raise AssertionError(f"PostgreSQL does not come back: {self.server.log.read_text()[-1000:]}")

    def _run(self, program: str, *arguments: str) -> None:
        subprocess.run([*self._as, str(self._bin / program), *arguments], check=True, capture_output=True, cwd="/")


def _unprivileged(folder: Path) -> Sequence[str]:
    """How to start something as somebody else, if we are root; the folder is his then."""
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
