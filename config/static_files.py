"""The staticfiles app, restricted to the files that a page of the product uses."""

from __future__ import annotations

from django.contrib.staticfiles.apps import StaticFilesConfig


class StaticFiles(StaticFilesConfig):
    """Ignores Redoc: drf-spectacular's assets contain two viewers of the API schema, and the pages use Swagger UI."""

    ignore_patterns = [*StaticFilesConfig.ignore_patterns, "redoc"]
