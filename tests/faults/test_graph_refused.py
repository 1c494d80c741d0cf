"""Wrong settings and missing permissions of Graph: the error kind, the part that is disabled, and the reason are right."""

from __future__ import annotations

import pytest

from integrations.models import Integration
from mailboxes.models import Mailbox
from operations import connection_tests
from simulators.graph import Registration
from sync.models import MailboxState, SyncedFolder
from tests.actors import ADMIN
from tests.factories import moved
from tests.faults.midlife import ADDRESSES, Midlife
from tests.pems import certificate_pem, key_pem, rsa_key

pytestmark = pytest.mark.django_db(transaction=True)


@pytest.fixture
def life():
    with Midlife().stage() as staged:
        there = {"endpoint": staged.graph.url, "authority": staged.graph.authority_url}
        moved(Integration.objects.get(), microsoft_api="graph", **there)
        staged.begin(6)
        yield staged


def register(life, **given):
    life.graph.entra.__init__([Registration("tenant", "client", "secret", **given)], ())


def stays_so(life, days=4):
    """Sync once a day, as a half-open trial. The number of days must exceed `DISABLE_AFTER`."""
    for _ in range(days):
        MailboxState.objects.update(probe=True)
        life.sync()
        life.clock.turn(days=1)


def stored(life, **changed):
    moved(Integration.objects.get(), **changed)


@pytest.mark.parametrize(
    ("registered", "entered", "kind"),
    [
        ({"expired_secrets": frozenset({"old"})}, {"client_secret": "old"}, "client_secret_expired"),
        ({}, {"client_secret": "mistyped"}, "client_secret_wrong"),
        ({}, {"tenant_id": "another"}, "tenant_unknown"),
        ({}, {"client_id": "another"}, "application_unknown"),
        (
            {},
            {"auth": "certificate", "client_certificate": certificate_pem(rsa_key())},
            "settings_wrong",
        ),
        (
            {"certificates": frozenset({certificate_pem(rsa_key(2))})},
            {"auth": "certificate", "client_certificate": certificate_pem(rsa_key()), "client_key": key_pem(rsa_key())},
            "client_certificate_refused",
        ),
    ],
)
def test_an_error_of_all_mailboxes_pauses_the_integration_and_then_disables_it(life, registered, entered, kind):
    register(life, **registered)
    stored(life, **entered)
    life.sync()
    row = Integration.objects.get()
    assert (row.enabled, row.held_kind) == (True, kind)
    assert not MailboxState.objects.exclude(error_kind__in=["", kind]).exists()
    stays_so(life)
    row.refresh_from_db()
    assert (row.enabled, row.disabled_reason) == (False, "sync_error")
    assert row.disabled_kind == kind
    assert row.disabled_detail
    assert Mailbox.objects.filter(enabled=True).count() == len(ADDRESSES)  # no single mailbox is disabled


def test_only_the_mailbox_for_which_a_permission_is_missing_is_disabled(life):
    register(life, mailboxes=frozenset(ADDRESSES[:2]))
    stays_so(life, days=5)
    stopped = Mailbox.objects.get(enabled=False)
    assert (stopped.address, stopped.disabled_reason) == (ADDRESSES[2], "sync_error")
    assert stopped.disabled_kind == "mailbox_out_of_scope"
    assert Integration.objects.get().enabled
    assert MailboxState.objects.filter(up_to_date=True).count() == 2


@pytest.mark.parametrize(
    ("code", "status", "kind"),
    [
        ("MailboxNotEnabledForRESTAPI", 404, "mailbox_not_in_cloud"),
        ("ErrorInvalidUser", 404, "mailbox_not_found"),
    ],
)
def test_only_a_mailbox_that_graph_does_not_have_is_disabled_with_the_reason(life, code, status, kind):
    life.graph.faults.add("error", mailbox=ADDRESSES[0], code=code, status=status)
    stays_so(life, days=5)
    stopped = Mailbox.objects.get(enabled=False)
    assert (stopped.address, stopped.disabled_reason) == (ADDRESSES[0], "sync_error")
    assert stopped.disabled_kind == kind
    assert Integration.objects.get().enabled


def test_a_delta_link_of_another_mailbox_is_refused_and_the_folder_is_listed_again_free_of_charge(life):
    life.sync()
    units = life.reinfer.ai_units
    first, second = (
        SyncedFolder.objects.get(mailbox__address=address, name="Inbox", gone=False) for address in ADDRESSES[:2]
    )
    SyncedFolder.objects.filter(pk=first.pk).update(cursor=second.cursor)
    life.sync()
    first.refresh_from_db()
    assert ADDRESSES[0] in first.cursor
    assert life.reinfer.ai_units == units
    assert life.complaints() == []
    assert not MailboxState.objects.exclude(error_kind="").exists()


@pytest.mark.wording
def test_a_connection_test_reports_a_mistyped_client_secret_at_the_sign_in(life):
    stored(life, client_secret="mistyped")
    finding = connection_tests.test_integration(ADMIN, Integration.objects.get(), ADDRESSES[0])
    assert not finding.ok
    assert finding.steps[-1].name == "Sign in"
    assert "its value" in finding.text or "value of the secret" in finding.text
