"""Serializers of an integration document, of the plan of its changes, and of the switch between EWS and Graph."""

from __future__ import annotations

from typing import Any

from rest_framework import serializers

from api.serializers.mailboxes import MailboxSerializer
from api.serializers.strict import WEB_ADDRESS, Moment, Strict, Typed

SECRET_FOR_SWITCH: dict[str, Any] = {
    "required": False,
    "write_only": True,
    "help_text": "Required if the switch would send this secret to a server that it was not entered for: see the PUT of an "
    "integration. Never returned.",
}


class IntegrationConnection(Typed):
    """The connection, in the format of Re:infer. Secrets are accepted and never returned.

    If a secret is omitted, the stored one remains. A secret is sent only to the servers that it was entered for. So the
    secret is required again when the endpoint, the kind of sign-in, the sign-in service, the tenant, the proxy, the CA bundle
    or the cipher list changes, or when the minimum TLS version is lowered.
    """

    application = serializers.DictField(
        help_text='{"kind": "custom", "tenant_id", "client_id"}, {"kind": "private_key", "tenant_id", "client_id", '
        '"thumbprint"} or {"kind": "ntlm"}. Secrets: client_secret, private_key (PEM).'
    )
    access = serializers.DictField(help_text='{"kind": "app_access"} or {"kind": "user_access", "username"}')
    microsoft_api = serializers.DictField(
        required=False,
        allow_null=True,
        help_text='{"kind": "graph"} or {"kind": "ews"}. Default: unchanged; EWS for a new integration.',
    )
    ews_endpoint = serializers.CharField(
        required=False,
        allow_null=True,
        help_text="The URL of EWS. For Graph, the key graph_endpoint of settings sets a URL other than the default.",
    )
    build_version = serializers.CharField(required=False, allow_null=True)


class IntegrationConfiguration(Typed):
    """The connection, the settings and the mailboxes."""

    connection = IntegrationConnection(required=False, allow_null=True)
    settings = serializers.DictField(required=False, help_text="Settings that the format of Re:infer does not have.")
    mailboxes = MailboxSerializer(many=True)


class IntegrationSerializer(Typed):
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
    disabled_kind = serializers.CharField(
        help_text="Kind of the error that disabled the integration, as in the error catalogue. Empty: no error did."
    )
    disabled_detail = serializers.CharField(source="disabled_sentence")
    held_until = serializers.DateTimeField(
        allow_null=True,
        help_text="Time of the half-open trial. The circuit breaker is open until then. Null: it is closed.",
    )
    created_at = serializers.DateTimeField()
    updated_at = serializers.DateTimeField()


class PlanSerializer(serializers.Serializer):  # type: ignore[type-arg]
    """The changes that a document would make."""

    class PlanLine(serializers.Serializer):  # type: ignore[type-arg]
        """One change, as display text."""

        what = serializers.CharField()
        before = serializers.CharField()
        after = serializers.CharField()

    changes = PlanLine(many=True)
    warnings = serializers.ListField(child=serializers.CharField())


class SwitchSerializer(Strict):
    """The request of a switch.

    `endpoint` is required only if the present endpoint does not belong to a Microsoft cloud. Without `authority`, the sign-in
    service does not change.
    """

    endpoint = serializers.RegexField(WEB_ADDRESS, max_length=512, required=False)
    authority = serializers.RegexField(WEB_ADDRESS, max_length=512, required=False)
    anyway = serializers.BooleanField(
        required=False,
        default=False,
        help_text="Switch without checking the mailboxes. Mailboxes that cannot be opened do not sync until they can be "
        "opened.",
    )
    password = serializers.CharField(max_length=4096, trim_whitespace=False, **SECRET_FOR_SWITCH)
    client_secret = serializers.CharField(max_length=4096, trim_whitespace=False, **SECRET_FOR_SWITCH)
    client_key = serializers.CharField(max_length=100_000, trim_whitespace=False, **SECRET_FOR_SWITCH)


class SwitchAnswer(serializers.Serializer):  # type: ignore[type-arg]
    """The result of a switch, or of its dry run."""

    class MailboxCheckSerializer(serializers.Serializer):  # type: ignore[type-arg]
        """The result of the check of one mailbox."""

        not_listed = serializers.ListField(
            child=serializers.CharField(),
            help_text="Folders that are read now, but that Graph does not list. Mail in them would not be read.",
        )
        email = serializers.CharField(source="address")
        ok = serializers.BooleanField(
            allow_null=True,
            help_text="Whether the mailbox can be opened. Null: the check did not end within the time limit.",
        )
        text = serializers.CharField()
        kind = serializers.CharField(help_text="Kind of the error, as in the error catalogue. Empty: no error.")

    detail = serializers.CharField()
    mailboxes = MailboxCheckSerializer(many=True)
    next_page = serializers.IntegerField(
        allow_null=True,
        help_text="Number of the next page of mailboxes to check. Null: this was the last page, or no dry run.",
    )
