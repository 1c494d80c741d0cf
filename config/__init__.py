"""The Django project: settings, URLs, Celery, logging and the web process.

Belongs here: code that configures, starts and monitors the processes of the product.
Does not belong here: code that reads, converts or delivers emails.
"""

from config.celery import app as celery_app

__all__ = ["celery_app"]
