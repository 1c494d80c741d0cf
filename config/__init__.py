"""Wiring of the Django project: settings, addresses, Celery, the web process. Nothing here knows of mail."""

from config.celery import app as celery_app

__all__ = ["celery_app"]
