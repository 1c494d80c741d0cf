"""The form of a mailbox: its address, its bucket, from when on, and which mail."""

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

MOST_PROBLEMS = 500
"""Lines of a list that are named one by one when they cannot be used. With more, it is the wrong list."""
MOST_BYTES = 1_000_000
"""Of an uploaded list: some 20,000 lines, four times as many as are taken at once."""
NEW = "new"
"""The choice of a bucket that is not among ours yet."""


class LinesField(forms.CharField):
    """A list of texts, one a line. Kept in lower case, since none of them tells case apart."""

    def __init__(self, problem_with: Any = None, **kwargs: Any) -> None:
        self.problem_with = problem_with
        widget = forms.Textarea(attrs={"rows": 3, "spellcheck": "false", "class": "code"})
        super().__init__(**{"required": False, "max_length": 100_000, "widget": widget, **kwargs})

    def prepare_value(self, value: Any) -> Any:
        return value if isinstance(value, str) else "\n".join(value or ())

    def clean(self, value: Any) -> list[str]:
        found = [line.casefold() for line in filter_text.lines(super().clean(value))]
        problems = [problem for problem in map(self.problem_with, found) if problem]
        if problems:
            raise forms.ValidationError(problems)
        return found

    def has_changed(self, initial: Any, data: Any) -> bool:
        return bool(self.prepare_value(initial).split() != str(data or "").split())


class FolderPathsField(LinesField):
    """A list of folder paths, one a line, as lists of names. Their case is kept, for people."""

    def prepare_value(self, value: Any) -> Any:
        return value if isinstance(value, str) else "\n".join(filter_text.format_path(path) for path in value or ())

    def clean(self, value: Any) -> Any:
        paths = [filter_text.parse_path(line) for line in filter_text.lines(forms.CharField.clean(self, value))]
        return [path for path in paths if path]

    def has_changed(self, initial: Any, data: Any) -> bool:
        return bool(self.prepare_value(initial) != "\n".join(filter_text.lines(str(data or ""))))


