"""A retry of a failed email writes an audit entry. If the email was settled already, the retry is refused without an entry."""

from access.models import AuditEntry
from operations import failed_email_actions
from operations.results import ActionRefused
from tests import factories
from tests.actors import ADMIN


def test_a_retry_is_recorded_although_the_mailbox_is_stopped(db):
    email = factories.DeadLetterFactory(mailbox__stopped=True)
    answer = failed_email_actions.retry(ADMIN, email)
    assert isinstance(answer, ActionRefused)
    email.refresh_from_db()
    assert email.retry_at is not None
    assert AuditEntry.objects.get().text == answer.text


def test_a_retry_of_an_email_that_was_delivered_in_the_meantime_does_nothing(db):
    email = factories.DeadLetterFactory(settled="delivered", retry_at=None)
    assert isinstance(failed_email_actions.retry(ADMIN, email), ActionRefused)
    email.refresh_from_db()
    assert email.retry_at is None
    assert not AuditEntry.objects.exists()
