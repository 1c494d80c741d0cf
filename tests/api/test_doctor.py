"""`manage.py doctor` with the simulated Graph: it reports no difference by default, and each difference that a test causes."""

from __future__ import annotations

import io
import time
from contextlib import contextmanager
from dataclasses import replace
from datetime import UTC, datetime

import pytest
from django.core.management import CommandError, call_command

from integrations.graph import connection
from integrations.models import Integration
from simulators.exchange import mail_of
from simulators.graph.removals import Removals
from tests.factories import moved
from tests.faults.midlife import ADDRESSES, Midlife
from tests.mails import mail

pytestmark = pytest.mark.django_db(transaction=True)


@pytest.fixture
def life(db):
    with Midlife().stage() as staged:
        staged.begin(20)
        servers = {"endpoint": staged.graph.url, "authority": staged.graph.authority_url}
        moved(Integration.objects.get(), microsoft_api="graph", **servers)
        yield staged


@contextmanager
def ending(code):
    """Assert that the block ends with this exit code."""
    if not code:
        yield
        return
    with pytest.raises(SystemExit) as ended:
        yield
    assert ended.value.code == code


def doctor(*arguments, code=0):
    """Run the command, and return its output."""
    out = io.StringIO()
    with ending(code):
        call_command(
            "doctor", "--integration", "bank/mail", "--mailbox", ADDRESSES[0], *arguments, stdout=out, stderr=out
        )
    return out.getvalue()


def connection_token():
    """Return the access token of the only open connection."""
    _, _, opened = next(iter(connection._connections._open.values()))
    return opened.sign_in.token()


def test_the_simulator_is_as_expected_and_the_output_contains_no_secret(life):
    output = doctor()
    assert "differs" not in output
    assert "16 as expected, 0 different, 3 could not be tried." in output
    assert "Moved emails: No email was moved." in output
    assert "Roles in the token: The token cannot be read" in output  # the tokens of the simulated Entra are random text
    assert connection_token() not in output
    assert "north.example" not in output


@pytest.mark.parametrize(
    ("removals", "said"),
    [
        (Removals.DOCUMENTED, "2 moved, 2 reported as documented."),
        (
            Removals.AWAY_AND_BACK,
            "2 moved, 1 reported as documented, 1 back in their folder and reported only as removed.",
        ),
        (
            Removals.NO_ROW,
            "2 moved, 1 back in their folder and reported only as removed, 1 not reported by the target folder.",
        ),
    ],
)
def test_the_doctor_reports_what_the_change_reports_contain_about_moved_emails(life, monkeypatch, removals, said):
    life.graph.removals = removals
    box = life.store[ADDRESSES[0]]
    moved, back = (box.deliver(replace(mail_of(mail(name)), received=datetime.now(UTC))) for name in ("moved", "back"))
    wait = time.sleep

    def move_emails(seconds):
        if seconds != 7.5:
            wait(seconds)
            return
        box.move(moved.id, "Sent Items")
        box.move(box.move(back.id, "Sent Items").id, "Inbox")

    monkeypatch.setattr(time, "sleep", move_emails)
    output = doctor("--watch", "7.5")
    assert f"Moved emails: {said}" in output
    assert "17 as expected, 0 different, 2 could not be tried." in output


def test_emails_that_are_not_found_by_their_ids_are_a_difference(life):
    life.graph.faults.add("error", operation="message", code="ErrorItemNotFound", mailbox=ADDRESSES[0])
    assert "are found there by their ids" in doctor(code=1)


def test_a_difference_is_reported_with_a_separate_exit_code(life):
    life.graph.faults.add("status", operation="mime", status=418, after=1, times=9)
    output = doctor(code=1)
    assert "differs" in output
    assert "MIME: The MIME content is not returned: HTTP 418" in output
    assert "Please report the differences" in output


def test_a_refused_sign_in_is_reported_before_any_check(life):
    Integration.objects.update(client_id="unknown")
    output = doctor(code=2)
    assert "application" in output
    assert "as expected" not in output


def test_an_empty_mailbox_leaves_checks_undone_and_shows_no_difference(life):
    for box in life.store:
        for item in box.items():
            box.delete(item.id, hard=True)
    output = doctor()
    assert "Use a mailbox with a few emails." in output
    assert "0 different" in output


def test_an_ews_integration_can_be_checked_over_graph_before_a_switch_and_over_ews(life, tmp_path):
    authority = life.graph.authority_url
    moved(Integration.objects.get(), microsoft_api="ews", endpoint=life.ews.url("online"), authority=authority)
    with pytest.raises(CommandError, match="must be entered again because the endpoint changed"):
        doctor("--graph", "--endpoint", life.graph.url)
    secret = tmp_path / "secret"
    secret.write_text("secret\n")
    assert "0 different" in doctor("--graph", "--endpoint", life.graph.url, "--secret-file", str(secret))
    moved(Integration.objects.get(), authority=life.ews.authority_url)
    output = doctor()
    assert "Mailbox: desk@bank.example can be opened." in output
    assert "as expected" not in output


def test_an_unknown_name_is_an_error(db):
    with pytest.raises(CommandError, match="There is no integration"):
        call_command("doctor", "--integration", "nothing")
