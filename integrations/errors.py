"""The error tree that every adapter speaks, each with what the admin should do.

An adapter translates the errors of its library once, at the border, and nothing behind it knows that library. The
text of an error is shown to admins, so it never carries credentials, mail content, or an unbounded server answer.
`kind` is stable: the error catalogue, the API and the policy go by it. Where the vendor's product knows the same
error, the kind is the vendor's.
"""

from __future__ import annotations

from collections.abc import Iterator
from datetime import timedelta
from enum import StrEnum

from integrations.bidi import closed


class Scope(StrEnum):
    """What fails as a whole when this error is met."""

    CONNECTION = "connection"
    MAILBOX = "mailbox"
    FOLDER = "folder"
    DESTINATION = "destination"
    BUCKET = "bucket"
    PROCESS = "process"
    """This process of ours and what it runs on: nothing outside it."""


class Evidence(StrEnum):
    """What kind of evidence an error is. Whose fault it is, and who is paused, `sync.engine.error_scope` decides by it
    and by what else is known of the connection."""

    TRANSPORT = "transport"
    """No response, or no connection that may be used: not reachable, TLS, a certificate, a sign-in service that is down."""
    SETTINGS = "settings"
    """A setting or a stored secret of ours that cannot be used. Nothing was sent to the server."""
    PASSWORD = "password"  # noqa: S105  # the name of a class of evidence
    """A sign-in was refused. Each more of them brings the account nearer to being locked out."""
    RESPONSE = "response"
    """A refusal with no password at stake: 403, a version, a wrong endpoint."""
    OVERLOAD = "overload"
    """The server is busy, too slow, or answers with an error of its own."""
    MAILBOX = "mailbox"
    """It names the mailbox: not found, moved, not to be read by this account."""
    FOLDER = "folder"
    """It names the folder: gone, or its cursor is not known any more."""
    FOLDER_REFUSED = "folder_refused"
    """The account may not read this folder."""
    DESTINATION = "destination"
    BUCKET = "bucket"
    PROCESS = "process"
    """A fault of this process, its settings or its machine. Another worker may well do what this one cannot."""
    OURS = "ours"
    """A fault of this product, or of what it runs on."""


class Side(StrEnum):
    """Where the trouble is."""

    EXCHANGE = "exchange"
    """Exchange or its sign-in service."""
    REINFER = "reinfer"
    PRODUCT = "product"


WIDEST = {
    Evidence.TRANSPORT: Scope.CONNECTION,
    Evidence.SETTINGS: Scope.CONNECTION,
    Evidence.PASSWORD: Scope.CONNECTION,
    Evidence.RESPONSE: Scope.CONNECTION,
    Evidence.OVERLOAD: Scope.MAILBOX,
    Evidence.MAILBOX: Scope.MAILBOX,
    Evidence.FOLDER: Scope.FOLDER,
    Evidence.DESTINATION: Scope.DESTINATION,
    Evidence.BUCKET: Scope.BUCKET,
    Evidence.FOLDER_REFUSED: Scope.FOLDER,
    Evidence.PROCESS: Scope.PROCESS,
    Evidence.OURS: Scope.MAILBOX,
}
"""What an error of each class of evidence may stop at most. An overload stops a connection only together with others."""


class IntegrationError(Exception):
    """Anything an adapter can meet. `str(error)` says what happened and what to do next, for an admin to read."""

    kind: str = "unknown"
    scope: Scope = Scope.MAILBOX
    """The widest part that it may stop: from `evidence`."""
    evidence: Evidence = Evidence.OURS
    ours: bool = False
    """Whether this product is at fault, or what it runs on, and neither Exchange nor Re:infer."""
    text: str = "Something failed that this product has no name for."
    remedy: str = "It is tried again by itself. If it stays, look at the log of the worker."
    may_be_item: bool = False
    """Whether a single email can be what provokes it, so that the rest must be tried without that one."""

    def __init_subclass__(cls) -> None:
        super().__init_subclass__()
        if "scope" in vars(cls):
            raise TypeError(f"{cls.__name__} says its scope: it follows from the evidence")
        cls.scope = WIDEST[cls.evidence]

    def __init__(self, detail: str = "", *, retry_after: timedelta | None = None) -> None:
        self.detail = closed(detail[:500])
        """What the other side said, shortened: a code or a status line, never content."""
        self.retry_after = retry_after
        """How long the other side asked us to wait."""
        super().__init__(self.detail)

    @classmethod
    def side(cls) -> Side:
        """Whose trouble it is."""
        if cls.ours or cls is IntegrationError:
            return Side.PRODUCT
        return Side.REINFER if cls.scope in (Scope.DESTINATION, Scope.BUCKET) else Side.EXCHANGE

    def __str__(self) -> str:
        said = f" ({self.detail})" if self.detail else ""
        return f"{self.text}{said} {self.remedy}"


