"""Rename the permissions of a renamed model in a migration. Django itself renames only the content type of the model."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

from django.db import migrations

DEPENDENCIES = [
    ("auth", "0012_alter_user_first_name_max_length"),
    ("contenttypes", "0002_remove_content_type_name"),
]
"""Dependencies of a migration that renames permissions."""
_ACTIONS = ("add", "change", "delete", "view")


def rename_permissions(label: str, models: Mapping[str, tuple[str, str]]) -> migrations.RunPython:
    """Return the operation that renames the four standard permissions of each model, so that groups keep them.

    Args:
        label: The label of the app.
        models: For each old model name, the new name and the new verbose name. All names are in lower case.

    Returns:
        An operation that can be reversed. It does nothing in a new database, which has no permissions yet.
    """
    names = [(old, new, verbose) for old, (new, verbose) in models.items()]
    return migrations.RunPython(
        _renamer(label, names), _renamer(label, [(new, old, old) for old, new, _ in names]), elidable=False
    )


def _renamer(label: str, names: list[tuple[str, str, str]]) -> Callable[[Any, Any], None]:
    def rename(apps: Any, schema_editor: Any) -> None:
        permissions = apps.get_model("auth", "Permission").objects.filter(content_type__app_label=label)
        for old, new, verbose in names:
            for action in _ACTIONS:
                permissions.filter(codename=f"{action}_{old}").update(
                    codename=f"{action}_{new}", name=f"Can {action} {verbose}"
                )

    return rename
