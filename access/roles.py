"""The roles Viewer, Operator and Administrator, as Django groups.

They are created after each migration. An existing group is not changed, so changes by an administrator persist.
"""

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
    """Create the missing roles with their permissions.

    Args:
        _: Arguments of the `post_migrate` signal; not used.
    """
    with transaction.atomic():
        for name, permissions in ROLES.items():
            group, created = Group.objects.get_or_create(name=name)
            if created:
                group.permissions.set(_permission(permission) for permission in permissions)


def _permission(dotted: str) -> Permission:
    app, _, codename = dotted.partition(".")
    return Permission.objects.get(content_type__app_label=app, codename=codename)