class Transient(IntegrationError):
    """It may work later without anybody doing anything."""


class Refused(IntegrationError):
    """It stays until somebody changes something: a credential, a right, a setting."""


# ---- transient ----------------------------------------------------------------------------------------------------


class ExchangeBusy(Transient):
    kind = "exchange_busy"
    evidence = Evidence.OVERLOAD
    text = "Exchange is busy and asked to be left alone for a while."
    remedy = "It is tried again by itself."


class ExchangeUnreachable(Transient):
    kind = "exchange_unreachable"
    evidence = Evidence.TRANSPORT
    text = "Exchange cannot be reached."
    remedy = "Check the endpoint, the port, the proxy and the firewall. It is tried again by itself."


class ExchangeTimedOut(Transient):
    kind = "exchange_timed_out"
    evidence = Evidence.OVERLOAD
    may_be_item = True
    text = "Exchange did not answer in time."
    remedy = "It is tried again by itself."


class ExchangeFailed(Transient):
    kind = "exchange_failed"
    evidence = Evidence.OVERLOAD
    may_be_item = True
    text = "Exchange answered with an error of its own."
    remedy = "It is tried again by itself. If it stays, an Exchange admin finds it in the server's log."


class RequestRejected(Transient):
    """Once it may be a gateway that was restarting; when it repeats it is `RequestInvalid`: see
    `sync.engine.repeated_errors`."""

    kind = "exchange_request_rejected"
    evidence = Evidence.MAILBOX
    may_be_item = True
    text = "Exchange, or a gateway before it, called a request invalid."
    remedy = "It is tried again by itself."


class TokenEndpointFailed(Transient):
    kind = "token_endpoint_failed"
    evidence = Evidence.TRANSPORT
    text = "The sign-in service did not hand out a token."
    remedy = "Check that its address can be reached from here. It is tried again by itself."


class MailboxMoving(Transient):
    kind = "mailbox_moving"
    evidence = Evidence.MAILBOX
    text = "The mailbox is being moved or its store is offline."
    remedy = "It is tried again by itself."


class DatabaseFailed(Transient):
    """Not of an adapter: the database of the product itself was away, full or read-only in the middle of a sync."""

    kind = "database_failed"
    ours = True
    text = "PostgreSQL did not answer, or refused to write."
    remedy = (
        "It is tried again by itself. If it stays, look at the log, the disk and the connection limit of PostgreSQL."
    )


class InternalFault(Transient):
    """Not of an adapter: a fault of this product."""

    kind = "internal_error"
    ours = True
    text = "This product met a situation that it was not made for."
    remedy = "It is tried again by itself; please report it, with the line `sync.broke` of the worker's log."


class ReinferUnreachable(Transient):
    kind = "reinfer_unreachable"
    evidence = Evidence.DESTINATION
    text = "Re:infer cannot be reached."
    remedy = "Check the API endpoint and the firewall. It is tried again by itself."


class ReinferBusy(Transient):
    kind = "reinfer_busy"
    evidence = Evidence.DESTINATION
    text = "Re:infer asked us to slow down."
    remedy = "It is tried again by itself."


class ReinferTimedOut(Transient):
    kind = "reinfer_timed_out"
    evidence = Evidence.DESTINATION
    may_be_item = True
    text = "Re:infer did not answer in time."
    remedy = "It is tried again by itself."


class ReinferFailed(Transient):
    kind = "reinfer_failed"
    evidence = Evidence.DESTINATION
    may_be_item = True
    text = "Re:infer answered with an error of its own."
    remedy = "It is tried again by itself."


