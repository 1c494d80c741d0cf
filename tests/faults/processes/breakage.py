"""Random faults of processes and servers. Each method causes one fault. Most methods repair the fault after some seconds."""

from __future__ import annotations

import os
import signal
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field
from random import Random

from celery import Celery
from cryptography.fernet import Fernet

from tests.faults.processes.admin import Admin
from tests.faults.processes.cluster import DATABASE
from tests.faults.processes.member import Member, limit_files
from tests.faults.processes.stack import LEASE, Stack, faketime_library

SOON = 10.0
"""Maximum time in seconds that a worker may take to end after SIGTERM, also under load."""


@dataclass
class Breakage:
    """`applies()` causes one random fault. `log` has the faults, and `wrong` the violated conditions."""

    random: Random
    stack: Stack
    admin: Admin
    meanwhile: Callable[[], None]
    """Lets mail move during a fault."""
    log: list[str] = field(default_factory=list)
    wrong: list[str] = field(default_factory=list)

    def applies(self) -> None:
        name, act = self.random.choice(self.acts())
        self.log.append(name)
        act()

    def acts(self) -> list[tuple[str, Callable[[], None]]]:
        of_workers = [self.worker_killed, self.child_killed, self.worker_and_children_killed, self.worker_stands_still]
        of_deploys = [self.worker_terminated, self.rolling_restart, self.columns_added, self.key_rotated]
        of_others = [self.beat_killed, self.both_beats_away, self.web_killed, self.task_delivered_twice]
        of_redis = [
            self.redis_killed,
            self.redis_loses_all,
            self.redis_is_read_only,
            self.redis_is_full,
            self.redis_hangs,
        ]
        of_postgres = [
            self.postgres_killed, self.backend_killed, self.postgres_stops_at_once, self.postgres_is_read_only,
            self.postgres_takes_no_more, self.postgres_hangs, self.disk_of_postgres_full,
        ]  # fmt: skip
        of_machines = [self.disk_of_worker_full]
        if faketime_library() is not None:
            of_machines += [self.clock_jumps, self.clocks_are_wrong]
        all_ = [*of_workers, *of_deploys, *of_others, *of_redis, *of_postgres, *of_machines]
        return [(act.__name__, act) for act in all_]

    # ---- workers ------------------------------------------------------------------------------------------------------

    def worker_killed(self) -> None:
        """The main process of a worker is killed; its children may continue for a moment."""
        worker = self._worker()
        worker.kill()
        self._passes(2)
        worker.start()

    def child_killed(self) -> None:
        self.stack.awake()  # if a child dies while its worker starts, the worker ends
        children = self._worker().children()
        if children:
            with suppress(ProcessLookupError):
                os.kill(self.random.choice(children), signal.SIGKILL)

    def worker_and_children_killed(self) -> None:
        worker = self._worker()
        worker.kill_all()
        self._passes(2)
        worker.start()

    def worker_stands_still(self) -> None:
        """A worker stands still for longer than its lease. Another worker can sync the same mailbox in the meantime."""
        self._stands_still(self._worker(), LEASE + 1)

    def worker_terminated(self) -> None:
        worker = self._worker()
        self._terminate(worker)
        worker.start()

    def rolling_restart(self) -> None:
        """All workers are restarted one after the other, as in a deployment."""
        for worker in self.stack.workers:
            self._terminate(worker)
            worker.start()
            self.meanwhile()

    def task_delivered_twice(self) -> None:
        """The broker delivers the task of each mailbox several times."""
        with Celery(broker=self.stack.queue.url) as sender, suppress(OSError):
            for pk in self.admin.mailboxes().values():
                for _ in range(3):
                    sender.send_task("sync.tasks.sync_mailbox", [pk], queue="sync", ignore_result=True, retry=False)

    # ---- beats and pages ----------------------------------------------------------------------------------------------

    def beat_killed(self) -> None:
        beat = self.random.choice(self.stack.beats)
        beat.kill()
        self._passes(1)
        beat.start()

    def both_beats_away(self) -> None:
        for beat in self.stack.beats:
            beat.kill()
        self._passes(3)
        for beat in self.stack.beats:
            beat.start()

    def web_killed(self) -> None:
        self.stack.web.kill_all()
        self._passes(1)
        self.stack.web.start()

    # ---- Redis --------------------------------------------------------------------------------------------------------

    def redis_killed(self) -> None:
        self._redis_away(keep=True)

    def redis_loses_all(self) -> None:
        self._redis_away(keep=False)

    def redis_is_read_only(self) -> None:
        with self._mended(self.stack.queue.mend):
            self.stack.queue.refuse_writes()
            self._passes(3)

    def redis_is_full(self) -> None:
        with self._mended(self.stack.queue.mend):
            self.stack.queue.fill()
            self._passes(3)

    def redis_hangs(self) -> None:
        self._stands_still(self.stack.queue.server, 4)

    # ---- PostgreSQL ---------------------------------------------------------------------------------------------------

    def postgres_hangs(self) -> None:
        """PostgreSQL accepts connections and does not respond, for longer than a lease."""
        self._stands_still(self.stack.cluster.server, LEASE + 1)

    def postgres_killed(self) -> None:
        self.stack.cluster.kill()
        self._passes(2)
        self.stack.cluster.start()

    def backend_killed(self) -> None:
        self.stack.cluster.kill_backend()
        self.stack.cluster.await_answer()

    def postgres_stops_at_once(self) -> None:
        self.stack.cluster.stop_at_once()
        self._passes(2)
        self.stack.cluster.start()

    def postgres_is_read_only(self) -> None:
        self._set_database("SET default_transaction_read_only = on", "RESET default_transaction_read_only")

    def postgres_takes_no_more(self) -> None:
        self._set_database("CONNECTION LIMIT 1", "CONNECTION LIMIT -1")

    def disk_of_postgres_full(self) -> None:
        with self._mended(self.stack.cluster.free_disk):
            self.stack.cluster.fill_disk()
            self._passes(2)

    def columns_added(self) -> None:
        """Tables get columns that this version does not know, as in a migration of the next version, while workers run."""
        name = f"next_{len(self.log)}"
        tables = ("sync_mailboxstate", "sync_ledgerentry", "sync_copy", "sync_syncedfolder", "sync_syncrun")
        with self._mended(lambda: self._alter(tables, f"DROP COLUMN IF EXISTS {name}")):
            self._alter(tables, f"ADD COLUMN {name} text NOT NULL DEFAULT ''")
            self._passes(2)

    # ---- machines -----------------------------------------------------------------------------------------------------

    def disk_of_worker_full(self) -> None:
        """A worker can write neither its log nor temporary files."""
        family = self._worker().family()
        with self._mended(lambda: limit_files(family, None)):
            limit_files(family, 0)
            self._passes(3)

    def clock_jumps(self) -> None:
        """The clock of one worker jumps by an hour during its work, and then back again."""
        worker = self._worker()
        with self._mended(lambda: self.stack.turn_clock(worker, 0)):
            self.stack.turn_clock(worker, self.random.choice([-60, 60]))
            self._passes(3)

    def clocks_are_wrong(self) -> None:
        """The clocks of the workers are wrong until the end of the seed. The clocks of beat, web and database stay right."""
        minutes = self.random.choice([-60, -5, 5, 60])
        self.log[-1] += f" ({minutes:+d} min)"
        for worker in self.stack.workers:
            worker.kill_all()
            self.stack.turn_clock(worker, minutes)
            worker.start()

    def key_rotated(self) -> None:
        """The key is replaced as docs/operations.md describes: add the new key, restart, `rotate_keys`, remove the old key."""
        new = Fernet.generate_key().decode()
        self.stack.set_keys([new, *self.stack.keys])
        self._restart_all()
        self.stack.manage("rotate_keys")
        self.stack.set_keys([new])
        self._restart_all()

    # ---- helper functions ---------------------------------------------------------------------------------------------

    def _worker(self) -> Member:
        return self.random.choice(self.stack.workers)

    def _passes(self, most: float) -> None:
        """Let mail move, and wait for a random time of at most `most` seconds."""
        self.meanwhile()
        time.sleep(self.random.choice([0.0, 0.3, 1.0]) * most)

    def _stands_still(self, member: Member, seconds: float) -> None:
        family = member.family()
        with self._mended(lambda: _signal_all(family, signal.SIGCONT)):
            _signal_all(family, signal.SIGSTOP)
            self.meanwhile()
            time.sleep(seconds)

    def _terminate(self, worker: Member) -> None:
        began = time.monotonic()
        ended = worker.terminate(SOON * 3)
        took = time.monotonic() - began
        self.log[-1] += f" ({took:.1f} s)"
        if not ended or took > SOON:
            self.wrong.append(f"{worker.name} {'ended after' if ended else 'had not ended after'} {took:.1f} s")

    def _restart_all(self) -> None:
        for worker in self.stack.workers:
            self._terminate(worker)
            worker.start()
        self.stack.web.kill_all()
        self.stack.web.start()
        self.stack.awake()

    def _redis_away(self, *, keep: bool) -> None:
        self.stack.queue.kill(keep=keep)
        self._passes(4)
        self.stack.queue.start()

    def _set_database(self, broken: str, mended: str) -> None:
        def set_to(what: str) -> None:
            self.stack.cluster.tell(f"ALTER DATABASE {DATABASE} {what}", database="postgres")
            self.stack.cluster.throw_out()

        with self._mended(lambda: set_to(mended)):
            set_to(broken)
            self._passes(3)

    def _alter(self, tables: tuple[str, ...], what: str) -> None:
        for table in tables:
            self.stack.cluster.tell(f"ALTER TABLE {table} {what}")

    @contextmanager
    def _mended(self, mend: Callable[[], object]) -> Iterator[None]:
        try:
            yield
        finally:
            mend()


def _signal_all(pids: list[int], number: int) -> None:
    for pid in pids:
        with suppress(ProcessLookupError):
            os.kill(pid, number)
