"""When a bucket reaches its monthly limit of AI units, its mailboxes stop until a new month or a higher limit."""

from datetime import UTC, datetime

import pytest
from django.utils import timezone

from integrations.models import DisabledReason
from mailboxes.models import Bucket, Mailbox
from sync.jobs import budget
from sync.reporting import alerts
from tests import factories
from tests.mails import mail
from tests.sync.world import World


@pytest.fixture
def desk(world: World):
    # Ledger entries get the real time, and not the time of `world.clock`. So `world.clock` must not start in a month
    # that is still in the future.
    mailbox = world.mailbox()
    for number in range(10):
        world.mailboxes[mailbox.address].deliver(mail(f"m{number}"))
    return mailbox


def limit(units):
    Bucket.objects.update(monthly_limit=units)


@pytest.mark.parametrize("viewer", ["Pacific/Auckland", "America/Los_Angeles"])
def test_the_month_is_in_the_time_zone_of_the_server_and_not_of_the_browser(settings, viewer):
    settings.TIME_ZONE = "Europe/Berlin"
    late = datetime(2026, 3, 31, 22, 30, tzinfo=UTC)  # half past midnight in Berlin
    with timezone.override(viewer):
        assert budget.month_start(late) == datetime(2026, 3, 31, 22, 0, tzinfo=UTC)


def test_a_bucket_without_a_limit_takes_everything(world: World, desk):
    world.sync_all()
    assert world.bucket().billed == 10


def test_a_reached_limit_stops_the_mailboxes_of_the_bucket_and_shows_an_alert(world: World, desk):
    other = world.mailbox("other@bank.example")
    elsewhere = world.mailbox("third@bank.example", bucket="elsewhere")
    limit(10)
    world.sync(desk)
    world.mailboxes[desk.address].deliver(mail("late"))
    run = world.sync(desk)
    assert run.error_kind == "syncemail_consumption_limit_exceeded"
    assert world.bucket().billed == 10
    stopped = {box.pk: box.disabled_reason for box in Mailbox.objects.filter(enabled=False)}
    assert stopped == {desk.pk: DisabledReason.QUOTA, other.pk: DisabledReason.QUOTA}
    assert elsewhere.pk in world.due()
    (problem,) = alerts.problems(world.clock())
    assert (problem.about, problem.title) == ("budget", "Limit reached")


def test_a_sync_stops_after_the_batch_that_reaches_the_limit(world: World, desk, settings):
    settings.PUSH_COUNT = settings.FETCH_COUNT = 2
    limit(4)
    world.sync(desk)
    assert world.bucket().billed == 4


def test_a_higher_limit_starts_the_mailboxes_again_and_all_emails_are_pushed(world: World, desk):
    limit(0)
    world.sync(desk)
    assert world.due() == []
    limit(100)
    assert world.due() == [desk.pk]
    world.sync_all()
    assert world.bucket().billed == 10


def test_a_new_month_starts_the_mailboxes_again(world: World, desk):
    limit(10)
    world.sync(desk)
    world.mailboxes[desk.address].deliver(mail("late"))
    world.sync(desk)
    assert world.due() == []
    world.clock.turn(days=400)
    assert world.due() == [desk.pk]


def test_a_mailbox_that_a_person_stopped_stays_stopped(world: World, desk):
    Mailbox.objects.update(enabled=False, disabled_reason=DisabledReason.USER)
    limit(100)
    assert budget.resume(world.clock()) == 0


@pytest.mark.wording
def test_an_admin_is_warned_at_four_fifths(world: World, desk):
    limit(12)
    world.sync_all()
    (problem,) = alerts.problems(world.clock())
    assert problem.title == "Nearly at its limit"
    assert "10 of 12 AI units" in problem.text
    limit(13)
    assert alerts.problems(world.clock()) == []


def test_the_number_of_queries_does_not_grow_with_the_number_of_limits(db, django_assert_max_num_queries):
    factories.LedgerEntryFactory(bucket__monthly_limit=1)
    with django_assert_max_num_queries(20) as queries:
        alerts.problems(timezone.now())
    for _ in range(20):
        factories.LedgerEntryFactory(bucket__monthly_limit=1)
    with django_assert_max_num_queries(len(queries.captured_queries)):
        budgets = [problem for problem in alerts.problems(timezone.now()) if problem.about == "budget"]
    assert len(budgets) == 21
