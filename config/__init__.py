"""The Django project: settings, URLs, Celery, logging and the web process.

Belongs here: what starts, configures and guards the processes of the product.
Does not belong here: code that reads, converts or delivers emails.
"""

from config.celery import app as celery_app

__all__ = ["celery_app"]
