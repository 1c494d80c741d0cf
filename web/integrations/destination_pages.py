"""The pages of destinations: list, detail, form and buttons."""

from __future__ import annotations

from django.contrib import messages
from django.db.models import Count
from django.http import HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404, redirect, render
from django.urls import reverse
from django.utils import timezone
from django.views.decorators.http import require_http_methods, require_POST, require_safe

from integrations.forms import DestinationForm
from integrations.models import Destination, Integration
from integrations.sealing import problem_with_secrets
from mailboxes.models import Mailbox
from operations import connection_tests, destination_actions, dry_runs, mailbox_actions
from operations.actor import Actor
from operations.results import Finding
from sync.jobs.disabled_mailboxes import by_itself, reasons, stopped_at
from sync.reporting.status import paused_standing
from web.integrations.params import parse_number
from web.integrations.responses import button, finding_response, redirect_back


def _row(pk: int) -> Destination:
    return get_object_or_404(Destination, pk=pk)


def _page(destination: Destination) -> str:
    return _url(destination.pk)


def _url(pk: int) -> str:
    return reverse("destination", args=[pk])


@require_safe
def overview(request: HttpRequest) -> HttpResponse:
    """List all destinations, each with the number of its buckets and mailboxes.

    Args:
        request: the request

    Returns:
        The page.
    """
    now = timezone.now()
    destinations = Destination.objects.annotate(
        bucket_count=Count("buckets", distinct=True), mailbox_count=Count("buckets__mailboxes", distinct=True)
    )
    rows = [{"destination": one, "summary": paused_standing(one, now)} for one in destinations]
    return render(request, "destinations/list.html", {"rows": rows})


@require_safe
def detail(request: HttpRequest, pk: int) -> HttpResponse:
    """Show one destination with its buckets.

    Args:
        request: the request
        pk: primary key of the destination

    Returns:
        The page.

    Raises:
        Http404: there is no such destination
    """
    destination = get_object_or_404(Destination, pk=pk)
    now = timezone.now()
    buckets = destination.buckets.select_related("renewal").annotate(
        mailbox_count=Count("mailboxes"), stopped_count=Count("mailboxes", filter=by_itself("mailboxes__"))
    )
    stopped = stopped_at(destination)
    context = {
        "destination": destination,
        "summary": paused_standing(destination, now),
        "rows": [{"bucket": bucket, "summary": paused_standing(bucket, now)} for bucket in buckets],
        "stopped": stopped.count(),
        "stopped_by": reasons(stopped),
        "secret_problem": problem_with_secrets(destination),
    }
    return render(request, "destinations/detail.html", context)


@require_http_methods(["GET", "HEAD", "POST"])
def create(request: HttpRequest) -> HttpResponse:
    """Show the form of a new destination, or store it.

    With `?for=4`, the destination is added during the setup of integration 4, and the next page is the form for a mailbox
    of that integration.

    Args:
        request: the request

    Returns:
        The form, or a redirect after the destination was stored.
    """
    form = DestinationForm(request.POST or None)
    if request.method == "POST" and destination_actions.add(Actor.of_request(request), form):
        integration = _integration_in_setup(request)
        if integration is not None:
            messages.success(request, f"{form.instance} is saved. Now add the mailboxes.")
            return redirect(f"{reverse('mailbox-new', args=[integration.pk])}?setup=1")
        messages.success(request, f"{form.instance} is saved. Test it, then choose it for a mailbox.")
        return redirect("destination", form.instance.pk)
    return render(request, "destinations/form.html", {"form": form, "title": "New destination"})


def _integration_in_setup(request: HttpRequest) -> Integration | None:
    """Return the integration that is being set up and for which this destination is added; None if there is none."""
    pk = parse_number(request.GET.get("for"))
    return Integration.objects.filter(pk=pk).first() if pk else None


@require_POST
def try_(request: HttpRequest) -> HttpResponse:
    """Test the values in the form before they are stored.

    If the form has no token, the test uses the stored token of the destination. If the form has another endpoint than the
    destination, the token must be entered; otherwise nothing is tested.

    Args:
        request: the request

    Returns:
        The result of the test.
    """
    pk = parse_number(request.POST.get("destination"))
    stored = Destination.objects.filter(pk=pk).first() if pk else None
    form = DestinationForm(request.POST, instance=stored)
    unsaved = form.to_be_tested()
    if unsaved is None:
        problems = [
            f"{form.fields[name].label}: {form.errors[name][0]}"
            for name in ("endpoint", "token")
            if name in form.errors
        ]
        return finding_response(request, Finding(False, " ".join(problems)), reverse("destination-new"))
    return finding_response(
        request, connection_tests.test_destination(Actor.of_request(request), unsaved), reverse("destination-new")
    )


@require_POST
def buckets(request: HttpRequest) -> HttpResponse:
    """List the buckets of a destination, for the form of a mailbox.

    Args:
        request: the request; its form contains the primary key of the destination

    Returns:
        A fragment with the list, or with an error.

    Raises:
        Http404: there is no such destination
    """
    destination = get_object_or_404(Destination, pk=parse_number(request.POST.get("destination")))
    choice = dry_runs.buckets_at(destination)
    return render(request, "destinations/_buckets.html", {"choice": choice, "destination": destination})


@require_http_methods(["GET", "HEAD", "POST"])
def edit(request: HttpRequest, pk: int) -> HttpResponse:
    """Show the form of a destination, or store its changes.

    Args:
        request: the request
        pk: primary key of the destination

    Returns:
        The form, or a redirect after the changes were stored.

    Raises:
        Http404: there is no such destination
    """
    destination = get_object_or_404(Destination, pk=pk)
    title = str(destination)
    form = DestinationForm(request.POST or None, instance=destination)
    if request.method == "POST" and destination_actions.change(Actor.of_request(request), form):
        messages.success(
            request, f"{form.instance} is saved. The changes take effect at the next sync.{_still_stopped(destination)}"
        )
        return redirect("destination", pk)
    problem = "" if request.method == "POST" else problem_with_secrets(destination)
    context = {"form": form, "title": title, "destination_id": pk, "secret_problem": problem}
    return render(request, "destinations/form.html", context)


def _still_stopped(destination: Destination) -> str:
    """Return sentences about mailboxes that stay stopped after a change; empty if there are none."""
    count = stopped_at(destination).count()
    if not count:
        return ""
    mailboxes = "1 mailbox is" if count == 1 else f"{count:,} mailboxes are"
    return f" {mailboxes} still stopped. Start them with the button below."


@require_http_methods(["GET", "HEAD", "POST"])
def delete(request: HttpRequest, pk: int) -> HttpResponse:
    """Ask for a confirmation, then delete the destination.

    A destination that mailboxes still send to is not deleted.

    Args:
        request: the request
        pk: primary key of the destination

    Returns:
        The confirmation page, or a redirect.

    Raises:
        Http404: there is no such destination
    """
    destination = get_object_or_404(Destination, pk=pk)
    if request.method == "POST":
        if not destination_actions.delete(Actor.of_request(request), destination):
            return redirect_back(request, f"Mailboxes still send to {destination}.", _url(pk), good=False)
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
    """Test the connection to Re:infer now.

    The test can take 20 seconds; the page shows that the test is running.

    Args:
        request: the request
        pk: primary key of the destination

    Returns:
        The result of the test.

    Raises:
        Http404: there is no such destination
    """
    destination = get_object_or_404(Destination, pk=pk)
    return finding_response(
        request, connection_tests.test_destination(Actor.of_request(request), destination), _url(pk)
    )


start_stopped = button(_row, mailbox_actions.start_stopped, _page)
