"""An integration with its mailboxes as one document, the changes of a document, and the switch to the other API."""

from __future__ import annotations

from typing import Any

from rest_framework import serializers

from api.serializers.mailboxes import MailboxSerializer
from api.serializers.strict import WEB_ADDRESS, Moment, Strict, Typed

NEEDED_ELSEWHERE: dict[str, Any] = {
    "required": False,
    "write_only": True,
    "help_text": "Needed where the switch would send it elsewhere; see the description of PUT. Never returned.",
}


class IntegrationConnection(Typed):
    """The connection, in the format of Re:infer. Secrets are accepted and never returned.

    A secret that is left out stays as it is. It is sent only to the servers that it was entered for: with another
    endpoint, sign-in service, tenant, proxy, CA bundle or cipher list, or a lower minimum TLS version, it is needed
    again.
    """

    application = serializers.DictField(
        help_text='{"kind": "custom", "tenant_id", "client_id"}, {"kind": "private_key", "tenant_id", "client_id", '
        '"thumbprint"} or {"kind": "ntlm"}. Secrets: client_secret, private_key (PEM).'
    )
    access = serializers.DictField(help_text='{"kind": "app_access"} or {"kind": "user_access", "username"}')
    microsoft_api = serializers.DictField(
        required=False,
        allow_null=True,
        help_text='{"kind": "graph"} or {"kind": "ews"}. By default unchanged, or EWS for a new integration.',
    )
    ews_endpoint = serializers.CharField(
        required=False,
        allow_null=True,
        help_text="The URL of EWS. A URL of Graph other than the default is settings.graph_endpoint.",
    )
    build_version = serializers.CharField(required=False, allow_null=True)


class IntegrationConfiguration(Typed):
    """The connection, the settings and the mailboxes."""

    connection = IntegrationConnection(required=False, allow_null=True)
    settings = serializers.DictField(required=False, help_text="Settings that the format of Re:infer has no key for.")
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
        help_text="The kind of the error that disabled it, as in the error catalogue."
    )
    disabled_detail = serializers.CharField(source="disabled_sentence")
    held_until = serializers.DateTimeField(
        allow_null=True, help_text="Paused: the circuit breaker is open until the trial at this time."
    )
    created_at = serializers.DateTimeField()
    updated_at = serializers.DateTimeField()


class PlanSerializer(serializers.Serializer):  # type: ignore[type-arg]
    """The changes of a document."""

    class PlanLine(serializers.Serializer):  # type: ignore[type-arg]
        """One change, in words."""

        what = serializers.CharField()
        before = serializers.CharField()
        after = serializers.CharField()

    changes = PlanLine(many=True)
    warnings = serializers.ListField(child=serializers.CharField())


class SwitchSerializer(Strict):
    """Where the other API is, for clouds that are not known here."""

    endpoint = serializers.RegexField(WEB_ADDRESS, max_length=512, required=False)
    authority = serializers.RegexField(WEB_ADDRESS, max_length=512, required=False)
    anyway = serializers.BooleanField(
        required=False,
        default=False,
        help_text="Switch although some mailboxes cannot be opened: they do not sync until they can.",
    )
    password = serializers.CharField(max_length=4096, trim_whitespace=False, **NEEDED_ELSEWHERE)
    client_secret = serializers.CharField(max_length=4096, trim_whitespace=False, **NEEDED_ELSEWHERE)
    client_key = serializers.CharField(max_length=100_000, trim_whitespace=False, **NEEDED_ELSEWHERE)


class SwitchAnswer(serializers.Serializer):  # type: ignore[type-arg]
    """The result of a switch, or of its dry run."""

    class MailboxCheckSerializer(serializers.Serializer):  # type: ignore[type-arg]
        """What the switch does to one mailbox."""

        not_listed = serializers.ListField(
            child=serializers.CharField(), help_text="Folders that are read now and that Graph does not list."
        )
        email = serializers.CharField(source="address")
        ok = serializers.BooleanField(allow_null=True, help_text="Null: there was no time left to check it.")
        text = serializers.CharField()
        kind = serializers.CharField(help_text="The kind of the error, as in the error catalogue; empty for none.")

    detail = serializers.CharField()
    mailboxes = MailboxCheckSerializer(many=True)
    next_page = serializers.IntegerField(
        allow_null=True, help_text="The next page of mailboxes, which this call did not check."
    )
