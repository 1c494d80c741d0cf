"""The pages of a mailbox: what it does, its form, its buttons; and the buttons of its bucket."""

from __future__ import annotations

from django.conf import settings
from django.contrib import messages
from django.http import HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404, redirect, render
from django.urls import reverse
from django.utils import timezone
from django.views.decorators.http import require_http_methods, require_POST, require_safe

from access import history
from access.body_limits import accepts_body
from integrations import wording
from integrations.models import Destination, Integration
from mailboxes.filter_summary import in_words
from mailboxes.forms import BucketForm, MailboxForm, ManyMailboxesForm
from mailboxes.models import Bucket, Mailbox
from mailboxes.rules import SKIPPED_BY_DEFAULT, FilterVerdict
from operations import actions, dry_runs
from sync.jobs import budget
from sync.jobs.disabled_mailboxes import stopped_at
from sync.jobs.folder_filter import wanted_folders
from sync.models import Verification
from sync.reporting import mailbox_counters, newly_wanted, status
from sync.reporting.filter_preview import preview
from sync.reporting.notable_runs import FAILED, worth_showing
from sync.reporting.progress import pass_of
from web.integrations.answers import back, by_htmx, found, live_page

RUNS = 10
EVERY_WHILE_MOVING = "2s"
SET_ASIDE = 25
FORM_BYTES = 4 * 1024 * 1024
"""Of the filter of a mailbox: six lists of 100,000 characters. And of a list of mailboxes, as a text and as a file."""


@require_safe
def detail(request: HttpRequest, pk: int) -> HttpResponse:
    """One mailbox: state, folders, recent runs, and the emails that were set aside."""
    now = timezone.now()
    mailboxes = status.with_status(Mailbox.objects.all(), now)
    mailbox = get_object_or_404(mailboxes.select_related("integration", "bucket__destination", "state"), pk=pk)
    delivered = mailbox_counters.delivered_by_folder(mailbox)
    folders = wanted_folders(mailbox)
    set_aside = mailbox.set_aside.waiting().select_related("folder")
    row = mailbox_counters.mailbox_rows([mailbox], now)[0]
    verification = Verification.objects.filter(mailbox=mailbox).first()
    verifying = verification is not None and verification.ended_at is None
    context = {
        "mailbox": mailbox,
        "row": row,
        "in_pass": pass_of(mailbox),
        "every": EVERY_WHILE_MOVING if row.progress or row.standing.doing or verifying else "",
        "stopped": not mailbox.enabled,
        "now": now,
        "left_out": [folder for folder, _ in folders if folder.left_out],
        "not_read": mailbox.folders.not_read(),
        "by_graph": mailbox.integration.microsoft_api == Integration.Api.GRAPH,
        "folders": [
            {
                "folder": folder,
                "standing": status.folder_standing(folder, wanted is FilterVerdict.WANTED),
                "delivered": delivered.get(folder.pk, 0),
            }
            for folder, wanted in folders
        ],
        "runs": worth_showing(mailbox.runs.all())[:RUNS],
        "last_failure": mailbox.runs.filter(FAILED).first(),
        "set_aside": set_aside[:SET_ASIDE],
        "newly_wanted": newly_wanted.amount(newly_wanted.AnswerState.WAITING, Mailbox.objects.filter(pk=pk)),
        "newly_left": newly_wanted.amount(newly_wanted.AnswerState.LEFT, Mailbox.objects.filter(pk=pk)),
        "verification": verification,
        "verifying": verifying,
        "wishes": in_words(mailbox),
        # It stands outside of the part that refreshes itself.
        "preview": None if by_htmx(request) else preview(mailbox, mailbox.rules(), now),
    }
    return live_page(request, "mailboxes/detail.html", "mailboxes/_detail.html", context)


@accepts_body(FORM_BYTES)
@require_http_methods(["GET", "HEAD", "POST"])
def create(request: HttpRequest, integration_pk: int) -> HttpResponse:
    integration = get_object_or_404(Integration, pk=integration_pk)
    form = MailboxForm(request.POST or None, instance=Mailbox(integration=integration))
    if request.method == "POST" and form.stored():
        history.record(request, f"{form.instance} was added.", changes=form.changes_in_words(), about=form.instance)
        actions.settings_changed(integration)
        messages.success(request, f"{form.instance} is added.")
        return redirect(_next(request), integration_pk)
    return _form(request, form, integration, "New mailbox")


