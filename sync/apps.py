"""The Django app of the sync."""

from django.apps import AppConfig


class SyncConfig(AppConfig):
    """Holds the models, the admin and the tasks of the sync."""

    name = "sync"
    verbose_name = "Sync"
