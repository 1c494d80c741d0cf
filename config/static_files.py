"""Django's staticfiles app without the files that no page of the product uses."""

from __future__ import annotations

from django.contrib.staticfiles.apps import StaticFilesConfig


class StaticFiles(StaticFilesConfig):
    """Ignores the files of Redoc. The package of drf-spectacular contains Redoc and Swagger UI, and we use only Swagger UI."""

    ignore_patterns = [*StaticFilesConfig.ignore_patterns, "redoc"]
