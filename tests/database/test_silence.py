"""Silence is an alarm: where mail usually arrives and does not, or a sync never comes to its end, somebody is told."""

from datetime import timedelta

import pytest

from integrations.models import Integration
from mailboxes.models import Mailbox
from sync import attention
from sync.activity import hour_of
from sync.models import Activity, MailboxState
from tests.database.world import World


@pytest.fixture
def desk(world: World):
    mailbox = world.mailbox()
    world.sync(mailbox)
    return mailbox


def arrived(world: World, mailbox: Mailbox, days: int, created: int) -> None:
    hour = hour_of(world.clock() - timedelta(days=days, hours=3))
    Activity.objects.create(
        integration_id=mailbox.integration_id, bucket_id=mailbox.bucket_id, hour=hour, created=created
    )


def titles(world: World) -> list[str]:
    return [problem.title for problem in attention.problems(world.clock())]


def test_a_day_without_mail_where_there_usually_is_some_is_told(world: World, desk):
    arrived(world, desk, 7, 120)
    arrived(world, desk, 14, 80)
    (problem,) = attention.problems(world.clock())
    assert problem.title == "Silent"
    assert "120 on the same day a week ago" in problem.text


@pytest.mark.parametrize(
    "past", [[(7, 120)], [(7, 120), (14, 3)], [(7, 120), (14, 80), (0, 1)]], ids=["once", "seldom", "some today"]
)
def test_what_is_not_usual_or_not_silent_is_no_alarm(world: World, desk, past):
    for days, created in past:
        arrived(world, desk, days, created)
    assert titles(world) == []


def test_an_integration_that_is_stopped_is_silent_for_a_reason(world: World, desk):
    arrived(world, desk, 7, 120)
    arrived(world, desk, 14, 80)
    Integration.objects.update(enabled=False, disabled_reason="user")
    assert titles(world) == []


def test_a_mailbox_whose_syncs_never_come_to_their_end_is_told(world: World, desk):
    assert titles(world) == []
    world.clock.turn(hours=3)
    MailboxState.objects.update(next_sync_at=world.clock())
    (problem,) = attention.problems(world.clock())
    assert problem.title == "Silent"
    assert "No sync of it came to its end" in problem.text
