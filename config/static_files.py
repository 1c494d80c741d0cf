"""Which static files are collected: those that a page of ours asks for."""

from __future__ import annotations

from django.contrib.staticfiles.apps import StaticFilesConfig


class StaticFiles(StaticFilesConfig):
    """drf-spectacular's package of assets holds two readers of a schema, and the pages show it in the other one."""

    ignore_patterns = [*StaticFilesConfig.ignore_patterns, "redoc"]
