from django.apps import AppConfig


class NotificationsConfig(AppConfig):
    name = "notifications"
    # The label names the tables and the permissions of existing databases.
    label = "notices"
    verbose_name = "Notifications"
