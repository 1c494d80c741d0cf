"""What goes in and out, as serializers: they check what comes, write what goes, and are what the schema tells.

Names are the vendor's where the vendor has one.
"""

from __future__ import annotations

from typing import Any

from django.conf import settings
from django.core.exceptions import ValidationError as FormError
from django.core.validators import URLValidator
from drf_spectacular.utils import extend_schema_field
from rest_framework import serializers
from rest_framework.exceptions import ValidationError

from access.models import Act
from api.problems import Conflict, Unprocessable
from integrations.forms.integration import without_credentials
from integrations.models import NAME, PROJECT_NAME, Destination
from integrations.reinfer.names import problem_with_bucket
from mailboxes.models import Bucket
from notices.models import Kind
from notices.sending import problem_with
from sync.models import SetAsideEmail, SyncedFolder, SyncRun, Verification

WEB_ADDRESS = r"^https?://[!-~]+$"
"""Only signs of ASCII: what counts as white space beyond them differs between dialects of regular expressions."""


class Typed(serializers.Serializer):  # type: ignore[type-arg]
    """Takes no number for a text and no text for a number: what the schema does not allow is refused."""

    def to_internal_value(self, data: Any) -> Any:
        if isinstance(data, dict):
            wrong = {name: self._problem(field, data[name]) for name, field in self.fields.items() if name in data}
            if told := {name: [problem] for name, problem in wrong.items() if problem}:
                raise ValidationError(told)
        return super().to_internal_value(data)

    def _problem(self, field: Any, value: Any) -> str:
        if field.read_only or value is None:
            return ""
        if isinstance(field, serializers.ListField):
            if not isinstance(value, list):
                return "It must be a list."
            return next((problem for entry in value if (problem := self._problem(field.child, entry))), "")
        for kind, allowed, words in TYPES:
            if isinstance(field, kind):
                # 61.0 is a whole number to JSON.
                whole = allowed == (int,) and isinstance(value, float) and value.is_integer()
                return "" if whole or type(value) in allowed else f"It must be {words}."
        return ""


TYPES: tuple[tuple[Any, tuple[type, ...], str], ...] = (
    ((serializers.CharField, serializers.DateTimeField, serializers.ChoiceField), (str,), "a text"),
    ((serializers.BooleanField,), (bool,), "true or false"),
    ((serializers.IntegerField,), (int,), "a whole number"),
)


class Strict(Typed):
    """Refuses also keys that it does not know: a typing error must not be taken for a wish."""

    def to_internal_value(self, data: Any) -> Any:
        if isinstance(data, dict):
            unknown = [str(key)[:60] for key in data if key not in self.fields]
            if unknown:
                raise ValidationError({key: ["This key is not known."] for key in unknown[:20]})
        return super().to_internal_value(data)


class Moment(serializers.DateTimeField):
    """A time; an empty text means none, as in the documents of the vendor."""

    def run_validation(self, data: Any = serializers.empty) -> Any:
        return super().run_validation(None if data == "" else data)


class Said(serializers.Serializer):  # type: ignore[type-arg]
    """What an action did, in words."""

    detail = serializers.CharField()
    look_at = serializers.CharField(required=False, help_text="Where to see what comes of it.")


class Checked(serializers.Serializer):  # type: ignore[type-arg]
    """What a test found, step by step."""

    class Step(serializers.Serializer):  # type: ignore[type-arg]
        name = serializers.CharField()
        ok = serializers.BooleanField()
        text = serializers.CharField()
        seconds = serializers.FloatField()

    ok = serializers.BooleanField()
    detail = serializers.CharField(source="text")
    steps = Step(many=True)


class ProblemShape(serializers.Serializer):  # type: ignore[type-arg]
    """Problem details, RFC 9457."""

    class Field(serializers.Serializer):  # type: ignore[type-arg]
        field = serializers.CharField()
        message = serializers.CharField()

    type = serializers.CharField()
    title = serializers.CharField()
    status = serializers.IntegerField()
    detail = serializers.CharField()
    errors = Field(many=True, required=False)  # type: ignore[assignment]


class DestinationShape(Strict):
    id = serializers.IntegerField(read_only=True)
    name = serializers.CharField(max_length=128)
    endpoint = serializers.RegexField(WEB_ADDRESS, max_length=512)
    token = serializers.CharField(
        max_length=4096, write_only=True, trim_whitespace=False, help_text="Never told again."
    )
    held_until = serializers.DateTimeField(read_only=True, allow_null=True)
    held_reason = serializers.CharField(read_only=True, source="held_detail")
    created_at = serializers.DateTimeField(read_only=True)
    updated_at = serializers.DateTimeField(read_only=True)

    def validate_endpoint(self, value: str) -> str:
        try:
            URLValidator(schemes=["http", "https"])(value)
            return without_credentials(value)
        except FormError as error:
            raise Unprocessable({"endpoint": error.messages}) from None

    def validate_name(self, value: str) -> str:
        others = Destination.objects.filter(name=value)
        if self.instance is not None:
            others = others.exclude(pk=self.instance.pk)
        if others.exists():
            raise Conflict({"name": ["There is a destination of this name already."]})
        return value


