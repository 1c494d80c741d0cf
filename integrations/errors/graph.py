"""Errors that only Microsoft Graph reports."""

from __future__ import annotations

from integrations.errors.base import Evidence, Refused
from integrations.errors.exchange import AccessDenied, EndpointWrong


class GraphEndpointWrong(EndpointWrong):
    """The service that answered at the address is not Microsoft Graph."""

    kind = "graph_endpoint_wrong"
    text = "There is no Microsoft Graph at this endpoint."
    remedy = "Correct the endpoint: it is https://graph.microsoft.com, or that of your national cloud."


class PermissionMissing(Refused):
    """The application has no permission to read mail."""

    kind = "graph_permission_missing"
    evidence = Evidence.RESPONSE
    text = "The application may not read mail by Microsoft Graph."
    remedy = (
        "Give it the role Application Mail.Read in RBAC for Applications, for the mailboxes of this integration, or let an "
        "administrator consent to the permission Mail.Read. It can take two hours to take effect."
    )


class MailboxOutOfScope(AccessDenied):
    """The role of the application does not cover the mailbox, or the service user has no access to it."""

    kind = "mailbox_out_of_scope"
    text = "The application may not read this mailbox by Microsoft Graph."
    remedy = (
        "Add the mailbox to the scope of the application's role in RBAC for Applications; a service user needs full access "
        "to it. If every mailbox is refused, the permission Mail.Read is missing. It can take two hours to take effect."
    )


class MailboxNotInCloud(Refused):
    """Graph has a user with the address, but no mailbox that it can open."""

    kind = "mailbox_not_in_cloud"
    evidence = Evidence.MAILBOX
    text = "Microsoft Graph cannot open this mailbox: it is inactive, deleted, without a licence, or on premises."
    remedy = "Assign a licence. If the mailbox is on your own server, move it into an integration over EWS."