class MailboxForm(ChangedOnlyForm):
    """Create or edit a mailbox of an integration. The bucket is one of ours, or a new one that is made on the way."""

    address = forms.EmailField(label="Address", max_length=320, help_text="The primary SMTP address of the mailbox.")
    bucket_choice = forms.ChoiceField(label="Bucket", help_text="Where its comments go.")
    destination = forms.ModelChoiceField(Destination.objects.all(), required=False, label="Destination")
    bucket_there = forms.CharField(max_length=2048, required=False, widget=forms.HiddenInput)
    """`project/name`, chosen from what Re:infer has: the page puts a list in its place. It goes before what is typed."""
    bucket_project = forms.CharField(label="Project", max_length=1024, required=False)
    bucket_name = forms.CharField(label="Name", max_length=1024, required=False)
    start_at = forms.DateTimeField(
        label="Start time",
        required=False,
        widget=forms.DateTimeInput(format="%Y-%m-%dT%H:%M:%S", attrs={"type": "datetime-local", "step": "1"}),
        help_text="Mail received from then on. Empty: all mail of the wanted folders.",
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
        only = Destination.objects.all()[:2]
        if len(only) == 1:
            self.initial.setdefault("destination", only[0].pk)

    def clean_address(self) -> str:
        address: str = self.cleaned_data["address"]
        others = Mailbox.objects.filter(integration=self.instance.integration_id).exclude(pk=self.instance.pk)
        if others.annotate(lower=Lower("address")).filter(lower=address.lower()).exists():
            raise forms.ValidationError("This integration has a mailbox with this address already.")
        return address

    def clean(self) -> dict[str, Any]:
        cleaned = super().clean()
        if cleaned.get("bucket_choice") == NEW:
            self._check_new_bucket(cleaned)
        return cleaned

    def _check_new_bucket(self, cleaned: dict[str, Any]) -> None:
        if cleaned.get("bucket_there"):
            cleaned["bucket_project"], _, cleaned["bucket_name"] = cleaned["bucket_there"].partition("/")
        project, name = cleaned.get("bucket_project", ""), cleaned.get("bucket_name", "")
        if not cleaned.get("destination"):
            self.add_error("destination", "Choose the destination that the bucket is at.")
        if not project:
            self.add_error("bucket_project", "A bucket belongs to a project. Enter its name.")
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
        moved = bucket.pk != self.instance.bucket_id
        return {**super()._changes(), **({"bucket": bucket} if moved else {})}

    def _bucket(self) -> Bucket:
        chosen = self.cleaned_data["bucket_choice"]
        if chosen != NEW:
            return self._buckets[chosen]
        wanted = {
            "destination": self.cleaned_data["destination"],
            "project": self.cleaned_data["bucket_project"],
            "name": self.cleaned_data["bucket_name"],
        }
        try:
            return Bucket.objects.get_or_create(**wanted)[0]
        except IntegrityError:
            return Bucket.objects.get(**wanted)


class BucketForm(forms.ModelForm):  # type: ignore[type-arg]
    """What a bucket may cost."""

    class Meta:
        model = Bucket
        fields = ("monthly_limit",)


class ManyMailboxesForm(MailboxForm):
    """Create many mailboxes with one bucket and one set of filters: all of them, or none."""

    addresses = forms.CharField(
        label="Addresses",
        required=False,
        max_length=1_000_000,
        widget=forms.Textarea(attrs={"rows": 8, "spellcheck": "false", "class": "code"}),
        help_text="One a line. To send one elsewhere than below, write address,project/bucket.",
    )
    file = forms.FileField(
        label="Or a CSV file",
        required=False,
        help_text="The first column is the address, the second may be project/bucket.",
    )

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        del self.fields["address"]
        self.made: list[Mailbox] = []

    def clean(self) -> dict[str, Any]:
        cleaned = super().clean()
        lines, problems = read_list(self._text(cleaned))
        addresses = {line.address.casefold() for line in lines}
        there = Mailbox.objects.filter(integration=self.instance.integration_id).annotate(lower=Lower("address"))
        known = set(there.filter(lower__in=addresses).values_list("lower", flat=True))
        problems += [
            AddressProblem(line.number, f"{line.address} is a mailbox of this integration already.")
            for line in lines
            if line.address.casefold() in known
        ]
        self._tell(sorted(problems, key=lambda problem: problem.number))
        if not lines and not problems and not self.errors.keys() & {"addresses", "file"}:
            self.add_error("addresses", "Paste the addresses, or choose a file.")
        self._lines = lines
        return cleaned

    def clean_file(self) -> Any:
        file = self.cleaned_data.get("file")
        if file and file.size > MOST_BYTES:
            raise forms.ValidationError(
                f"{file.name[:80]} has {file.size:,} bytes, and a list may have {MOST_BYTES:,}. Nothing of it was read: "
                "leave out columns after the second, or add it in parts."
            )
        return file

    def _tell(self, problems: list[AddressProblem]) -> None:
        for problem in problems[:MOST_PROBLEMS]:
            self.add_error("addresses", str(problem))
        if more := problems[MOST_PROBLEMS:]:
            count = f"{len(more):,} more line{'s' if len(more) > 1 else ''}"
            self.add_error("addresses", f"And {count} like these, from line {more[0].number:,} on.")

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
        wanted = {name: getattr(self.instance, name) for name in self.Meta.fields if name != "address"}
        for line in self._lines:
            bucket = self._bucket_of(line, common)
            self.made.append(
                Mailbox(integration=self.instance.integration, bucket=bucket, address=line.address, **wanted)
            )
        Mailbox.objects.bulk_create(self.made)
        return True

    def _bucket_of(self, line: AddressLine, common: Bucket) -> Bucket:
        if not line.bucket:
            return common
        return Bucket.objects.get_or_create(destination=common.destination, project=line.project, name=line.bucket)[0]
