"""The discovery documents that a sign-in library requests before it requests a token."""

from __future__ import annotations

from urllib.parse import urlsplit

from simulators.graph.errors import as_json
from simulators.http import Response


def openid_configuration(base: str, tenant: str) -> Response:
    """The OpenID configuration of a tenant. `base`: scheme and host as in the request of the client."""
    authority = f"{base}/{tenant}"
    known = {
        "token_endpoint": f"{authority}/oauth2/v2.0/token",
        "token_endpoint_auth_methods_supported": ["client_secret_post", "private_key_jwt", "client_secret_basic"],
        "jwks_uri": f"{authority}/discovery/v2.0/keys",
        "response_modes_supported": ["query", "fragment", "form_post"],
        "subject_types_supported": ["pairwise"],
        "id_token_signing_alg_values_supported": ["RS256"],
        "response_types_supported": ["code", "id_token", "code id_token", "id_token token"],
        "scopes_supported": ["openid", "profile", "email", "offline_access"],
        "issuer": f"{authority}/v2.0",
        "authorization_endpoint": f"{authority}/oauth2/v2.0/authorize",
        "device_authorization_endpoint": f"{authority}/oauth2/v2.0/devicecode",
        "end_session_endpoint": f"{authority}/oauth2/v2.0/logout",
        "tenant_region_scope": "EU",
        "cloud_instance_name": "microsoftonline.com",
        "msgraph_host": urlsplit(base).netloc,
    }
    return as_json(known, label="openid-configuration")


def instances(base: str) -> Response:
    """Instance discovery: the cloud contains only this host."""
    host = urlsplit(base).netloc
    known = {
        "tenant_discovery_endpoint": f"{base}/common/v2.0/.well-known/openid-configuration",
        "api-version": "1.1",
        "metadata": [{"preferred_network": host, "preferred_cache": host, "aliases": [host]}],
    }
    return as_json(known, label="instance-discovery")


def realm(username: str) -> Response:
    """User realm discovery: the user signs in with this server, not with a federated service."""
    known = {
        "ver": "1.0",
        "account_type": "Managed",
        "domain_name": username.partition("@")[2],
        "cloud_instance_name": "microsoftonline.com",
        "cloud_audience_urn": "urn:federation:MicrosoftOnline",
    }
    return as_json(known, label="user-realm")
