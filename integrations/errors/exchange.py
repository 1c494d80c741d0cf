"""Errors of Exchange that both EWS and Graph can report, and errors that only EWS reports.

Every source of mail can raise the errors whose names begin with `Exchange`: EWS, Graph and `integrations.network`
raise them, and a new source should raise them, too.
"""

from __future__ import annotations

from datetime import timedelta

from integrations.errors.base import Evidence, IntegrationError, Refused, Transient

# ---- transient ----------------------------------------------------------------------------------------------------


class ExchangeBusy(Transient):
    """Exchange is busy or throttles the account, or every connection of this process is in use."""

    kind = "exchange_busy"
    evidence = Evidence.OVERLOAD
    text = "Exchange is busy."
    remedy = "It is retried automatically."


class ExchangeUnreachable(Transient):
    """No connection to the server could be opened."""

    kind = "exchange_unreachable"
    evidence = Evidence.TRANSPORT
    text = "Exchange cannot be reached."
    remedy = "Check the endpoint, the port, the proxy and the firewall. It is retried automatically."


class ExchangeTimedOut(Transient):
    """The deadline of a request passed, or Exchange reported a time-out."""

    kind = "exchange_timed_out"
    evidence = Evidence.OVERLOAD
    may_be_item = True
    text = "Exchange did not answer in time."
    remedy = "It is retried automatically."


class ExchangeFailed(Transient):
    """Exchange answered with an internal error, an unknown code, or an answer that is incomplete or invalid."""

    kind = "exchange_failed"
    evidence = Evidence.OVERLOAD
    may_be_item = True
    text = "Exchange answered with an internal error, or its answer is invalid."
    remedy = "It is retried automatically. If it persists, an Exchange admin finds it in the log of the server."


class RequestRejected(Transient):
    """Exchange or a gateway called a request invalid, for example while the gateway restarted.

    If three syncs of a mailbox in a row end with this error, it is reported as `RequestInvalid`: see
    `sync.engine.repeated_errors`.
    """

    kind = "exchange_request_rejected"
    evidence = Evidence.MAILBOX
    may_be_item = True
    text = "Exchange, or a gateway in front of it, called a request invalid."
    remedy = "It is retried automatically."


class MailboxMoving(Transient):
    """Exchange moves the mailbox, or its database is offline."""

    kind = "mailbox_moving"
    evidence = Evidence.MAILBOX
    text = "The mailbox is being moved or its store is offline."
    remedy = "It is retried automatically."


# ---- the connection -----------------------------------------------------------------------------------------------


class CertificateUntrusted(Refused):
    """The TLS certificate of the server failed verification."""

    kind = "certificate_untrusted"
    evidence = Evidence.TRANSPORT
    text = "The certificate of the server is not trusted, has expired, or is for another name."
    remedy = (
        "Add the authority that signed it to the CA bundle, correct the endpoint, or let an admin of the server renew the "
        "certificate."
    )


class TlsFailed(Refused):
    """The TLS handshake failed for a reason other than the certificate."""

    kind = "tls_failed"
    evidence = Evidence.TRANSPORT
    text = "No secure connection could be negotiated."
    remedy = "Compare the minimum TLS version and the cipher list with what the server offers."


class EndpointWrong(Refused):
    """The service that answered at the address is not EWS."""

    kind = "endpoint_wrong"
    evidence = Evidence.RESPONSE
    text = "There is no Exchange Web Services at this endpoint."
    remedy = "Correct the endpoint: it usually ends in /EWS/Exchange.asmx."


class SettingsWrong(Refused):
    """A setting of the connection is invalid; no request reached the server."""

    kind = "settings_wrong"
    evidence = Evidence.SETTINGS
    text = "A setting of this connection cannot be used."
    remedy = "Correct it and press Start."


