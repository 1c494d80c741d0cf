from django.apps import AppConfig, apps
from django.db.models.signals import post_migrate


class AccessConfig(AppConfig):
    name = "access"
    verbose_name = "Access"

    def ready(self) -> None:
        from access.roles import make_roles

        # `sync` is the last of the apps whose permissions the roles hold; an app without models is never told.
        post_migrate.connect(make_roles, sender=apps.get_app_config("sync"), dispatch_uid="roles")
