"""A backup of the database that a test can restore. The restore also simulates a restart of the database server."""

from __future__ import annotations

from typing import Any

from django.apps import apps
from django.db import models, transaction

from sync.models import Comparison

APPS = ("integrations", "mailboxes", "sync", "notices")
ANOTHER_RUN = "before the restore"


class Backup:
    """All rows of `APPS` when the backup was created. `restore()` writes these rows back, and can be called several times."""

    def __init__(self) -> None:
        self.rows: list[tuple[type[models.Model], list[dict[str, Any]]]] = [
            (model, list(model._base_manager.values()))
            for name in APPS
            for model in apps.get_app_config(name).get_models()
        ]

    @transaction.atomic
    def restore(self) -> None:
        for model, _ in reversed(self.rows):
            # Delete without the cascades of Django: this loop also deletes the rows of related models.
            model._base_manager.all()._raw_delete(using="default")
        for model, rows in self.rows:
            model._base_manager.bulk_create([model(**row) for row in rows])
        # Pretend that the database server was restarted since the backup. The test has only one server.
        Comparison.objects.exclude(server_run="").update(server_run=ANOTHER_RUN)
