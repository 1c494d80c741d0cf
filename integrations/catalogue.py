"""The error catalogue for pages, API and docs: for each kind what happened, the usual causes, and what to do.

The kinds are those of `integrations.errors`, those that only the vendor's product reports (for admins who know them
from that product), and the reasons for which an email becomes a dead letter.
"""

from __future__ import annotations

from dataclasses import dataclass

from integrations.dead_letter_reasons import DeadLetterKind, Stage
from integrations.errors import Evidence, Scope, all_errors
from integrations.further_reading import Page, pages_about


@dataclass(frozen=True, slots=True)
class CatalogueEntry:
    """The explanation of one kind of error.

    Attributes:
        kind: The stable name of the error.
        text: What happened.
        causes: The usual causes, one sentence each.
        remedy: What the admin should do.
        scope: The part that the error stops, as text for users.
        answer: What the server answered, as text for users; blank where there is no typical answer.
        evidence: The evidence from which the engine derives what is paused; None for a dead letter, and for an error
            that only the vendor's product reports.
    """

    kind: str
    text: str
    causes: tuple[str, ...]
    remedy: str
    scope: str
    answer: str = ""
    evidence: Evidence | None = None

    @property
    def further(self) -> tuple[Page, ...]:
        """Return pages of the vendor's documentation about this error."""
        return pages_about(self.kind)


SCOPES = {
    Scope.CONNECTION: "the whole integration",
    Scope.MAILBOX: "one mailbox",
    Scope.FOLDER: "one folder",
    Scope.DESTINATION: "everything that goes to this destination",
    Scope.BUCKET: "every mailbox of this bucket",
    Scope.PROCESS: "the worker with the error; other workers continue",
}
"""For each scope: what an error of the scope stops, as text for users."""
ANSWERS = {
    Evidence.TRANSPORT: "none: the connection or the sign-in service failed",
    Evidence.SETTINGS: "none: no request reached the server",
    Evidence.PASSWORD: "401, or a refusal of the sign-in service",
    Evidence.RESPONSE: "a refusal that is not about the password: 403, 404, or an unsupported version",
    Evidence.OVERLOAD: "the server is busy, is too slow, or has an internal error",
    Evidence.MAILBOX: "an error code about one mailbox",
    Evidence.FOLDER: "an error code about one folder",
    Evidence.DESTINATION: "an error of Re:infer about the API endpoint or the token",
    Evidence.BUCKET: "an error of Re:infer about the bucket",
    Evidence.FOLDER_REFUSED: "a refusal to read one folder",
    Evidence.PROCESS: "none: the worker itself failed",
    Evidence.OURS: "none: a fault of this product, or of a service that it needs",
}
"""For each class of evidence: what the server answered, as text for users."""
ONE_EMAIL = "one email; its mailbox continues"

