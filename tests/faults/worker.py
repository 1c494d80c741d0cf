"""A worker process for tests. It syncs mailboxes with real sockets and a real database. It can kill itself at a call of a port
(source, sink, ledger or checkpoints), such as `sink.push`.

python -m tests.faults.worker seed '{"integration": {…}, "reinfer": …, "token": …, "mailboxes": […]}'
python -m tests.faults.worker sync ADDRESS
python -m tests.faults.worker die sink.push after
python -m tests.faults.worker starved ADDRESS 3        syncs with only 3 more file descriptors
python -m tests.faults.worker look            prints leases, failures, attempts, runs, open circuit breakers and standstills
python -m tests.faults.worker finish          syncs until every mailbox is done; prints counts

`seed` stores an integration and its mailboxes. `die` syncs all mailboxes, and kills the process before or after the first call
of the named method.
"""

from __future__ import annotations

import json
import os
import signal
import sys
import time
from collections.abc import Callable
from typing import Any

import django


def main() -> None:
    django.setup()
    what, *arguments = sys.argv[1:]
    commands: dict[str, Callable[..., None]] = {
        "seed": seed, "sync": sync, "die": die, "starved": starved, "look": look, "finish": finish,
    }  # fmt: skip
    commands[what](*arguments)


def seed(given_text: str) -> None:
    from integrations.models import Destination, Integration
    from mailboxes.models import Bucket, Mailbox
    from sync.jobs import scheduling

    given = json.loads(given_text)
    destination = Destination.objects.create(name="Re:infer", endpoint=given["reinfer"], token=given["token"])
    integration = Integration.objects.create(
        project="bank", name="mail", enabled=True, disabled_reason="", **given["integration"]
    )
    bucket = Bucket.objects.create(destination=destination, project="bank", name="desks")
    for address in given["mailboxes"]:
        Mailbox.objects.create(integration=integration, bucket=bucket, address=address)
    scheduling.make_states()


def sync(address: str) -> None:
    from mailboxes.models import Mailbox
    from sync.jobs import runner

    runner.run(Mailbox.objects.get(address=address).pk)


def die(at: str, when: str) -> None:
    from integrations.connect import open_sink, open_source
    from mailboxes.models import Mailbox
    from sync.jobs import runner
    from sync.store.checkpoints import DatabaseCheckpoints
    from sync.store.ledger import DatabaseLedger
    from tests.faults.deadly import Reaper

    reaper = Reaper(at, after=when == "after", die=lambda where: os.kill(os.getpid(), signal.SIGKILL))

    def wrapped(port: str, make: Any) -> Any:
        return lambda *given, **named: reaper.wrap(port, make(*given, **named))

    environment = runner.RunEnvironment(
        open_source=wrapped("source", open_source),
        open_sink=wrapped("sink", open_sink),
        make_ledger=wrapped("ledger", DatabaseLedger),
        make_checkpoints=wrapped("checkpoints", DatabaseCheckpoints),
    )
    for mailbox in Mailbox.objects.all():
        runner.run(mailbox.pk, environment)


def starved(address: str, files: str) -> None:
    import resource

    import integrations.ews.source
    import integrations.graph.source
    import integrations.reinfer.sink  # noqa: F401  # a later import would need file descriptors
    from mailboxes.models import Mailbox
    from sync.jobs import runner

    mailbox = Mailbox.objects.get(address=address)
    open_now = len(os.listdir("/proc/self/fd")) - 1
    resource.setrlimit(resource.RLIMIT_NOFILE, (open_now + int(files),) * 2)
    runner.run(mailbox.pk)


def look() -> None:
    from integrations.models import Destination, Integration
    from mailboxes.models import Bucket
    from sync.models import MailboxState, Process, SyncedFolder, SyncRun
    from sync.reporting import standstill
    from sync.store.lease import database_now

    state = {
        "leased": MailboxState.objects.exclude(lease_token=None).count(),
        "failures": sum(MailboxState.objects.values_list("failures", flat=True)),
        "attempts": sum(SyncedFolder.objects.values_list("attempts", flat=True)),
        "in_hand": SyncedFolder.objects.exclude(item_in_hand="").count(),
        "runs": list(SyncRun.objects.order_by("started_at").values_list("outcome", flat=True)),
        "processes": Process.objects.count(),
        "held": sum(rows.objects.exclude(held_until=None).count() for rows in (Integration, Destination, Bucket)),
        "kinds": list(SyncRun.objects.order_by("started_at").values_list("error_kind", flat=True)),
        "standing": [it.kind.value for it in standstill.found(database_now())],
    }
    sys.stdout.write(json.dumps(state))


def finish() -> None:
    """Sync as another worker after the lease of the dead worker has expired: ten minutes later by the database clock."""
    from datetime import timedelta

    from mailboxes.models import Mailbox
    from sync.jobs import runner
    from sync.models import DeadLetter, LedgerEntry, SyncRun
    from sync.store.lease import database_now

    later = runner.RunEnvironment(clock=lambda: database_now() + timedelta(minutes=10))
    for _ in range(2):
        for mailbox in Mailbox.objects.all():
            end = time.monotonic() + 20
            while (run := runner.run(mailbox.pk, later)) is None or run.outcome != SyncRun.Outcome.DONE:
                if time.monotonic() > end:
                    raise SystemExit(f"not done in time: {run}")
                time.sleep(0.1)
    entries = LedgerEntry.objects.all()
    counts = {
        "billed": entries.filter(billed=True).count(),
        "unsettled": entries.exclude(state="confirmed", dirty=False).count(),
        "set_aside": DeadLetter.objects.count(),
        "lost": SyncRun.objects.filter(outcome=SyncRun.Outcome.LOST).count(),
    }
    sys.stdout.write(json.dumps(counts))


if __name__ == "__main__":
    main()