class EwsDisabled(Refused):
    """Exchange or a gateway answered 403 to EWS requests."""

    kind = "unknown_forbidden_error"
    evidence = Evidence.RESPONSE
    text = "Exchange, or a gateway in front of it, forbids access by EWS."
    remedy = (
        "EWS may be disabled for the organisation, for its mailboxes, or for this user agent: an Exchange admin checks it with "
        "Get-OrganizationConfig and Get-CASMailbox. Then press Start."
    )


class EwsBlockedOnline(EwsDisabled):
    """Exchange Online blocks EWS for this application: see `integrations.ews_retirement`."""

    kind = "ews_blocked_online"
    text = (
        "Exchange Online does not let this application use EWS: EWS is disabled, or the application is not on the allow list "
        "of the tenant."
    )
    remedy = (
        "Press Switch to Graph. Or, until 31 March 2027, an Exchange admin runs Set-OrganizationConfig -EwsEnabled $true "
        '-EwsAllowedAppIDs "<the ids that are listed already>,<the application id of this integration>": the command replaces '
        "the whole list, and takes up to a day to take effect. Then press Start."
    )


class RequestInvalid(Refused):
    """Requests for one mailbox were called invalid several times in a row: a repeated `RequestRejected`."""

    kind = "exchange_request_invalid"
    evidence = Evidence.RESPONSE
    text = "Exchange, or a gateway in front of it, called the requests for this mailbox invalid several times in a row."
    remedy = (
        "Search for the code in the log of the gateway (proxy, load balancer, web application firewall) and of Exchange. If "
        "other mailboxes work, check which server hosts this one. If the logs show nothing, please report it."
    )


class VersionRefused(Refused):
    """The server of the mailbox accepts none of the EWS versions that this product supports."""

    kind = "exchange_version_refused"
    evidence = Evidence.RESPONSE
    text = "For this mailbox, Exchange accepts none of the EWS versions that this product supports."
    remedy = (
        "An Exchange admin checks which server hosts the mailbox: this product supports the versions of Exchange 2007 to 2019 "
        "and of Exchange Online. If every mailbox is refused, correct or clear the build version of the integration."
    )


class CallerUnknown(Refused):
    """The sign-in succeeded, but Exchange has no user or service principal for the account."""

    kind = "exchange_account_unknown"
    evidence = Evidence.RESPONSE
    text = "The account signed in, but it is not in the directory of Exchange, or Exchange does not let it in."
    remedy = (
        "Sign in with an account of the forest of Exchange. For an application: an Exchange admin registers it with "
        "New-ServicePrincipal. Then press Start."
    )


class ImpersonationRequired(Refused):
    """An application opened a mailbox as a delegate, which Exchange does not allow."""

    kind = "impersonation_required"
    evidence = Evidence.RESPONSE
    text = "Exchange lets an application open mailboxes by impersonation only."
    remedy = "Press Edit and choose access by impersonation, or sign in as a service user. Then press Start."


# ---- one mailbox --------------------------------------------------------------------------------------------------


class MailboxOnAnotherServer(Refused):
    """The server at the endpoint does not forward requests to the server of the mailbox."""

    kind = "mailbox_on_another_server"
    evidence = Evidence.MAILBOX
    text = "The mailbox is on a server to which this endpoint forwards no requests."
    remedy = (
        "Move the mailbox into an integration with the endpoint of its own site or version. Or an Exchange admin lets the "
        "servers forward requests to each other."
    )


class ImpersonationDenied(Refused):
    """The impersonation role of the account does not cover the mailbox."""

    kind = "app_access_insufficient_scopes"
    evidence = Evidence.MAILBOX
    text = "The account may not impersonate this mailbox."
    remedy = "Grant it the ApplicationImpersonation role for this mailbox, or choose delegate access."


class AccessDenied(Refused):
    """The account has no read access to the mailbox."""

    kind = "mailbox_access_denied"
    evidence = Evidence.MAILBOX
    text = "The account may not read this mailbox."
    remedy = "Grant it read access to the mailbox."


