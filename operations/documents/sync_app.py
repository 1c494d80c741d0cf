"""Read the configuration of Re:infer's self-hosted Sync App as an integration. No I/O."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any
from urllib.parse import urlsplit

from operations.documents.desired import DesiredIntegration, DesiredMailbox, DocumentWrong
from operations.documents.keys import Keys
from operations.documents.reinfer_format import in_pem, thumbprint, usual_endpoint

USUAL_PATH = "/EWS/Exchange.asmx"
KEY, THUMBPRINT = "auth_oauth_client_credential_private_key", "auth_oauth_client_credential_thumbprint"


def is_sync_app(document: Mapping[str, Any]) -> bool:
    """Return whether a document has the format of the Sync App.

    In that format, `mailboxes` is an object with addresses as keys, and `auth_type` is at the top level. One of these two
    properties is sufficient.

    Args:
        document: The parsed document.

    Returns:
        True for the format of the Sync App.
    """
    return isinstance(document.get("mailboxes"), Mapping) or "auth_type" in document


def read_sync_app(document: Mapping[str, Any], project: str, name: str) -> DesiredIntegration:
    """Read a document in the format of the Sync App.

    Args:
        document: The parsed document.
        project: The project of the integration, because this format does not contain it.
        name: The name of the integration, because this format does not contain it.

    Returns:
        The desired state.

    Raises:
        DocumentWrong: A value is missing, has another type, or is not allowed.
    """
    warnings: list[str] = []
    keys = Keys(document, "", warnings)
    api = keys.text("microsoft_api", "ews")
    if api not in {"ews", "graph"}:
        raise DocumentWrong("microsoft_api must be ews or graph.")
    settings, secrets = _sign_in(keys)
    settings |= {"microsoft_api": api, "endpoint": _endpoint(keys, settings, graph=api == "graph"), "title": ""}
    if api == "graph" and settings["auth"] in {"ntlm", "basic"}:
        raise DocumentWrong("auth_type must be oauth2 if microsoft_api is graph.")
    settings["access"] = keys.text("access_type", "impersonation")
    mailboxes = _mailboxes(keys.taken("mailboxes"), warnings)
    keys.end()
    return DesiredIntegration(project, name, settings, secrets, None, mailboxes, None, tuple(warnings))


def _sign_in(keys: Keys) -> tuple[dict[str, Any], dict[str, str]]:
    kind, user = keys.text("auth_type", "ntlm"), keys.text("auth_user")
    authority, client = keys.text("auth_oauth_authority"), keys.text("auth_oauth_client_id")
    secret, key, fingerprint = (
        keys.text("auth_oauth_client_secret"),
        in_pem(keys.text(KEY)),
        thumbprint(keys.text(THUMBPRINT)),
    )
    if kind == "oauth2":
        parts = urlsplit(authority)
        tenant = parts.path.strip("/")
        if not tenant or not client:
            raise DocumentWrong(
                "auth_oauth_authority (with the tenant at its end) and auth_oauth_client_id are needed."
            )
        values = {"auth": "oauth2", "username": user, "tenant_id": tenant, "client_id": client}
        values["authority"] = f"{parts.scheme}://{parts.netloc}"
        if key or fingerprint:
            values |= {"auth": "certificate", "client_thumbprint": fingerprint}
        return values, {name: value for name, value in (("client_secret", secret), ("client_key", key)) if value}
    if kind not in {"ntlm", "basic"}:
        raise DocumentWrong("auth_type must be ntlm, basic or oauth2.")
    return {"auth": kind, "username": user}, {}


def _endpoint(keys: Keys, settings: Mapping[str, Any], *, graph: bool) -> str:
    endpoint, host, port = keys.text("ews_endpoint"), keys.text("host").rstrip("/"), keys.number("port")
    if graph:
        return usual_endpoint(settings.get("authority", ""), graph=True)
    if endpoint:
        return endpoint
    if host:
        address = host if "://" in host else f"https://{host}"
        return f"{address}{f':{port}' if port not in (None, 443) else ''}{USUAL_PATH}"
    if settings["auth"] in {"oauth2", "certificate"}:
        return usual_endpoint(settings["authority"], graph=False)
    raise DocumentWrong("host or ews_endpoint is missing.")


def _mailboxes(listed: Any, warnings: list[str]) -> tuple[DesiredMailbox, ...]:
    if not isinstance(listed, Mapping):
        raise DocumentWrong("mailboxes must be an object with addresses as keys.")
    return tuple(_mailbox(str(address), value, warnings) for address, value in listed.items())


def _mailbox(address: str, value: Any, warnings: list[str]) -> DesiredMailbox:
    keys = Keys(value, f"mailboxes.{address[:80]}", warnings)
    bucket = keys.inner("bucket")
    if keys.text("start_from", "bucket") != "bucket":
        warnings.append(f"{keys.at('start_from')} is not supported and was ignored; start_timestamp is used.")
    desired = DesiredMailbox(
        address=address.strip(),
        project=bucket.needed("owner"),
        bucket=bucket.needed("name"),
        start_at=keys.moment("start_timestamp"),
    )
    bucket.end()
    keys.end()
    return desired
