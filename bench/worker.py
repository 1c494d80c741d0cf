"""Process of the benchmark `memory`: syncs one mailbox, and prints outcome, time and peak memory.

Input and output are JSON.
"""

from __future__ import annotations

import json
import resource
import sys
import time

import django
from django.core.management import call_command

from bench.account import ADDRESS, PASSWORD, USERNAME


def main() -> None:
    given = json.loads(sys.stdin.read())
    django.setup()
    call_command("migrate", verbosity=0)
    mailbox_id = _seed(given)
    from sync.jobs import runner
    from sync.models import SyncRun

    started = time.monotonic()
    runs: list[SyncRun] = []
    while not runs or runs[-1].outcome == SyncRun.Outcome.YIELDED:
        run = runner.run(mailbox_id)
        assert run is not None
        runs.append(run)
    print(
        json.dumps(
            {
                "outcome": runs[-1].outcome,
                "created": sum(run.created for run in runs),
                "seconds": time.monotonic() - started,
                "peak_mb": resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024,
            }
        )
    )


def _seed(given: dict[str, str]) -> int:
    from integrations.models import Destination, Integration
    from mailboxes.models import Bucket, Mailbox
    from sync.jobs import scheduling

    destination = Destination.objects.create(name="Re:infer", endpoint=given["reinfer"], token=given["token"])
    integration = Integration.objects.create(
        project="bank", name="mail", endpoint=given["exchange"], auth="ntlm", username=USERNAME, password=PASSWORD,
        ca_bundle=given["ca"], build_version="15.1.2507.39", enabled=True, disabled_reason="",
    )  # fmt: skip
    bucket = Bucket.objects.create(destination=destination, project="bank", name="desks")
    mailbox = Mailbox.objects.create(integration=integration, bucket=bucket, address=ADDRESS)
    scheduling.make_states()
    return mailbox.pk


if __name__ == "__main__":
    main()