class BucketShape(Strict):
    id = serializers.IntegerField(read_only=True)
    destination = serializers.IntegerField(source="destination_id", min_value=0, max_value=2**63 - 1)
    project_name = serializers.CharField(source="project", max_length=1024, validators=[PROJECT_NAME])
    name = serializers.CharField(max_length=256, validators=[NAME])
    monthly_limit = serializers.IntegerField(
        required=False, allow_null=True, min_value=0, max_value=2**31 - 1, help_text="AI units a month. Null: no limit."
    )
    held_until = serializers.DateTimeField(read_only=True, allow_null=True)
    held_reason = serializers.CharField(read_only=True, source="held_detail")

    def validate(self, attrs: dict[str, Any]) -> dict[str, Any]:
        project, name = attrs.get("project", ""), attrs.get("name", "")
        if self.instance is None:
            if problem := problem_with_bucket(project, name):
                raise Unprocessable({"name": [problem]})
            if not Destination.objects.filter(pk=attrs["destination_id"]).exists():
                raise Unprocessable({"destination": ["There is no such destination."]})
            there = Bucket.objects.filter(destination=attrs["destination_id"], project=project, name=name)
            if there.exists():
                raise Conflict({"name": ["This destination has this bucket already."]})
        return attrs


class BucketChange(Strict):
    monthly_limit = serializers.IntegerField(allow_null=True, min_value=0, max_value=2**31 - 1)


class BucketSpecification(Typed):
    project_name = serializers.CharField(max_length=1024)
    name = serializers.CharField(max_length=256)
    title = serializers.CharField(required=False, allow_null=True)
    destination = serializers.CharField(
        required=False, help_text="Name of the destination. Needed when there are several."
    )


class MailboxShape(Typed):
    """A mailbox in the vendor's shape, and what we say of it."""

    email = serializers.EmailField(max_length=320)
    enabled = serializers.BooleanField(required=False)
    disabled_reason = serializers.ChoiceField(("user", "quota", "sync_error"), required=False, allow_null=True)
    folder_allowlist = serializers.ListField(
        child=serializers.ListField(child=serializers.CharField(), min_length=1), required=False
    )
    folder_denylist = serializers.ListField(
        child=serializers.ListField(child=serializers.CharField(), min_length=1), required=False
    )
    participant_allowlist = serializers.ListField(child=serializers.EmailField(), required=False)
    participant_denylist = serializers.ListField(child=serializers.EmailField(), required=False)
    participant_domain_allowlist = serializers.ListField(child=serializers.CharField(), required=False)
    participant_domain_denylist = serializers.ListField(child=serializers.CharField(), required=False)
    start_timestamp = Moment(required=False, allow_null=True)
    meeting_messages = serializers.BooleanField(required=False)
    delivery_reports = serializers.BooleanField(required=False)
    bucket_specification = BucketSpecification()


class MailboxState(serializers.Serializer):  # type: ignore[type-arg]
    status = serializers.CharField(help_text="needs_you, held, overdue, waiting, in_progress, up_to_date, stopped")
    detail = serializers.CharField(help_text="In words: why, and when it goes on.")
    synced_at = serializers.DateTimeField(allow_null=True)
    synced_until = serializers.DateTimeField(allow_null=True)
    delivered = serializers.IntegerField()
    set_aside = serializers.IntegerField()


class MailboxAnswer(MailboxShape):
    id = serializers.IntegerField()
    integration = serializers.CharField(help_text="project/name")
    sync = MailboxState()


class IntegrationConnection(Typed):
    """As the vendor has it. Secrets are taken and never told; one that is left out stays as it is."""

    application = serializers.DictField(
        help_text='{"kind": "custom", "tenant_id", "client_id"}, {"kind": "private_key", "tenant_id", "client_id", '
        '"thumbprint"} or {"kind": "ntlm"}. Secrets: client_secret, private_key (PEM).'
    )
    access = serializers.DictField(help_text='{"kind": "app_access"} or {"kind": "user_access", "username"}')
    microsoft_api = serializers.DictField(
        required=False, allow_null=True, help_text='{"kind": "graph"} or {"kind": "ews"}. Without it: as it is, or EWS.'
    )
    ews_endpoint = serializers.CharField(
        required=False,
        allow_null=True,
        help_text="Of EWS. That of Graph is settings.graph_endpoint, where it is unusual.",
    )
    build_version = serializers.CharField(required=False, allow_null=True)


