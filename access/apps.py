"""Django app configuration of access control."""

from django.apps import AppConfig, apps
from django.db.models.signals import post_migrate


class AccessConfig(AppConfig):
    """The app `access`."""

    name = "access"
    verbose_name = "Access"

    def ready(self) -> None:
        """Arrange that missing roles are created after each `manage.py migrate`."""
        from access.roles import make_roles

        # The roles contain permissions of the apps `integrations` and `sync`. Django sends the signal for `sync` after the
        # signal for `integrations`, so all permissions exist by then. Django sends the signal only for apps with models.
        post_migrate.connect(make_roles, sender=apps.get_app_config("sync"), dispatch_uid="roles")
