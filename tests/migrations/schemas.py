"""Migrate the test database back to commit 58a28db (the oldest version that can be upgraded), and forward again."""

from __future__ import annotations

from typing import Any

from django.db import connection
from django.db.migrations.executor import MigrationExecutor

AS_OF_58A28DB = [(app, "0001_squashed") for app in ("access", "integrations", "mailboxes", "notices", "sync")]
"""The squashed migrations that replace those of commit 58a28db."""


def go_back() -> Any:
    """Undo all migrations since commit 58a28db. Returns the app registry with the models of that commit."""
    MigrationExecutor(connection).migrate(AS_OF_58A28DB)
    return MigrationExecutor(connection).loader.project_state(AS_OF_58A28DB).apps


def bring_up() -> None:
    """Apply all migrations."""
    executor = MigrationExecutor(connection)
    executor.migrate(executor.loader.graph.leaf_nodes())
