"""The commands `apply`, `export` and `api_token`.

A file is applied completely or not at all, and an exported file can be applied again.
"""

from __future__ import annotations

import json
from io import StringIO

import pytest
from django.core.management import CommandError, call_command

from access.models import ApiToken, AuditEntry
from integrations.models import Integration
from tests import factories
from tests.web.test_import_export import VENDORS


def run(*arguments):
    out = StringIO()
    call_command(*arguments, stdout=out, stderr=StringIO())
    return out.getvalue()


@pytest.fixture
def stored(db):
    made = [factories.IntegrationFactory(title=title) for title in ("One & ü", "")]
    for integration in made:
        factories.MailboxFactory(integration=integration, start_at="2026-03-01T12:00:00Z", folder_allow=[["In/box"]])
    return made


@pytest.mark.parametrize("form", [(), ("--yaml",)], ids=["JSON", "YAML"])
def test_an_exported_file_can_be_applied_without_changes(stored, tmp_path, form):
    file = tmp_path / "all"
    file.write_text(run("export", *form))
    assert "nobody-may-read" not in file.read_text()
    assert run("apply", str(file)).endswith("2 integrations: 0 changed, 2 unchanged.\n")
    Integration.objects.filter(pk=stored[0].pk).update(title="Other")
    assert "Title: Other → One & ü" in run("apply", str(file), "--dry-run")
    assert Integration.objects.get(pk=stored[0].pk).title == "Other"
    run("apply", str(file))
    assert file.read_text() == run("export", *form)


def test_one_invalid_document_prevents_the_application_of_all_documents_of_a_file(db, tmp_path):
    factories.DestinationFactory()
    file = tmp_path / "two.json"
    file.write_text(json.dumps([VENDORS, {**VENDORS, "name": "bank/other", "title": 7}]))
    with pytest.raises(CommandError, match=r"two\.json\[1\]: title must be a text"):
        run("apply", str(file))
    assert Integration.objects.count() == 0


@pytest.mark.parametrize(
    ("content", "says"),
    [
        (b"{", "line 1"),
        (b"a: [", "neither JSON nor YAML"),
        (b"\xff\xfe", "UTF-8"),
        (b"just words", "must be an object"),
    ],
)
def test_a_file_that_cannot_be_used_is_rejected_with_the_reason(db, tmp_path, content, says):
    file = tmp_path / "bad"
    file.write_bytes(content)
    with pytest.raises(CommandError, match=says):
        run("apply", str(file))
    with pytest.raises(CommandError, match="cannot be read"):
        run("apply", str(tmp_path / "missing"))


def test_an_integration_that_does_not_exist_cannot_be_exported(db):
    with pytest.raises(CommandError, match="There is no integration a/b"):
        run("export", "a/b")


def test_a_token_is_created_only_for_a_user_that_exists(db, django_user_model):
    with pytest.raises(CommandError, match="There is no user ann"):
        run("api_token", "ann", "CI")
    django_user_model.objects.create_user("ann")
    token = run("api_token", "ann", "CI").strip()
    row = ApiToken.objects.get()
    assert (row.name, row.token_key) == ("CI", token[: len(row.token_key)])
    assert token not in row.digest


def test_a_changed_document_is_recorded_with_the_command_that_applied_it(stored, tmp_path):
    file = tmp_path / "all"
    file.write_text(run("export"))
    run("apply", str(file))
    assert not AuditEntry.objects.exists(), "the document changed nothing"
    Integration.objects.filter(pk=stored[0].pk).update(title="Other")
    run("apply", str(file))
    entry = AuditEntry.objects.get()
    assert entry.who.endswith(", manage.py apply")
    assert (entry.about, entry.object_id, entry.integration_id) == ("integration", stored[0].pk, stored[0].pk)
    assert ["Title", "Other", "One & ü"] in entry.changes
