"""A client that applies every reported change of a folder knows its items, even if the folder changes between two pages."""

from __future__ import annotations

import random
from datetime import timedelta

import pytest

from simulators.exchange import Mailbox, mail_of
from simulators.exchange.changes import ChangeKind, item_changes, tree_changes
from tests.mails import NOON, mail


def deliver(box: Mailbox, chance: random.Random) -> None:
    made = mail_of(mail(str(chance.random())))
    made.received = NOON + timedelta(minutes=chance.randrange(50))
    box.deliver(made)


def happen(box: Mailbox, chance: random.Random) -> None:
    """Apply one random action of a user to the mailbox."""
    items = list(box.folder("Inbox").items)
    if not items or chance.random() < 0.4:
        return deliver(box, chance)
    item_id = chance.choice(items)
    match chance.randrange(4):
        case 0:
            box.delete(item_id)
        case 1:
            box.move(item_id, "Sent Items")
        case 2:
            box.mark_read(item_id)
        case _:
            box.edit(item_id, mail_of(mail(str(chance.random()))))
    return None


@pytest.mark.parametrize("seed", range(25))
def test_a_client_that_applies_all_changes_knows_the_items_of_the_folder(seed: int) -> None:
    chance = random.Random(seed)
    box = Mailbox("desk@bank.example")
    for _ in range(chance.randrange(40)):
        deliver(box, chance)
    known: set[str] = set()
    state, last, steps = "", False, 0
    while not last:
        if steps < 60:
            for _ in range(chance.randrange(5)):
                happen(box, chance)
        page = item_changes(box, box.folder("Inbox"), state, chance.randint(1, 6))
        state, last, steps = page.state, page.last, steps + 1
        assert len(page.changes) <= 6
        for what, item_id in page.changes:
            (known.discard if what is ChangeKind.DELETE else known.add)(item_id)
        assert steps < 500
    assert known == set(box.folder("Inbox").items)


def test_a_migrated_tree_is_listed_again_and_then_only_its_changes() -> None:
    box = Mailbox("desk@bank.example")
    for number in range(30):
        box.create_folder(f"Inbox/{number}")
        box.rename_folder(f"Inbox/{number}", f"x{number}")
    box.migrate()
    page = tree_changes(box, box.root, "")
    assert {what for what, _ in page.changes} == {ChangeKind.CREATE}
    box.rename_folder("Inbox/x7", "seven")
    assert tree_changes(box, box.root, page.state).changes == [(ChangeKind.UPDATE, box.folder("Inbox/seven").id)]
