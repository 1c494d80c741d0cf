"""The Celery application: beat dispatches what is due, workers sync a mailbox each."""

import os

from celery import Celery
from celery.signals import worker_shutting_down
from kombu.transport import TRANSPORT_ALIASES

from sync import leaving

os.environ.setdefault("DJANGO_SETTINGS_MODULE", "config.settings")

# Redis as `config.broker` has it, whoever connects.
for scheme in ("redis", "rediss"):
    TRANSPORT_ALIASES[scheme] = "config.broker:Transport"

app = Celery("reinfer_exchange")
app.config_from_object("django.conf:settings", namespace="CELERY")
app.autodiscover_tasks()
worker_shutting_down.connect(leaving.tell)
