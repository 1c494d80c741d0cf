"""Django's staticfiles app without the files that no page of the product uses."""

from __future__ import annotations

from django.contrib.staticfiles.apps import StaticFilesConfig


class StaticFiles(StaticFilesConfig):
    """Ignores the files of Redoc: drf-spectacular-sidecar contains Redoc and Swagger UI, and only Swagger UI is used."""

    ignore_patterns = [*StaticFilesConfig.ignore_patterns, "redoc"]
