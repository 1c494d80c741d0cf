"""The pages of a mailbox: detail, forms and buttons; and the form and buttons of its bucket."""

from __future__ import annotations

from functools import partial

from django.conf import settings
from django.contrib import messages
from django.http import HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404, redirect, render
from django.urls import reverse
from django.utils import timezone
from django.views.decorators.http import require_http_methods, require_POST, require_safe

from access.body_limits import accepts_body
from access.history import Subject
from integrations.models import Destination, Integration
from mailboxes.filter_summary import filter_lines
from mailboxes.forms import BucketForm, MailboxForm, ManyMailboxesForm
from mailboxes.models import Bucket, Mailbox
from mailboxes.rules import SKIPPED_BY_DEFAULT, FilterVerdict
from operations import (
    bucket_actions,
    connection_tests,
    dry_runs,
    failed_email_actions,
    mailbox_actions,
)
from operations.actor import Actor
from operations.results import Finding
from sync.jobs import budget
from sync.jobs.disabled_mailboxes import stopped_at
from sync.jobs.folder_filter import wanted_folders
from sync.models import Verification
from sync.reporting import mailbox_counters, newly_wanted, status
from sync.reporting.filter_preview import preview
from sync.reporting.notable_runs import FAILED, worth_showing
from sync.reporting.progress import pass_of
from web.integrations.responses import button, by_htmx, finding_response, live_page, redirect_back

RUNS = 10
REFRESH_WHILE_SYNCING = "2s"
MAX_FAILED_EMAILS = 25
FORM_BYTES = 4 * 1024 * 1024
"""Maximum size of a form in bytes: six filter lists of 100,000 characters each, or a list of mailboxes as text and file."""


def _mailbox(pk: int) -> Mailbox:
    return get_object_or_404(Mailbox.objects.select_related("integration"), pk=pk)


def _bucket(pk: int) -> Bucket:
    return get_object_or_404(Bucket.objects.select_related("destination"), pk=pk)


def _page(mailbox: Mailbox) -> str:
    return _url(mailbox.pk)


def _url(pk: int) -> str:
    return reverse("mailbox", args=[pk])


def _destination_url(bucket: Bucket) -> str:
    return reverse("destination", args=[bucket.destination_id])


@require_safe
def detail(request: HttpRequest, pk: int) -> HttpResponse:
    """Show one mailbox: state, folders, recent sync runs and failed emails.

    Args:
        request: the request
        pk: primary key of the mailbox

    Returns:
        The page, or its live part for htmx.

    Raises:
        Http404: there is no such mailbox
    """
    now = timezone.now()
    mailboxes = status.with_status(Mailbox.objects.all(), now)
    mailbox = get_object_or_404(mailboxes.select_related("integration", "bucket__destination", "state"), pk=pk)
    delivered = mailbox_counters.delivered_by_folder(mailbox)
    folders = wanted_folders(mailbox)
    failed_emails = mailbox.dead_letters.waiting().select_related("folder")
    row = mailbox_counters.mailbox_rows([mailbox], now)[0]
    verification = Verification.objects.filter(mailbox=mailbox).first()
    verifying = verification is not None and verification.ended_at is None
    context = {
        "mailbox": mailbox,
        "row": row,
        "in_pass": pass_of(mailbox),
        "every": REFRESH_WHILE_SYNCING if row.progress or row.summary.doing or verifying else "",
        "stopped": not mailbox.enabled,
        "now": now,
        "left_out": [folder for folder, _ in folders if folder.left_out],
        "not_read": mailbox.folders.not_read(),
        "by_graph": mailbox.integration.microsoft_api == Integration.Api.GRAPH,
        "folders": [
            {
                "folder": folder,
                "summary": status.folder_standing(folder, wanted is FilterVerdict.WANTED),
                "delivered": delivered.get(folder.pk, 0),
            }
            for folder, wanted in folders
        ],
        "runs": worth_showing(mailbox.runs.all())[:RUNS],
        "last_failure": mailbox.runs.filter(FAILED).first(),
        "failed_emails": failed_emails[:MAX_FAILED_EMAILS],
        "newly_wanted": newly_wanted.amount(newly_wanted.AdminDecision.WAITING, Mailbox.objects.filter(pk=pk)),
        "newly_left": newly_wanted.amount(newly_wanted.AdminDecision.DECLINED, Mailbox.objects.filter(pk=pk)),
        "verification": verification,
        "verifying": verifying,
        "filters": filter_lines(mailbox),
        # The preview is outside of the live part, so htmx does not need it.
        "preview": None if by_htmx(request) else preview(mailbox, mailbox.rules(), now),
    }
    return live_page(request, "mailboxes/detail.html", "mailboxes/_detail.html", context)


