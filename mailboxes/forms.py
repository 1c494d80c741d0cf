"""Forms for a mailbox, a list of mailboxes and a bucket."""

from __future__ import annotations

from typing import Any, ClassVar

from django import forms
from django.db import IntegrityError
from django.db.models.functions import Lower
from django.utils import timezone

from integrations.forms import ChangedOnlyForm
from integrations.models import NAME, PROJECT_NAME, Destination
from integrations.reinfer.names import problem_with_bucket
from mailboxes import filter_text
from mailboxes.address_list import AddressLine, AddressProblem, read_list
from mailboxes.models import Bucket, Mailbox

MAX_SHOWN_PROBLEMS = 500
"""Maximum number of errors of a list that are shown. A list with more errors is probably the wrong file."""
MAX_FILE_BYTES = 1_000_000
"""Size limit of an uploaded list in bytes: about 20,000 lines, four times the limit of mailboxes per list."""
NEW = "new"
"""Value of the bucket choice for a bucket that is not in the list of choices."""


class LinesField(forms.CharField):
    """A form field for a list of texts, one per line. The case does not matter, and the texts are stored in lower case."""

    def __init__(self, problem_with: Any = None, **kwargs: Any) -> None:
        """Set up the field.

        Args:
            problem_with: Function that returns an error message for an invalid entry, else None.
            kwargs: Passed on to `forms.CharField`.
        """
        self.problem_with = problem_with
        widget = forms.Textarea(attrs={"rows": 3, "spellcheck": "false", "class": "code"})
        super().__init__(**{"required": False, "max_length": 100_000, "widget": widget, **kwargs})

    def prepare_value(self, value: Any) -> Any:
        """Return the value as text, one entry per line.

        Args:
            value: The stored list, or the text that the user typed.

        Returns:
            The text of the widget.
        """
        return value if isinstance(value, str) else "\n".join(value or ())

    def clean(self, value: Any) -> list[str]:
        """Parse and check the entries.

        Args:
            value: The text that the user typed.

        Returns:
            The entries in lower case, without duplicates.

        Raises:
            forms.ValidationError: At least one entry is invalid.
        """
        entries = [line.casefold() for line in filter_text.lines(super().clean(value))]
        problems = [problem for problem in map(self.problem_with, entries) if problem]
        if problems:
            raise forms.ValidationError(problems)
        return entries

    def has_changed(self, initial: Any, data: Any) -> bool:
        """Return whether the typed entries differ from the stored ones.

        Args:
            initial: The stored list.
            data: The text that the user typed.

        Returns:
            True if they differ.
        """
        return bool(self.prepare_value(initial).split() != str(data or "").split())


class FolderPathsField(LinesField):
    """A form field for folder paths, one per line, stored as lists of folder names in their original case."""

    def prepare_value(self, value: Any) -> Any:
        """Return the value as text, one path per line.

        Args:
            value: The stored lists of folder names, or the text that the user typed.

        Returns:
            The text of the widget.
        """
        return value if isinstance(value, str) else "\n".join(filter_text.format_path(path) for path in value or ())

    def clean(self, value: Any) -> Any:
        """Parse the paths.

        Args:
            value: The text that the user typed.

        Returns:
            One list of folder names per path.
        """
        paths = [filter_text.parse_path(line) for line in filter_text.lines(forms.CharField.clean(self, value))]
        return [path for path in paths if path]

    def has_changed(self, initial: Any, data: Any) -> bool:
        """Return whether the typed paths differ from the stored ones.

        Args:
            initial: The stored lists of folder names.
            data: The text that the user typed.

        Returns:
            True if they differ.
        """
        return bool(self.prepare_value(initial) != "\n".join(filter_text.lines(str(data or ""))))


