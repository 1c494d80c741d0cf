"""The preview shows the effect of filters on the emails of the last 30 days, before the filters are saved."""

from datetime import timedelta

import pytest

from mailboxes.rules import FilterVerdict, Rules
from sync.reporting.filter_preview import FilterForecast, preview
from tests.mails import mail
from tests.sync.world import World


@pytest.fixture
def desk(world: World):
    made = world.mailbox(participant_deny=["spam@else.example"])
    box = world.mailboxes[made.address]
    box.create_folder("Trades")
    for number in range(6):
        box.deliver(mail(f"in{number}"), received=world.clock() - timedelta(days=number))
    for number in range(3):
        box.deliver(mail(f"trade{number}"), "Trades", received=world.clock())
    box.deliver(mail("spam", sender="spam@else.example"), received=world.clock())
    box.deliver(mail("junk"), "Junk Email", received=world.clock())
    box.deliver(mail("old"), received=world.clock() - timedelta(days=90))
    world.sync(made)
    return made


@pytest.mark.wording
def test_the_preview_of_unchanged_filters_counts_the_rejected_emails(world: World, desk):
    found = preview(desk, desk.rules(), world.clock())
    assert found.sentence == (
        "Of the 11 emails of the last 30 days, 9 would be synced; 2 not: 1 by folder, 1 by participant."
    )
    assert found.unknown == 0


@pytest.mark.wording
def test_the_preview_shows_the_effect_of_other_folders_and_another_start_time(world: World, desk):
    rules = Rules(
        folder_deny=(("trades",),), participant_deny=("spam@else.example",), start=world.clock() - timedelta(days=2)
    )
    assert preview(desk, rules, world.clock()).sentence == (
        "Of the 11 emails of the last 30 days, 3 would be synced; 8 not: 4 by folder, 1 by participant, "
        "3 before the start time."
    )


def test_the_effect_of_other_participant_filters_is_unknown(world: World, desk):
    found = preview(desk, Rules(domain_deny=("bank.example",)), world.clock())
    assert (found.wanted, found.unknown) == (10, 10)


@pytest.mark.wording
def test_no_email_is_known_of_a_mailbox_that_was_never_synced(world: World):
    new = world.mailbox("new@bank.example")
    assert preview(new, new.rules(), world.clock()).sentence == "No email of the last 30 days is known yet."


@pytest.mark.wording
@pytest.mark.parametrize(
    ("verdict", "sentence"),
    [
        (FilterVerdict.WANTED, "The one email of the last 30 days would be synced."),
        (FilterVerdict.PARTICIPANT, "The one email of the last 30 days would not be synced: by participant."),
    ],
)
def test_the_sentence_about_one_email_is_in_the_singular(verdict, sentence):
    assert FilterForecast({verdict: 1}, unknown=0).sentence == sentence
