"""A fault of a worker does not change the mailbox, its connection or its bucket: fault F53 in docs/guarantees.md."""

from __future__ import annotations

import errno
from datetime import timedelta

import pytest
from cryptography.fernet import Fernet

from config import process_guard
from integrations.errors import ExchangeUnreachable, OutOfResources, ReinferUnreachable, SignInRefused
from integrations.models import Destination, Integration
from mailboxes.models import Bucket
from notifications import delivering
from notifications.models import Delivery, NotificationKind, Webhook
from notifications.outbox import announce
from sync.jobs import connection_breakers, processes, scheduling, verification, worker_fitness
from sync.models import MailboxState, Process, SyncedFolder, SyncRun
from sync.store.lease import database_now
from tests.factories import ProcessFactory
from tests.mails import mail
from tests.sync.world import World


@pytest.fixture(autouse=True)
def _fit():
    yield
    worker_fitness.mark_fit()


@pytest.fixture
def desk(world: World):
    desk = world.mailbox()
    world.mailboxes[desk.address].deliver(mail("a"))
    return desk


@pytest.fixture
def wrong_key(settings):
    right = settings.ENCRYPTION_KEYS

    def set_key(wrong: bool) -> None:
        settings.ENCRYPTION_KEYS = [Fernet.generate_key().decode()] if wrong else right

    return set_key


def rows(*, with_decision=("next_sync_at", "failures", "error_kind", "lease_token", "queued_until", "probe")):
    """Return the stored values that an error of Exchange or Re:infer would change."""
    held = ("held_since", "held_until", "held_kind")
    return [
        MailboxState.objects.values(*with_decision).get(),
        Integration.objects.values("enabled", *held).get(),
        Destination.objects.values(*held).get(),
        Bucket.objects.values(*held).get(),
        SyncedFolder.objects.filter(attempts__gt=0).count(),
    ]


class Guarded:
    """A fake of Celery's consumer, with the methods that the process guard calls."""

    class pool:
        num_processes = 2

    def __init__(self):
        self.calls = []

    def call_soon(self, method, queue):
        method(queue)

    def cancel_task_queue(self, queue):
        self.calls.append(f"cancel {queue}")

    def add_task_queue(self, queue):
        self.calls.append(f"add {queue}")


@pytest.mark.parametrize(
    "keys", [[], ["no key at all"], [Fernet.generate_key().decode()]], ids=["none", "bad", "other"]
)
def test_a_worker_that_cannot_decrypt_a_secret_changes_nothing(world, desk, settings, keys):
    before = rows()
    settings.ENCRYPTION_KEYS = keys
    MailboxState.objects.update(queued_until=world.clock() + timedelta(minutes=5))
    assert world.run(desk) is None
    assert rows() == before
    assert not SyncRun.objects.exists()


def test_the_next_dispatch_queues_the_mailbox_again_and_a_worker_with_the_right_key_syncs_it(world, desk, wrong_key):
    assert world.due() == [desk.pk]
    wrong_key(True)
    world.run(desk)
    wrong_key(False)
    assert world.due() == [desk.pk]
    assert world.run(desk).outcome == SyncRun.Outcome.DONE
    world.assert_all_is_well("a")


def test_a_half_open_trial_on_a_worker_without_the_key_is_repeated_at_the_next_dispatch(world, desk, wrong_key):
    connection_breakers.open_breaker(world.integration, world.clock(), SignInRefused(), world.clock())
    sent: list[int] = []
    scheduling.dispatch(sent.append, world.clock)
    wrong_key(True)
    world.run(desk)
    wrong_key(False)
    assert scheduling.dispatch(sent.append, world.clock) == 1
    assert world.run(desk).outcome == SyncRun.Outcome.DONE


@pytest.mark.parametrize("port", ["open_source", "open_sink"])
def test_exhausted_file_descriptors_open_no_circuit_breaker(world, desk, monkeypatch, port):
    before = rows()

    def runs_out(*given):
        error = ExchangeUnreachable if port == "open_source" else ReinferUnreachable
        raise error("no way") from OSError(errno.EMFILE, "Too many open files")

    monkeypatch.setattr(world, port, runs_out)
    assert world.run(desk) is None
    assert rows() == before
    run = SyncRun.objects.get()
    assert (run.outcome, run.error_kind) == (SyncRun.Outcome.LOST, OutOfResources.kind)


