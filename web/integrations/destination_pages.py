"""The pages of destinations: the list, one of them with its buckets, its form, its buttons."""

from __future__ import annotations

from django.contrib import messages
from django.db import transaction
from django.db.models import Count, ProtectedError
from django.http import HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404, redirect, render
from django.urls import reverse
from django.utils import timezone
from django.views.decorators.http import require_http_methods, require_POST, require_safe

from access import history
from integrations.forms import DestinationForm
from integrations.models import Destination, Integration
from integrations.sealing import problem_with_secrets
from mailboxes.models import Mailbox
from operations import actions, dry_runs
from sync.jobs.disabled_mailboxes import by_itself, reasons, stopped_at
from sync.reporting.status import hold_standing
from web.integrations.answers import back, found
from web.integrations.asked import number


@require_safe
def overview(request: HttpRequest) -> HttpResponse:
    """All destinations, each with how much goes there."""
    now = timezone.now()
    destinations = Destination.objects.annotate(
        bucket_count=Count("buckets", distinct=True), mailbox_count=Count("buckets__mailboxes", distinct=True)
    )
    rows = [{"destination": one, "standing": hold_standing(one, now)} for one in destinations]
    return render(request, "destinations/list.html", {"rows": rows})


@require_safe
def detail(request: HttpRequest, pk: int) -> HttpResponse:
    """One destination with its buckets."""
    destination = get_object_or_404(Destination, pk=pk)
    now = timezone.now()
    buckets = destination.buckets.select_related("renewal").annotate(
        mailbox_count=Count("mailboxes"), stopped_count=Count("mailboxes", filter=by_itself("mailboxes__"))
    )
    stopped = stopped_at(destination)
    context = {
        "destination": destination,
        "standing": hold_standing(destination, now),
        "rows": [{"bucket": bucket, "standing": hold_standing(bucket, now)} for bucket in buckets],
        "stopped": stopped.count(),
        "stopped_by": reasons(stopped),
        "secret_problem": problem_with_secrets(destination),
    }
    return render(request, "destinations/detail.html", context)


@require_http_methods(["GET", "HEAD", "POST"])
def create(request: HttpRequest) -> HttpResponse:
    form = DestinationForm(request.POST or None)
    if request.method == "POST" and form.stored():
        history.record(request, f"{form.instance} was added.", changes=form.changes_in_words(), about=form.instance)
        waiting = _waiting(request)
        if waiting is not None:
            messages.success(request, f"{form.instance} is saved. Now the mailboxes.")
            return redirect(f"{reverse('mailbox-new', args=[waiting.pk])}?setup=1")
        messages.success(request, f"{form.instance} is saved. Test it, then choose it for a mailbox.")
        return redirect("destination", form.instance.pk)
    return render(request, "destinations/form.html", {"form": form, "title": "New destination"})


def _waiting(request: HttpRequest) -> Integration | None:
    """The integration that is being added, and needs a destination on the way."""
    pk = number(request.GET.get("for"))
    return Integration.objects.filter(pk=pk).first() if pk else None


@require_POST
def try_(request: HttpRequest) -> HttpResponse:
    """Test what is in the form, before it is saved. A token that is not typed is the one that is stored."""
    pk = number(request.POST.get("destination"))
    stored = Destination.objects.filter(pk=pk).first() if pk else None
    form = DestinationForm(request.POST, instance=stored)
    unsaved = form.to_be_tested()
    if unsaved is None:
        told = [
            f"{form.fields[name].label}: {form.errors[name][0]}"
            for name in ("endpoint", "token")
            if name in form.errors
        ]
        return found(request, actions.Finding(False, " ".join(told)), reverse("destination-new"))
    return found(request, actions.test_destination(unsaved, by=history.who(request)), reverse("destination-new"))


@require_POST
def buckets(request: HttpRequest) -> HttpResponse:
    """What this destination has, for a form that asks for a bucket: a list to choose from."""
    destination = get_object_or_404(Destination, pk=number(request.POST.get("destination")))
    choice = dry_runs.buckets_at(destination)
    return render(request, "destinations/_buckets.html", {"choice": choice, "destination": destination})


@require_http_methods(["GET", "HEAD", "POST"])
def edit(request: HttpRequest, pk: int) -> HttpResponse:
    destination = get_object_or_404(Destination, pk=pk)
    title = str(destination)
    form = DestinationForm(request.POST or None, instance=destination)
    if request.method == "POST" and form.stored():
        history.record(request, f"{form.instance} was changed.", changes=form.changes_in_words(), about=form.instance)
        for integration in Integration.objects.filter(mailboxes__bucket__destination=pk).distinct():
            actions.settings_changed(integration)
        messages.success(
            request, f"{form.instance} is saved. It takes effect at the next sync.{_still_stopped(destination)}"
        )
        return redirect("destination", pk)
    problem = "" if request.method == "POST" else problem_with_secrets(destination)
    context = {"form": form, "title": title, "destination_id": pk, "secret_problem": problem}
    return render(request, "destinations/form.html", context)


def _still_stopped(destination: Destination) -> str:
    """Whoever has just mended it should not think that this was all."""
    count = stopped_at(destination).count()
    if not count:
        return ""
    return f" {'1 mailbox is' if count == 1 else f'{count:,} mailboxes are'} still stopped: start them with the button below."


@require_http_methods(["GET", "HEAD", "POST"])
def delete(request: HttpRequest, pk: int) -> HttpResponse:
    """Ask first. What mailboxes still send to cannot be deleted."""
    destination = get_object_or_404(Destination, pk=pk)
    if request.method == "POST":
        try:
            with transaction.atomic():
                destination.buckets.all().delete()
                destination.delete()
        except ProtectedError:
            return back(request, f"Mailboxes still send to {destination}.", _url(pk), good=False)
        history.record(request, f"{destination} was deleted.")
        messages.success(request, f"{destination} is deleted.")
        return redirect("destinations")
    context = {
        "destination": destination,
        "buckets": destination.buckets.count(),
        "mailboxes": Mailbox.objects.filter(bucket__destination=destination).count(),
    }
    return render(request, "destinations/delete.html", context)


@require_POST
def test(request: HttpRequest, pk: int) -> HttpResponse:
    """Talk to Re:infer now. Slow at times: the page shows that it goes on."""
    destination = get_object_or_404(Destination, pk=pk)
    return found(request, actions.test_destination(destination, by=history.who(request)), _url(pk))


@require_POST
def start_stopped(request: HttpRequest, pk: int) -> HttpResponse:
    """Start its mailboxes that an error or the quota of Re:infer stopped."""
    return back(request, actions.start_stopped(get_object_or_404(Destination, pk=pk)), _url(pk))


def _url(pk: int) -> str:
    return reverse("destination", args=[pk])
