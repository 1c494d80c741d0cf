"""Read and write an integration in the format of Re:infer's API.

The command-line client and the cloud product of Re:infer use this format.

Values without a key in that format are under `configuration.settings`; in a mailbox, they are under `meeting_messages`,
`delivery_reports` and `bucket_specification.destination`. Secrets are read, but never written. No I/O.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

from integrations.certificates import blocks
from integrations.clouds import CLOUDS, GLOBAL
from operations.documents.desired import DesiredIntegration, DesiredMailbox, DocumentWrong
from operations.documents.keys import Keys

TYPE = "exchange_online"
DEFAULTS: dict[str, Any] = {
    "access": "impersonation",
    "authority": "https://login.microsoftonline.com",
    "tls_minimum": "",
    "tls_ciphers": "",
    "ca_bundle": "",
    "client_certificate": "",
    "proxy": "",
    "user_agent": "",
    "poll_interval": None,
    "most_at_once": 4,
}
"""Default values of the model's fields that Re:infer's format has no key for. A document can set other values under
`configuration.settings`."""
NUMBERS = ("poll_interval", "most_at_once")
OF_THE_SERVER = ("id", "type", "integration_type", "disabled_reason", "created_at")
BY_ITSELF = (
    "In this document, a user signs in to the application. Here, the application signs in without a user: it needs an "
    "application permission and no password."
)


def read_vendor(document: Mapping[str, Any], project: str = "", name: str = "") -> DesiredIntegration:
    """Read a document in the format of Re:infer's API.

    Args:
        document: The parsed document.
        project: The project if the document does not contain one.
        name: The name if the document does not contain one.

    Returns:
        The desired state.

    Raises:
        DocumentWrong: A value is missing, has another type, or is not allowed.
    """
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
        title = ""  # The export writes this text if the integration has no title.
    configuration = whole.inner("configuration")
    connection = _connection(configuration, warnings)
    mailboxes = _mailboxes(configuration, warnings)
    configuration.end()
    whole.end()
    settings = {"title": title, **connection.settings}
    return DesiredIntegration(
        *(owner, own_name, settings, connection.secrets, enabled, mailboxes, seen, tuple(warnings), connection.defaults)
    )


def _names(whole: Keys, project: str, name: str) -> tuple[str, str]:
    """Return project and name.

    The project is in `owner` or `project_name`, or it is the first part of `name`, as in `project/name`.
    """
    owner = whole.text("owner") or whole.text("project_name")
    first, slash, rest = whole.text("name").partition("/")
    own_name, owner = (rest, owner or first) if slash else (first, owner)
    return owner or project, own_name or name


@dataclass(frozen=True, slots=True)
class DocumentConnection:
    """The connection part of a document.

    Attributes:
        settings: Settings by the name of the model's field.
        secrets: Secrets by the name of the model's field.
        defaults: Settings that a new integration gets if the document does not contain them.
    """

    settings: dict[str, Any]
    secrets: dict[str, str] = field(default_factory=dict)
    defaults: dict[str, Any] = field(default_factory=dict)


def _connection(configuration: Keys, warnings: list[str]) -> DocumentConnection:
    extra = _settings(configuration)
    if not configuration.has("connection"):
        configuration.passed_over("connection")
        return DocumentConnection(extra)
    connection = configuration.inner("connection")
    values: dict[str, Any] = {}
    if connection.has("microsoft_api"):
        api = connection.inner("microsoft_api")
        values["microsoft_api"] = api.text("kind")
        if values["microsoft_api"] not in {"ews", "graph"}:
            raise DocumentWrong(f"{api.at('kind')} must be ews or graph.")
        api.end()
    application, access = connection.inner("application"), connection.inner("access")
    signing, secrets = _application(application, access, warnings)
    values |= signing | {"build_version": connection.text("build_version")}
    defaults = {} if "auth" in values else {"auth": "oauth2"}
    ews_endpoint, graph_endpoint = connection.text("ews_endpoint"), extra.pop("graph_endpoint", "")
    if ews_endpoint:
        values.setdefault("microsoft_api", "ews")
    by_graph = values.get("microsoft_api") == "graph"
    endpoint = graph_endpoint if by_graph else ews_endpoint
    if not endpoint and not by_graph and values.get("auth") in {"ntlm", "basic"}:
        raise DocumentWrong("configuration.connection.ews_endpoint is missing.")
    # If the document contains neither an API nor an endpoint, the stored endpoint does not change.
    target = values if endpoint or "microsoft_api" in values else defaults
    target["endpoint"] = endpoint or usual_endpoint(extra.get("authority", ""), graph=by_graph)
    for keys in (application, access, connection):
        keys.end()
    return DocumentConnection(values | extra, secrets, defaults)


def usual_endpoint(authority: str, *, graph: bool) -> str:
    """Return the URL of EWS or Graph in the Microsoft cloud to which a sign-in service belongs.

    Args:
        authority: The URL of the sign-in service; an unknown URL counts as the URL of the global cloud.
        graph: True for the URL of Graph, False for the URL of EWS.

    Returns:
        The URL.
    """
    cloud = next((cloud for cloud in CLOUDS if cloud.authority == authority.rstrip("/")), GLOBAL)
    return cloud.graph if graph else cloud.ews


def _settings(configuration: Keys) -> dict[str, Any]:
    if not configuration.has("settings"):
        configuration.passed_over("settings")
        return {}
    keys = configuration.inner("settings")
    found = {
        name: (keys.number(name) if name in NUMBERS else keys.text(name)) if keys.has(name) else default
        for name, default in DEFAULTS.items()
    }
    found["client_certificate"] = in_pem(str(found["client_certificate"]))
    found |= {name: keys.text(name) for name in ("auth", "graph_endpoint") if keys.has(name)}
    keys.passed_over("auth", "graph_endpoint", *DEFAULTS)
    keys.end()
    return found


def _application(application: Keys, access: Keys, warnings: list[str]) -> tuple[dict[str, Any], dict[str, str]]:
    kind, access_kind = application.needed("kind"), access.needed("kind")
    if access_kind not in {"user_access", "app_access"}:
        raise DocumentWrong(f"{access.at('kind')} must be user_access or app_access.")
    username, password = access.text("username"), access.text("password")
    if kind == "ntlm":
        return {"auth": "ntlm", "username": username}, _present(password=password)
    if kind not in {"custom", "private_key"}:
        raise DocumentWrong(f"{application.at('kind')} must be custom, private_key or ntlm.")
    values: dict[str, Any] = {"username": username}
    values |= {name: application.needed(name) for name in ("tenant_id", "client_id")}
    if kind == "private_key":
        secrets = _present(client_key=in_pem(application.text("private_key")))
        values |= {"auth": "certificate"} | _present(client_thumbprint=thumbprint(application.text("thumbprint")))
    else:
        secrets = _present(password=password, client_secret=application.text("client_secret"))
        if access_kind == "app_access":
            values["auth"] = "oauth2"
        elif secrets:
            values["auth"] = "service_user" if password else "oauth2"
        else:
            # An exported document contains no secrets, so it is the same for `oauth2` and `service_user`. The stored
            # kind of sign-in is kept.
            return values, secrets
    if access_kind == "user_access" and values["auth"] != "service_user":
        warnings.append(BY_ITSELF)
    return values, secrets


def in_pem(text: str) -> str:
    """Return only the keys and certificates of a text in PEM, so that texts with the same key and certificates are equal.

    Args:
        text: A key or certificates with surrounding text.

    Returns:
        The PEM blocks, keys first; the text itself if it has none.
    """
    pem = blocks(text)
    return "\n".join((*pem.keys, *pem.certificates)) or text


def thumbprint(text: str) -> str:
    """Return a thumbprint in the format that is stored: in upper case, without colons and spaces.

    Args:
        text: A thumbprint.

    Returns:
        The thumbprint in this format.
    """
    return "".join(sign for sign in text if sign not in ": ").upper()


def _present(**secrets: str) -> dict[str, str]:
    return {name: value for name, value in secrets.items() if value}


def _mailboxes(configuration: Keys, warnings: list[str]) -> tuple[DesiredMailbox, ...]:
    listed = configuration.taken("mailboxes")
    if listed is None:
        return ()
    if not isinstance(listed, list):
        raise DocumentWrong("configuration.mailboxes must be a list.")
    return tuple(
        read_mailbox(Keys(entry, f"configuration.mailboxes[{number}]", warnings)) for number, entry in enumerate(listed)
    )


def read_mailbox(keys: Keys) -> DesiredMailbox:
    """Read one mailbox of a document.

    Args:
        keys: The object of the mailbox.

    Returns:
        The desired mailbox.

    Raises:
        DocumentWrong: A value is missing, has another type, or is not allowed.
    """
    bucket = keys.inner("bucket_specification")
    desired = DesiredMailbox(
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
    return desired


def _lower(texts: tuple[str, ...]) -> tuple[str, ...]:
    return tuple(text.strip().casefold() for text in texts)


def write_vendor(desired: DesiredIntegration, reason_of: Callable[[str], str] = lambda address: "") -> dict[str, Any]:
    """Return an integration in the format that `read_vendor` reads, without the secrets.

    Args:
        desired: The integration.
        reason_of: A function that gets the address of a mailbox in lower case, and returns why the mailbox is stopped.

    Returns:
        The document.
    """
    return {
        "owner": desired.project,
        "name": desired.name,
        "title": desired.settings.get("title") or f"{desired.project}/{desired.name}",
        "type": TYPE,
        "enabled": bool(desired.enabled),
        **({"updated_at": _moment(desired.updated_at)} if desired.updated_at else {}),
        "configuration": {
            "connection": _write_connection(desired.settings),
            "settings": _write_settings(desired.settings),
            "mailboxes": [
                write_mailbox(mailbox, reason_of(mailbox.address.casefold())) for mailbox in desired.mailboxes
            ],
        },
    }


def _write_connection(settings: Mapping[str, Any]) -> dict[str, Any]:
    auth, by_graph = settings["auth"], settings["microsoft_api"] == "graph"
    application = {"kind": "ntlm"}
    if auth not in {"ntlm", "basic"}:
        application = {"kind": "custom", "tenant_id": settings["tenant_id"], "client_id": settings["client_id"]}
    if auth == "certificate":
        application |= {"kind": "private_key", "thumbprint": settings["client_thumbprint"]}
    by_itself = auth in {"oauth2", "certificate"}
    return {
        "application": application,
        "access": {"kind": "app_access"} if by_itself else {"kind": "user_access", "username": settings["username"]},
        "microsoft_api": {"kind": settings["microsoft_api"]},
        "ews_endpoint": None if by_graph else settings["endpoint"],
        "build_version": settings["build_version"] or None,
    }


def _write_settings(settings: Mapping[str, Any]) -> dict[str, Any]:
    changed = {name: settings[name] for name, default in DEFAULTS.items() if settings[name] != default}
    extra = {"auth": settings["auth"]} if settings["auth"] in {"basic", "service_user"} else {}
    if settings["microsoft_api"] == "graph" and settings["endpoint"] != usual_endpoint(
        settings["authority"], graph=True
    ):
        extra["graph_endpoint"] = settings["endpoint"]
    return extra | changed


def write_mailbox(mailbox: DesiredMailbox, reason: str) -> dict[str, Any]:
    """Return a mailbox in the format that `read_mailbox` reads.

    Args:
        mailbox: The mailbox.
        reason: Why the mailbox is stopped; empty if it is started.

    Returns:
        The document.
    """
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
