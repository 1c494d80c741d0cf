"""Additional databases for tests. A test can load a dump into such a database, migrate it, and read its tables and schema."""

from __future__ import annotations

import itertools
import os
import sqlite3
import subprocess
import sys
from collections.abc import Iterator
from contextlib import closing, contextmanager
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit, urlunsplit

import psycopg

HERE = Path(__file__).parent
ROOT = HERE.parents[2]
KEY = "a2tra2tra2tra2tra2tra2tra2tra2tra2tra2tra2s="
"""The key that encrypts the secrets in the dumps: the letter k, 32 times."""

Row = dict[str, Any]
_numbers = itertools.count(1)


class OtherDatabase:
    """One database. `url` has the format of DATABASE_URL."""

    vendor = ""
    tables = ""
    """A query for the names of all tables."""
    schema = ""
    """A query for all objects of the schema."""

    def __init__(self, url: str) -> None:
        self.url = url

    def read(self, query: str) -> tuple[list[str], list[tuple[Any, ...]]]:
        """Return the names of the columns, and the rows."""
        raise NotImplementedError

    def load(self, script: str) -> None:
        raise NotImplementedError

    def ask(self, query: str) -> list[tuple[Any, ...]]:
        return self.read(query)[1]

    def table(self, name: str) -> list[Row]:
        columns, rows = self.read(f"SELECT * FROM {name}")
        return [dict(zip(columns, row, strict=True)) for row in rows]

    def rows(self) -> dict[str, list[Row]]:
        """Return all rows of all tables, by table name."""
        return {table: self.table(table) for (table,) in self.ask(self.tables)}

    def write_checks_as_a_dump_does(self) -> None:
        """On PostgreSQL, recreate check constraints from their definitions, so that type casts are stored as in a restored dump."""

    def manage(self, *arguments: str) -> str:
        """Run `manage.py` with this database. Returns its standard output."""
        environment = {**os.environ, "DATABASE_URL": self.url, "ENCRYPTION_KEYS": KEY}
        command = [sys.executable, "manage.py", *arguments]
        return subprocess.run(command, cwd=ROOT, env=environment, check=True, capture_output=True, text=True).stdout


class SqliteDatabase(OtherDatabase):
    vendor = "sqlite"
    tables = "SELECT name FROM sqlite_master WHERE type = 'table' AND name NOT LIKE 'sqlite_%'"
    schema = "SELECT type, name, tbl_name, sql FROM sqlite_master ORDER BY 1, 2"

    def read(self, query: str) -> tuple[list[str], list[tuple[Any, ...]]]:
        with closing(sqlite3.connect(self.url.removeprefix("sqlite:///"))) as connection:
            cursor = connection.execute(query)
            return [column[0] for column in cursor.description], cursor.fetchall()

    def load(self, script: str) -> None:
        with closing(sqlite3.connect(self.url.removeprefix("sqlite:///"))) as connection:
            connection.executescript(script)


class PostgresDatabase(OtherDatabase):
    vendor = "postgresql"
    tables = "SELECT tablename FROM pg_tables WHERE schemaname = 'public'"
    # Compare the order of columns and not their numbers: a dump does not keep the numbers of dropped columns.
    schema = """
        SELECT 'column', table_name::text, column_name::text, concat_ws(' | ',
            row_number() OVER (PARTITION BY table_name ORDER BY ordinal_position), data_type, is_nullable,
            character_maximum_length, column_default, is_identity, identity_generation)
        FROM information_schema.columns WHERE table_schema = 'public'
        UNION ALL
        SELECT 'constraint', conrelid::regclass::text, conname::text, pg_get_constraintdef(oid)
        FROM pg_constraint WHERE connamespace = 'public'::regnamespace
        UNION ALL
        SELECT 'index', tablename::text, indexname::text, indexdef FROM pg_indexes WHERE schemaname = 'public'
        UNION ALL
        SELECT 'sequence', sequencename::text, '', concat_ws(' | ', data_type, start_value, increment_by)
        FROM pg_sequences WHERE schemaname = 'public'
        ORDER BY 1, 2, 3
    """

    def read(self, query: str) -> tuple[list[str], list[tuple[Any, ...]]]:
        with psycopg.connect(self.url) as connection:
            cursor = connection.execute(query)
            return [column.name for column in cursor.description], cursor.fetchall()

    def load(self, script: str) -> None:
        with psycopg.connect(self.url) as connection:
            connection.execute(script)

    def write_checks_as_a_dump_does(self) -> None:
        checks = self.ask(
            "SELECT conrelid::regclass, conname, pg_get_constraintdef(oid) FROM pg_constraint "
            "WHERE contype = 'c' AND connamespace = 'public'::regnamespace"
        )
        for table, name, definition in checks:
            self.load(f'ALTER TABLE {table} DROP CONSTRAINT "{name}", ADD CONSTRAINT "{name}" {definition}')


@contextmanager
def databases(folder: Path) -> Iterator[Iterator[OtherDatabase]]:
    """Yield an iterator that creates empty databases: on the PostgreSQL server of DATABASE_URL, or SQLite files in `folder`."""
    url = os.environ.get("DATABASE_URL", "")
    if not url.startswith("postgres"):
        yield (SqliteDatabase(f"sqlite:///{folder / f'{number}.sqlite3'}") for number in _numbers)
        return
    created: list[str] = []

    def fresh() -> Iterator[OtherDatabase]:
        for number in _numbers:
            name = f"release_{os.getpid()}_{number}"
            server.execute(f'CREATE DATABASE "{name}" TEMPLATE template0')
            created.append(name)
            yield PostgresDatabase(urlunsplit(urlsplit(url)._replace(path=f"/{name}")))

    with psycopg.connect(url, autocommit=True) as server:
        try:
            yield fresh()
        finally:
            for name in created:
                server.execute(f'DROP DATABASE "{name}" WITH (FORCE)')
