"""The Django app of the pages."""

from django.apps import AppConfig


class WebConfig(AppConfig):
    """The Django app of the pages: URLs, views, template tags."""

    name = "web"
    verbose_name = "Pages"
