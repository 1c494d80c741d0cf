"""Carrying a plan out: all of it, or nothing."""

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
    """Somebody was faster: nothing was written."""


class SecretsLater(IntegrationForm):
    """For who cannot send secrets: that one is missing is no fault, and keeps the integration from running."""

    def has_secret(self, name: str) -> bool:
        return True


def apply(plan: Plan, *, secrets_later: bool = False) -> Integration:
    """Write it. `secrets_later`: for clients that cannot send any; without them the integration is made, and stopped.
    Raises DocumentWrong, with what is wrong field by field, and `ChangedMeanwhile`."""
    try:
        with transaction.atomic():
            _unchanged(plan)
            integration = _integration(plan, SecretsLater if secrets_later else IntegrationForm)
            _remove(plan)
            buckets: dict[tuple[int, str, str], Bucket] = {}
            for wish in plan.added:
                integration.mailboxes.create(
                    address=wish.address, bucket=_bucket(plan, wish, None, buckets), **values(wish)
                )
            for row, wish, _ in plan.changed:
                Mailbox.objects.filter(pk=row.pk).update(
                    bucket=_bucket(plan, wish, row, buckets),
                    updated_at=timezone.now(),
                    **values(wish, with_state=wish.enabled != row.enabled),
                )
    except IntegrityError:
        raise ChangedMeanwhile("Somebody else changed this just now. Nothing was changed; try again.") from None
    return integration


def _unchanged(plan: Plan) -> None:
    """Raises ChangedMeanwhile when it is no longer as the plan found it; until this transaction ends, it stays so."""
    if plan.integration is None:
        return
    row = Integration.objects.select_for_update().filter(pk=plan.integration.pk).first()
    if row is None or latest_change(row) != plan.latest:
        raise ChangedMeanwhile("Somebody else changed this just now. Nothing was changed; try again.")


def _integration(plan: Plan, form_class: type[IntegrationForm]) -> Integration:
    """By the form that people use, so that nothing gets in that would not there."""
    row = plan.integration or Integration()
    form = form_class(_form_data(plan, row), instance=row)
    if not form.stored():
        if form.is_valid() or "__all__" in form.errors:
            raise ChangedMeanwhile(*[str(text) for text in form.non_field_errors()])
        raise _wrong(form)
    row = Integration.objects.get(pk=row.pk)
    if missing := [
        name for name in NEEDED.get(Integration.Auth(row.auth), ()) if name in SECRETS and not getattr(row, name)
    ]:
        labels = ", ".join(_label(form, name) for name in missing)
        detail = f"Not entered yet: {labels}. Enter it, then start the integration."
        Integration.objects.filter(pk=row.pk).update(**{**STOPPED, "disabled_detail": detail})
    elif plan.wish.enabled is not None:
        Integration.objects.filter(pk=row.pk).exclude(enabled=plan.wish.enabled).update(
            **(RUNNING if plan.wish.enabled else STOPPED)
        )
    return Integration.objects.get(pk=row.pk)


def on_trial(plan: Plan) -> Integration:
    """As it would be, unwritten, to be tested. Raises DocumentWrong."""
    row = plan.integration or Integration()
    form = IntegrationForm(_form_data(plan, row), instance=row)
    if (tested := form.to_be_tested()) is None:
        raise _wrong(form)
    found: Integration = tested
    return found


def _wrong(form: IntegrationForm) -> DocumentWrong:
    return DocumentWrong(*[f"{_label(form, name)}: {text}" for name, texts in form.errors.items() for text in texts])


def _form_data(plan: Plan, row: Integration) -> dict[str, Any]:
    fresh = Integration()
    base = stored_settings(plan.integration) if plan.integration else {name: getattr(fresh, name) for name in SETTINGS}
    values = {**base, **plan.wish.settings, **plan.wish.secrets, "project": plan.wish.project, "name": plan.wish.name}
    if plan.integration:
        values["seen"] = row.updated_at.isoformat()
    return {name: "" if value is None else value for name, value in values.items()}


def _label(form: IntegrationForm, name: str) -> str:
    return str(form.fields[name].label or name) if name in form.fields else name


def _remove(plan: Plan) -> None:
    # Stopped first: a sync that is running ends between two batches.
    rows = Mailbox.objects.filter(pk__in=[row.pk for row in plan.removed])
    rows.update(**STOPPED)
    rows.delete()
    if plan.removed and plan.integration:
        # What is left of it does not tell that something is gone.
        Integration.objects.filter(pk=plan.integration.pk).update(updated_at=timezone.now())


def values(wish: DesiredMailbox, *, with_state: bool = True) -> dict[str, Any]:
    """By the name of the model's field: all that the wish says but address and bucket."""
    found = {name: getattr(wish, name) for name in MAILBOX_FIELDS if name != "enabled"}
    found = {name: _as_list(value) if isinstance(value, tuple) else value for name, value in found.items()}
    return found | ((RUNNING if wish.enabled else STOPPED) if with_state else {})


def _as_list(value: tuple[Any, ...]) -> list[Any]:
    return [list(entry) if isinstance(entry, tuple) else entry for entry in value]


def _bucket(plan: Plan, wish: DesiredMailbox, row: Mailbox | None, known: dict[tuple[int, str, str], Bucket]) -> Bucket:
    if wish.destination:
        destination = plan.destinations[wish.destination]
    else:
        destination = row.bucket.destination if row else next(iter(plan.destinations.values()))
    key = (destination.pk, wish.project, wish.bucket)
    if key not in known:
        known[key] = Bucket.objects.get_or_create(destination=destination, project=wish.project, name=wish.bucket)[0]
    return known[key]
