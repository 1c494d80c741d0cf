"""Upgrade a database of commit 58a28db, the oldest version that can be upgraded, with the current migrations.

`tests/migrations/releases` contains two dumps of a database of that commit, one of PostgreSQL and one of SQLite, and
`make_58a28db.py` describes how they were made. The tests use the dump for the database of DATABASE_URL.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

import pytest
from django.db.migrations.loader import MigrationLoader

from tests.migrations.releases.databases import HERE, OtherDatabase, Row, databases
from tests.migrations.schemas import AS_OF_58A28DB

CONTENT_TYPE = ("django_content_type", "model")
CHANGED = {
    ("integrations_integration", 2, "disabled_detail"): "invalid_client, AADSTS7000222",
    ("mailboxes_bucket", 2, "held_detail"): "AADSTS7000222",
    ("mailboxes_mailbox", 3, "disabled_detail"): "1,000 a month",
    ("mailboxes_mailbox", 4, "disabled_detail"): "AADSTS7000222",
    ("sync_setasideemail", 3, "reason"): "",
    ("sync_setasideemail", 4, "reason"): "",
    ("sync_setasideemail", 5, "reason"): "",
}
"""New values in existing columns, except names of models and permissions, by table, id of the row, and column."""
KINDS = {
    ("integrations_integration", "disabled_kind"): {1: "", 2: "client_secret_expired"},
    ("mailboxes_mailbox", "disabled_kind"): {
        1: "",
        2: "",
        3: "syncemail_consumption_limit_exceeded",
        4: "client_secret_expired",
        5: "",
    },
    ("sync_setasideemail", "kind"): {
        1: "unreadable",
        2: "refused",
        3: "nested_too_deep",
        4: "no_date",
        5: "ended_workers",
    },
}
"""Values in new columns: by table and column, the value of each row by its id."""
SECRETS = """
from integrations.models import Destination, Integration
for row, field in (
    (Integration.objects.get(name="mail"), "password"),
    (Integration.objects.get(name="cloud"), "client_secret"),
    (Destination.objects.get(), "token"),
):
    print(row.opened(field))
"""


@dataclass
class Upgrade:
    before: dict[str, list[Row]]
    upgraded: OtherDatabase
    fresh: OtherDatabase


@pytest.fixture(scope="module")
def upgrade(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Upgrade]:
    with databases(tmp_path_factory.mktemp("databases")) as empty:
        upgraded, fresh = next(empty), next(empty)
        upgraded.load((HERE / f"58a28db.{upgraded.vendor}.sql").read_text())
        before = upgraded.rows()
        upgraded.manage("migrate", "--noinput", "-v", "0")
        fresh.manage("migrate", "--noinput", "-v", "0")
        fresh.write_checks_as_a_dump_does()
        yield Upgrade(before, upgraded, fresh)


def key_of(row: Row) -> Any:
    """Return the primary key, which is the first column of each table."""
    return next(iter(row.values()))


def test_an_upgraded_database_has_the_schema_of_a_new_one(upgrade: Upgrade) -> None:
    assert upgrade.upgraded.ask(upgrade.upgraded.schema) == upgrade.fresh.ask(upgrade.fresh.schema)


def test_an_upgraded_database_has_the_same_migrations_permissions_and_roles_as_a_new_one(upgrade: Upgrade) -> None:
    for query in (
        "SELECT DISTINCT app, name FROM django_migrations ORDER BY 1, 2",
        "SELECT model, codename FROM auth_permission p JOIN django_content_type c ON c.id = content_type_id ORDER BY 1, 2",
        "SELECT g.name, codename FROM auth_group g JOIN auth_group_permissions ON g.id = group_id "
        "JOIN auth_permission p ON p.id = permission_id ORDER BY 1, 2",
    ):
        assert upgrade.upgraded.ask(query) == upgrade.fresh.ask(query) != []


def test_an_upgrade_keeps_every_row_and_changes_only_texts_of_errors_and_names_of_models(upgrade: Upgrade) -> None:
    after = upgrade.upgraded.rows()
    changed = {}
    for table, rows in upgrade.before.items():
        now = {key_of(row): row for row in after[table]}
        for row in rows:
            upgraded = now[key_of(row)]
            changed |= {(table, key_of(row), name): upgraded[name] for name in row if upgraded[name] != row[name]}
    names = {value for (table, _, column), value in changed.items() if (table, column) == CONTENT_TYPE}
    assert names == {"mailboxitem", "deadletter", "auditentry", "notification"}
    codenames = {at for at in changed if at[0] == "auth_permission"}
    assert {name for _, _, name in codenames} == {"codename", "name"}
    assert len(codenames) == len(names) * 4 * 2
    assert {
        at: value for at, value in changed.items() if (at[0], at[2]) != CONTENT_TYPE and at not in codenames
    } == CHANGED
    filled = {table for table, rows in upgrade.before.items() if rows}
    assert filled >= {
        "access_act",
        "integrations_integration",
        "mailboxes_mailbox",
        "notices_notice",
        "sync_ledgerentry",
    }


def test_an_upgrade_writes_the_kinds_of_errors(upgrade: Upgrade) -> None:
    after = upgrade.upgraded.rows()
    assert {(table, column): {row["id"]: row[column] for row in after[table]} for table, column in KINDS} == KINDS


def test_the_secrets_of_an_upgraded_database_can_be_used(upgrade: Upgrade) -> None:
    """Each secret is bound to the endpoint for which it was entered, and this binding must survive the upgrade."""
    assert upgrade.upgraded.manage("shell", "--no-imports", "-c", SECRETS).split("\n")[:3] == [
        "p",
        "an invented secret",
        "t",
    ]


def test_a_second_upgrade_does_nothing(upgrade: Upgrade) -> None:
    before = upgrade.upgraded.rows()
    assert "No migrations to apply." in upgrade.upgraded.manage("migrate", "--noinput")
    assert upgrade.upgraded.rows() == before


def test_the_first_migrations_replace_exactly_those_of_commit_58a28db(upgrade: Upgrade) -> None:
    migrations = MigrationLoader(None).disk_migrations
    replaced = {name for node in AS_OF_58A28DB for name in migrations[node].replaces}
    own = {app for app, _ in AS_OF_58A28DB}
    applied = {(row["app"], row["name"]) for row in upgrade.before["django_migrations"]}
    assert replaced == {name for name in applied if name[0] in own}
