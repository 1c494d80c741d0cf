"""The roles, as groups: Viewer, Operator and Administrator. Made when the database is migrated; a group that is there
already is left as it is, so that what somebody changed stays."""

from __future__ import annotations

from typing import Any

from django.contrib.auth.models import Group, Permission
from django.db import transaction

from access.table import ADMINISTER, OPERATE, READ_MAIL, VIEW

ROLES = {
    "Viewer": (VIEW,),
    "Operator": (VIEW, OPERATE),
    "Administrator": (VIEW, OPERATE, ADMINISTER, READ_MAIL),
}


def make_roles(**_: Any) -> None:
    """After a migration: each role that is missing, with its permissions."""
    with transaction.atomic():
        for name, needed in ROLES.items():
            group, made = Group.objects.get_or_create(name=name)
            if made:
                group.permissions.set(_permission(one) for one in needed)


def _permission(dotted: str) -> Permission:
    app, _, codename = dotted.partition(".")
    return Permission.objects.get(content_type__app_label=app, codename=codename)
