"""Pages that show the comment that an email becomes: an uploaded file, or a failed email.

The page of a failed email shows the content of an email from a mailbox, so it requires a separate permission. The content
is not stored.
"""

from __future__ import annotations

from collections.abc import Mapping
from http import HTTPStatus
from typing import Any

from django import forms
from django.contrib.auth.decorators import permission_required
from django.core.files.uploadedfile import UploadedFile
from django.http import HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404, render
from django.views.decorators.http import require_http_methods, require_safe

from access.body_limits import AROUND_FILES, accepts_body
from conversion.deadline.child_process import TooManyConversions
from conversion.preview import MAX_BYTES, preview_of_file, rejection
from conversion.transform import Converted, EmailLocation, NotConvertible
from integrations.reinfer.payload import comment_json
from operations import failed_email_actions
from operations.results import ActionRefused
from sync.jobs.conversions import converter
from sync.models import DeadLetter

SHOWN_CHARS = 20_000
"""Maximum number of characters that are shown of a body, and of each part that was cut."""


class FileForm(forms.Form):
    """An email as a file."""

    file = forms.FileField(
        label="Email",
        help_text="An .eml file, as mail programs save it. The file is converted and shown, and is not stored.",
        error_messages={"required": "Choose a file first.", "empty": "The file is empty. Choose another one."},
    )

    def clean_file(self) -> UploadedFile[Any]:
        """Check the size of the file.

        Returns:
            The uploaded file.

        Raises:
            ValidationError: the file is larger than `MAX_BYTES`
        """
        file: UploadedFile[Any] = self.cleaned_data["file"]
        if (file.size or 0) > MAX_BYTES:
            raise forms.ValidationError(
                f"The file is larger than {MAX_BYTES // 1024 // 1024} MB. Choose a smaller one."
            )
        return file


@accepts_body(MAX_BYTES + AROUND_FILES)
@require_http_methods(["GET", "HEAD", "POST"])
def preview_file(request: HttpRequest) -> HttpResponse:
    """Show the comment of an uploaded email.

    Args:
        request: the request

    Returns:
        The page.
    """
    form = FileForm(request.POST, request.FILES) if request.method == "POST" else FileForm()
    context: dict[str, Any] = {"form": form}
    if request.method == "POST" and form.is_valid():
        file = form.cleaned_data["file"]
        context["name"] = file.name
        try:
            with converter(wait=False) as convert:
                outcome = preview_of_file(file.read(), EmailLocation("mailbox@example.com", ("Inbox",)), convert)
        except TooManyConversions as busy:
            return _page(request, context | {"problem": str(busy)}, HTTPStatus.TOO_MANY_REQUESTS)
        context |= _shown(outcome)
    return _page(request, context)


@require_safe
@permission_required("sync.preview_email", raise_exception=True)
def preview_failed_email(request: HttpRequest, pk: int) -> HttpResponse:
    """Fetch a failed email from Exchange, and show its comment.

    Args:
        request: the request
        pk: primary key of the email

    Returns:
        The page.

    Raises:
        Http404: there is no such email
    """
    email = get_object_or_404(DeadLetter.objects.select_related("mailbox__integration", "folder"), pk=pk)
    result = failed_email_actions.preview(email)
    context: dict[str, Any] = {"email": email}
    context |= {"problem": result.text} if isinstance(result, ActionRefused) else _shown(result)
    return _page(request, context)


def _page(request: HttpRequest, context: Mapping[str, Any], status: HTTPStatus = HTTPStatus.OK) -> HttpResponse:
    response = render(request, "sync/preview.html", context, status=status)
    response["Cache-Control"] = "no-store"
    return response


def _shown(outcome: Converted | NotConvertible) -> dict[str, Any]:
    if isinstance(outcome, NotConvertible):
        return {"rejection": rejection(outcome)}
    comment = outcome.comment
    return {
        "comment": comment,
        "body": comment.message.body[:SHOWN_CHARS],
        "shortened": len(comment.message.body) > SHOWN_CHARS,
        "properties": [(name.partition(":")[2], value) for name, value in sorted(comment.properties.items())],
        "cuts": [(cut.rule, cut.text[:SHOWN_CHARS]) for cut in outcome.cleaned.cuts],
        "size": len(comment_json(comment)),
    }