@accepts_body(FORM_BYTES)
@require_http_methods(["GET", "HEAD", "POST"])
def create_many(request: HttpRequest, integration_pk: int) -> HttpResponse:
    """A list of addresses, pasted or as a file, with one bucket and one set of filters."""
    integration = get_object_or_404(Integration, pk=integration_pk)
    form = ManyMailboxesForm(request.POST or None, request.FILES or None, instance=Mailbox(integration=integration))
    if request.method == "POST" and form.stored():
        added = history.named(form.made)
        history.record(request, f"{len(form.made)} mailboxes were added.", changes=added, integration_id=integration_pk)
        actions.settings_changed(integration)
        messages.success(request, f"{len(form.made)} mailboxes are added.")
        return redirect(_next(request), integration_pk)
    return _form(request, form, integration, "Many mailboxes")


@accepts_body(FORM_BYTES)
@require_http_methods(["GET", "HEAD", "POST"])
def edit(request: HttpRequest, pk: int) -> HttpResponse:
    mailbox = get_object_or_404(Mailbox.objects.select_related("integration"), pk=pk)
    integration, title = mailbox.integration, str(mailbox)
    form = MailboxForm(request.POST or None, instance=mailbox)
    if request.method == "POST" and form.stored():
        history.record(request, f"{form.instance} was changed.", changes=form.changes_in_words(), about=form.instance)
        actions.settings_changed(integration)
        messages.success(request, f"{mailbox} is saved. It takes effect at the next sync.")
        return redirect("mailbox", pk)
    return _form(request, form, integration, title)


def _next(request: HttpRequest) -> str:
    """Where to go after mailboxes were added: on to the start, while the integration is being set up."""
    return "integration-ready" if "setup" in request.GET else "integration"


def _form(request: HttpRequest, form: MailboxForm, integration: Integration, title: str) -> HttpResponse:
    context = {
        "form": form,
        "integration": integration,
        "title": title,
        "mailbox_id": form.instance.pk if form.editing else None,
        "skipped": sorted(SKIPPED_BY_DEFAULT.values()),
        "nowhere": not Destination.objects.exists(),
        "setup": "setup" in request.GET,
        "first_destination": f"{reverse('destination-new')}?for={integration.pk}",
    }
    return render(request, "mailboxes/form.html", context)


@require_http_methods(["GET", "HEAD", "POST"])
def delete(request: HttpRequest, pk: int) -> HttpResponse:
    """Ask first, and say what stays. A running sync ends between two batches, since it is stopped before."""
    mailbox = get_object_or_404(Mailbox.objects.select_related("integration", "bucket__destination"), pk=pk)
    if request.method == "POST":
        if not actions.delete_mailbox(mailbox):
            return back(request, "A sync is just ending. Press Delete again in a moment.", _url(pk), good=False)
        history.record(request, f"{mailbox} was deleted.", integration_id=mailbox.integration_id)
        messages.success(request, f"{mailbox} is deleted.")
        return redirect("integration", mailbox.integration_id)
    return render(request, "mailboxes/delete.html", {"mailbox": mailbox})


@require_POST
def cost(request: HttpRequest, pk: int) -> HttpResponse:
    """How many emails its first sync will bring. Asks Exchange: the page shows that it goes on."""
    return found(request, dry_runs.cost_of_mailbox(_mailbox(pk)), _url(pk))


@accepts_body(FORM_BYTES)
@require_POST
def filter_preview(request: HttpRequest, pk: int) -> HttpResponse:
    """What the filters in the form would do, before they are saved."""
    mailbox = _mailbox(pk)
    form = MailboxForm(request.POST, instance=_mailbox(pk))
    if not form.is_valid():
        problems = [
            f"{form.fields[name].label}: {texts[0]}" for name, texts in form.errors.items() if name in form.fields
        ]
        return found(request, actions.Finding(False, " ".join(problems) or "Something is missing."), _url(pk))
    return found(request, dry_runs.preview_filters(mailbox, form.instance.rules()), _url(pk))


@require_POST
def start(request: HttpRequest, pk: int) -> HttpResponse:
    return back(request, actions.start_mailbox(_mailbox(pk)), _url(pk))


@require_POST
def stop(request: HttpRequest, pk: int) -> HttpResponse:
    return back(request, actions.stop_mailbox(_mailbox(pk)), _url(pk))


@require_POST
def sync_now(request: HttpRequest, pk: int) -> HttpResponse:
    return back(request, actions.sync_now(_mailbox(pk)), _url(pk))