class MailboxNotFound(Refused):
    """No mailbox has the address."""

    kind = "mailbox_not_found"
    evidence = Evidence.MAILBOX
    text = "Exchange has no mailbox with this address."
    remedy = "Correct the address: it must be the primary SMTP address of a mailbox on this server."


class NotPrimaryAddress(Refused):
    """The address is a secondary address of a mailbox."""

    kind = "mailbox_primary_address_not_found"
    evidence = Evidence.MAILBOX
    text = "The address is only an alias of a mailbox in Exchange."
    remedy = "Enter the primary SMTP address of the mailbox."


class LicenceMissing(Refused):
    """The mailbox has no licence for Exchange Online."""

    kind = "mailbox_invalid_license"
    evidence = Evidence.MAILBOX
    text = "The mailbox has no licence for Exchange Online."
    remedy = "Assign a licence. It can take a day to take effect."


class InboxHidden(Refused):
    """Exchange answers "not found" for a folder that every mailbox has.

    According to the documentation of Microsoft (ResponseCode, ErrorItemNotFound), "not found" can also mean that a right
    is missing.
    """

    kind = "mailbox_inbox_not_found"
    evidence = Evidence.MAILBOX
    text = "Exchange does not show this account the Inbox, or the top folder, of the mailbox."
    remedy = (
        "Grant the account read access to the whole mailbox, and not to single folders. If it has that access, an Exchange "
        "admin checks whether the mailbox can be opened."
    )


# ---- one folder ---------------------------------------------------------------------------------------------------


class FolderRefused(Refused):
    """One folder cannot be read although its mailbox can be opened.

    The error stops only that folder: see `sync.engine.folder_refusals`.

    Attributes:
        of_mailbox: The error to report for the mailbox if every folder is refused with this response.
    """

    kind = "folder_access_denied"
    evidence = Evidence.FOLDER_REFUSED
    text = "The account may not read this folder."
    remedy = "Grant it read access to the folder, or deny the folder in the filter of the mailbox. It is retried automatically."

    whole_mailbox: type[Refused] = AccessDenied
    """The class of `of_mailbox`, if the adapter does not pass another error."""

    def __init__(
        self, detail: str = "", *, retry_after: timedelta | None = None, of_mailbox: Refused | None = None
    ) -> None:
        """Create the error.

        Args:
            detail: A code or status line of the server.
            retry_after: How long the server requested to wait; None if it requested no time.
            of_mailbox: The error to report for the mailbox if every folder is refused; None for a new `whole_mailbox`.
        """
        super().__init__(detail, retry_after=retry_after)
        self.of_mailbox = of_mailbox or self.whole_mailbox(detail)


class FolderNotFound(FolderRefused):
    """Exchange lists a folder in the folder tree, but reports it as not found when it is read.

    The engine replaces a `FolderGone` by this error if the folder is still in the tree at the next sync. A connection test
    replaces the error at once, because the test has just read the tree. According to the documentation of Microsoft, Exchange
    also reports "not found" if the account has no right to read the folder.
    """

    kind = "folder_not_found"
    whole_mailbox = InboxHidden
    text = (
        "Exchange lists this folder in the tree, and reports it as not found when it is read: the account has no right to "
        "read it, or the folder is damaged."
    )
    remedy = (
        "Grant the account read access to the folder, or deny the folder in the filter of the mailbox. If the account has "
        "that right, an Exchange admin repairs the folder. It is retried automatically."
    )


class CursorRefused(IntegrationError):
    """A cursor is no longer valid; the engine lists the folder, or the folder tree, from the beginning."""

    kind = "cursor_refused"
    evidence = Evidence.FOLDER
    text = "Exchange no longer accepts the stored position in this folder."
    remedy = "The folder is listed again automatically, at no cost."


class FolderGone(IntegrationError):
    """Exchange does not find a folder, because it was deleted, or because the account may not read it (`FolderNotFound`)."""

    kind = "folder_gone"
    evidence = Evidence.FOLDER
    text = "Exchange does not find the folder."
    remedy = "Nothing needs to be done."
