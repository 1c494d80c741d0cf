"""The Django app of the sync."""

from django.apps import AppConfig


class SyncConfig(AppConfig):
    """The app with the models, admin pages and Celery tasks of the sync."""

    name = "sync"
    verbose_name = "Sync"