class MailboxForm(ChangedOnlyForm):
    """Create or edit a mailbox of an integration, with an existing bucket or a new one."""

    address = forms.EmailField(label="Address", max_length=320, help_text="The primary SMTP address of the mailbox.")
    bucket_choice = forms.ChoiceField(
        label="Bucket", help_text="The bucket that the comments of this mailbox are pushed to."
    )
    destination = forms.ModelChoiceField(Destination.objects.all(), required=False, label="Destination")
    bucket_there = forms.CharField(max_length=2048, required=False, widget=forms.HiddenInput)
    """`project/name` of a bucket that exists at Re:infer. A script fills this field from a list. The value
    of this field takes precedence over the typed project and name."""
    bucket_project = forms.CharField(label="Project", max_length=1024, required=False)
    bucket_name = forms.CharField(label="Name", max_length=1024, required=False)
    start_at = forms.DateTimeField(
        label="Start time",
        required=False,
        widget=forms.DateTimeInput(format="%Y-%m-%dT%H:%M:%S", attrs={"type": "datetime-local", "step": "1"}),
        help_text="Only mail received from this time on. If empty, all mail of the wanted folders.",
    )
    folder_allow = FolderPathsField(label="Only these folders")
    folder_deny = FolderPathsField(label="Never these folders")
    participant_allow = LinesField(filter_text.problem_with_address, label="Only with these participants")
    participant_deny = LinesField(filter_text.problem_with_address, label="Never with these participants")
    domain_allow = LinesField(filter_text.problem_with_domain, label="Only with these domains")
    domain_deny = LinesField(filter_text.problem_with_domain, label="Never with these domains")

    class Meta:
        model = Mailbox
        fields = (
            *("address", "start_at", "folder_allow", "folder_deny", "participant_allow", "participant_deny"),
            *("domain_allow", "domain_deny", "meetings", "reports"),
        )
        labels: ClassVar[dict[str, str]] = {"meetings": "Meeting messages", "reports": "Delivery and read reports"}

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        """Set up the choices of buckets and the initial values.

        Args:
            args: Passed on to the base class.
            kwargs: Passed on to the base class.
        """
        super().__init__(*args, **kwargs)
        buckets = list(Bucket.objects.select_related("destination").order_by("destination__name", "project", "name"))
        self._buckets = {str(bucket.pk): bucket for bucket in buckets}
        groups: dict[str, list[tuple[str, str]]] = {}
        for pk, bucket in self._buckets.items():
            groups.setdefault(bucket.destination.name, []).append((pk, str(bucket)))
        self.fields["start_at"].label = f"Start time ({timezone.get_current_timezone_name()})"
        choice = self.fields["bucket_choice"]
        assert isinstance(choice, forms.ChoiceField)
        choice.choices = [*groups.items(), (NEW, "A new bucket…")]
        self.initial.setdefault("bucket_choice", str(self.instance.bucket_id or next(iter(self._buckets), NEW)))
        destinations = Destination.objects.all()[:2]
        if len(destinations) == 1:
            self.initial.setdefault("destination", destinations[0].pk)

    def clean_address(self) -> str:
        """Check that no other mailbox of the integration has this address.

        Returns:
            The address.

        Raises:
            forms.ValidationError: Another mailbox has the address.
        """
        address: str = self.cleaned_data["address"]
        others = Mailbox.objects.filter(integration=self.instance.integration_id).exclude(pk=self.instance.pk)
        if others.annotate(lower=Lower("address")).filter(lower=address.lower()).exists():
            raise forms.ValidationError("This integration already has a mailbox with this address.")
        return address

    def clean(self) -> dict[str, Any]:
        """Check the fields of a new bucket, if the user chose one.

        Returns:
            The cleaned data.
        """
        cleaned = super().clean()
        if cleaned.get("bucket_choice") == NEW:
            self._check_new_bucket(cleaned)
        return cleaned

    def _check_new_bucket(self, cleaned: dict[str, Any]) -> None:
        if cleaned.get("bucket_there"):
            cleaned["bucket_project"], _, cleaned["bucket_name"] = cleaned["bucket_there"].partition("/")
        project, name = cleaned.get("bucket_project", ""), cleaned.get("bucket_name", "")
        if not cleaned.get("destination"):
            self.add_error("destination", "Choose the destination of the bucket.")
        if not project:
            self.add_error("bucket_project", "Enter the project of the bucket.")
        if not name:
            self.add_error("bucket_name", "Enter the name of the bucket.")
        if not project or not name:
            return
        if problem := problem_with_bucket(project, name):
            self.add_error("bucket_project" if "/" in project else "bucket_name", problem)
            return
        for field, value, check in (("bucket_project", project, PROJECT_NAME), ("bucket_name", name, NAME)):
            try:
                check(value)
            except forms.ValidationError as error:
                self.add_error(field, error)

    def _create(self) -> bool:
        self.instance.bucket = self._bucket()
        return super()._create()

    def _changes(self) -> dict[str, Any]:
        bucket = self._bucket()
        bucket_changed = bucket.pk != self.instance.bucket_id
        return {**super()._changes(), **({"bucket": bucket} if bucket_changed else {})}

    def _bucket(self) -> Bucket:
        chosen = self.cleaned_data["bucket_choice"]
        if chosen != NEW:
            return self._buckets[chosen]
        fields = {
            "destination": self.cleaned_data["destination"],
            "project": self.cleaned_data["bucket_project"],
            "name": self.cleaned_data["bucket_name"],
        }
        try:
            return Bucket.objects.get_or_create(**fields)[0]
        except IntegrityError:
            return Bucket.objects.get(**fields)