class ReinferUnintelligible(Transient):
    """A 2xx that says error, a 4xx that says ok, or no envelope at all: nothing in it may be believed."""

    kind = "reinfer_unintelligible"
    evidence = Evidence.DESTINATION
    may_be_item = True
    text = "Something answered that does not speak like Re:infer."
    remedy = "Check the API endpoint, and whether a proxy or gateway answers in its place. It is tried again by itself."


class ReinferNotStored(Transient):
    """It answered with success again and again, and what was sent is still not in the bucket."""

    kind = "reinfer_not_stored"
    evidence = Evidence.DESTINATION
    may_be_item = True
    text = "Re:infer accepted an email and does not hold it."
    remedy = "The email is sent again by itself. If this continues, contact Re:infer's support about this bucket."


# ---- refused ------------------------------------------------------------------------------------------------------


class SignInRefused(Refused):
    kind = "invalid_exchange_credentials"
    evidence = Evidence.PASSWORD
    text = "Exchange refused these credentials."
    remedy = "Update them and press Start."


class ClientSecretWrong(SignInRefused):
    kind = "client_secret_wrong"
    text = "The sign-in service does not know this client secret."
    remedy = "Enter the value of the secret, not its ID, or create a new one in the Entra app. Then press Start."


class ClientSecretExpired(SignInRefused):
    kind = "client_secret_expired"
    text = "The client secret has expired."
    remedy = "Create a new one in the Entra app, enter it here and press Start."


class ClientCertificateRefused(SignInRefused):
    kind = "client_certificate_refused"
    text = "The sign-in service does not accept this certificate."
    remedy = (
        "Upload the certificate that belongs to this private key to the Entra app, and look whether it has expired."
    )


class ApplicationUnknown(SignInRefused):
    kind = "application_unknown"
    text = "The tenant has no application with this ID."
    remedy = "Correct the application (client) ID or the tenant ID."


class TenantUnknown(SignInRefused):
    kind = "tenant_unknown"
    text = "The sign-in service knows no such tenant."
    remedy = "Correct the tenant ID, or the sign-in service where yours is a national cloud."


class AccountLocked(SignInRefused):
    kind = "account_locked"
    text = "The service user is locked or disabled, or its password has expired."
    remedy = "Unlock it or set a new password in Entra, enter it here and press Start."


class SecondFactorNeeded(SignInRefused):
    kind = "second_factor_needed"
    text = "The tenant does not let the service user sign in with a password alone."
    remedy = "Sign in by certificate or client secret, or exempt this user from the rule of conditional access."


class ConditionalAccessBlocked(SignInRefused):
    kind = "conditional_access_blocked"
    text = "A rule of conditional access, or the security defaults of the tenant, block this sign-in."
    remedy = (
        "Look in the sign-in logs of Entra (those of service principals, for an application that signs in by itself) which "
        "policy it is. Leave this application or user out of it, or allow the address of this machine. Then press Start."
    )


class TenantRestricted(SignInRefused):
    kind = "tenant_restricted"
    text = "Tenant restrictions, of a proxy on the way or of cross-tenant access, forbid signing in to this tenant."
    remedy = (
        "Let the proxy leave the sign-in service out of its tenant restrictions for this machine, or add the tenant to them. "
        "Then press Start."
    )


class UserUnknown(SignInRefused):
    kind = "user_unknown"
    text = "The tenant has no such user."
    remedy = "Correct the user name (it looks like user@company.com) or the tenant ID, and press Start."


class NotAssigned(SignInRefused):
    kind = "application_not_assigned"
    text = "The application demands an assignment, and this user, or this application, has none."
    remedy = (
        "In Entra, under Enterprise applications, assign the user to the application (Users and groups), or set Assignment "
        "required to No (Properties). Then press Start."
    )


class PublicClientOff(SignInRefused):
    kind = "public_client_flow_off"
    text = "The application does not let a service user sign in without a secret of the application."
    remedy = (
        "In the Entra app, under Authentication, set Allow public client flows to Yes. Or enter a client secret or a "
        "certificate of the application. Then press Start."
    )


class ApplicationIsPublic(SignInRefused):
    kind = "application_is_public"
    text = "The application is registered as a public client, which may not show a secret or certificate."
    remedy = "In the Entra app, under Authentication, set Allow public client flows to No. Then press Start."


