"""Map the ResponseCodes of Exchange to errors of the product.

Source: https://learn.microsoft.com/en-us/exchange/client-developer/web-service-reference/responsecode and the schema of
EWS, which has more codes. A code that is not listed here counts as a transient failure of Exchange. A test
lists the codes of exchangelib that are omitted here on purpose, and fails if any other code of exchangelib is omitted.
`fetch` interprets the codes of a single email in a batch.
"""

from __future__ import annotations

from integrations import errors
from integrations.errors import IntegrationError

_CODES: dict[type[IntegrationError], tuple[str, ...]] = {
    errors.ExchangeBusy: (
        "ErrorServerBusy", "ErrorTooManyObjectsOpened", "ErrorExceededConnectionCount", "ErrorInsufficientResources",
        "ErrorNotEnoughMemory",
    ),
    errors.ExchangeTimedOut: ("ErrorTimeoutExpired",),
    errors.MailboxMoving: (
        "ErrorMailboxMoveInProgress", "ErrorMailboxStoreUnavailable", "ErrorMailboxFailover", "ErrorMailboxLogonFailed",
        "ErrorConnectionFailed", "ErrorConnectionFailedTransientError", "ErrorNoRespondingCASInDestinationSite",
    ),
    # Failures of the directory, of other servers, and of the server itself.
    errors.ExchangeFailed: (
        "ErrorInternalServerError", "ErrorInternalServerTransientError", "ErrorADUnavailable", "ErrorADOperation",
        "ErrorBatchProcessingStopped", "ErrorClientDisconnected", "ErrorDataSourceOperation",
        "ErrorImpersonationFailed", "ErrorInvalidClientSecurityContext", "ErrorInvalidNetworkServiceContext",
        "ErrorMailboxConfiguration",
        "ErrorNoApplicableProxyCASServersAvailable", "ErrorProxyCallFailed", "ErrorProxyRequestProcessingFailed",
        "ErrorProxyServiceDiscoveryFailed", "ErrorProxyTokenExpired", "ErrorRequestAborted",
        "ErrorServiceDiscoveryFailed",
        "ErrorWebRequestInInvalidState", "ErrorWin32InteropError",
    ),
    errors.RequestRejected: (
        "ErrorInvalidRequest", "ErrorSchemaValidation", "ErrorInvalidOperation", "ErrorInvalidArgument",
        "ErrorMissingArgument", "ErrorDuplicateSOAPHeader", "ErrorMoreThanOneAccessModeSpecified",
        "ErrorRequestStreamTooBig",
    ),
    errors.VersionRefused: (
        "ErrorInvalidServerVersion", "ErrorIncorrectSchemaVersion", "ErrorInvalidSchemaVersionForMailboxVersion",
    ),
    errors.MailboxOnAnotherServer: (
        "ErrorCrossSiteRequest", "ErrorMultiLegacyMailboxAccess", "ErrorNoDestinationCASDueToKerberosRequirements",
        "ErrorNoDestinationCASDueToSSLRequirements", "ErrorNoDestinationCASDueToVersionMismatch",
        "ErrorProxyGroupSidLimitExceeded", "ErrorProxyRequestNotAllowed", "ErrorWrongServerVersion",
        "ErrorWrongServerVersionDelegate",
    ),
    errors.MailboxNotFound: (
        "ErrorNonExistentMailbox", "ErrorMissingEmailAddress", "ErrorInvalidSmtpAddress", "ErrorMailRecipientNotFound",
        "ErrorRecipientNotFound", "ErrorCannotFindUser", "ErrorInvalidUserPrincipalName",
    ),
    errors.NotPrimaryAddress: ("ErrorNonPrimarySmtpAddress",),
    errors.LicenceMissing: ("ErrorInvalidLicense",),
    errors.AccessDenied: ("ErrorAccessDenied", "ErrorNotDelegate"),
    errors.ImpersonationDenied: (
        "ErrorImpersonateUserDenied", "ErrorImpersonationDenied", "ErrorInvalidExchangeImpersonationHeaderData",
    ),
    errors.ImpersonationRequired: ("ErrorImpersonationRequired",),
    errors.CallerUnknown: (
        "ErrorCallerIsInvalidADAccount", "ErrorInvalidAuthorizationContext", "ErrorInvalidSerializedAccessToken",
        "ErrorInvalidCrossForestCredentials",
    ),
    errors.SignInRefused: ("ErrorAccountDisabled", "ErrorPasswordExpired", "ErrorPasswordChangeRequired"),
    errors.CursorRefused: ("ErrorInvalidSyncStateData",),
    errors.FolderGone: ("ErrorFolderNotFound", "ErrorSyncFolderNotFound"),
}  # fmt: skip

BY_CODE: dict[str, type[IntegrationError]] = {code: kind for kind, codes in _CODES.items() for code in codes}


def kind_of(code: str) -> type[IntegrationError]:
    """Return the error class for a code.

    Args:
        code: ResponseCode of Exchange; blank if the response has none.

    Returns:
        A class of `integrations.errors`. `ExchangeFailed` for an unknown code.
    """
    if code.startswith("ErrorInvalidSchemaVersionForMailboxVersion"):
        return errors.VersionRefused
    return BY_CODE.get(code, errors.ExchangeFailed)
