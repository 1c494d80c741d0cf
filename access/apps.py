"""Django app configuration of access control."""

from django.apps import AppConfig, apps
from django.db.models.signals import post_migrate


class AccessConfig(AppConfig):
    """The app `access`."""

    name = "access"
    verbose_name = "Access"

    def ready(self) -> None:
        """Create the roles after each migration."""
        from access.roles import make_roles

        # The roles contain permissions of several apps. `sync` is the last of these for which Django sends the signal,
        # so all permissions exist by then. Django sends the signal only for apps with models.
        post_migrate.connect(make_roles, sender=apps.get_app_config("sync"), dispatch_uid="roles")
