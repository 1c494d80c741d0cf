"""Pages and the API do not write the audit log themselves, because each operation writes its own audit entry."""

from __future__ import annotations

import ast
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[2]
VIEWS = sorted(path for package in ("web", "api") for path in (ROOT / package).rglob("*.py"))
WRITERS = {"record", "attempt", "named", "ConnectionAttempt"}
WRITES = {"create", "bulk_create", "get_or_create", "update_or_create", "update", "bulk_update"}


def writes_audit_log(source: str) -> list[str]:
    """Return the statements of a module that write the audit log, or that import a function which writes it."""
    statements = []
    for node in ast.walk(ast.parse(source)):
        match node:
            case ast.ImportFrom(module="access", names=names) if any(name.name == "history" for name in names):
                statements.append(ast.unparse(node))
            case ast.ImportFrom(module="access.history", names=names) if any(name.name in WRITERS for name in names):
                statements.append(ast.unparse(node))
            case ast.Import(names=names) if any(name.name == "access.history" for name in names):
                statements.append(ast.unparse(node))
            case ast.Call(func=ast.Attribute(attr=name)) if name in WRITES and "AuditEntry." in ast.unparse(node.func):
                statements.append(ast.unparse(node.func))
            case ast.Call(func=ast.Name(id="AuditEntry")):
                statements.append(ast.unparse(node))
    return statements


@pytest.mark.parametrize("path", VIEWS, ids=lambda path: str(path.relative_to(ROOT)))
def test_no_page_and_no_view_of_the_api_writes_the_audit_log(path):
    assert writes_audit_log(path.read_text(encoding="utf-8")) == []


@pytest.mark.parametrize(
    "source",
    [
        "from access import history",
        "import access.history",
        "from access.history import Subject, record",
        "AuditEntry.objects.create(who='ann')",
        "AuditEntry(who='ann').save()",
    ],
)
def test_the_check_finds_each_way_to_write_the_audit_log(source):
    assert writes_audit_log(source)


def test_reading_the_audit_log_and_naming_a_subject_are_allowed():
    assert not writes_audit_log("from access.history import Subject\nAuditEntry.objects.filter(pk=1)")
