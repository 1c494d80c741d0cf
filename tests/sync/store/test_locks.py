"""A lock of PostgreSQL that does not come: somebody's session stands in the way, for example one that was left open."""

from contextlib import closing

import psycopg
import pytest
from django.db import OperationalError, connection

from sync.models import LedgerEntry, MailboxItem, MailboxState, SyncRun
from tests.mails import mail
from tests.sync.world import World

pytestmark = pytest.mark.django_db(transaction=True)


@pytest.fixture
def patient_for_a_moment():
    """The database waits for a lock as briefly as a test may."""
    if connection.vendor != "postgresql":
        pytest.skip("A matter of PostgreSQL: set DATABASE_URL.")
    with connection.cursor() as cursor:
        cursor.execute("SET lock_timeout = '50ms'")
    yield
    connection.close()


@pytest.fixture
def somebody_else(patient_for_a_moment):
    settings = connection.settings_dict
    parts = {"host": settings["HOST"], "port": settings["PORT"], "user": settings["USER"], "dbname": settings["NAME"]}
    with closing(psycopg.connect(**parts, password=settings["PASSWORD"] or None)) as session:
        yield session


@pytest.fixture
def desk(world: World, somebody_else):
    made = world.mailbox()
    for name in "abc":
        world.mailboxes[made.address].deliver(mail(name))
    return made


def sync_while_locked(world: World, somebody_else, desk, model) -> SyncRun | None:
    """One sync, during which somebody takes this table for himself before anything is pushed."""
    usual = world.open_sink

    def locked(*given):
        sink = usual(*given)
        sink.before_push = lambda comments: somebody_else.execute(f"LOCK TABLE {model._meta.db_table}")
        return sink

    world.open_sink = locked
    try:
        return world.sync(desk)
    finally:
        somebody_else.rollback()
        world.open_sink = usual


@pytest.mark.parametrize("model", [LedgerEntry, MailboxItem])
def test_a_lock_that_does_not_come_delays_a_mailbox_and_loses_nothing(world: World, somebody_else, desk, model):
    run = sync_while_locked(world, somebody_else, desk, model)
    assert (run.outcome, run.error_kind) == (SyncRun.Outcome.FAILED, "database_failed")
    world.clock.turn(minutes=1)
    assert world.due() == [desk.pk]
    world.sync(desk)
    world.assert_all_is_well("abc")


def test_where_not_even_the_failure_can_be_written_down_the_lease_runs_out_and_nothing_is_lost(
    world: World, somebody_else, desk
):
    with pytest.raises(OperationalError):
        sync_while_locked(world, somebody_else, desk, MailboxState)
    world.clock.turn(minutes=20)
    assert world.due() == [desk.pk]
    world.sync(desk)
    world.assert_all_is_well("abc")


def test_nobody_waits_for_a_lock_for_ever():
    if connection.vendor != "postgresql":
        pytest.skip("A matter of PostgreSQL: set DATABASE_URL.")
    with connection.cursor() as cursor:
        cursor.execute("SHOW lock_timeout")
        assert cursor.fetchone() == ("30s",)
