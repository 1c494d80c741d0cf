"""`manage.py doctor` against the simulated Graph, which answers as we believe that Microsoft does; and where it does not."""

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
        there = {"endpoint": staged.graph.url, "authority": staged.graph.authority_url}
        moved(Integration.objects.get(), microsoft_api="graph", **there)
        yield staged


@contextmanager
def ending(code):
    if not code:
        yield
        return
    with pytest.raises(SystemExit) as ended:
        yield
    assert ended.value.code == code


def doctor(*arguments, code=0):
    out = io.StringIO()
    with ending(code):
        call_command(
            "doctor", "--integration", "bank/mail", "--mailbox", ADDRESSES[0], *arguments, stdout=out, stderr=out
        )
    return out.getvalue()


def connection_token():
    """That of the one connection that is open."""
    _, _, found = next(iter(connection._connections._open.values()))
    return found.sign_in.token()


def test_the_simulator_is_as_expected_and_nothing_secret_is_shown(life):
    told = doctor()
    assert "differs" not in told
    assert "16 as expected, 0 different, 3 could not be tried." in told
    assert "Moved emails: No email was moved." in told
    assert "Roles in the token: The token cannot be read" in told  # the simulated Entra's is a random word
    assert connection_token() not in told
    assert "north.example" not in told


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
def test_moves_are_watched_and_what_the_folders_told_of_them_is_said(life, monkeypatch, removals, said):
    life.graph.removals = removals
    box = life.store[ADDRESSES[0]]
    moved, back = (box.deliver(replace(mail_of(mail(name)), received=datetime.now(UTC))) for name in ("moved", "back"))
    wait = time.sleep

    def somebody_moves(seconds):
        if seconds != 7.5:
            wait(seconds)
            return
        box.move(moved.id, "Sent Items")
        box.move(box.move(back.id, "Sent Items").id, "Inbox")

    monkeypatch.setattr(time, "sleep", somebody_moves)
    told = doctor("--watch", "7.5")
    assert f"Moved emails: {said}" in told
    assert "17 as expected, 0 different, 2 could not be tried." in told


def test_emails_that_are_not_found_by_their_ids_differ(life):
    life.graph.faults.add("error", operation="message", code="ErrorItemNotFound", mailbox=ADDRESSES[0])
    assert "are found there by their ids" in doctor(code=1)


def test_what_differs_is_said_and_ends_with_its_own_code(life):
    life.graph.faults.add("status", operation="mime", status=418, after=1, times=9)
    told = doctor(code=1)
    assert "differs" in told
    assert "MIME: It is not returned: HTTP 418" in told
    assert "Please report what differs" in told


def test_what_keeps_us_out_is_said_first(life):
    Integration.objects.update(client_id="unknown")
    told = doctor(code=2)
    assert "application" in told
    assert "as expected" not in told


def test_an_empty_mailbox_leaves_much_untried_and_nothing_different(life):
    for box in life.store:
        for item in box.items():
            box.delete(item.id, hard=True)
    told = doctor()
    assert "Name a mailbox with a few emails." in told
    assert "0 different" in told


def test_one_by_ews_can_be_looked_at_as_if_it_were_switched(life, tmp_path):
    authority = life.graph.authority_url
    moved(Integration.objects.get(), microsoft_api="ews", endpoint=life.ews.url("online"), authority=authority)
    with pytest.raises(CommandError, match="must be entered again because the endpoint changed"):
        doctor("--graph", "--endpoint", life.graph.url)
    secret = tmp_path / "secret"
    secret.write_text("secret\n")
    assert "0 different" in doctor("--graph", "--endpoint", life.graph.url, "--secret-file", str(secret))
    moved(Integration.objects.get(), authority=life.ews.authority_url)
    told = doctor()
    assert "Mailbox: desk@bank.example can be opened." in told
    assert "as expected" not in told


def test_a_name_that_is_none_is_said(db):
    with pytest.raises(CommandError, match="There is no integration"):
        call_command("doctor", "--integration", "nothing")
