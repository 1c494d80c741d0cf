"""A switch from EWS to Graph while mail arrives: the comments stay the same, and each email costs one AI unit."""

from __future__ import annotations

from dataclasses import replace

import pytest

from integrations.models import Integration
from mailboxes.models import Mailbox
from operations import failed_email_actions
from sync.models import DeadLetter, LedgerEntry, MailboxItem, MailboxState, SyncedFolder
from tests.actors import ADMIN
from tests.factories import moved
from tests.faults.midlife import ADDRESSES, Midlife

pytestmark = [pytest.mark.long, pytest.mark.django_db(transaction=True)]


@pytest.fixture
def life():
    with Midlife().stage() as staged:
        yield staged


def mimes_read(life):
    return life.graph.operations.count("mime")


class Meanwhile:
    """A source that calls a function after each page of a listing."""

    def __init__(self, source, happens):
        self._source, self._happens = source, happens

    def __getattr__(self, name):
        return getattr(self._source, name)

    def __enter__(self):
        return self

    def __exit__(self, *exc):
        self._source.close()

    def changes(self, folder, after):
        for page in self._source.changes(folder, after):
            self._happens()
            yield page


def test_nothing_is_missed_or_paid_again_while_mail_arrives_moves_and_is_edited(life, settings):
    settings.PAGE_SIZE = 20
    whole_life(life, emails=60)


def whole_life(life, *, emails):
    life.begin(emails)
    life.sync()
    life.live(emails // 10)
    life.sync()
    life.live(emails // 10)  # changes that no sync over EWS has read
    assert isinstance(life.switch("graph"), str)
    life.live(emails // 20)
    life.sync(lambda source: Meanwhile(source, lambda: life.live(1)))  # changes during the first sync over Graph
    life.sync()
    assert life.complaints() == []
    life.live(emails // 10)
    life.sync()
    assert life.complaints() == []
    assert isinstance(life.switch("ews"), str)  # switch back
    life.live(emails // 20)
    life.sync()
    life.sync()
    assert life.complaints() == []
    assert not MailboxItem.objects.filter(item_id__startswith="former:").exists()
    assert not MailboxState.objects.exclude(former_until=None).exists()


def test_unchanged_emails_are_not_read_again_after_the_switch(life):
    life.begin(40)
    life.sync()
    life.clock.turn(hours=2)
    life.sync()
    units, copies = life.reinfer.ai_units, MailboxItem.objects.count()
    life.switch("graph")
    life.live(0)
    runs = life.sync()
    without_id = sum(not email.with_id for email in life.story.emails.values())
    assert mimes_read(life) <= without_id * len(ADDRESSES)
    assert sum(run.created + run.updated for run in runs) == 0
    assert (life.reinfer.ai_units, MailboxItem.objects.count()) == (units, copies)
    assert life.complaints() == []


def test_the_item_synced_last_stays_the_winner_of_an_email_in_several_mailboxes(life):
    life.begin(40)
    life.sync()
    life.clock.turn(hours=2)
    life.sync()
    winners = dict(LedgerEntry.objects.values_list("comment_id", "winner_mailbox_id"))
    assert len(set(winners.values())) > 1
    life.switch("graph")
    life.sync()
    with_id = {email.message_id.encode().hex() for email in life.story.emails.values() if email.with_id}
    after = dict(LedgerEntry.objects.values_list("comment_id", "winner_mailbox_id"))
    assert {key: after[key] for key in with_id & winners.keys()} == {
        key: winners[key] for key in with_id & winners.keys()
    }


def test_an_edit_that_ews_did_not_report_arrives_over_graph(life):
    life.begin(20)
    life.sync()
    alone = next(
        email for email in life.story.emails.values() if email.with_id and len(life.story.places(email.name)) == 1
    )
    box, item = next((box, item) for box in life.store for item in box.find(alone.message_id))
    life.clock.turn(hours=2)
    box.edit(item.id, replace(item.mail, categories=("Done",)))
    life.switch("graph")
    life.sync()
    comment = life.reinfer.sources["bank", "desks"].comments[alone.message_id.encode().hex()]
    assert comment.properties["string:Categories"] == "Done"


def test_a_sync_during_a_switch_ends_over_the_old_api_and_leaves_no_cursor_of_the_old_api(life):
    life.begin(30)
    switched = []

    def switches():
        if not switched:
            switched.append(life.switch("graph"))

    life.sync(lambda source: Meanwhile(source, switches))
    # The sync of the first mailbox used EWS to its end. The syncs of the other mailboxes used Graph.
    assert [state.ids_of for state in MailboxState.objects.order_by("pk")] == ["ews", "graph", "graph"]
    life.sync()
    assert {state.ids_of for state in MailboxState.objects.all()} == {"graph"}
    assert life.complaints() == []
    assert not [
        cursor for cursor in SyncedFolder.objects.values_list("cursor", flat=True) if cursor and "{" not in cursor
    ]


def test_a_dead_letter_survives_the_switch_and_is_retried_with_its_new_id(life):
    life.begin(10)
    refused = next(email for email in life.story.emails.values() if email.with_id and life.story.places(email.name))
    comment_id = refused.message_id.encode().hex()
    life.reinfer.faults.add("failure", operation="sync", comment_id=comment_id, status=422)
    life.sync()
    life.clock.turn(hours=2)
    before = DeadLetter.objects.filter(settled="").count()
    assert before
    assert "The next sync finds this email" not in str(failed_email_actions.preview(DeadLetter.objects.first()))
    DeadLetter.objects.update(retry_at=None)
    life.switch("graph")
    life.sync()
    aside = DeadLetter.objects.filter(settled="")
    assert aside.count() == before
    assert not aside.filter(item_id__startswith="former:").exists()
    life.reinfer.faults.clear()
    failed_email_actions.retry_many(ADMIN, DeadLetter.objects.all(), life.clock)
    life.sync()
    assert not DeadLetter.objects.filter(settled="").exists()
    assert life.complaints() == []


def test_a_dismissed_email_stays_dismissed_after_the_switch(life):
    life.begin(10)
    email = next(email for email in life.story.emails.values() if email.with_id and life.story.places(email.name))
    life.reinfer.faults.add("failure", operation="sync", comment_id=email.message_id.encode().hex(), status=422)
    life.sync()
    life.clock.turn(hours=2)
    life.sync()
    for email in DeadLetter.objects.all():
        failed_email_actions.dismiss(ADMIN, email)
    life.reinfer.faults.clear()
    units = life.reinfer.ai_units
    life.switch("graph")
    life.sync()
    life.sync()
    assert life.reinfer.ai_units == units
    assert {email.settled for email in DeadLetter.objects.all()} == {"dismissed"}


def test_a_folder_renamed_before_the_switch_is_updated_free_of_charge(life):
    life.begin(20)
    life.sync()
    units = life.reinfer.ai_units
    life.clock.turn(hours=2)
    for box in life.store:
        box.rename_folder("Inbox/Trades", "Deals")
    life.switch("graph")
    life.sync()
    life.sync()
    assert life.complaints() == []
    assert life.reinfer.ai_units == units


def test_an_api_changed_in_the_database_loses_nothing_and_bills_nothing_twice(life):
    life.begin(10)
    life.sync()
    units = life.reinfer.ai_units
    endpoint, authority = life._addresses("graph")
    moved(Integration.objects.get(), microsoft_api="graph", endpoint=endpoint, authority=authority)
    life.sync()
    assert life.complaints() == []
    assert life.reinfer.ai_units == units
    assert Mailbox.objects.count() == len(ADDRESSES)
