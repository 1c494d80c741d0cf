"""Databases for tests that start processes: SQLite files, or databases on the PostgreSQL server of DATABASE_URL."""

from __future__ import annotations

import itertools
import os
import shutil
import subprocess
import sys
from collections.abc import Mapping
from pathlib import Path
from urllib.parse import urlsplit, urlunsplit

ROOT = Path(__file__).resolve().parents[2]
_numbers = itertools.count(1)


class Databases:
    """A migrated template database, and the copies of it that the tests of a module use."""

    def __init__(self, folder: Path, environment: Mapping[str, str]) -> None:
        self._folder = folder
        self._given = os.environ.get("DATABASE_URL", "")
        self._postgres = self._given.startswith("postgres")
        self._made: list[str] = []
        self._template = self._url("template")
        subprocess.run(
            [sys.executable, "manage.py", "migrate", "--noinput", "-v", "0"],
            cwd=ROOT, env={**environment, "DATABASE_URL": self._template}, check=True,
        )  # fmt: skip

    def fresh(self) -> str:
        """Create an empty, migrated database and return its URL."""
        return self._url(f"copy{next(_numbers)}")

    def drop(self) -> None:
        for name in reversed(self._made):
            self._execute(f'DROP DATABASE IF EXISTS "{name}" WITH (FORCE)')

    def _url(self, name: str) -> str:
        if not self._postgres:
            path = self._folder / f"{name}.sqlite3"
            if name != "template":
                shutil.copy(self._folder / "template.sqlite3", path)
            return f"sqlite:///{path}"
        database = f"killed_{os.getpid()}_{name}"
        template = "template0" if name == "template" else f"killed_{os.getpid()}_template"
        self._execute(f'CREATE DATABASE "{database}" TEMPLATE "{template}"')
        self._made.append(database)
        return urlunsplit(urlsplit(self._given)._replace(path=f"/{database}"))

    def _execute(self, statement: str) -> None:
        import psycopg

        with psycopg.connect(self._given, autocommit=True) as connection:
            connection.execute(statement)
