"""`re prune --mailbox` of Re:infer's CLI finds the comments of a mailbox by their property `Mailbox ID`.

An older version pushed comments without this property. `prune` finds such comments after the renewal, which adds the property.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from integrations.messages import CommentId
from integrations.models import Destination
from integrations.reinfer.sink import ReinferSink
from mailboxes.models import Bucket
from simulators.reinfer import DEFAULT_TOKEN, ReinferSimulator
from sync.engine.reconcile import properties_digest
from sync.jobs import property_renewal
from sync.models import LedgerEntry, MailboxState, Renewal
from tests.mails import comment_id_of, mail
from tests.sync.world import World

pytestmark = [pytest.mark.foreign, pytest.mark.django_db(transaction=True)]

DESK, SALES = "desk@bank.example", "sales@bank.example"


@pytest.fixture
def reinfer() -> Iterator[ReinferSimulator]:
    with ReinferSimulator(sources=[("bank", "desks")]) as running:
        yield running


@pytest.fixture
def world(db, reinfer: ReinferSimulator) -> World:
    world = World()

    def open_sink(destination: Destination, project: str, name: str) -> Any:
        return ReinferSink(reinfer.url, DEFAULT_TOKEN, project, name)

    world.open_sink = open_sink
    return world


def push_mail(world: World) -> None:
    for address in (DESK, SALES):
        box = world.mailbox(address)
        for number in range(3):
            world.mailboxes[address].deliver(mail(f"{address[:4]}{number}"))
        run = world.sync(box)
        assert run.created == 3, run.error_text


def remove_mailbox_property(reinfer: ReinferSimulator) -> None:
    with ReinferSink(reinfer.url, DEFAULT_TOKEN, "bank", "desks") as sink:
        ids = [CommentId(one) for one in LedgerEntry.objects.values_list("comment_id", flat=True)]
        for comment in sink.stored(ids).values():
            properties = {name: value for name, value in comment.properties.items() if name != "string:Mailbox ID"}
            before = replace(comment, properties=properties)
            sink.push([before])
            LedgerEntry.objects.filter(comment_id=comment.id).update(
                properties_version=0, properties_digest=properties_digest(before)
            )


def comment_ids(reinfer: ReinferSimulator) -> set[str]:
    return set(reinfer.sources["bank", "desks"].comments)


def test_prune_finds_comments_of_older_versions_after_the_renewal(
    world: World, reinfer: ReinferSimulator, tmp_path: Path
) -> None:
    client = pytest.importorskip("tests.foreign.vendors_client").VendorsClient(reinfer.url, DEFAULT_TOKEN, tmp_path)
    source = reinfer.sources["bank", "desks"]
    reinfer.store.create_dataset("bank", "all", [source.id], {})

    def prune(name: str) -> None:
        options = (
            "--datasets",
            "bank/all",
            "--older-than-days",
            "1",
            "--mailbox",
            DESK,
            "--backup-dir",
            tmp_path / name,
        )
        client("prune", *options, "--yes", "--no-progress")

    push_mail(world)
    remove_mailbox_property(reinfer)
    everything = comment_ids(reinfer)
    prune("before")
    assert comment_ids(reinfer) == everything, "these comments have no mailbox property"
    units = reinfer.ai_units
    MailboxState.objects.update(next_sync_at=world.clock() + 2 * property_renewal.NEXT_LAP)
    property_renewal.send_due(lambda pk: None, world.clock)
    while Renewal.objects.get().left != 0:
        property_renewal.renew(Bucket.objects.get().pk, world.clock, world.open_sink)
    assert reinfer.ai_units == units == 6
    assert source.text_changes == source.messages_changed == 0
    prune("after")
    assert comment_ids(reinfer) == {comment_id_of(f"sale{number}") for number in range(3)}
