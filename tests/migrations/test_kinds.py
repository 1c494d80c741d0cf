"""Rows of an older version, which stored only the text of an error, get an error kind in the migration."""

from __future__ import annotations

from datetime import UTC, datetime

import pytest

from integrations import errors
from integrations.migrations import _texts_before_kinds as before
from sync.jobs import disabled_mailboxes
from tests.migrations.schemas import bring_up, go_back

NOW = datetime(2026, 3, 2, tzinfo=UTC)
LIMIT = (
    "The monthly limit of AI units that you set for this bucket is reached. (1,000 a month) "
    "Its mailboxes go on by themselves when the month ends, or as soon as you raise the limit."
)
"""The text that the older version stored."""


@pytest.fixture
def old(transactional_db):
    yield go_back()
    bring_up()


def rows(apps):
    """Create rows of the older version: a disabled integration, open circuit breakers, stopped mailboxes, dead letters."""
    destination = apps.get_model("integrations", "Destination").objects.create(
        name="d", endpoint="https://reinfer.example", held_until=NOW, held_kind="reinfer_token_refused",
        held_detail=before.whole("reinfer_token_refused", "HTTP 401"),
    )  # fmt: skip
    integration = apps.get_model("integrations", "Integration").objects.create(
        project="bank", name="mail", endpoint="https://mail.example/EWS/Exchange.asmx", disabled_reason="sync_error",
        disabled_detail=before.whole("client_secret_expired", "invalid_client, AADSTS7000222"),
    )  # fmt: skip
    bucket = apps.get_model("mailboxes", "Bucket").objects.create(
        destination=destination, project="p", name="b", held_until=NOW, held_kind="too_many_refused",
        held_detail=before.whole("too_many_refused", ""),
    )  # fmt: skip
    for address, reason, detail in (
        ("limit@x.example", "quota", LIMIT),
        ("quota@x.example", "quota", before.whole("comment_quota_hit", "HTTP 402")),
        ("error@x.example", "sync_error", before.whole("mailbox_out_of_scope", "HTTP 403, ErrorAccessDenied")),
        ("older@x.example", "sync_error", "The text of a much older version."),
        ("person@x.example", "user", ""),
    ):
        mailbox = apps.get_model("mailboxes", "Mailbox").objects.create(
            integration=integration, bucket=bucket, address=address, enabled=False, disabled_reason=reason,
            disabled_detail=detail,
        )  # fmt: skip
    folder = apps.get_model("sync", "SyncedFolder").objects.create(mailbox=mailbox, folder_id="f", name="Inbox")
    for number, (stage, reason) in enumerate((
        ("transform", "nested_too_deep: it has more parts within parts than can be read"),
        ("transform", "no_date: it bears neither a date nor a time of arrival"),
        ("transform", "some_code: of an old version"),
        ("fetch", "ErrorItemCorrupt"),
        ("push", "reinfer_failed"),
        ("worker", "It ended the worker again and again."),
        ("gone", "It was listed, and is not there."),
    )):  # fmt: skip
        apps.get_model("sync", "SetAsideEmail").objects.create(
            mailbox=mailbox, folder=folder, item_id=str(number), stage=stage, reason=reason, last_at=NOW
        )


@pytest.mark.long
def test_rows_of_the_older_version_get_an_error_kind_and_keep_the_detail(old):
    from integrations.models import Destination, Integration
    from mailboxes.models import Bucket, Mailbox
    from sync.models import DeadLetter

    rows(old)
    bring_up()
    integration = Integration.objects.get()
    assert (integration.disabled_kind, integration.disabled_detail) == (
        "client_secret_expired", "invalid_client, AADSTS7000222",
    )  # fmt: skip
    assert Destination.objects.get().held_detail == "HTTP 401"
    assert Bucket.objects.get().held_detail == ""
    disabled = {row.address.partition("@")[0]: (row.disabled_kind, row.disabled_detail) for row in Mailbox.objects.all()}
    assert disabled == {
        "limit": ("syncemail_consumption_limit_exceeded", "1,000 a month"),
        "quota": ("comment_quota_hit", "HTTP 402"),
        "error": ("mailbox_out_of_scope", "HTTP 403, ErrorAccessDenied"),
        "older": ("", "The text of a much older version."),
        "person": ("", ""),
    }
    assert [row.address for row in Mailbox.objects.filter(disabled_mailboxes.by_limit())] == ["limit@x.example"]
    emails = DeadLetter.objects.order_by("item_id").values_list("kind", "reason")
    assert list(emails) == [
        ("nested_too_deep", ""),
        ("no_date", ""),
        ("not_convertible", "some_code: of an old version"),
        ("unreadable", "ErrorItemCorrupt"),
        ("refused", "reinfer_failed"),
        ("ended_workers", ""),
        ("vanished", ""),
    ]


@pytest.mark.long
def test_a_downgrade_restores_the_texts_of_the_older_version(old):
    rows(old)
    bring_up()
    apps = go_back()
    assert apps.get_model("mailboxes", "Mailbox").objects.get(address="limit@x.example").disabled_detail == LIMIT
    detail = apps.get_model("integrations", "Destination").objects.get().held_detail
    assert detail == before.whole("reinfer_token_refused", "HTTP 401")
    reasons = set(apps.get_model("sync", "SetAsideEmail").objects.values_list("reason", flat=True))
    assert {"It was listed, and is not there.", "ErrorItemCorrupt"} < reasons


@pytest.mark.parametrize("kind", before.TEXTS)
def test_a_text_of_the_older_version_is_split_into_its_kind_and_detail(kind):
    for detail in ("", "HTTP 403", "a (b) c"):
        assert before.parted(before.whole(kind, detail)) == (kind, detail)


def test_every_kind_of_the_older_version_still_exists():
    assert all(errors.error_of(kind) for kind in before.TEXTS)