class ApplicationDisabled(SignInRefused):
    kind = "application_disabled"
    text = "The application is disabled in the tenant."
    remedy = (
        "In Entra, under Enterprise applications, set Enabled for users to sign in to Yes (Properties), and look whether "
        "Microsoft disabled the application. Then press Start."
    )


class ServicePrincipalMissing(SignInRefused):
    kind = "service_principal_missing"
    text = "The application exists, but it was never added to this tenant."
    remedy = (
        "An administrator of the tenant adds it: by granting consent, or with New-MgServicePrincipal and the application "
        "(client) ID. Or correct the tenant ID. Then press Start."
    )


class ResourceUnknown(SignInRefused):
    kind = "resource_unknown"
    text = "The tenant does not know the service that a token is asked for: Exchange Online, or Microsoft Graph."
    remedy = (
        "Check the tenant ID, the endpoint and the sign-in service: those of a national cloud belong together. The tenant "
        "needs a licence of Exchange Online, and the service must not be disabled there. Then press Start."
    )


class ConsentMissing(SignInRefused):
    kind = "consent_missing"
    text = "Nobody has consented to the permissions of this application."
    remedy = "An administrator of the tenant grants them in the Entra app. Then press Start."


class SignInNotOffered(SignInRefused):
    """A 401 that does not offer the way in which the connection signs in: the password was not looked at."""

    kind = "sign_in_not_offered"
    text = "Exchange does not offer the way of signing in that is chosen for this integration."
    remedy = (
        "Press Edit and choose one that it offers. Or an Exchange admin enables this one for EWS "
        "(Set-WebServicesVirtualDirectory, and OAuth with New-AuthServer). Then press Start."
    )


class OnlyKerberosOffered(SignInNotOffered):
    kind = "only_kerberos_offered"
    text = "Exchange offers Kerberos only, by which this product does not sign in."
    remedy = (
        "An Exchange admin enables NTLM for EWS: the provider NTLM of Windows authentication on the EWS virtual directory, and "
        "no policy that forbids NTLM to this account. Or Basic: Set-WebServicesVirtualDirectory -BasicAuthentication $true. "
        "Then press Start."
    )


class CertificateUntrusted(Refused):
    kind = "certificate_untrusted"
    evidence = Evidence.TRANSPORT
    text = "The certificate of the server is not trusted, or is for another name."
    remedy = "Add the authority that signed it to the CA bundle, or correct the endpoint."


class TlsFailed(Refused):
    kind = "tls_failed"
    evidence = Evidence.TRANSPORT
    text = "No secure connection could be agreed upon."
    remedy = "Check the minimum TLS version and the cipher list against what the server offers."


class EndpointWrong(Refused):
    kind = "endpoint_wrong"
    evidence = Evidence.RESPONSE
    text = "There is no Exchange Web Services at this endpoint."
    remedy = "Correct the endpoint: it usually ends in /EWS/Exchange.asmx."


class GraphEndpointWrong(EndpointWrong):
    kind = "graph_endpoint_wrong"
    text = "There is no Microsoft Graph at this endpoint."
    remedy = "Correct the endpoint: it is https://graph.microsoft.com, or that of your national cloud."


class SettingsWrong(Refused):
    kind = "settings_wrong"
    evidence = Evidence.SETTINGS
    text = "A setting of this connection cannot be used."
    remedy = "Correct it and press Start."


class EwsDisabled(Refused):
    kind = "unknown_forbidden_error"
    evidence = Evidence.RESPONSE
    text = "Exchange forbids access by EWS."
    remedy = (
        "EWS may be switched off for the organisation, for its mailboxes, or for this user agent: an Exchange admin looks with "
        "Get-OrganizationConfig and Get-CASMailbox. Then press Start."
    )


class EwsBlockedOnline(EwsDisabled):
    kind = "ews_blocked_online"
    text = (
        "Exchange Online does not let this application use EWS: it is switched off, or not on the tenant's allow list."
    )
    remedy = (
        "Press Switch to Graph. Or, until 31 March 2027, an Exchange admin runs Set-OrganizationConfig -EwsEnabled $true "
        '-EwsAllowedAppIDs "<the ids that are listed already>,<the application id of this integration>": it replaces the whole '
        "list, and takes up to a day. Then press Start."
    )


