"""The Django app of the operations package."""

from django.apps import AppConfig


class OperationsConfig(AppConfig):
    """Register the management commands of this package."""

    name = "operations"
    verbose_name = "Operations"
