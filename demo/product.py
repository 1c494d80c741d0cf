"""Commands that use the code of the product: `seed`, `start`, `switch` and `figures`. Each command runs in its own process.

Input and output are JSON on the standard streams. This is the only module of the demo that imports the product.
"""

from __future__ import annotations

import json
import sys
from collections.abc import Callable
from typing import Any

import django

NTLM, ONLINE, GRAPH = "exchange-server-2016", "exchange-online", "exchange-online-graph"
COUNTS = ("listed", "created", "updated", "unchanged", "not_wanted", "set_aside", "held_back", "text_changes")


def main() -> int:
    django.setup()
    commands: dict[str, Callable[[Any], Any]] = {"seed": seed, "start": start, "switch": switch, "figures": figures}
    given = json.loads(sys.stdin.read() or "null")
    print(json.dumps(commands[sys.argv[1]](given)))
    return 0


def seed(given: dict[str, Any]) -> dict[str, Any]:
    """Create a destination, three integrations, their mailboxes in two buckets, and the administrator if needed.

    Args:
        given: addresses and secrets of the simulators, and the password of the administrator

    Returns:
        The addresses of the mailboxes, with the key `mailboxes`.

    Raises:
        SystemExit: a bucket cannot be created at Re:infer
    """
    from django.contrib.auth import get_user_model

    from integrations.models import Destination
    from operations import bucket_actions
    from operations.actor import Actor

    if not get_user_model().objects.filter(username="admin").exists():
        get_user_model().objects.create_superuser("admin", password=given["password"])
    reinfer = Destination.objects.create(
        name="Re:infer", endpoint=given["simulators"]["reinfer"]["url"], token=given["token"]
    )
    integrations = (_on_premises(given), _online(given), _graph(given))
    addresses = [mailbox["address"] for mailbox in given["simulators"]["exchange"]["mailboxes"]]
    for number, address in enumerate(addresses):
        # Half of the mailboxes use the first integration. The other half is divided between the other two integrations.
        integration = integrations[_connection_of(number, len(addresses))]
        _mailbox(integration, reinfer, "desks" if number % 3 else "operations", address)
    for bucket in reinfer.buckets.all():
        finding = bucket_actions.create_at_reinfer(Actor("demo"), bucket)
        if not finding.ok:
            raise SystemExit(finding.text)
    return {"mailboxes": addresses}


def _connection_of(number: int, count: int) -> int:
    """Return the index of a mailbox's integration: 0 for the first half, 1 (EWS online) for the third quarter, 2 (Graph) for
    the rest.
    """
    half = (count + 1) // 2
    return 0 if number < half else 1 + (number - half) * 2 // (count - half)


def switch(given: dict[str, Any]) -> str:
    """Switch the integration of Exchange Online from EWS to Graph.

    Args:
        given: endpoint, authority and client secret

    Returns:
        The result of the operation, as a sentence.

    Raises:
        SystemExit: the operation is refused
    """
    from integrations.models import Integration
    from operations import api_migration
    from operations.actor import Actor
    from operations.results import ActionRefused

    integration = Integration.objects.get(name=ONLINE)
    secrets = {"client_secret": given["client_secret"]}
    target = api_migration.target_of(integration, Integration.Api.GRAPH, given["url"], given["authority_url"], secrets)
    if isinstance(target, ActionRefused):
        raise SystemExit(target.text)
    done = api_migration.switch(Actor("demo"), integration, target)
    if isinstance(done, ActionRefused):
        raise SystemExit(done.text)
    return done


def start(given: Any) -> list[str]:
    """Start all integrations.

    Args:
        given: not used

    Returns:
        The results of the operations, as sentences.
    """
    from integrations.models import Integration
    from operations import integration_actions
    from operations.actor import Actor

    return [integration_actions.start(Actor("demo"), integration) for integration in Integration.objects.all()]


def figures(given: Any) -> list[dict[str, Any]]:
    """Return the figures of each mailbox: the sums of its runs, its state, and its failed emails.

    Args:
        given: not used

    Returns:
        One mapping per mailbox, in the order of the primary keys.
    """
    from django.db.models import Count, F, Q, Sum

    from mailboxes.models import Mailbox
    from sync.models import SyncRun

    rows = []
    for mailbox in Mailbox.objects.select_related("bucket", "state").order_by("pk"):
        runs = SyncRun.objects.filter(mailbox=mailbox)
        sums = runs.aggregate(
            **{name: Sum(name, default=0) for name in COUNTS},
            finished=Count("pk", filter=Q(outcome="done")),
            time=Sum(F("ended_at") - F("started_at")),
        )
        time = sums.pop("time")
        rows.append(
            sums
            | {
                "address": mailbox.address,
                "bucket": str(mailbox.bucket),
                "seconds": time.total_seconds() if time else 0.0,
                "up_to_date": mailbox.state.up_to_date,
                "error": mailbox.state.error_text,
                "failed": list(mailbox.dead_letters.filter(settled="").values("reason", "listed_id", "stage")),
            }
        )
    return rows


def _on_premises(given: dict[str, Any]) -> Any:
    from integrations.models import Integration

    exchange = given["simulators"]["exchange"]
    return Integration.objects.create(
        project="bank",
        name=NTLM,
        title="Exchange Server 2016",
        endpoint=exchange["onprem"]["url"],
        auth=Integration.Auth.NTLM,
        access=Integration.Access.IMPERSONATION,
        username=exchange["onprem"]["accounts"][0],
        password=given["account_password"],
        build_version="15.1.2507.39",
        ca_bundle=given["ca"],
    )


def _online(given: dict[str, Any]) -> Any:
    from integrations.models import Integration

    exchange = given["simulators"]["exchange"]
    application = exchange["online"]["applications"][0]
    return Integration.objects.create(
        project="bank",
        name=ONLINE,
        title="Exchange Online",
        endpoint=exchange["online"]["url"],
        auth=Integration.Auth.OAUTH2,
        access=Integration.Access.IMPERSONATION,
        tenant_id=application["tenant"],
        client_id=application["client_id"],
        client_secret=given["client_secret"],
        authority=application["token_url"].partition(f"/{application['tenant']}/")[0],
        ca_bundle=given["ca"],
    )


def _graph(given: dict[str, Any]) -> Any:
    from integrations.models import Integration

    graph = given["simulators"]["graph"]
    application = graph["applications"][0]
    return Integration.objects.create(
        project="bank",
        name=GRAPH,
        title="Exchange Online via Graph",
        microsoft_api=Integration.Api.GRAPH,
        endpoint=graph["url"],
        auth=Integration.Auth.OAUTH2,
        tenant_id=application["tenant"],
        client_id=application["client_id"],
        client_secret=given["client_secret"],
        authority=graph["authority_url"],
        ca_bundle=given["ca"],
    )


def _mailbox(integration: Any, destination: Any, bucket: str, address: str) -> None:
    from mailboxes.models import Bucket, Mailbox

    row, _ = Bucket.objects.get_or_create(destination=destination, project="bank", name=bucket)
    Mailbox.objects.create(integration=integration, bucket=row, address=address)


if __name__ == "__main__":
    sys.exit(main())