@pytest.mark.parametrize(("error", "counts"), [(OSError(errno.ENOSPC, "full"), 0), (MemoryError(), 1)], ids=repr)
def test_a_memory_error_counts_as_an_attempt_of_the_folder_and_a_full_disk_does_not(world, desk, error, counts):
    class Fails:
        def __init__(self, source):
            self._source = source

        def __enter__(self):
            return self

        def __exit__(self, *given):
            return None

        def __getattr__(self, name):
            return getattr(self._source, name)

        def fetch(self, changes):
            raise error

    world.wrap = lambda port, it: Fails(it) if port == "source" else it
    assert world.run(desk) is None
    assert sum(SyncedFolder.objects.values_list("attempts", flat=True)) == counts
    assert MailboxState.objects.get().failures == 0
    world.wrap = lambda port, it: it
    world.sync(desk)
    world.assert_all_is_well("a")


def test_a_verification_on_a_worker_without_the_key_waits_and_changes_nothing(world, desk, wrong_key, monkeypatch):
    world.sync(desk)
    row = verification.begin(desk, repair=False, clock=world.clock)
    monkeypatch.setattr(world, "open_source", lambda *given: world.integration.password.reveal())
    wrong_key(True)
    before = rows()
    verification.run_slice(row.pk, world.around())
    wrong_key(False)
    row.refresh_from_db()
    assert (row.ended_at, row.claimed_until) == (None, None)
    assert rows() == before


def test_a_notification_that_a_worker_cannot_sign_counts_no_attempt(world, wrong_key):
    Webhook.objects.create(url="https://hooks.example/in", secret="a secret of sixteen or more")
    announce(NotificationKind.INTEGRATION_DISABLED, "Why.", integration_id=world.integration.pk)
    now = Delivery.objects.get().next_at
    wrong_key(True)
    delivering.deliver(Webhook.objects.get().pk, now, lambda *given: None)
    wrong_key(False)
    delivery = Delivery.objects.get()
    assert (delivery.attempts, delivery.next_at) == (0, now + delivering.FIRST_WAIT)
    assert delivering.deliver(Webhook.objects.get().pk, delivery.next_at, lambda *given: None) == 1


# ---- the worker stops consuming, and starts again ---------------------------------------------------------------------


@pytest.fixture
def consumer():
    return Guarded()


@pytest.fixture
def worker(consumer):
    return process_guard.Guard(Process.Kind.WORKER, "celery@here", consumer)


def test_a_worker_that_can_decrypt_no_secret_stops_consuming_until_it_can(world, desk, wrong_key, worker, consumer):
    wrong_key(True)
    worker.check()
    worker.check()
    assert (consumer.calls, worker.fault) == (["cancel sync"], "secret_unreadable")
    wrong_key(False)
    assert world.run(desk) is None, (
        "an unfit worker synced a mailbox whose task it had received before it stopped consuming"
    )
    worker.check()
    assert consumer.calls == ["cancel sync", "add sync"]
    assert world.run(desk).outcome == SyncRun.Outcome.DONE


@pytest.fixture
def only_token_readable(world, settings):
    """This worker can decrypt the token of the destination, but not the password of the integration."""
    settings.ENCRYPTION_KEYS = [Fernet.generate_key().decode()]
    world.destination.token = "opens"
    world.destination.save()


def test_one_secret_that_no_worker_can_decrypt_stops_no_worker_that_can_decrypt_others(
    world, desk, only_token_readable, worker, consumer
):
    for _ in range(3):
        assert world.run(desk) is None
        worker.check()
    assert (consumer.calls, worker.fault) == ([], "")
    worker.record_heartbeat()
    assert Process.objects.get().unreadable == [processes.reference(world.integration)]


def test_after_two_failed_decryptions_a_worker_stops_consuming_if_another_one_can_decrypt_the_secret(
    world, desk, only_token_readable, worker, consumer
):
    ProcessFactory(seen_at=database_now())  # another worker, which can decrypt all secrets
    world.run(desk)
    worker.check()
    assert consumer.calls == []
    world.run(desk)
    worker.check()
    assert (consumer.calls, worker.fault) == (["cancel sync"], "secret_unreadable")


def test_a_worker_that_ran_out_of_resources_stops_consuming_until_the_next_check(world, worker, consumer):
    worker_fitness.note_fault(OutOfResources.kind)
    worker_fitness.note_fault(OutOfResources.kind)
    worker.check()
    assert worker.fault == OutOfResources.kind
    worker.check()
    assert consumer.calls == ["cancel sync", "add sync"]


def test_mailboxes_whose_secrets_no_worker_can_decrypt_are_not_queued(world, desk):
    ref = processes.reference(world.integration)
    ProcessFactory(seen_at=world.clock(), unreadable=[ref], unreadable_since=world.clock())
    assert world.due() == []
    ProcessFactory(seen_at=world.clock(), unreadable=[])
    assert world.due() == [desk.pk]
    Process.objects.all().delete()
    assert world.due() == [desk.pk], "without any heartbeat, mailboxes are queued for a worker that may start later"