class RequestInvalid(Refused):
    kind = "exchange_request_invalid"
    evidence = Evidence.RESPONSE
    text = "Exchange, or a gateway before it, called the requests for this mailbox invalid several times in a row."
    remedy = (
        "Look with the code at the log of the gateway (proxy, load balancer, web application firewall) and of Exchange. If "
        "other mailboxes work, look on which server this one lies. If nothing is found there, please report it."
    )


class VersionRefused(Refused):
    kind = "exchange_version_refused"
    evidence = Evidence.RESPONSE
    text = "Exchange accepts no version of EWS for this mailbox that this product speaks."
    remedy = (
        "An Exchange admin looks on which server the mailbox lies: this product speaks the versions of Exchange 2007 to 2019 "
        "and of Exchange Online. If every mailbox is refused, correct or clear the build version of the integration."
    )


class MailboxOnAnotherServer(Refused):
    kind = "mailbox_on_another_server"
    evidence = Evidence.MAILBOX
    text = "The mailbox lies on a server to which this endpoint passes no requests on."
    remedy = (
        "Put the mailbox into an integration with the endpoint of its own site or version. Or an Exchange admin enables the "
        "servers to pass requests on to each other."
    )


class CallerUnknown(Refused):
    kind = "exchange_account_unknown"
    evidence = Evidence.RESPONSE
    text = "The account signed in, but Exchange does not find it in its directory, or may not use it there."
    remedy = (
        "Sign in with an account of the forest that Exchange is in. For an application: an Exchange admin makes it known with "
        "New-ServicePrincipal. Then press Start."
    )


class ImpersonationRequired(Refused):
    kind = "impersonation_required"
    evidence = Evidence.RESPONSE
    text = "Exchange lets an application open mailboxes by impersonation only."
    remedy = "Press Edit and choose access by impersonation, or sign in as a service user. Then press Start."


class PermissionMissing(Refused):
    kind = "graph_permission_missing"
    evidence = Evidence.RESPONSE
    text = "The application may not read mail by Microsoft Graph."
    remedy = (
        "Give it the role Application Mail.Read in RBAC for Applications, for the mailboxes of this integration, or let an "
        "administrator consent to the permission Mail.Read. It can take two hours to work."
    )


class ImpersonationDenied(Refused):
    kind = "app_access_insufficient_scopes"
    evidence = Evidence.MAILBOX
    text = "The account may not impersonate this mailbox."
    remedy = "Grant it the ApplicationImpersonation role for this mailbox, or choose delegate access."


class AccessDenied(Refused):
    kind = "mailbox_access_denied"
    evidence = Evidence.MAILBOX
    text = "The account may not read this mailbox."
    remedy = "Grant it read access to the mailbox."


class MailboxOutOfScope(AccessDenied):
    kind = "mailbox_out_of_scope"
    text = "The application may not read this mailbox by Microsoft Graph."
    remedy = (
        "Add the mailbox to the scope of the application's role in RBAC for Applications; a service user needs full access "
        "to it. If every mailbox is refused, the permission Mail.Read is missing. It can take two hours to work."
    )


class FolderRefused(Refused):
    """One folder cannot be read while its mailbox can be opened. It stops that folder alone: see
    `sync.engine.folder_refusals`."""

    kind = "folder_access_denied"
    evidence = Evidence.FOLDER_REFUSED
    text = "The account may not read this folder."
    remedy = "Grant it read access to the folder, or deny the folder in the filter of the mailbox. It is tried again by itself."

    whole_mailbox: type[Refused] = AccessDenied
    """What it means where every folder of the mailbox is refused so."""

    def __init__(
        self, detail: str = "", *, retry_after: timedelta | None = None, of_mailbox: Refused | None = None
    ) -> None:
        super().__init__(detail, retry_after=retry_after)
        self.of_mailbox = of_mailbox or self.whole_mailbox(detail)
        """What the same answer says of the mailbox, where every folder gets it."""


class MailboxNotInCloud(Refused):
    kind = "mailbox_not_in_cloud"
    evidence = Evidence.MAILBOX
    text = "Microsoft Graph cannot open this mailbox: it is inactive, deleted, without a licence, or on premises."
    remedy = "Give it a licence again. If it lies on a server of yours, put it into an integration over EWS."


