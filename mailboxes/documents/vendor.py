"""An integration in the shape of the vendor's own API: what its command-line client and its cloud product read and write.

What the vendor has no word for stands under `configuration.settings`, and in a mailbox as `meeting_messages` and
`delivery_reports`. Secrets are read and never written. Pure.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from datetime import datetime
from typing import Any

from mailboxes.documents.keys import Keys
from mailboxes.documents.wish import DocumentWrong, IntegrationWish, MailboxWish

EXCHANGE_ONLINE = "https://outlook.office365.com/EWS/Exchange.asmx"
TYPE = "exchange_online"
USUAL: dict[str, Any] = {
    "access": "impersonation",
    "authority": "https://login.microsoftonline.com",
    "tls_minimum": "",
    "tls_ciphers": "",
    "ca_bundle": "",
    "proxy": "",
    "user_agent": "",
    "poll_interval": None,
    "most_at_once": 4,
}
"""Fields of our model that the vendor's shape has no place for, and what they are unless `settings` says otherwise."""
NUMBERS = ("poll_interval", "most_at_once")
OF_THE_SERVER = ("id", "type", "integration_type", "disabled_reason", "created_at")
NO_GRAPH = "configuration.connection.microsoft_api: this version reads Exchange over EWS only."
NO_CERTIFICATE = (
    "configuration.connection.application: signing in with a certificate is not possible yet. Use a client secret."
)


def read_vendor(document: Mapping[str, Any], project: str = "", name: str = "") -> IntegrationWish:
    """What this document asks for. `project` and `name` are used where it does not say its own. Raises DocumentWrong."""
    warnings: list[str] = []
    whole = Keys(document, "", warnings)
    if isinstance(document.get("integration"), Mapping):
        inner = whole.inner("integration")
        whole.end()
        whole = inner
    whole.passed_over(*OF_THE_SERVER)
    owner, own_name = _names(whole, project, name)
    title, enabled, seen = whole.text("title"), whole.flag("enabled", None), whole.moment("updated_at")
    if title == f"{owner}/{own_name}":
        title = ""  # written for want of one
    configuration = whole.inner("configuration")
    settings, secrets = _connection(configuration, warnings)
    mailboxes = _mailboxes(configuration, warnings)
    configuration.end()
    whole.end()
    return IntegrationWish(
        owner, own_name, {"title": title, **settings}, secrets, enabled, mailboxes, seen, tuple(warnings)
    )


def _names(whole: Keys, project: str, name: str) -> tuple[str, str]:
    """The vendor writes `owner` and `name`, and at times the owner once more in front of the name."""
    owner = whole.text("owner") or whole.text("project_name")
    first, slash, rest = whole.text("name").partition("/")
    own_name, owner = (rest, owner or first) if slash else (first, owner)
    return owner or project, own_name or name


def _connection(configuration: Keys, warnings: list[str]) -> tuple[dict[str, Any], dict[str, str]]:
    extra = _settings(configuration)
    if not configuration.has("connection"):
        configuration.passed_over("connection")
        return extra, {}
    connection = configuration.inner("connection")
    if connection.has("microsoft_api"):
        api = connection.inner("microsoft_api")
        if api.text("kind") != "ews":
            raise DocumentWrong(NO_GRAPH)
        api.end()
    application, access = connection.inner("application"), connection.inner("access")
    values, secrets = _application(application, access, warnings)
    values["endpoint"] = connection.text("ews_endpoint")
    values["build_version"] = connection.text("build_version")
    if not values["endpoint"]:
        if values["auth"] != "oauth2":
            raise DocumentWrong("configuration.connection.ews_endpoint is missing.")
        values["endpoint"] = EXCHANGE_ONLINE
    for keys in (application, access, connection):
        keys.end()
    return values | extra, secrets


def _settings(configuration: Keys) -> dict[str, Any]:
    if not configuration.has("settings"):
        configuration.passed_over("settings")
        return {}
    keys = configuration.inner("settings")
    found = {
        name: (keys.number(name) if name in NUMBERS else keys.text(name)) if keys.has(name) else usual
        for name, usual in USUAL.items()
    }
    if keys.has("auth"):
        found["auth"] = keys.text("auth")
    keys.passed_over("auth", *USUAL)
    keys.end()
    return found


def _application(application: Keys, access: Keys, warnings: list[str]) -> tuple[dict[str, Any], dict[str, str]]:
    kind, access_kind = application.needed("kind"), access.needed("kind")
    if access_kind not in {"user_access", "app_access"}:
        raise DocumentWrong(f"{access.at('kind')} must be user_access or app_access.")
    username, password = access.text("username"), access.text("password")
    if kind == "ntlm":
        return {"auth": "ntlm", "username": username}, _present(password=password)
    if kind == "private_key":
        raise DocumentWrong(NO_CERTIFICATE)
    if kind != "custom":
        raise DocumentWrong(f"{application.at('kind')} must be custom or ntlm.")
    if access_kind == "user_access":
        warnings.append(
            "The document signs in as a user of an application. Here the application signs in by itself: it needs a client "
            "secret and the application permission full_access_as_app."
        )
    values = {
        "auth": "oauth2",
        "username": username,
        "tenant_id": application.needed("tenant_id"),
        "client_id": application.needed("client_id"),
    }
    return values, _present(password=password, client_secret=application.text("client_secret"))


