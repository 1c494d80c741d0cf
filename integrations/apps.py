"""The Django app of integrations and destinations."""

from django.apps import AppConfig


class IntegrationsConfig(AppConfig):
    """Configuration of the app."""

    name = "integrations"
    verbose_name = "Connections"

    def ready(self) -> None:
        """Register the system checks."""
        from integrations import checks

        checks.__name__  # noqa: B018  # the import registers the checks