CAUSES: dict[str, tuple[str, ...]] = {
    "exchange_busy": (
        "Exchange throttles the account, often at night during a backup.",
        "Too many mailboxes of a small server are read at the same time.",
    ),
    "exchange_unreachable": (
        "A firewall or proxy blocks the connection.",
        "The host name does not resolve on this machine.",
        "The server is down.",
    ),
    "exchange_timed_out": ("A very large email.", "An overloaded server.", "A load balancer with a short time-out."),
    "exchange_failed": ("An internal fault of Exchange, often about one item.", "A server in maintenance."),
    "token_endpoint_failed": (
        "This machine cannot reach the sign-in service, such as login.microsoftonline.com.",
        "An outage of the sign-in service.",
    ),
    "mailbox_moving": ("The mailbox is being migrated.", "The database of the mailbox is dismounted."),
    "database_failed": (
        "PostgreSQL restarts.",
        "Its disk is full.",
        "PostgreSQL accepts no more connections, or no writes.",
    ),
    "reinfer_unreachable": ("A firewall or proxy blocks the connection.", "A wrong API endpoint.", "An outage."),
    "reinfer_busy": ("The tenant sent too many requests in a short time.",),
    "reinfer_timed_out": ("A very large email.", "An overloaded tenant."),
    "reinfer_failed": ("An internal fault of Re:infer.", "A gateway in front of Re:infer is restarting."),
    "reinfer_not_stored": (
        "An internal fault of Re:infer: it answered with success and dropped what was sent.",
        "A gateway answers in place of Re:infer.",
    ),
    "reinfer_unintelligible": (
        "A proxy or a log-in page answers in place of Re:infer.",
        "The path is missing from the endpoint.",
    ),
    "invalid_exchange_credentials": (
        "The password expired or was changed.",
        "The account is locked or disabled.",
        "The client secret of the application expired.",
        "With NTLM: a proxy terminates TLS in front of a server with Extended Protection, or a policy forbids NTLM to this "
        "account.",
    ),
    "sign_in_not_offered": (
        "The kind of sign-in was never enabled for EWS on this server, or was disabled.",
        "A proxy in front of Exchange offers other kinds than Exchange itself.",
    ),
    "only_kerberos_offered": ("NTLM was disabled, on the server or in the whole domain.",),
    "client_secret_wrong": (
        "The ID of the secret was entered instead of its value.",
        "The secret was deleted in the Entra app.",
    ),
    "client_secret_expired": ("Secrets are valid for two years at most.",),
    "client_certificate_refused": (
        "The certificate was not uploaded to this application, or was removed.",
        "The certificate has expired.",
        "The clock of this machine is wrong by minutes.",
    ),
    "application_unknown": ("A typing error.", "The application was deleted, or belongs to another tenant."),
    "tenant_unknown": ("A typing error.", "The tenant is in a national cloud, which has another sign-in service."),
    "account_locked": (
        "Too many wrong passwords.",
        "An administrator disabled the user.",
        "Its password has expired.",
        "Entra blocks the IP address of this machine because of earlier sign-ins from it.",
    ),
    "second_factor_needed": ("Security defaults or a rule of conditional access.",),
    "conditional_access_blocked": (
        "A policy for workload identities, or for legacy sign-ins, without an exception for this application or user.",
        "This machine signs in from an address that the policy does not allow.",
    ),
    "tenant_restricted": (
        "A proxy that adds the header Restrict-Access-To-Tenants.",
        "Cross-tenant access settings of one of the tenants.",
    ),
    "user_unknown": ("A typing error.", "The user was deleted, or is a guest from another tenant."),
    "application_not_assigned": (
        "The application was set to require an assignment, and this user or application was not assigned.",
    ),
    "public_client_flow_off": ("A service user was entered without a secret or a certificate of the application.",),
    "application_is_public": ("Public client flows are allowed, and a secret or a certificate is sent as well.",),
    "application_disabled": (
        "An administrator disabled it.",
        "Microsoft disabled it for a violation of its terms.",
    ),
    "service_principal_missing": (
        "The application is registered in another tenant.",
        "Its enterprise application was deleted in this tenant.",
    ),
    "resource_unknown": (
        "The tenant has no licence of Exchange Online.",
        "The endpoint is in another national cloud.",
        "The tenant ID is that of another tenant.",
    ),
    "consent_missing": ("The permission was added, but not granted.", "The consent was revoked."),
    "certificate_untrusted": (
        "The certificate is signed by your own certificate authority.",
        "It expired.",
        "The certificate is for another host name than that of the endpoint.",
    ),
    "tls_failed": ("The server only offers old TLS versions.", "A cipher list without a common cipher."),
    "endpoint_wrong": ("The path is missing or misspelt.", "The address is that of Outlook on the web."),
    "graph_endpoint_wrong": (
        "The address contains a path.",
        "The tenant is in a national cloud.",
        "A gateway answers in place of Graph.",
    ),
    "sign_in_paused": (
        "The same password was tested repeatedly.",
        "Another integration uses the same account.",
    ),
    "settings_wrong": ("An invalid value was entered.",),
    "unknown_forbidden_error": (
        "EWS is disabled for the organisation, the mailbox or the user agent.",
        "A gateway in front of Exchange refuses this machine.",
    ),
    "ews_blocked_online": (
        "Microsoft disabled EWS for the tenant: since October 2026 tenant by tenant, from April 2027 on for all tenants.",
        "The application id is not on the tenant's allow list (Get-OrganizationConfig | Format-List Ews*).",
        "An application access policy, or a rule of conditional access, refuses the application.",
    ),
    "app_access_insufficient_scopes": (
        "The role ApplicationImpersonation is missing, or its scope does not contain this mailbox.",
        "The application lacks the permission full_access_as_app, or the consent to it.",
    ),
    "mailbox_access_denied": (
        "The account was given neither full access nor read rights.",
        "The right was granted minutes ago and is not in effect yet.",
    ),
    "folder_access_denied": (
        "The account has rights to some folders only, and sees the folders above them in the tree.",
        "The right to this folder was removed.",
        "The right was granted minutes ago and is not in effect yet.",
    ),
    "folder_not_found": (
        "The account has no right to read this folder, which it sees in the tree.",
        "The right was granted minutes ago and is not in effect yet.",
        "The folder is damaged: an Exchange admin repairs the mailbox (New-MailboxRepairRequest).",
    ),
    "graph_permission_missing": (
        "The permission was never granted, or was removed.",
        "It is a delegated permission, and the application signs in by itself.",
    ),
    "mailbox_out_of_scope": (
        "The mailbox is new and not in the scope yet.",
        "The scope was changed minutes ago, and the change is not in effect yet.",
    ),
    "mailbox_not_in_cloud": ("The licence was removed.", "The mailbox was not migrated yet, or moved back."),
    "exchange_request_rejected": (
        "A gateway in front of Exchange is restarting or under repair.",
        "A rule of a web application firewall.",
    ),
    "exchange_request_invalid": (
        "A rule of a web application firewall, often about the length or the encoding of a request.",
        "A load balancer that sends requests of one mailbox to another server.",
    ),
    "exchange_version_refused": (
        "The mailbox is on a server that is older than Exchange 2007.",
        "The build version of the integration is not that of the server.",
    ),
    "mailbox_on_another_server": (
        "The mailbox is in another site, or on another version of Exchange, and this server forwards no requests to it.",
        "The account is a member of thousands of groups.",
    ),
    "exchange_account_unknown": (
        "The account is of another forest, without a linked account in the forest of Exchange.",
        "The application was never registered in Exchange.",
    ),
    "impersonation_required": ("Delegate access is chosen, and the application signs in by itself.",),
    "mailbox_primary_address_not_found": ("The primary address was changed.", "An alias was entered."),
    "mailbox_invalid_license": ("The licence was removed.",),
    "mailbox_inbox_not_found": (
        "The account was given rights to some folders only.",
        "The right was granted minutes ago and is not in effect yet.",
        "The mailbox is damaged.",
    ),
    "mailbox_not_found": (
        "A typing error.",
        "An alias instead of the primary address.",
        "The mailbox was deleted or never licensed.",
    ),
    "reinfer_endpoint_wrong": ("The organisation or tenant name is missing from the address.",),
    "reinfer_certificate_untrusted": ("A proxy inspects TLS and signs with its own authority.",),
    "reinfer_token_refused": (
        "A new token was created for this user, which ends the old one.",
        "The user was removed.",
    ),
    "reinfer_forbidden": ("The user of the token lacks a permission in this project.",),
    "bucket_not_found": ("It was renamed or deleted in Re:infer.", "A typing error."),
    "bucket_name_wrong": ("A slash or a blank in a name.",),
    "project_not_found": ("It was renamed or deleted in Re:infer.", "A typing error."),
    "too_many_refused": (
        "A new version of this product creates comments that Re:infer does not accept, or fails to convert emails.",
        "Re:infer changed what it accepts.",
        "Many emails are faulty (10 in a row, or 15 of the last 100), for example after an import of damaged mail.",
    ),
    "comment_quota_hit": ("The tenant used up its comments or AI units.",),
    "syncemail_consumption_limit_exceeded": (
        "More mail than planned.",
        "A large mailbox was added without a start time.",
    ),
    "reinfer_refused": ("Re:infer changed its API.",),
    "cursor_refused": ("The mailbox was moved or restored.", "Years passed since the last sync."),
    "folder_gone": ("A user deleted it.",),
    "contended": ("The same emails arrived in several mailboxes at the same time.",),
    "secret_unreadable": (
        "One worker has other ENCRYPTION_KEYS in its environment than the web server.",
        "ENCRYPTION_KEYS was changed without rotate_keys.",
        "The database came from another installation.",
    ),
    "secret_elsewhere": (
        "The row was changed in the database without this product.",
        "The secret was entered while another kind of sign-in was chosen.",
    ),
    "reinfer_token_elsewhere": ("The row was changed in the database without this product.",),
    "worker_out_of_resources": (
        "The limit of open files (ulimit -n) is too low.",
        "The disk that holds the temporary files is full.",
    ),
    "worker_out_of_memory": (
        "The memory limit of the container is too low.",
        "One email is very large: it is identified and becomes a failed email.",
    ),
    "worker_incomplete": (
        "The file that SSL_CERT_FILE names is missing on this host.",
        "The image or the virtual environment of this worker lacks a package.",
    ),
    "internal_error": ("A fault of this product.", "An answer of Exchange or Re:infer in an unknown format."),
    "unknown": ("A fault of this product.",),
}
"""The usual causes of each kind, the likeliest first."""