class IntegrationConfiguration(Typed):
    connection = IntegrationConnection(required=False, allow_null=True)
    settings = serializers.DictField(required=False, help_text="What the vendor's shape has no place for.")
    mailboxes = MailboxShape(many=True)


class IntegrationShape(Typed):
    """An integration with all its mailboxes as one document."""

    id = serializers.CharField(required=False)
    owner = serializers.CharField(required=False)
    name = serializers.CharField(required=False)
    title = serializers.CharField(required=False, allow_null=True)
    type = serializers.CharField(required=False)
    enabled = serializers.BooleanField(required=False, allow_null=True)
    disabled_reason = serializers.CharField(required=False, allow_null=True)
    created_at = Moment(required=False, allow_null=True)
    updated_at = Moment(required=False, allow_null=True)
    configuration = IntegrationConfiguration()


class IntegrationLine(serializers.Serializer):  # type: ignore[type-arg]
    """An integration in a list."""

    owner = serializers.CharField(source="project")
    name = serializers.CharField()
    title = serializers.CharField()
    microsoft_api = serializers.CharField(help_text="ews or graph")
    enabled = serializers.BooleanField()
    disabled_reason = serializers.CharField()
    disabled_detail = serializers.CharField()
    held_until = serializers.DateTimeField(allow_null=True)
    created_at = serializers.DateTimeField()
    updated_at = serializers.DateTimeField()


class PlanShape(serializers.Serializer):  # type: ignore[type-arg]
    """What a document would change."""

    class PlanLine(serializers.Serializer):  # type: ignore[type-arg]
        what = serializers.CharField()
        before = serializers.CharField()
        after = serializers.CharField()

    changes = PlanLine(many=True)
    warnings = serializers.ListField(child=serializers.CharField())


class SwitchShape(Strict):
    """Where the other API is, for clouds that are not known here."""

    endpoint = serializers.RegexField(WEB_ADDRESS, max_length=512, required=False)
    authority = serializers.RegexField(WEB_ADDRESS, max_length=512, required=False)
    anyway = serializers.BooleanField(
        required=False,
        default=False,
        help_text="Switch although some mailboxes cannot be opened: they wait until they can.",
    )

    def validate(self, attrs: dict[str, Any]) -> dict[str, Any]:
        for name in ("endpoint", "authority"):
            try:
                without_credentials(attrs.get(name, ""))
            except FormError as error:
                raise Unprocessable({name: error.messages}) from None
        return attrs


class SwitchAnswer(serializers.Serializer):  # type: ignore[type-arg]
    """What a switch would do, or did."""

    class Look(serializers.Serializer):  # type: ignore[type-arg]
        email = serializers.CharField(source="address")
        ok = serializers.BooleanField(allow_null=True, help_text="Null: there was no time left to look.")
        text = serializers.CharField()
        kind = serializers.CharField(help_text="Of the error, as in the catalogue; empty for none.")

    detail = serializers.CharField()
    mailboxes = Look(many=True)
    next_page = serializers.IntegerField(
        allow_null=True, help_text="Of mailboxes that were not looked at by this call."
    )


class FolderShape(serializers.ModelSerializer):  # type: ignore[type-arg]
    status = serializers.SerializerMethodField()

    class Meta:
        model = SyncedFolder
        fields = ("id", "mailbox", "path", "kind", "status", "total", "synced_until", "synced_at")

    def get_status(self, row: SyncedFolder) -> str:
        return "UP_TO_DATE" if row.up_to_date else "IN_PROGRESS"


class RunShape(serializers.ModelSerializer):  # type: ignore[type-arg]
    class Meta:
        model = SyncRun
        fields = (
            *("id", "mailbox", "started_at", "ended_at", "outcome", "error_kind", "error_text", "listed", "fetched"),
            *("created", "updated", "unchanged", "not_wanted", "set_aside", "held_back"),
        )


class VerificationShape(serializers.ModelSerializer):  # type: ignore[type-arg]
    class Meta:
        model = Verification
        fields = (
            *("mailbox", "repair", "started_at", "ended_at", "error_text", "emails", "well", "waiting", "set_aside"),
            *("not_wanted", "missing", "outdated", "surplus"),
        )


class SyncErrorShape(serializers.Serializer):  # type: ignore[type-arg]
    """A sync that failed, as the vendor tells it."""

    id = serializers.CharField()
    integration = serializers.CharField(help_text="project/name")
    mailbox_name = serializers.CharField()
    error_text = serializers.CharField()
    error_details = serializers.DictField(help_text="kind and full_error_text")
    created_at = serializers.DateTimeField()


