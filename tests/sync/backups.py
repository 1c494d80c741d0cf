"""A backup of the database that comes back one day: all rows as they were, under a database server that started anew."""

from __future__ import annotations

from typing import Any

from django.apps import apps
from django.db import models, transaction

from sync.models import Comparison

APPS = ("integrations", "mailboxes", "sync", "notices")
ANOTHER_RUN = "before the backup came back"


class Backup:
    """The rows of now. `restore()` brings them back, as often as one likes."""

    def __init__(self) -> None:
        self.rows: list[tuple[type[models.Model], list[dict[str, Any]]]] = [
            (model, list(model._base_manager.values()))
            for name in APPS
            for model in apps.get_app_config(name).get_models()
        ]

    @transaction.atomic
    def restore(self) -> None:
        for model, _ in reversed(self.rows):
            # By the database alone: what hangs on a row is a row of the backup itself, or of nothing.
            model._base_manager.all()._raw_delete(using="default")
        for model, rows in self.rows:
            model._base_manager.bulk_create([model(**row) for row in rows])
        # The server that holds them now was started since; the test has one server only.
        Comparison.objects.exclude(server_run="").update(server_run=ANOTHER_RUN)
