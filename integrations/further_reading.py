"""Pages of the documentation of Exchange, Entra, Graph and Re:infer, by the errors that they explain to admins."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Page:
    """A page of documentation.

    Attributes:
        title: The title of the page.
        url: The address of the page.
    """

    title: str
    url: str


_EWS = "https://learn.microsoft.com/en-us/exchange/client-developer/exchange-web-services/"
_REINFER = "https://docs.uipath.com/communications-mining/automation-cloud/latest/developer-guide/"

RESPONSE_CODES = Page(
    "ResponseCode", "https://learn.microsoft.com/en-us/exchange/client-developer/web-service-reference/responsecode"
)
THROTTLING = Page("EWS throttling in Exchange", f"{_EWS}ews-throttling-in-exchange")
EWS_ACCESS = Page("Control access to EWS in Exchange", f"{_EWS}how-to-control-access-to-ews-in-exchange")
EWS_OAUTH = Page(
    "Authenticate an EWS application by using OAuth", f"{_EWS}how-to-authenticate-an-ews-application-by-using-oauth"
)
IMPERSONATION = Page("Configure impersonation", f"{_EWS}how-to-configure-impersonation")
DELEGATES = Page("Delegate access and EWS in Exchange", f"{_EWS}delegate-access-and-ews-in-exchange")
AUTHENTICATION = Page("Authentication and EWS in Exchange", f"{_EWS}authentication-and-ews-in-exchange")
SYNCHRONIZING = Page(
    "Handling synchronization-related errors in EWS in Exchange",
    f"{_EWS}handling-synchronization-related-errors-in-ews-in-exchange",
)
SCOPES = Page(
    "Role Based Access Control for Applications in Exchange Online",
    "https://learn.microsoft.com/en-us/exchange/permissions-exo/application-rbac",
)
ENTRA_CODES = Page(
    "Microsoft Entra authentication and authorization error codes",
    "https://learn.microsoft.com/en-us/entra/identity-platform/reference-error-codes",
)
GRAPH_THROTTLING = Page("Microsoft Graph throttling guidance", "https://learn.microsoft.com/en-us/graph/throttling")
REINFER_API = Page("Using the API", f"{_REINFER}using-the-api")
REINFER_EXCHANGE = Page("Exchange integration overview", f"{_REINFER}overview-exchange-integration")

_PAGES: dict[Page, tuple[str, ...]] = {
    THROTTLING: ("exchange_busy", "exchange_timed_out", "exchange_failed"),
    GRAPH_THROTTLING: ("exchange_busy",),
    AUTHENTICATION: (
        *("invalid_exchange_credentials", "endpoint_wrong", "settings_wrong", "exchange_unreachable"),
        *("sign_in_not_offered", "only_kerberos_offered"),
    ),
    RESPONSE_CODES: (
        *(
            "exchange_request_rejected",
            "exchange_request_invalid",
            "exchange_version_refused",
            "mailbox_on_another_server",
        ),
        *(
            "exchange_account_unknown",
            "mailbox_inbox_not_found",
            "folder_not_found",
            "mailbox_primary_address_not_found",
            "exchange_failed",
        ),
    ),
    ENTRA_CODES: (
        *("token_endpoint_failed", "client_secret_wrong", "client_secret_expired", "client_certificate_refused"),
        *("application_unknown", "tenant_unknown", "account_locked", "second_factor_needed", "consent_missing"),
        *("conditional_access_blocked", "tenant_restricted", "user_unknown", "application_not_assigned"),
        *("public_client_flow_off", "application_is_public", "application_disabled", "service_principal_missing"),
        "resource_unknown",
    ),
    EWS_OAUTH: ("consent_missing", "app_access_insufficient_scopes"),
    EWS_ACCESS: ("unknown_forbidden_error", "ews_blocked_online"),
    IMPERSONATION: ("app_access_insufficient_scopes", "impersonation_required"),
    DELEGATES: ("mailbox_access_denied", "mailbox_inbox_not_found", "folder_access_denied", "folder_not_found"),
    SCOPES: ("graph_permission_missing", "mailbox_out_of_scope"),
    SYNCHRONIZING: ("cursor_refused", "folder_gone"),
    REINFER_API: (
        *(
            "reinfer_unreachable",
            "reinfer_busy",
            "reinfer_endpoint_wrong",
            "reinfer_token_refused",
            "reinfer_forbidden",
        ),
        *("reinfer_refused", "reinfer_failed", "reinfer_timed_out", "reinfer_unintelligible", "reinfer_not_stored"),
    ),
    REINFER_EXCHANGE: (
        *("bucket_not_found", "bucket_name_wrong", "project_not_found", "comment_quota_hit", "too_many_refused"),
        *("mailbox_not_found", "mailbox_removed", "mailbox_primary_address_not_found", "mailbox_invalid_license"),
        "syncemail_consumption_limit_exceeded",
    ),
}


def pages_about(kind: str) -> tuple[Page, ...]:
    """Return the pages about an error.

    Args:
        kind: The stable name of the error.

    Returns:
        The pages; empty if no page explains this error.
    """
    return tuple(page for page, kinds in _PAGES.items() if kind in kinds)


def explained() -> frozenset[str]:
    """Return every kind that has a page."""
    return frozenset(kind for kinds in _PAGES.values() for kind in kinds)