_VENDOR_ENTRIES = (
    CatalogueEntry(
        "mailbox_removed",
        "The mailbox was removed.",
        ("Its user left, or the mailbox was merged.",),
        "Delete it here, or correct its address.",
        SCOPES[Scope.MAILBOX],
    ),
)

DEAD_LETTER_ENTRIES = (
    CatalogueEntry(
        DeadLetterKind.NESTED_TOO_DEEP,
        "The parts of the email are nested deeper than the limit.",
        (
            "A mail loop.",
            "An attack.",
        ),
        "Open it in Outlook, and dismiss it here.",
        ONE_EMAIL,
    ),
    CatalogueEntry(
        DeadLetterKind.NO_DATE,
        "The email has neither a date nor a time of arrival.",
        ("A damaged item, often from an import.",),
        "Open it in Outlook, and dismiss it here.",
        ONE_EMAIL,
    ),
    CatalogueEntry(
        DeadLetterKind.CONVERSION_DEADLINE,
        "Converting this email took longer than CONVERSION_DEADLINE.",
        ("An email that was crafted to take long.", "A fault of this product that a rare text triggers."),
        "It is retried after an update of this product, and when you press Try again, but not automatically. Please report it, "
        "and include the place in the code that is shown with it.",
        ONE_EMAIL,
    ),
    CatalogueEntry(
        DeadLetterKind.CONVERSION_FAILED,
        "Converting this email failed.",
        ("A fault of this product that a rare email triggers.", "An email that needs more memory than is available."),
        "It is retried automatically, at growing intervals, and after an update of this product. Please report it, "
        "and include the kind of error and the place in the code that are shown with it.",
        ONE_EMAIL,
    ),
    CatalogueEntry(
        DeadLetterKind.UNREADABLE,
        "Exchange cannot return this email.",
        (
            "A damaged item.",
            "An encoding that Exchange cannot render.",
        ),
        "Try again after a repair of the mailbox (New-MailboxRepairRequest), or dismiss it.",
        ONE_EMAIL,
    ),
    CatalogueEntry(
        DeadLetterKind.NOT_AN_EMAIL,
        "For this email, Exchange or a system in front of it returned content that is not an email.",
        (
            "A proxy, gateway or scanner that answers with its own page, or truncates answers.",
            "A damaged item.",
        ),
        "This happened three times, and no content was sent to Re:infer. It is retried automatically, at growing intervals. "
        "If it persists, open the email in Outlook, and ask the operator of the proxy what it answers.",
        ONE_EMAIL,
    ),
    CatalogueEntry(
        DeadLetterKind.NOT_CONVERTIBLE,
        "This email cannot be converted to a comment.",
        ("An email that no mail program would write.", "The email exceeds a limit of this product (settings LIMIT_…)."),
        "Open it in Outlook. Try again after an update of this product, or dismiss it.",
        ONE_EMAIL,
    ),
    CatalogueEntry(
        DeadLetterKind.REFUSED,
        "Re:infer refused this email, but not the others, or failed repeatedly because of it.",
        ("A value beyond a limit of Re:infer.",),
        "Try again after an update of this product, or dismiss it.",
        ONE_EMAIL,
    ),
    CatalogueEntry(
        DeadLetterKind.ENDED_WORKERS,
        "A worker process ended while it processed this email.",
        ("An email that needs more memory than the worker has.",),
        "Give workers more memory, then try again.",
        ONE_EMAIL,
    ),
)

