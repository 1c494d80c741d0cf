"""Apply a plan completely, or change nothing."""

from __future__ import annotations

from typing import Any

from django.db import IntegrityError, transaction
from django.utils import timezone

from integrations.forms import IntegrationForm
from integrations.forms.integration import NEEDED
from integrations.models import RUNNING, STOPPED, Integration
from mailboxes.models import Bucket, Mailbox
from operations.documents.desired import DesiredMailbox, DocumentWrong
from operations.documents.plan import MAILBOX_FIELDS, Plan
from operations.documents.stored import SETTINGS, latest_change, stored_settings

SECRETS = IntegrationForm.secret_names


class ChangedMeanwhile(DocumentWrong):
    """The stored state does not allow the change. Nothing was written.

    Either the stored state was changed after the plan was made, or a removed mailbox is still syncing, or the address of a
    mailbox is in use.
    """


class SecretsLater(IntegrationForm):
    """A form for clients that cannot send secrets. Without a secret, the form is valid, and `apply` stops the integration."""

    def has_secret(self, name: str) -> bool:
        """Treat every secret as present.

        Args:
            name: The name of the field.

        Returns:
            Always true.
        """
        return True


def apply(plan: Plan, *, secrets_later: bool = False) -> Integration:
    """Write the changes of a plan in one transaction.

    Args:
        plan: The plan.
        secrets_later: Whether secrets may be missing. If a secret is missing, the integration is stopped.

    Returns:
        The integration.

    Raises:
        DocumentWrong: Fields have errors.
        ChangedMeanwhile: The stored state was changed after the plan was made, or a removed mailbox is still syncing.
    """
    try:
        with transaction.atomic():
            _check_unchanged(plan)
            integration = _integration(plan, SecretsLater if secrets_later else IntegrationForm)
            _remove(plan)
            buckets: dict[tuple[int, str, str], Bucket] = {}
            for desired in plan.added:
                integration.mailboxes.create(
                    address=desired.address, bucket=_bucket(plan, desired, None, buckets), **values(desired)
                )
            for row, desired, _ in plan.changed:
                Mailbox.objects.filter(pk=row.pk).update(
                    bucket=_bucket(plan, desired, row, buckets),
                    updated_at=timezone.now(),
                    **values(desired, with_state=desired.enabled != row.enabled),
                )
    except IntegrityError:
        raise ChangedMeanwhile(
            "This integration was changed in the meantime, or a sync of a removed mailbox has not ended yet. Nothing was "
            "saved. Try again."
        ) from None
    return integration


def _check_unchanged(plan: Plan) -> None:
    """Lock the row of the integration. Raise ChangedMeanwhile if the stored state changed after the plan was made."""
    if plan.integration is None:
        return
    row = Integration.objects.select_for_update().filter(pk=plan.integration.pk).first()
    if row is None or latest_change(row) != plan.latest:
        raise ChangedMeanwhile("This integration was changed in the meantime. Nothing was saved. Try again.")


def _integration(plan: Plan, form_class: type[IntegrationForm]) -> Integration:
    """Store the integration with the form of the pages, so that the checks of the pages apply."""
    row = plan.integration or Integration()
    form = form_class(_form_data(plan, row), instance=row)
    if not form.stored():
        if form.is_valid() or "__all__" in form.errors:
            raise ChangedMeanwhile(*[str(text) for text in form.non_field_errors()])
        raise _document_error(form)
    row = Integration.objects.get(pk=row.pk)
    if missing := [
        name for name in NEEDED.get(Integration.Auth(row.auth), ()) if name in SECRETS and not getattr(row, name)
    ]:
        labels = ", ".join(_label(form, name) for name in missing)
        detail = f"Not entered yet: {labels}. Enter it, then start the integration."
        Integration.objects.filter(pk=row.pk).update(**{**STOPPED, "disabled_detail": detail})
    elif plan.desired.enabled is not None:
        Integration.objects.filter(pk=row.pk).exclude(enabled=plan.desired.enabled).update(
            **(RUNNING if plan.desired.enabled else STOPPED)
        )
    return Integration.objects.get(pk=row.pk)


def on_trial(plan: Plan) -> Integration:
    """Return the integration that the plan would store, unsaved, for a connection test.

    Args:
        plan: The plan.

    Returns:
        The integration.

    Raises:
        DocumentWrong: Fields have errors.
    """
    row = plan.integration or Integration()
    form = IntegrationForm(_form_data(plan, row), instance=row)
    if (tested := form.to_be_tested()) is None:
        raise _document_error(form)
    result: Integration = tested
    return result


def _document_error(form: IntegrationForm) -> DocumentWrong:
    return DocumentWrong(*[f"{_label(form, name)}: {text}" for name, texts in form.errors.items() for text in texts])


def _form_data(plan: Plan, row: Integration) -> dict[str, Any]:
    fresh = Integration()
    base = stored_settings(plan.integration) if plan.integration else {name: getattr(fresh, name) for name in SETTINGS}
    values = {
        **base,
        **plan.desired.settings,
        **plan.desired.secrets,
        "project": plan.desired.project,
        "name": plan.desired.name,
    }
    if plan.integration:
        values["seen"] = row.updated_at.isoformat()
    return {name: "" if value is None else value for name, value in values.items()}


def _label(form: IntegrationForm, name: str) -> str:
    return str(form.fields[name].label or name) if name in form.fields else name


def _remove(plan: Plan) -> None:
    # The mailboxes are stopped first, so that a running sync ends between two batches.
    rows = Mailbox.objects.filter(pk__in=[row.pk for row in plan.removed])
    rows.update(**STOPPED)
    rows.delete()
    if plan.removed and plan.integration:
        # A deleted row has no time of change, so the deletion is stored as a change of the integration.
        Integration.objects.filter(pk=plan.integration.pk).update(updated_at=timezone.now())


def values(desired: DesiredMailbox, *, with_state: bool = True) -> dict[str, Any]:
    """Return the values of a desired mailbox without address and bucket.

    Args:
        desired: The desired mailbox.
        with_state: Whether to include the values that start or stop the mailbox.

    Returns:
        Values by the name of the model's field.
    """
    result = {name: getattr(desired, name) for name in MAILBOX_FIELDS if name != "enabled"}
    result = {name: _as_list(value) if isinstance(value, tuple) else value for name, value in result.items()}
    return result | ((RUNNING if desired.enabled else STOPPED) if with_state else {})


def _as_list(value: tuple[Any, ...]) -> list[Any]:
    return [list(entry) if isinstance(entry, tuple) else entry for entry in value]


def _bucket(
    plan: Plan, desired: DesiredMailbox, row: Mailbox | None, known: dict[tuple[int, str, str], Bucket]
) -> Bucket:
    if desired.destination:
        destination = plan.destinations[desired.destination]
    else:
        destination = row.bucket.destination if row else next(iter(plan.destinations.values()))
    key = (destination.pk, desired.project, desired.bucket)
    if key not in known:
        known[key] = Bucket.objects.get_or_create(
            destination=destination, project=desired.project, name=desired.bucket
        )[0]
    return known[key]