@accepts_body(FORM_BYTES)
@require_http_methods(["GET", "HEAD", "POST"])
def create(request: HttpRequest, integration_pk: int) -> HttpResponse:
    """Show the form of a new mailbox, or store it.

    Args:
        request: the request
        integration_pk: primary key of the integration

    Returns:
        The form, or a redirect after the mailbox was stored.

    Raises:
        Http404: there is no such integration
    """
    integration = get_object_or_404(Integration, pk=integration_pk)
    form = MailboxForm(request.POST or None, instance=Mailbox(integration=integration))
    if request.method == "POST" and mailbox_actions.add(Actor.of_request(request), form):
        messages.success(request, f"{form.instance} is added.")
        return redirect(_next(request), integration_pk)
    return _form(request, form, integration, "New mailbox")


@accepts_body(FORM_BYTES)
@require_http_methods(["GET", "HEAD", "POST"])
def create_many(request: HttpRequest, integration_pk: int) -> HttpResponse:
    """Add many mailboxes with one bucket and one set of filters, from a pasted list or a file.

    Args:
        request: the request
        integration_pk: primary key of the integration

    Returns:
        The form, or a redirect after the mailboxes were stored.

    Raises:
        Http404: there is no such integration
    """
    integration = get_object_or_404(Integration, pk=integration_pk)
    form = ManyMailboxesForm(request.POST or None, request.FILES or None, instance=Mailbox(integration=integration))
    if request.method == "POST" and mailbox_actions.add_many(Actor.of_request(request), form):
        messages.success(request, f"{len(form.made)} mailboxes are added.")
        return redirect(_next(request), integration_pk)
    return _form(request, form, integration, "Many mailboxes")


@accepts_body(FORM_BYTES)
@require_http_methods(["GET", "HEAD", "POST"])
def edit(request: HttpRequest, pk: int) -> HttpResponse:
    """Show the form of a mailbox, or store its changes.

    Args:
        request: the request
        pk: primary key of the mailbox

    Returns:
        The form, or a redirect after the changes were stored.

    Raises:
        Http404: there is no such mailbox
    """
    mailbox = get_object_or_404(Mailbox.objects.select_related("integration"), pk=pk)
    integration, title = mailbox.integration, str(mailbox)
    form = MailboxForm(request.POST or None, instance=mailbox)
    if request.method == "POST" and mailbox_actions.change(Actor.of_request(request), form):
        messages.success(request, f"{mailbox} is saved. The changes take effect at the next sync.")
        return redirect("mailbox", pk)
    return _form(request, form, integration, title)


def _next(request: HttpRequest) -> str:
    """Return the URL name of the page to open after mailboxes were added: the last step of a setup, or the integration."""
    return "integration-ready" if "setup" in request.GET else "integration"


def _form(request: HttpRequest, form: MailboxForm, integration: Integration, title: str) -> HttpResponse:
    context = {
        "form": form,
        "integration": integration,
        "title": title,
        "mailbox_id": form.instance.pk if form.editing else None,
        "skipped": sorted(SKIPPED_BY_DEFAULT.values()),
        "no_destination": not Destination.objects.exists(),
        "setup": "setup" in request.GET,
        "first_destination": f"{reverse('destination-new')}?for={integration.pk}",
    }
    return render(request, "mailboxes/form.html", context)


@require_http_methods(["GET", "HEAD", "POST"])
def delete(request: HttpRequest, pk: int) -> HttpResponse:
    """Ask for a confirmation, then delete the mailbox.

    The mailbox is stopped first, so a running sync ends between two batches.

    Args:
        request: the request
        pk: primary key of the mailbox

    Returns:
        The confirmation page, or a redirect.

    Raises:
        Http404: there is no such mailbox
    """
    mailbox = get_object_or_404(Mailbox.objects.select_related("integration", "bucket__destination"), pk=pk)
    if request.method == "POST":
        if not mailbox_actions.delete(Actor.of_request(request), mailbox):
            return redirect_back(
                request, "A sync has not ended yet. Press Delete again in a moment.", _url(pk), good=False
            )
        messages.success(request, f"{mailbox} is deleted.")
        return redirect("integration", mailbox.integration_id)
    return render(request, "mailboxes/delete.html", {"mailbox": mailbox})


@require_POST
def cost(request: HttpRequest, pk: int) -> HttpResponse:
    """Estimate how many emails the first sync of a mailbox will deliver.

    The estimate queries Exchange and usually takes up to 20 seconds; the page shows that it is running.

    Args:
        request: the request
        pk: primary key of the mailbox

    Returns:
        The result of the estimate.

    Raises:
        Http404: there is no such mailbox
    """
    return finding_response(request, dry_runs.cost_of_mailbox(_mailbox(pk)), _url(pk))


