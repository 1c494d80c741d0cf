"""The Celery application: beat dispatches what is due, workers sync a mailbox each."""

import os
import warnings
from typing import Any

from celery import Celery
from celery.exceptions import CPendingDeprecationWarning
from celery.signals import beat_init, worker_ready, worker_shutdown, worker_shutting_down
from kombu.transport import TRANSPORT_ALIASES

from sync.jobs import shutdown

os.environ.setdefault("DJANGO_SETTINGS_MODULE", "config.settings")

# Redis as `config.broker` has it, whoever connects.
for scheme in ("redis", "rediss"):
    TRANSPORT_ALIASES[scheme] = "config.broker:Transport"

app = Celery("reinfer_exchange")
app.config_from_object("django.conf:settings", namespace="CELERY")
app.autodiscover_tasks()
worker_shutting_down.connect(shutdown.tell)

# What follows needs models, which are there when these signals come, and not yet now.
_consumers: list[Any] = []


@worker_ready.connect
def _worker_is_ready(sender: Any, **_: object) -> None:
    from config import process_guard

    _consumers.append(sender)
    # At each loss of the broker Celery says that a setting, which is as it should be, may have another default one day. Only
    # now, since Celery lets all of its warnings pass when it starts.
    warnings.filterwarnings("ignore", category=CPendingDeprecationWarning)
    process_guard.of_worker(sender).start()


@beat_init.connect
def _beat_begins(**_: object) -> None:
    from config import process_guard

    process_guard.of_beat().start()


@worker_shutting_down.connect
def _worker_leaves(**_: object) -> None:
    from sync.jobs import worker_exit

    worker_exit.begin(_consumers[-1].pool if _consumers else None)


@worker_shutdown.connect
def _worker_left(**_: object) -> None:
    from sync.jobs import worker_exit

    worker_exit.conclude()