class MailboxNotFound(Refused):
    kind = "mailbox_not_found"
    evidence = Evidence.MAILBOX
    text = "Exchange knows no mailbox with this address."
    remedy = "Correct the address: it must be the primary SMTP address of a mailbox on this server."


class NotPrimaryAddress(Refused):
    kind = "mailbox_primary_address_not_found"
    evidence = Evidence.MAILBOX
    text = "Exchange knows the address only as an alias."
    remedy = "Enter the primary SMTP address of the mailbox."


class LicenceMissing(Refused):
    kind = "mailbox_invalid_license"
    evidence = Evidence.MAILBOX
    text = "The mailbox has no licence for Exchange Online."
    remedy = "Give it a licence again. It can take a day to work."


class InboxHidden(Refused):
    """Exchange says "not found" of what every mailbox has: by its documentation that also means that a right is missing."""

    kind = "mailbox_inbox_not_found"
    evidence = Evidence.MAILBOX
    text = "Exchange does not show this account the Inbox, or the top folder, of the mailbox."
    remedy = (
        "Grant the account read access to the whole mailbox, and not to single folders. If it has that, an Exchange admin "
        "looks whether the mailbox can be opened."
    )


class FolderNotFound(FolderRefused):
    """A folder that is in the tree, and that the server says is not there each time that it is read: `FolderGone` of a folder
    that stayed. By the documentation of Microsoft that is also how it refuses what an account has no right to read."""

    kind = "folder_not_found"
    whole_mailbox = InboxHidden
    text = (
        "Exchange shows this folder in the tree, and says that it is not there when it is read: the account has no right to "
        "read it, or the folder is damaged."
    )
    remedy = (
        "Grant the account read access to the folder, or deny the folder in the filter of the mailbox. If the account has "
        "that right, an Exchange admin repairs the folder. It is tried again by itself."
    )


class ReinferEndpointWrong(SettingsWrong):
    kind = "reinfer_endpoint_wrong"
    evidence = Evidence.DESTINATION
    text = "This API endpoint of Re:infer cannot be used."
    remedy = "Correct it: it looks like https://cloud.uipath.com/organisation/tenant/reinfer_ with your own names."


class ReinferCertificateUntrusted(Refused):
    kind = "reinfer_certificate_untrusted"
    evidence = Evidence.DESTINATION
    text = "The certificate of Re:infer is not trusted, or is for another name."
    remedy = "Correct the API endpoint, or name the authority that signed it in the file that SSL_CERT_FILE points to."


class ReinferTokenRefused(Refused):
    kind = "reinfer_token_refused"
    evidence = Evidence.DESTINATION
    text = "Re:infer refused the API token."
    remedy = (
        "Create a new token on its Manage Account page and enter it at the destination. What stopped is started there."
    )


class ReinferForbidden(Refused):
    kind = "reinfer_forbidden"
    evidence = Evidence.BUCKET
    text = "The API token may not write to this bucket."
    remedy = "Give its user the permission to edit messages in the project of this bucket."


class BucketNotFound(Refused):
    kind = "bucket_not_found"
    evidence = Evidence.BUCKET
    text = "Re:infer has no bucket of this project and name."
    remedy = "Create it with the button beside it, or correct its name."


class BucketNameWrong(SettingsWrong):
    kind = "bucket_name_wrong"
    evidence = Evidence.BUCKET
    text = "No bucket can have this project and name."
    remedy = "Correct them."


class ProjectNotFound(Refused):
    kind = "project_not_found"
    evidence = Evidence.BUCKET
    text = "Re:infer has no project of this name."
    remedy = "Create the project in Re:infer, or correct its name."


class QuotaReached(Refused):
    kind = "comment_quota_hit"
    evidence = Evidence.BUCKET
    text = "The quota of the Re:infer tenant is reached."
    remedy = "Raise it there. Then start the mailboxes that it stopped on the page of the destination."


class BudgetReached(QuotaReached):
    kind = "syncemail_consumption_limit_exceeded"
    text = "The monthly limit of AI units that you set for this bucket is reached."
    remedy = "Its mailboxes go on by themselves when the month ends, or as soon as you raise the limit."


