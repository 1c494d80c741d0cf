"""The error catalogue contains an entry for every error that an admin can see."""

from pathlib import Path

from integrations import catalogue, errors, further_reading
from sync.engine import error_scope
from sync.reporting import error_reference


def kinds_of(root):
    yield root.kind
    for child in root.__subclasses__():
        yield from kinds_of(child)


def test_every_kind_of_error_has_an_entry_with_causes_and_a_remedy():
    entries = {entry.kind: entry for entry in catalogue.entries()}
    assert set(kinds_of(errors.IntegrationError)) <= set(entries)
    assert all(
        entry.text and entry.causes and entry.remedy for entry in [*entries.values(), *catalogue.DEAD_LETTER_ENTRIES]
    )


def test_causes_exist_only_for_existing_errors():
    assert set(catalogue.CAUSES) <= set(kinds_of(errors.IntegrationError))


def test_an_error_that_is_repaired_at_a_vendor_links_to_the_documentation_of_the_vendor():
    known = {entry.kind for entry in catalogue.entries()}
    assert further_reading.explained() <= known
    ours = {"internal_error", "database_failed", "contended", "secret_unreadable", "unknown"}
    ours |= {"secret_elsewhere", "reinfer_token_elsewhere"}
    ours |= {"worker_out_of_resources", "worker_out_of_memory", "worker_incomplete"}
    ours.add("sign_in_paused")
    certificates = {"certificate_untrusted", "tls_failed", "reinfer_certificate_untrusted", "graph_endpoint_wrong"}
    mailboxes = {"mailbox_moving", "mailbox_not_in_cloud"}
    assert known - further_reading.explained() == ours | certificates | mailboxes


def test_the_documentation_contains_each_row_of_the_decision_table():
    markdown = error_reference.as_markdown()
    for row in error_scope.TABLE:
        assert f"| {row.when} | {row.paused or 'No mailbox.'} | {row.then} |" in markdown


def test_docs_errors_is_up_to_date():
    document = Path(__file__).parents[2] / "docs" / "errors.md"
    assert document.read_text() == error_reference.as_markdown(), (
        "run: python -m sync.reporting.error_reference > docs/errors.md"
    )
