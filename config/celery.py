"""The Celery application.

Beat sends the periodic tasks. One of them is `sync.tasks.dispatch`, which queues a sync task for each due mailbox.
"""

import os
import warnings
from typing import Any

from celery import Celery
from celery.exceptions import CPendingDeprecationWarning
from celery.signals import beat_init, worker_ready, worker_shutdown, worker_shutting_down
from kombu.transport import TRANSPORT_ALIASES

from sync.jobs import shutdown

os.environ.setdefault("DJANGO_SETTINGS_MODULE", "config.settings")

# Every connection to Redis uses the transport of `config.broker`.
for scheme in ("redis", "rediss"):
    TRANSPORT_ALIASES[scheme] = "config.broker:Transport"

app = Celery("reinfer_exchange")
app.config_from_object("django.conf:settings", namespace="CELERY")
app.autodiscover_tasks()
worker_shutting_down.connect(shutdown.request)

# The signal receivers below import modules inside the functions: the modules need Django models, which are not loaded yet
# when this file is imported.
_consumers: list[Any] = []


@worker_ready.connect
def _start_worker_guard(sender: Any, **_: object) -> None:
    from config import process_guard

    _consumers.append(sender)
    # Whenever the connection to the broker is lost, Celery warns that a later version will cancel running tasks by default.
    # The installed version does not cancel them, so the warning is ignored. The filter is added late, because Celery
    # enables its warnings when it starts.
    warnings.filterwarnings("ignore", category=CPendingDeprecationWarning)
    process_guard.worker_guard(sender).start()


@beat_init.connect
def _start_beat_guard(**_: object) -> None:
    from config import process_guard

    process_guard.beat_guard().start()


@worker_shutting_down.connect
def _begin_worker_exit(**_: object) -> None:
    from sync.jobs import worker_exit

    worker_exit.begin(_consumers[-1].pool if _consumers else None)


@worker_shutdown.connect
def _conclude_worker_exit(**_: object) -> None:
    from sync.jobs import worker_exit

    worker_exit.conclude()