class BucketForm(forms.ModelForm):  # type: ignore[type-arg]
    """Edit the monthly AI unit limit of a bucket."""

    class Meta:
        model = Bucket
        fields = ("monthly_limit",)


class ManyMailboxesForm(MailboxForm):
    """Create many mailboxes with one bucket and one set of filters: either all of them are created or none.

    Attributes:
        made: The created mailboxes, after saving.
    """

    addresses = forms.CharField(
        label="Addresses",
        required=False,
        max_length=1_000_000,
        widget=forms.Textarea(attrs={"rows": 8, "spellcheck": "false", "class": "code"}),
        help_text="One per line. For a different bucket than below, write address,project/bucket.",
    )
    file = forms.FileField(
        label="Or a CSV file",
        required=False,
        help_text="The first column is the address, the second may be project/bucket.",
    )

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        """Set up the form without the field for a single address.

        Args:
            args: Passed on to the base class.
            kwargs: Passed on to the base class.
        """
        super().__init__(*args, **kwargs)
        del self.fields["address"]
        self.made: list[Mailbox] = []

    def clean(self) -> dict[str, Any]:
        """Parse the list and check it against the mailboxes of the integration.

        Returns:
            The cleaned data.
        """
        cleaned = super().clean()
        lines, problems = read_list(self._text(cleaned))
        addresses = {line.address.casefold() for line in lines}
        existing = Mailbox.objects.filter(integration=self.instance.integration_id).annotate(lower=Lower("address"))
        known = set(existing.filter(lower__in=addresses).values_list("lower", flat=True))
        problems += [
            AddressProblem(line.number, f"{line.address} is already a mailbox of this integration.")
            for line in lines
            if line.address.casefold() in known
        ]
        self._add_problems(sorted(problems, key=lambda problem: problem.number))
        if not lines and not problems and not self.errors.keys() & {"addresses", "file"}:
            self.add_error("addresses", "Paste the addresses, or choose a file.")
        self._lines = lines
        return cleaned

    def clean_file(self) -> Any:
        """Check the size of the uploaded file.

        Returns:
            The file, or None.

        Raises:
            forms.ValidationError: The file is larger than `MAX_FILE_BYTES`.
        """
        file = self.cleaned_data.get("file")
        if file and file.size > MAX_FILE_BYTES:
            raise forms.ValidationError(
                f"{file.name[:80]} has {file.size:,} bytes. The limit is {MAX_FILE_BYTES:,} bytes. "
                "The file was not read. Remove the columns after the second, or split the file."
            )
        return file

    def _add_problems(self, problems: list[AddressProblem]) -> None:
        for problem in problems[:MAX_SHOWN_PROBLEMS]:
            self.add_error("addresses", str(problem))
        if rest := problems[MAX_SHOWN_PROBLEMS:]:
            count = f"{len(rest):,} more line{'s' if len(rest) > 1 else ''}"
            self.add_error("addresses", f"And {count} with errors, from line {rest[0].number:,} on.")

    def _text(self, cleaned: dict[str, Any]) -> str:
        pasted, file = cleaned.get("addresses", ""), cleaned.get("file")
        if file is None:
            return str(pasted)
        raw = file.read()
        try:
            return f"{pasted}\n{raw.decode('utf-8-sig')}".strip()
        except UnicodeDecodeError:
            return f"{pasted}\n{raw.decode('cp1252', 'replace')}".strip()

    def _create(self) -> bool:
        common = self._bucket()
        shared = {name: getattr(self.instance, name) for name in self.Meta.fields if name != "address"}
        for line in self._lines:
            bucket = self._bucket_of(line, common)
            self.made.append(
                Mailbox(integration=self.instance.integration, bucket=bucket, address=line.address, **shared)
            )
        Mailbox.objects.bulk_create(self.made)
        return True

    def _bucket_of(self, line: AddressLine, common: Bucket) -> Bucket:
        if not line.bucket:
            return common
        return Bucket.objects.get_or_create(destination=common.destination, project=line.project, name=line.bucket)[0]
