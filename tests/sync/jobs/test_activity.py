"""The counts of runs are added up by integration, bucket and hour."""

from datetime import UTC, datetime, timedelta

import pytest

from integrations import errors
from mailboxes.models import Mailbox
from sync.engine.records import RunCounts
from sync.jobs import activity
from sync.jobs.pruning import prune
from sync.models import Activity, SyncRun
from tests.mails import mail
from tests.sync.jobs.test_two_workers import interrupted
from tests.sync.world import World


def sums():
    return list(Activity.objects.order_by("hour").values_list("created", "updated", "set_aside", "longest_wait"))


def test_the_runs_of_an_hour_add_up(world: World):
    desk, sales = world.mailbox("desk@bank.example"), world.mailbox("sales@bank.example")
    for mailbox, names in ((desk, "ab"), (sales, "c")):
        for name in names:
            world.mailboxes[mailbox.address].deliver(mail(name))
    world.sync_all()
    box = world.mailboxes[desk.address]
    box.create_folder("Done")
    box.move(next(iter(box.folder("Inbox").items)), "Done")
    world.sync(desk)
    assert sums() == [(3, 1, 0, None)]
    row = Activity.objects.get()
    assert (row.integration, row.bucket, row.hour) == (
        world.integration,
        desk.bucket,
        datetime(2026, 3, 2, 8, tzinfo=UTC),
    )


@pytest.mark.parametrize(
    ("method", "after"), [("source.fetch", False), ("sink.push", True), ("checkpoints.advance", True)], ids=str
)
def test_the_counts_of_two_simultaneous_runs_add_up(world: World, method, after):
    desk, sales = world.mailbox("desk@bank.example"), world.mailbox("sales@bank.example")
    for mailbox, names in ((desk, "abc"), (sales, "de")):
        for name in names:
            world.mailboxes[mailbox.address].deliver(mail(name))
    interrupted(world, method, lambda: world.sync(sales), after=after)
    world.sync(desk)
    assert sums() == [(5, 0, 0, None)]


def test_a_quiet_run_writes_nothing(world: World):
    desk = world.mailbox()
    world.sync(desk)
    assert not Activity.objects.exists()


def test_a_run_is_counted_in_the_hour_in_which_it_ends(world: World):
    desk = world.mailbox()
    box = world.mailboxes[desk.address]
    box.deliver(mail("a"))
    world.sync(desk)
    box.deliver(mail("b"))
    world.clock.turn(hours=1)
    world.sync(desk)
    assert [row[0] for row in sums()] == [1, 1]


def test_each_bucket_has_its_own_sums(world: World):
    for address, bucket in (("desk@bank.example", "desks"), ("sales@bank.example", "sales")):
        world.mailbox(address, bucket)
        world.mailboxes[address].deliver(mail(bucket))
    world.sync_all()
    assert sums() == [(1, 0, 0, None), (1, 0, 0, None)]


def test_failed_emails_and_emails_pushed_before_a_failure_are_counted(world: World):
    desk = world.mailbox()
    box = world.mailboxes[desk.address]
    box.break_item(box.deliver(mail("bad")), "ErrorItemCorrupt")
    box.deliver(mail("a"))
    box.deliver(mail("b"), "Sent Items")

    def then_fail():
        box.fail("fetch", errors.ExchangeFailed())

    interrupted(world, "ledger.confirm", then_fail, after=True)
    assert world.sync(desk).outcome == "failed"
    assert sums() == [(1, 0, 1, None)]


def test_the_latency_of_new_emails_is_measured_but_not_of_a_first_sync(world: World):
    desk = world.mailbox()
    box = world.mailboxes[desk.address]
    box.deliver(mail("of last year"), received=world.clock() - timedelta(days=365))
    world.sync(desk)
    for seconds, name in ((30, "a"), (70, "b")):
        box.deliver(mail(name), received=world.clock() + timedelta(seconds=60 - seconds))
    world.clock.turn(seconds=60)
    run = world.sync(desk)
    box.deliver(mail("c"), received=world.clock())
    world.clock.turn(seconds=5)
    world.sync(desk)
    assert run.longest_wait == 70
    assert sums() == [(4, 0, 0, 70)]


def test_a_moved_email_has_no_latency(world: World):
    desk = world.mailbox()
    box = world.mailboxes[desk.address]
    box.create_folder("Done")
    item = box.deliver(mail("a"), received=world.clock())
    world.sync(desk)
    box.move(item, "Done")
    world.clock.turn(minutes=1)
    assert world.sync(desk).longest_wait is None


def test_a_mailbox_that_is_deleted_during_its_sync_is_not_counted(world: World):
    desk = world.mailbox()
    world.mailboxes[desk.address].deliver(mail("a"))
    interrupted(world, "checkpoints.advance", lambda: Mailbox.objects.all().delete(), after=True)
    world.sync(desk)
    assert not Activity.objects.exists()
    assert not SyncRun.objects.exists()


def test_a_bucket_that_was_deleted_is_not_counted(world: World):
    desk, other = world.mailbox(), world.mailbox("other@bank.example", bucket="other")
    Mailbox.objects.filter(pk=desk.pk).update(bucket=other.bucket)
    desk.bucket.delete()
    activity.add(desk, RunCounts(created=1), world.clock())
    assert not Activity.objects.exists()


def test_sums_are_kept_when_their_integration_is_deleted(world: World):
    desk = world.mailbox()
    world.mailboxes[desk.address].deliver(mail("a"))
    world.sync(desk)
    world.integration.delete()
    assert sums() == [(1, 0, 0, None)]


def test_activity_is_kept_for_thirteen_months(world: World):
    desk = world.mailbox()
    world.mailboxes[desk.address].deliver(mail("a"))
    world.sync(desk)
    world.clock.turn(days=395)
    prune(world.clock)
    assert Activity.objects.exists()
    world.clock.turn(days=2)
    prune(world.clock)
    assert not Activity.objects.exists()