@require_POST
def list_again(request: HttpRequest, pk: int) -> HttpResponse:
    return back(request, actions.list_again(_mailbox(pk)), _url(pk))


@require_POST
def verify(request: HttpRequest, pk: int) -> HttpResponse:
    return back(request, actions.verify_mailbox(_mailbox(pk)), _url(pk))


@require_POST
def stop_verification(request: HttpRequest, pk: int) -> HttpResponse:
    return back(request, actions.stop_verification(_mailbox(pk)), _url(pk))


@require_POST
def repair(request: HttpRequest, pk: int) -> HttpResponse:
    return back(request, actions.verify_mailbox(_mailbox(pk), repair=True), _url(pk))


@require_POST
def retry(request: HttpRequest, pk: int) -> HttpResponse:
    """Try all its set-aside emails again."""
    return back(request, actions.retry_many_set_aside(_mailbox(pk).set_aside.waiting()), _url(pk))


@require_http_methods(["GET", "HEAD", "POST"])
def send_again(request: HttpRequest, pk: int) -> HttpResponse:
    """Ask first, and say what it can cost."""
    mailbox = get_object_or_404(Mailbox.objects.select_related("integration", "bucket"), pk=pk)
    if request.method == "POST":
        return back(request, actions.send_again(mailbox), _url(pk))
    context = {"mailbox": mailbox, "most": actions.most_ai_units_to_send_again(mailbox)}
    return render(request, "mailboxes/send_again.html", context)


@require_http_methods(["GET", "HEAD", "POST"])
def edit_bucket(request: HttpRequest, pk: int) -> HttpResponse:
    """The monthly limit of AI units, beside what was used of it."""
    bucket = _bucket(pk)
    form = BucketForm(request.POST or None, instance=bucket)
    if request.method == "POST" and form.is_valid():
        limit = form.cleaned_data["monthly_limit"]
        before = wording.in_words(form.initial.get("monthly_limit"))
        Bucket.objects.filter(pk=pk).update(monthly_limit=limit)
        changes = [("AI units a month", before, wording.in_words(limit))]
        history.record(request, f"The limit of {bucket} was changed.", changes=changes)
        messages.success(
            request, f"{bucket} has {f'a limit of {limit:,} AI units a month' if limit is not None else 'no limit'}."
        )
        return redirect(_destination_url(bucket))
    context = {"form": form, "bucket": bucket, "used": budget.used(bucket, timezone.now()), "zone": settings.TIME_ZONE}
    context["stopped"] = stopped_at(bucket).count()
    return render(request, "destinations/bucket.html", context)


@require_POST
def test_bucket(request: HttpRequest, pk: int) -> HttpResponse:
    """Talk to Re:infer now. Slow at times: the page shows that it goes on."""
    bucket = _bucket(pk)
    return found(request, actions.test_bucket(bucket, by=history.who(request)), _destination_url(bucket))


@require_POST
def resume_bucket(request: HttpRequest, pk: int) -> HttpResponse:
    """Our own breaker had stopped it, and an operator looked at what was refused."""
    bucket = _bucket(pk)
    return back(request, actions.resume_bucket(bucket), _destination_url(bucket))


@require_POST
def accept_comments(request: HttpRequest, pk: int) -> HttpResponse:
    """Somebody else writes into this bucket, too, and an operator knows it."""
    bucket = _bucket(pk)
    return back(request, actions.accept_comments(bucket), _destination_url(bucket))


@require_POST
def start_stopped(request: HttpRequest, pk: int) -> HttpResponse:
    """Start the mailboxes of a bucket that an error or the quota of Re:infer stopped."""
    bucket = _bucket(pk)
    return back(request, actions.start_stopped(bucket), _destination_url(bucket))


@require_POST
def create_bucket(request: HttpRequest, pk: int) -> HttpResponse:
    """Make the bucket at Re:infer, and let what waited for it go on."""
    bucket = _bucket(pk)
    finding = actions.create_bucket(bucket)
    if finding.ok:
        history.record(request, finding.text, about=bucket)
    return found(request, finding, _destination_url(bucket))


def _mailbox(pk: int) -> Mailbox:
    return get_object_or_404(Mailbox.objects.select_related("integration"), pk=pk)


def _bucket(pk: int) -> Bucket:
    return get_object_or_404(Bucket.objects.select_related("destination"), pk=pk)


def _url(pk: int) -> str:
    return reverse("mailbox", args=[pk])


def _destination_url(bucket: Bucket) -> str:
    return reverse("destination", args=[bucket.destination_id])