class SetAsideShape(serializers.ModelSerializer):  # type: ignore[type-arg]
    folder_path = serializers.SerializerMethodField()

    class Meta:
        model = SetAsideEmail
        fields = (
            *("id", "mailbox", "folder_path", "stage", "reason", "attempts", "received", "size", "first_at", "last_at"),
            *("retry_at", "settled", "settled_at"),
        )

    def get_folder_path(self, row: SetAsideEmail) -> list[str]:
        return list(row.folder.path)


class ActShape(serializers.ModelSerializer):  # type: ignore[type-arg]
    """Somebody did something."""

    changes = serializers.SerializerMethodField()

    class Change(serializers.Serializer):  # type: ignore[type-arg]
        what = serializers.CharField()
        before = serializers.CharField()
        after = serializers.CharField()

    class Meta:
        model = Act
        fields = ("id", "at", "who", "about", "object_id", "integration_id", "text", "changes")

    @extend_schema_field(Change(many=True))
    def get_changes(self, row: Act) -> list[dict[str, str]]:
        return [dict(zip(("what", "before", "after"), change, strict=True)) for change in row.changes]


class AvailableBuckets(serializers.Serializer):  # type: ignore[type-arg]
    """What Re:infer shows to the token of a destination."""

    class Bucket(serializers.Serializer):  # type: ignore[type-arg]
        project_name = serializers.CharField()
        name = serializers.CharField()

    ok = serializers.BooleanField()
    detail = serializers.CharField(help_text="Why they cannot be told.")
    buckets = Bucket(many=True)


class UsageShape(serializers.Serializer):  # type: ignore[type-arg]
    """AI units of this month."""

    class UsageLine(serializers.Serializer):  # type: ignore[type-arg]
        bucket = serializers.IntegerField()
        project_name = serializers.CharField()
        name = serializers.CharField()
        ai_units = serializers.IntegerField()
        monthly_limit = serializers.IntegerField(allow_null=True)

    since = serializers.DateTimeField()
    ai_units = serializers.IntegerField()
    buckets = UsageLine(many=True)


class OverviewShape(serializers.Serializer):  # type: ignore[type-arg]
    class Attention(serializers.Serializer):  # type: ignore[type-arg]
        about = serializers.CharField()
        title = serializers.CharField()
        text = serializers.CharField()
        kind = serializers.CharField(help_text="Of the error, as in the catalogue.")
        count = serializers.IntegerField()
        since = serializers.DateTimeField(allow_null=True)

    mailboxes = serializers.DictField(child=serializers.IntegerField(), help_text="How many are in which state.")
    comments_last_24_hours = serializers.IntegerField()
    set_aside = serializers.IntegerField()
    attention = Attention(many=True)


class CommentPreview(serializers.Serializer):  # type: ignore[type-arg]
    """The comment that an email becomes, or why it becomes none."""

    class Cut(serializers.Serializer):  # type: ignore[type-arg]
        rule = serializers.CharField()
        text = serializers.CharField()

    comment = serializers.DictField(required=False)
    cuts = Cut(many=True, required=False)
    rejection = serializers.CharField(required=False)


class WebhookShape(Strict):
    id = serializers.IntegerField(read_only=True)
    url = serializers.RegexField(WEB_ADDRESS, max_length=512)
    secret = serializers.CharField(
        min_length=16,
        max_length=256,
        write_only=True,
        trim_whitespace=False,
        help_text="Signs what is sent. Never told.",
    )
    events = serializers.ListField(
        child=serializers.ChoiceField(Kind.values), required=False, help_text="Kinds of notices. Empty: all."
    )
    created_at = serializers.DateTimeField(read_only=True)

    def validate_url(self, value: str) -> str:
        try:
            URLValidator(schemes=["http", "https"])(value)
            without_credentials(value)
        except FormError as error:
            raise Unprocessable({"url": error.messages}) from None
        if problem := problem_with(value, allow_private=settings.NOTICES_ALLOW_PRIVATE):
            raise Unprocessable({"url": [f"Nothing would be sent there: {problem}."]})
        return value


class TokenShape(Strict):
    id = serializers.UUIDField(read_only=True, source="public_id")
    name = serializers.CharField(max_length=100)
    days = serializers.IntegerField(
        write_only=True, required=False, default=365, min_value=1, max_value=3650, help_text="It ends after so many."
    )
    created = serializers.DateTimeField(read_only=True)
    expiry = serializers.DateTimeField(read_only=True, allow_null=True)


class TokenMade(TokenShape):
    token = serializers.CharField(help_text="Told this once.")
