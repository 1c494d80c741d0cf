"""Errors of a sign-in, by Exchange itself or by Microsoft Entra.

Each refusal is a `SignInRefused` with the evidence `PASSWORD`. The retry policy rarely retries errors with this
evidence, so that the account is not locked out.
"""

from __future__ import annotations

from integrations.errors.base import Evidence, Refused, Transient


class TokenEndpointFailed(Transient):
    """The sign-in service is unreachable, or answers with an error that does not refuse the sign-in."""

    kind = "token_endpoint_failed"
    evidence = Evidence.TRANSPORT
    text = "The sign-in service issued no token."
    remedy = "Check that this machine can reach its address. It is retried automatically."


class SignInRefused(Refused):
    """The user name or the password is wrong, or the refusal names no other cause."""

    kind = "invalid_exchange_credentials"
    evidence = Evidence.PASSWORD
    text = "Exchange or its sign-in service refused these credentials."
    remedy = "Update them and press Start."


class ClientSecretWrong(SignInRefused):
    """The application has no such client secret."""

    kind = "client_secret_wrong"
    text = "The sign-in service does not accept this client secret."
    remedy = "Enter the value of the secret, not its ID, or create a new one in the Entra app. Then press Start."


class ClientSecretExpired(SignInRefused):
    """The client secret is older than its lifetime."""

    kind = "client_secret_expired"
    text = "The client secret has expired."
    remedy = "Create a new one in the Entra app, enter it here and press Start."


class ClientCertificateRefused(SignInRefused):
    """The certificate, or the assertion that its key signed, is not accepted."""

    kind = "client_certificate_refused"
    text = "The sign-in service does not accept this certificate."
    remedy = (
        "Upload the certificate of this private key to the Entra app, and check whether the certificate has expired."
    )


class ApplicationUnknown(SignInRefused):
    """No application of the tenant has the client ID."""

    kind = "application_unknown"
    text = "The tenant has no application with this ID."
    remedy = "Correct the application (client) ID or the tenant ID."


class TenantUnknown(SignInRefused):
    """The tenant ID is unknown to this sign-in service."""

    kind = "tenant_unknown"
    text = "The sign-in service has no tenant with this ID."
    remedy = "Correct the tenant ID, or the sign-in service where your tenant is in a national cloud."


class AccountLocked(SignInRefused):
    """The service user cannot sign in although the password may be right."""

    kind = "account_locked"
    text = "The service user is locked or disabled, or its password has expired."
    remedy = "Unlock it or set a new password in Entra, enter it here and press Start."


class SecondFactorNeeded(SignInRefused):
    """A service user would need multi-factor authentication."""

    kind = "second_factor_needed"
    text = "The tenant does not let the service user sign in with only a password."
    remedy = "Sign in by certificate or client secret, or exempt this user from the rule of conditional access."


class ConditionalAccessBlocked(SignInRefused):
    """A policy of the tenant blocks the sign-in."""

    kind = "conditional_access_blocked"
    text = "A rule of conditional access blocks this sign-in, or the security defaults of the tenant do."
    remedy = (
        "Find the policy in the sign-in logs of Entra (those of service principals, for an application that signs in by "
        "itself). Exclude this application or user from it, or allow the address of this machine. Then press Start."
    )


class TenantRestricted(SignInRefused):
    """Tenant restrictions forbid the sign-in to this tenant."""

    kind = "tenant_restricted"
    text = "Tenant restrictions, set by a proxy or by cross-tenant access settings, forbid signing in to this tenant."
    remedy = (
        "Exempt the sign-in service from the tenant restrictions of the proxy for this machine, or add the tenant to the "
        "allowed tenants. Then press Start."
    )


class UserUnknown(SignInRefused):
    """The tenant has no user of this name, or only a guest."""

    kind = "user_unknown"
    text = "The tenant has no such user."
    remedy = "Correct the user name (it looks like user@company.com) or the tenant ID, and press Start."


class NotAssigned(SignInRefused):
    """The enterprise application is open only to assigned users and applications."""

    kind = "application_not_assigned"
    text = "The application requires an assignment, and this user, or this application, has none."
    remedy = (
        "In Entra, under Enterprise applications, assign the user to the application (Users and groups), or set Assignment "
        "required to No (Properties). Then press Start."
    )


class PublicClientOff(SignInRefused):
    """A service user signs in without a secret, and the application is no public client."""

    kind = "public_client_flow_off"
    text = "The application does not let a service user sign in without a secret of the application."
    remedy = (
        "In the Entra app, under Authentication, set Allow public client flows to Yes. Or enter a client secret or a "
        "certificate of the application. Then press Start."
    )


class ApplicationIsPublic(SignInRefused):
    """A secret or certificate was sent for an application that is a public client."""

    kind = "application_is_public"
    text = "The application is registered as a public client, which may not use a secret or certificate."
    remedy = "In the Entra app, under Authentication, set Allow public client flows to No. Then press Start."


class ApplicationDisabled(SignInRefused):
    """The enterprise application is disabled."""

    kind = "application_disabled"
    text = "The application is disabled in the tenant."
    remedy = (
        "In Entra, under Enterprise applications, set Enabled for users to sign in to Yes (Properties), and check whether "
        "Microsoft disabled the application. Then press Start."
    )


class ServicePrincipalMissing(SignInRefused):
    """The application has no service principal in the tenant."""

    kind = "service_principal_missing"
    text = "The application exists, but was not added to this tenant, or was removed from it."
    remedy = (
        "An administrator of the tenant adds it: by granting consent, or with New-MgServicePrincipal and the application "
        "(client) ID. Or correct the tenant ID. Then press Start."
    )


class ResourceUnknown(SignInRefused):
    """The tenant has no service principal of Exchange Online or Graph, or the scope is of another cloud."""

    kind = "resource_unknown"
    text = "The tenant does not have the service that a token is requested for: Exchange Online or Microsoft Graph."
    remedy = (
        "Check the tenant ID, the endpoint and the sign-in service: all three must be of the same national cloud. The tenant "
        "needs a licence of Exchange Online, and the service must not be disabled there. Then press Start."
    )


class ConsentMissing(SignInRefused):
    """No administrator consented to the permissions of the application."""

    kind = "consent_missing"
    text = "No administrator has consented to the permissions of this application."
    remedy = "An administrator of the tenant grants them in the Entra app. Then press Start."


class SignInNotOffered(SignInRefused):
    """A 401 response that does not offer the authentication scheme of the connection. No password was checked."""

    kind = "sign_in_not_offered"
    text = "Exchange does not offer the kind of sign-in that is chosen for this integration."
    remedy = (
        "Press Edit and choose a kind that Exchange offers. Or an Exchange admin enables this one for EWS "
        "(Set-WebServicesVirtualDirectory, and OAuth with New-AuthServer). Then press Start."
    )


class OnlyKerberosOffered(SignInNotOffered):
    """A 401 response that offers only Kerberos. For a connection over NTLM, Negotiate alone also counts as Kerberos."""

    kind = "only_kerberos_offered"
    text = "Exchange offers only Kerberos, which this product does not support."
    remedy = (
        "An Exchange admin enables NTLM for EWS: the provider NTLM of Windows authentication on the EWS virtual directory, and "
        "no policy that forbids NTLM to this account. Or Basic: Set-WebServicesVirtualDirectory -BasicAuthentication $true. "
        "Then press Start."
    )