"""The entries of dead letters."""

UNREADABLE_FILE = CatalogueEntry(
    DeadLetterKind.UNREADABLE_FILE,
    "The file cannot be read.",
    ("A missing permission.", "A damaged disk."),
    "Check the file and its permissions.",
    ONE_EMAIL,
)
"""This entry is used only for a file that a user previews."""

NO_EMAIL = CatalogueEntry(
    DeadLetterKind.NO_EMAIL,
    "The file does not begin with the headers of an email.",
    ("A file that is no email.",),
    "Save the email as an .eml file.",
    ONE_EMAIL,
)
"""This entry is used only for a file that a user previews, never for an email from Exchange."""

STAGES: dict[str, DeadLetterKind] = {
    Stage.FETCH: DeadLetterKind.UNREADABLE,
    Stage.TRANSFORM: DeadLetterKind.NOT_CONVERTIBLE,
    Stage.DEADLINE: DeadLetterKind.CONVERSION_DEADLINE,
    Stage.PUSH: DeadLetterKind.REFUSED,
    Stage.WORKER: DeadLetterKind.ENDED_WORKERS,
}
"""The kind for each stage, used for dead letters without a kind: the first versions of this product stored only a stage."""


def entries() -> list[CatalogueEntry]:
    """Return the entries of all errors of this product, and of errors that only the vendor's product reports, by kind."""
    own = [
        CatalogueEntry(
            error.kind,
            error.text,
            CAUSES[error.kind],
            error.remedy,
            SCOPES[error.scope],
            ANSWERS[error.evidence],
            error.evidence,
        )
        for error in all_errors()
    ]
    return sorted([*own, *_VENDOR_ENTRIES], key=lambda entry: entry.kind)


def dead_letter_entry(kind: str, stage: str = "") -> CatalogueEntry:
    """Return the entry of a dead letter: see `sync.models.DeadLetter`.

    Args:
        kind: The kind of the dead letter; may be blank or unknown.
        stage: The stage of the dead letter, which selects the entry when the kind has none.

    Returns:
        The entry; the entry of `ENDED_WORKERS` where neither the kind nor the stage is known.
    """
    by_kind: dict[str, CatalogueEntry] = {
        entry.kind: entry for entry in (*DEAD_LETTER_ENTRIES, NO_EMAIL, UNREADABLE_FILE)
    }
    return by_kind.get(kind) or by_kind[STAGES.get(stage, DeadLetterKind.ENDED_WORKERS)]


def entry_of(kind: str) -> CatalogueEntry | None:
    """Return the entry of an error.

    Args:
        kind: The stable name of the error.

    Returns:
        The entry; None where the kind is unknown.
    """
    return next((entry for entry in entries() if entry.kind == kind), None)
