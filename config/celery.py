"""The Celery application: beat dispatches what is due, workers sync a mailbox each."""

import os

from celery import Celery
from celery.signals import worker_shutting_down

from sync import leaving

os.environ.setdefault("DJANGO_SETTINGS_MODULE", "config.settings")

app = Celery("reinfer_exchange")
app.config_from_object("django.conf:settings", namespace="CELERY")
app.autodiscover_tasks()
worker_shutting_down.connect(leaving.tell)