class TooManyRefused(Refused):
    """Our own breaker: see `sync.engine.circuit_breaker`."""

    kind = "too_many_refused"
    evidence = Evidence.BUCKET
    text = "Too many emails of this bucket were refused lately: it stopped to protect your mail."
    remedy = (
        "Nothing is lost, and nothing more is set aside. If this product was just upgraded, go back to the version before "
        "and tell its makers. If these emails are at fault themselves, press Resume: then they are set aside for a day."
    )


class ReinferRefused(Refused):
    kind = "reinfer_refused"
    evidence = Evidence.DESTINATION
    text = "Re:infer refused a request that this product thought right."
    remedy = "Look whether a newer version of this product is out."


# ---- state that only needs to be read anew ------------------------------------------------------------------------


class CursorRefused(IntegrationError):
    kind = "cursor_refused"
    evidence = Evidence.FOLDER
    text = "Exchange no longer knows where we were in this folder."
    remedy = "The folder is listed again by itself; that costs nothing."


class FolderGone(IntegrationError):
    kind = "folder_gone"
    evidence = Evidence.FOLDER
    text = "The folder was deleted."
    remedy = "Nothing needs to be done."


# ---- ours ---------------------------------------------------------------------------------------------------------


class Contended(Transient):
    kind = "contended"
    ours = True
    text = "Other syncs kept changing the same comments."
    remedy = "It is tried again by itself."


class SignInPaused(Transient):
    """Nothing was sent: see `sync.jobs.sign_in_budget`."""

    kind = "sign_in_paused"
    ours = True
    text = (
        "This password or secret was refused lately, and is not sent again yet, so that the account is not locked out."
    )
    remedy = "Enter another one, or wait until then."


class ProcessFault(IntegrationError):
    """A fault of this process, its settings or its machine. Another worker may well do what this one cannot, so nothing
    is written down against the connection, the mailbox or the bucket that was in hand."""

    evidence = Evidence.PROCESS


class SecretUnreadable(ProcessFault):
    kind = "secret_unreadable"
    ours = True
    text = "A stored secret cannot be decrypted with the keys of this installation."
    remedy = "Add the key that sealed it to ENCRYPTION_KEYS, or enter the secret again."


class OutOfResources(ProcessFault):
    ours = True
    kind = "worker_out_of_resources"
    text = "A worker has no file descriptors or no disk space left."
    remedy = "Raise the limits of the worker, or free space on its disk. Other workers go on."


class OutOfMemory(ProcessFault):
    ours = True
    kind = "worker_out_of_memory"
    may_be_item = True
    text = "A worker has no memory left."
    remedy = "Raise its memory limit, or lower WORKER_CONCURRENCY or FETCH_BYTES. Other workers go on."


class InstallationIncomplete(ProcessFault):
    ours = True
    kind = "worker_incomplete"
    text = "A worker lacks a library or a file that it needs."
    remedy = "Install this worker again, or mount the file that is missing. Other workers go on."


class SecretElsewhere(Refused):
    """A stored secret was about to be sent to another place than the one that it was entered for."""

    kind = "secret_elsewhere"
    evidence = Evidence.SETTINGS
    text = "The stored secret was entered for another server, or another way to it, and is not sent."
    remedy = "Press Edit, enter the secret again and save. Then press Start."


class TokenElsewhere(SecretElsewhere):
    """The same of the API token of Re:infer."""

    kind = "reinfer_token_elsewhere"
    evidence = Evidence.DESTINATION
    text = "The stored API token was entered for another API endpoint, and is not sent."
    remedy = "Open the destination, press Edit, enter the token again and save."


# ---- by kind ------------------------------------------------------------------------------------------------------


def all_errors() -> Iterator[type[IntegrationError]]:
    """Each class of this module with a kind of its own, the tree's root first."""
    found = [one for one in tuple(globals().values()) if isinstance(one, type) and issubclass(one, IntegrationError)]
    yield from {error.kind: error for error in reversed(found)}.values()


def error_of(kind: str) -> type[IntegrationError] | None:
    """The class of this kind; None where there is none."""
    return next((error for error in all_errors() if error.kind == kind), None)


def sentence(kind: str, detail: str) -> str:
    """What an error says, made from what is stored of it: kind, and what the other side said. Without a known kind: that."""
    error = error_of(kind)
    return str(error(detail)) if error else detail
