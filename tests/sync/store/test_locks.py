"""Tests of lock timeouts: another PostgreSQL session, such as one that an administrator left open, holds a lock."""

from contextlib import closing

import psycopg
import pytest
from django.db import OperationalError, connection

from sync.models import LedgerEntry, MailboxItem, MailboxState, SyncRun
from tests.mails import mail
from tests.sync.world import World

pytestmark = pytest.mark.django_db(transaction=True)


@pytest.fixture
def short_lock_timeout():
    """Set a short lock timeout, so that the tests are fast."""
    if connection.vendor != "postgresql":
        pytest.skip("This test needs PostgreSQL: set DATABASE_URL.")
    with connection.cursor() as cursor:
        cursor.execute("SET lock_timeout = '50ms'")
    yield
    connection.close()


@pytest.fixture
def other_session(short_lock_timeout):
    """A second session of the database."""
    settings = connection.settings_dict
    parts = {"host": settings["HOST"], "port": settings["PORT"], "user": settings["USER"], "dbname": settings["NAME"]}
    with closing(psycopg.connect(**parts, password=settings["PASSWORD"] or None)) as session:
        yield session


@pytest.fixture
def desk(world: World, other_session):
    made = world.mailbox()
    for name in "abc":
        world.mailboxes[made.address].deliver(mail(name))
    return made


def sync_while_locked(world: World, other_session, desk, model) -> SyncRun | None:
    """Run one sync. Before its first push, the other session locks the table of this model."""
    usual = world.open_sink

    def locked(*given):
        sink = usual(*given)
        sink.before_push = lambda comments: other_session.execute(f"LOCK TABLE {model._meta.db_table}")
        return sink

    world.open_sink = locked
    try:
        return world.sync(desk)
    finally:
        other_session.rollback()
        world.open_sink = usual


@pytest.mark.parametrize("model", [LedgerEntry, MailboxItem])
def test_a_lock_timeout_delays_a_mailbox_and_loses_nothing(world: World, other_session, desk, model):
    run = sync_while_locked(world, other_session, desk, model)
    assert (run.outcome, run.error_kind) == (SyncRun.Outcome.FAILED, "database_failed")
    world.clock.turn(minutes=1)
    assert world.due() == [desk.pk]
    world.sync(desk)
    world.assert_all_is_well("abc")


def test_if_the_failure_cannot_be_stored_the_lease_expires_and_nothing_is_lost(world: World, other_session, desk):
    with pytest.raises(OperationalError):
        sync_while_locked(world, other_session, desk, MailboxState)
    world.clock.turn(minutes=20)
    assert world.due() == [desk.pk]
    world.sync(desk)
    world.assert_all_is_well("abc")


def test_the_lock_timeout_is_30_seconds():
    if connection.vendor != "postgresql":
        pytest.skip("This test needs PostgreSQL: set DATABASE_URL.")
    with connection.cursor() as cursor:
        cursor.execute("SHOW lock_timeout")
        assert cursor.fetchone() == ("30s",)
