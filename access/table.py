"""The permission that each page requires, by URL name. Requests and the buttons on pages are checked against this table.

Roles are groups of permissions (`access.roles`). A page whose URL name is not in the table is denied to all users. The
API and Django's admin have their own permission checks.
"""

from __future__ import annotations

from typing import Any

from django.urls import Resolver404, resolve

VIEW = "integrations.view_integration"
OPERATE = "integrations.operate"
ADMINISTER = "integrations.administer"
READ_MAIL = "sync.preview_email"
EVERYBODY = ""
"""No permission is required."""

ACCESS = {
    "healthz": EVERYBODY,
    "metrics": EVERYBODY,  # the view checks METRICS_TOKEN
    "login": EVERYBODY,
    "logout": EVERYBODY,
    "overview": VIEW,
    "runs": VIEW,
    "errors": VIEW,
    "history": VIEW,
    "preview": VIEW,
    "newly-wanted": VIEW,
    "newly-wanted-bring": ADMINISTER,
    "newly-wanted-leave": ADMINISTER,
    "set-aside": VIEW,
    "set-aside-preview": READ_MAIL,
    "set-aside-retry-shown": OPERATE,
    "set-aside-retry": OPERATE,
    "set-aside-retry-like": OPERATE,
    "set-aside-dismiss": OPERATE,
    "integrations": VIEW,
    "integration": VIEW,
    "integration-tab": VIEW,
    "integration-cost": OPERATE,
    "integration-ready": ADMINISTER,
    "integration-new": ADMINISTER,
    "integration-try": ADMINISTER,
    "integration-import": ADMINISTER,
    "integration-export": VIEW,
    "integration-select": OPERATE,
    "integration-edit": ADMINISTER,
    "integration-switch": ADMINISTER,
    "integration-delete": ADMINISTER,
    "integration-start": OPERATE,
    "integration-stop": OPERATE,
    "integration-test": OPERATE,
    "destinations": VIEW,
    "destination": VIEW,
    "destination-new": ADMINISTER,
    "destination-try": ADMINISTER,
    "destination-buckets": ADMINISTER,
    "destination-edit": ADMINISTER,
    "destination-delete": ADMINISTER,
    "destination-test": OPERATE,
    "destination-start-stopped": OPERATE,
    "bucket-test": OPERATE,
    "bucket-resume": OPERATE,
    "bucket-accept": OPERATE,
    "bucket-start-stopped": OPERATE,
    "bucket-edit": ADMINISTER,
    "bucket-create": ADMINISTER,
    "mailbox": VIEW,
    "mailbox-new": ADMINISTER,
    "mailbox-many": ADMINISTER,
    "mailbox-edit": ADMINISTER,
    "mailbox-cost": OPERATE,
    "mailbox-filter-preview": ADMINISTER,
    "mailbox-delete": ADMINISTER,
    "mailbox-start": OPERATE,
    "mailbox-stop": OPERATE,
    "mailbox-sync-now": OPERATE,
    "mailbox-list-again": OPERATE,
    "mailbox-retry": OPERATE,
    "mailbox-verify": OPERATE,
    "mailbox-verify-stop": OPERATE,
    "mailbox-repair": ADMINISTER,
    "mailbox-send-again": ADMINISTER,
}


def allows(url: str, user: Any) -> bool:
    """Return whether a user may open the URL of a page.

    Do not use this function for URLs of the API and of Django's admin, which check permissions themselves.

    Args:
        url: Path of the URL, with or without a query.
        user: The user.

    Returns:
        Whether the user has the permission; False for a URL that does not exist.
    """
    try:
        return allows_name(resolve(url.partition("?")[0]).url_name or "", user)
    except Resolver404:
        return False


def allows_name(name: str, user: Any) -> bool:
    """Return whether a user may open URLs of this name.

    Args:
        name: The URL name.
        user: The user.

    Returns:
        Whether the user has the permission; False for a name that is not in the table.
    """
    needed = ACCESS.get(name)
    if needed is None:
        return False
    return needed == EVERYBODY or bool(user.has_perm(needed))