def _present(**secrets: str) -> dict[str, str]:
    return {name: value for name, value in secrets.items() if value}


def _mailboxes(configuration: Keys, warnings: list[str]) -> tuple[MailboxWish, ...]:
    listed = configuration.taken("mailboxes")
    if listed is None:
        return ()
    if not isinstance(listed, list):
        raise DocumentWrong("configuration.mailboxes must be a list.")
    return tuple(
        read_mailbox(Keys(entry, f"configuration.mailboxes[{number}]", warnings)) for number, entry in enumerate(listed)
    )


def read_mailbox(keys: Keys) -> MailboxWish:
    """One mailbox of the document. Raises DocumentWrong."""
    bucket = keys.inner("bucket_specification")
    wish = MailboxWish(
        address=keys.needed("email").strip(),
        project=bucket.needed("project_name"),
        bucket=bucket.needed("name"),
        destination=bucket.text("destination"),
        enabled=keys.flag("enabled", True) is not False,
        start_at=keys.moment("start_timestamp"),
        folder_allow=keys.paths("folder_allowlist"),
        folder_deny=keys.paths("folder_denylist"),
        participant_allow=_lower(keys.texts("participant_allowlist")),
        participant_deny=_lower(keys.texts("participant_denylist")),
        domain_allow=_lower(keys.texts("participant_domain_allowlist")),
        domain_deny=_lower(keys.texts("participant_domain_denylist")),
        meetings=keys.flag("meeting_messages", False) is True,
        reports=keys.flag("delivery_reports", False) is True,
    )
    bucket.passed_over("title")
    keys.passed_over("disabled_reason")
    bucket.end()
    keys.end()
    return wish


def _lower(texts: tuple[str, ...]) -> tuple[str, ...]:
    return tuple(text.strip().casefold() for text in texts)


def write_vendor(wish: IntegrationWish, reason_of: Callable[[str], str] = lambda address: "") -> dict[str, Any]:
    """The document that `read_vendor` understands, without the secrets. `reason_of`: why a mailbox, by its address in lower
    case, is disabled."""
    return {
        "owner": wish.project,
        "name": wish.name,
        "title": wish.settings.get("title") or f"{wish.project}/{wish.name}",
        "type": TYPE,
        "enabled": bool(wish.enabled),
        **({"updated_at": _moment(wish.updated_at)} if wish.updated_at else {}),
        "configuration": {
            "connection": _write_connection(wish.settings),
            "settings": {
                **({"auth": "basic"} if wish.settings["auth"] == "basic" else {}),
                **{name: wish.settings[name] for name, usual in USUAL.items() if wish.settings[name] != usual},
            },
            "mailboxes": [write_mailbox(mailbox, reason_of(mailbox.address.casefold())) for mailbox in wish.mailboxes],
        },
    }


def _write_connection(settings: Mapping[str, Any]) -> dict[str, Any]:
    oauth = settings["auth"] == "oauth2"
    return {
        "application": {"kind": "custom", "tenant_id": settings["tenant_id"], "client_id": settings["client_id"]}
        if oauth
        else {"kind": "ntlm"},
        "access": {"kind": "app_access"} if oauth else {"kind": "user_access", "username": settings["username"]},
        "microsoft_api": {"kind": "ews"},
        "ews_endpoint": settings["endpoint"],
        "build_version": settings["build_version"] or None,
    }


def write_mailbox(mailbox: MailboxWish, reason: str) -> dict[str, Any]:
    """As `read_mailbox` understands it. `reason`: why it is disabled."""
    optional: dict[str, Any] = {
        "disabled_reason": reason,
        "folder_allowlist": [list(path) for path in mailbox.folder_allow],
        "folder_denylist": [list(path) for path in mailbox.folder_deny],
        "participant_allowlist": list(mailbox.participant_allow),
        "participant_denylist": list(mailbox.participant_deny),
        "participant_domain_allowlist": list(mailbox.domain_allow),
        "participant_domain_denylist": list(mailbox.domain_deny),
        "start_timestamp": _moment(mailbox.start_at) if mailbox.start_at else None,
        "meeting_messages": mailbox.meetings,
        "delivery_reports": mailbox.reports,
    }
    return {
        "email": mailbox.address,
        "enabled": mailbox.enabled,
        **{key: value for key, value in optional.items() if value},
        "bucket_specification": {
            "project_name": mailbox.project,
            "name": mailbox.bucket,
            "title": mailbox.bucket,
            **({"destination": mailbox.destination} if mailbox.destination else {}),
        },
    }


def _moment(when: datetime) -> str:
    return when.isoformat().replace("+00:00", "Z")
