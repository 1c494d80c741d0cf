"""Django app configuration of the notifications."""

from django.apps import AppConfig


class NotificationsConfig(AppConfig):
    """The app `notifications`. Its label is `notices`."""

    name = "notifications"
    # An older name of the app: existing databases use it in the names of tables and permissions.
    label = "notices"
    verbose_name = "Notifications"
