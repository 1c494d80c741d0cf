"""The roles Viewer, Operator and Administrator, as Django groups.

After each `manage.py migrate`, the missing roles are created. An existing group is not changed, so changes that an
administrator made to it persist.
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
    """Create the roles that do not exist, with their permissions.

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
