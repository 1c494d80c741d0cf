"""The error catalogue: no error that an admin can meet is without its entry."""

from pathlib import Path

from integrations import catalogue, errors, further_reading
from sync.engine import error_scope
from sync.reporting import error_reference


def kinds_of(root):
    yield root.kind
    for child in root.__subclasses__():
        yield from kinds_of(child)


def test_every_kind_of_error_has_an_entry_with_causes_and_something_to_do():
    entries = {entry.kind: entry for entry in catalogue.entries()}
    assert set(kinds_of(errors.IntegrationError)) <= set(entries)
    assert all(entry.text and entry.causes and entry.remedy for entry in [*entries.values(), *catalogue.SET_ASIDE])


def test_no_cause_is_kept_for_an_error_that_is_gone():
    assert set(catalogue.CAUSES) <= set(kinds_of(errors.IntegrationError))


def test_what_must_be_mended_at_the_other_side_has_a_page_of_its_maker():
    known = {entry.kind for entry in catalogue.entries()}
    assert further_reading.explained() <= known
    ours = {"internal_error", "database_failed", "contended", "secret_unreadable", "unknown"}
    ours |= {"secret_elsewhere", "reinfer_token_elsewhere"}
    ours |= {"worker_out_of_resources", "worker_out_of_memory", "worker_incomplete"}
    ours.add("sign_in_paused")
    certificates = {"certificate_untrusted", "tls_failed", "reinfer_certificate_untrusted", "graph_endpoint_wrong"}
    mailboxes = {"mailbox_moving", "mailbox_not_in_cloud"}
    assert known - further_reading.explained() == ours | certificates | mailboxes


def test_the_documentation_holds_each_line_of_the_decision_table():
    told = error_reference.as_markdown()
    for row in error_scope.TABLE:
        assert f"| {row.when} | {row.paused or 'No mailbox.'} | {row.then} |" in told


def test_the_documentation_says_the_same():
    written = Path(__file__).parents[2] / "docs" / "errors.md"
    assert written.read_text() == error_reference.as_markdown(), (
        "run: python -m sync.reporting.error_reference > docs/errors.md"
    )