@accepts_body(FORM_BYTES)
@require_POST
def filter_preview(request: HttpRequest, pk: int) -> HttpResponse:
    """Show the effect of the filters in the form before they are stored.

    Args:
        request: the request
        pk: primary key of the mailbox

    Returns:
        The result of the preview.

    Raises:
        Http404: there is no such mailbox
    """
    mailbox = _mailbox(pk)
    form = MailboxForm(request.POST, instance=_mailbox(pk))
    if not form.is_valid():
        problems = [
            f"{form.fields[name].label}: {texts[0]}" for name, texts in form.errors.items() if name in form.fields
        ]
        return finding_response(request, Finding(False, " ".join(problems) or "A required field is missing."), _url(pk))
    return finding_response(request, dry_runs.preview_filters(mailbox, form.instance.rules()), _url(pk))


start = button(_mailbox, mailbox_actions.start, _page)
stop = button(_mailbox, mailbox_actions.stop, _page)
sync_now = button(_mailbox, mailbox_actions.sync_now, _page)
list_again = button(_mailbox, mailbox_actions.list_again, _page)
verify = button(_mailbox, mailbox_actions.verify, _page)
repair = button(_mailbox, partial(mailbox_actions.verify, repair=True), _page)
stop_verification = button(_mailbox, mailbox_actions.stop_verification, _page)


@require_POST
def retry(request: HttpRequest, pk: int) -> HttpResponse:
    """Retry all failed emails of a mailbox.

    Args:
        request: the request
        pk: primary key of the mailbox

    Returns:
        A redirect to the page of the button, with a message.

    Raises:
        Http404: there is no such mailbox
    """
    mailbox = _mailbox(pk)
    waiting = mailbox.dead_letters.waiting()
    sentence = failed_email_actions.retry_many(Actor.of_request(request), waiting, about=Subject.of(mailbox))
    return redirect_back(request, sentence, _url(pk))


@require_http_methods(["GET", "HEAD", "POST"])
def send_again(request: HttpRequest, pk: int) -> HttpResponse:
    """Show what *Push missing again* can cost; after a confirmation, request it.

    Args:
        request: the request
        pk: primary key of the mailbox

    Returns:
        The confirmation page, or a redirect.

    Raises:
        Http404: there is no such mailbox
    """
    mailbox = get_object_or_404(Mailbox.objects.select_related("integration", "bucket"), pk=pk)
    if request.method == "POST":
        return redirect_back(request, mailbox_actions.send_again(Actor.of_request(request), mailbox), _url(pk))
    context = {"mailbox": mailbox, "most": mailbox_actions.most_ai_units_to_send_again(mailbox)}
    return render(request, "mailboxes/send_again.html", context)


@require_http_methods(["GET", "HEAD", "POST"])
def edit_bucket(request: HttpRequest, pk: int) -> HttpResponse:
    """Show the monthly limit of a bucket in AI units and the units used this month, or store the limit.

    Args:
        request: the request
        pk: primary key of the bucket

    Returns:
        The form, or a redirect after the limit was stored.

    Raises:
        Http404: there is no such bucket
    """
    bucket = _bucket(pk)
    form = BucketForm(request.POST or None, instance=bucket)
    if request.method == "POST" and form.is_valid():
        limit = form.cleaned_data["monthly_limit"]
        bucket_actions.set_limit(Actor.of_request(request), bucket, form.initial.get("monthly_limit"), limit)
        messages.success(
            request, f"{bucket} has {f'a limit of {limit:,} AI units a month' if limit is not None else 'no limit'}."
        )
        return redirect(_destination_url(bucket))
    context = {"form": form, "bucket": bucket, "used": budget.used(bucket, timezone.now()), "zone": settings.TIME_ZONE}
    context["stopped"] = stopped_at(bucket).count()
    return render(request, "destinations/bucket.html", context)


@require_POST
def test_bucket(request: HttpRequest, pk: int) -> HttpResponse:
    """Test the connection to Re:infer and the bucket now.

    The test can take 20 seconds; the page shows that the test is running.

    Args:
        request: the request
        pk: primary key of the bucket

    Returns:
        The result of the test.

    Raises:
        Http404: there is no such bucket
    """
    bucket = _bucket(pk)
    return finding_response(
        request, connection_tests.test_bucket(Actor.of_request(request), bucket), _destination_url(bucket)
    )


resume_bucket = button(_bucket, bucket_actions.resume, _destination_url)
accept_comments = button(_bucket, bucket_actions.accept_comments, _destination_url)
start_stopped = button(_bucket, mailbox_actions.start_stopped, _destination_url)


@require_POST
def create_bucket(request: HttpRequest, pk: int) -> HttpResponse:
    """Create a bucket at Re:infer, so that the mailboxes that send to it can sync.

    Args:
        request: the request
        pk: primary key of the bucket

    Returns:
        The result.

    Raises:
        Http404: there is no such bucket
    """
    bucket = _bucket(pk)
    return finding_response(
        request, bucket_actions.create_at_reinfer(Actor.of_request(request), bucket), _destination_url(bucket)
    )
