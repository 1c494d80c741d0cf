"""Test the connections to Exchange and Re:infer, step by step."""

from __future__ import annotations

from collections.abc import Sequence
from contextlib import AbstractContextManager

from django.core.exceptions import ImproperlyConfigured

from access import history
from access.history import Subject
from integrations.connect import network_steps, open_sink, open_source
from integrations.diagnosis import DiagnosisStep, bucket_steps, mailbox_steps
from integrations.errors import IntegrationError
from integrations.models import Destination, Integration
from mailboxes.models import Bucket
from operations.actor import Actor
from operations.results import Finding
from sync.jobs import sign_in_budget

STEP_DEADLINE = 20.0
"""Maximum time in seconds of one request of a test. The admin waits for the result."""


def test_integration(actor: Actor, integration: Integration, address: str | None) -> Finding:
    """Test the name in DNS, port, TLS, sign-in, mailbox, folders and one email.

    Each request takes up to `STEP_DEADLINE`, and a step can make several requests.

    Args:
        actor: Who tests. The audit log names the servers and the outcome.
        integration: The integration, stored or not.
        address: The address of the mailbox to open; None for the first mailbox of the integration.

    Returns:
        The steps, and the error of the step that failed, if any.
    """
    if not address and integration.pk:
        address = integration.mailboxes.values_list("address", flat=True).first()
    if not address:
        return Finding(False, "Add a mailbox first, or enter an address. The test opens a mailbox in Exchange.")
    with _recorded(actor, integration, [("Mailbox", address), *integration.route()]) as attempt:
        finding = _test_source(integration, address)
        attempt.outcome = finding.outcome
    return finding


def test_destination(actor: Actor, destination: Destination) -> Finding:
    """Connect to Re:infer with the token of a destination, and open the first bucket of the destination, if any.

    Takes up to 20 s.

    Args:
        actor: Who tests. The audit log names the servers and the outcome.
        destination: The destination, stored or not.

    Returns:
        The steps, and the error of the step that failed, if any.
    """
    bucket = destination.buckets.first() if destination.pk else None
    return _test_sink(actor, destination, bucket, destination)


def test_bucket(actor: Actor, bucket: Bucket) -> Finding:
    """Open a bucket at Re:infer. Takes up to 20 s.

    Args:
        actor: Who tests. The audit log names the servers and the outcome.
        bucket: The bucket with its destination.

    Returns:
        The steps, and the error of the step that failed, if any.
    """
    return _test_sink(actor, bucket.destination, bucket, bucket)


def _test_source(integration: Integration, address: str) -> Finding:
    steps: list[DiagnosisStep] = []
    try:
        steps += network_steps(integration, deadline=STEP_DEADLINE)
        if all(step.ok for step in steps):
            with (
                sign_in_budget.counted(integration) as attempt,
                open_source(integration, address, deadline=STEP_DEADLINE, fresh=True) as source,
            ):
                steps += mailbox_steps(source, address)
                attempt.ended(next((step.kind for step in steps if not step.ok), ""))
    except (IntegrationError, ImproperlyConfigured) as error:
        return _finding_of_error(error, steps)
    return _finding_of_steps(steps, f"Signed in, and {address} can be read.")


def _test_sink(actor: Actor, destination: Destination, bucket: Bucket | None, about: Destination | Bucket) -> Finding:
    name = f"{bucket.project}/{bucket.name}" if bucket else ""
    # Without a bucket, request a bucket that does not exist. The error "not found" shows that the URL and the token are right.
    opened = (bucket.project, bucket.name) if bucket else ("connection-test", "connection-test")
    route = [*([("Bucket", name)] if name else []), *destination.route()]
    with _recorded(actor, about, route) as attempt:
        try:
            with open_sink(destination, *opened, deadline=STEP_DEADLINE) as sink:
                steps = list(bucket_steps(sink, name))
            exists = f" The bucket {name} exists." if name else ""
            finding = _finding_of_steps(steps, f"Re:infer responds and accepts the token.{exists}")
        except (IntegrationError, ImproperlyConfigured) as error:
            finding = _finding_of_error(error, ())
        attempt.outcome = finding.outcome
    return finding


def _recorded(
    actor: Actor, about: Integration | Destination | Bucket, route: Sequence[tuple[str, str]]
) -> AbstractContextManager[history.ConnectionAttempt]:
    tested = about if about.pk else f"a new {about._meta.verbose_name}"
    text = f"The connection of {tested} was tested."
    return history.attempt(actor.name, text, Subject.of(about), [(label, "", url) for label, url in route])


def _finding_of_steps(steps: Sequence[DiagnosisStep], good: str) -> Finding:
    failed = next((step for step in steps if not step.ok), None)
    if failed is None:
        return Finding(True, good, tuple(steps))
    return Finding(False, failed.text, tuple(steps), failed.kind)


def _finding_of_error(error: IntegrationError | ImproperlyConfigured, steps: Sequence[DiagnosisStep]) -> Finding:
    return Finding(False, str(error), tuple(steps), getattr(error, "kind", "secret_unreadable"))
