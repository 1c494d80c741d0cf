"""Real worker processes are killed by SIGKILL, with real sockets and a real database: nothing is lost or billed twice."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys

import pytest

from simulators.exchange import Store, mail_of
from simulators.reinfer import DEFAULT_TOKEN, ReinferSimulator
from tests.faults.databases import ROOT, Databases
from tests.faults.ends import serving
from tests.mails import comment_id_of, mail

ADDRESS, OTHER = "desk@bank.example", "sales@bank.example"
NAMES = [f"mail {number}".replace(" ", ".") for number in range(12)]
MANY = {"FETCH_COUNT": "4", "PUSH_COUNT": "4", "PAGE_SIZE": "6", "LOG_LEVEL": "ERROR"}
ENVIRONMENT = {**os.environ, **MANY, "DJANGO_SETTINGS_MODULE": "config.settings", "PYTHONPATH": str(ROOT)}


@pytest.fixture(scope="module")
def databases(tmp_path_factory):
    made = Databases(tmp_path_factory.mktemp("databases"), ENVIRONMENT)
    yield made
    made.drop()


class Stage:
    """A simulated Exchange or Graph, a simulated Re:infer, a database, and worker processes."""

    def __init__(self, url, end, reinfer, addresses):
        self.store, self.reinfer = end.server.store, reinfer
        self.environment = {**ENVIRONMENT, "DATABASE_URL": url}
        given = {
            "integration": end.row(), "reinfer": reinfer.url, "token": DEFAULT_TOKEN, "mailboxes": addresses,
        }  # fmt: skip
        assert self.run("seed", json.dumps(given)).returncode == 0

    def start(self, *arguments):
        command = [sys.executable, "-m", "tests.faults.worker", *arguments]
        return subprocess.Popen(command, cwd=ROOT, env=self.environment, stdout=subprocess.PIPE, stderr=subprocess.PIPE)

    def run(self, *arguments):
        process = self.start(*arguments)
        process.out, process.err = process.communicate(timeout=60)
        return process

    def finish(self):
        """Let another worker finish the sync. Returns the counts that `tests.faults.worker finish` prints."""
        process = self.run("finish")
        assert process.returncode == 0, process.err.decode()[-2000:]
        return json.loads(process.out)

    def assert_all_is_well(self, names):
        bucket = self.reinfer.sources["bank", "desks"]
        assert set(bucket.comments) == {comment_id_of(name) for name in names}
        assert self.reinfer.ai_units == len(names)
        assert (bucket.text_changes, bucket.messages_changed) == (0, 0)


@pytest.fixture(params=["ews", "graph"])
def stage(request, databases):
    with (
        serving(request.param) as end,
        ReinferSimulator(projects=["bank"], sources=[("bank", "desks")]) as reinfer,
    ):
        end.server.store = Store([ADDRESS, OTHER])
        yield lambda *addresses: Stage(databases.fresh(), end, reinfer, addresses)


STEPS = [
    ("source.changes:next", "after", "list"),
    ("source.fetch:next", "after", "fetch"),
    ("ledger.intend", "after", "intent"),
    ("sink.push", "before", "before the push"),
    ("sink.push", "after", "push"),
    ("ledger.confirm", "after", "confirm"),
    ("checkpoints.advance", "before", "before the checkpoint"),
    ("checkpoints.advance", "after", "checkpoint"),
]


MOST_CRITICAL = "push"
"""Id of the step at which a comment could be billed twice. `make test` tests this step. `make test MARKS=long` tests the other
steps."""


@pytest.mark.parametrize(
    ("at", "when"),
    [
        pytest.param(at, when, id=name, marks=[] if name == MOST_CRITICAL else [pytest.mark.long])
        for at, when, name in STEPS
    ],
)
def test_a_worker_killed_at_this_step_loses_nothing_and_bills_nothing_twice(stage, at, when):
    it = stage(ADDRESS)
    box = it.store[ADDRESS]
    for name in NAMES:
        box.deliver(mail_of(mail(name)))
    killed = it.run("die", at, when)
    assert killed.returncode == -signal.SIGKILL, killed.err.decode()[-2000:]
    counts = it.finish()
    it.assert_all_is_well(NAMES)
    # On a slow machine, the worker that finishes can also lose its short lease, without harm.
    assert counts.pop("lost") >= 1
    assert counts == {"billed": len(NAMES), "unsettled": 0, "set_aside": 0}


@pytest.mark.long
@pytest.mark.parametrize("files", [0, 2, 4])
def test_a_worker_without_file_descriptors_opens_no_circuit_breaker_and_counts_no_failure(stage, files):
    it = stage(ADDRESS)
    it.store[ADDRESS].deliver(mail_of(mail("a")))
    assert it.run("starved", ADDRESS, str(files)).returncode == 0
    state = json.loads(it.run("look").out)
    assert (state["held"], state["failures"], state["leased"]) == (0, 0, 0)
    assert state["kinds"] == ["worker_out_of_resources"]
    it.finish()
    it.assert_all_is_well(["a"])


@pytest.mark.long
def test_two_workers_with_copies_of_the_same_mail_create_each_comment_once(stage):
    it = stage(ADDRESS, OTHER)
    for name in NAMES:
        for address in (ADDRESS, OTHER):
            it.store[address].deliver(mail_of(mail(name, to=f"{ADDRESS}, {OTHER}")))
    for worker in [it.start("sync", address) for address in (ADDRESS, OTHER)]:
        _, errors = worker.communicate(timeout=60)
        assert worker.returncode == 0, errors.decode()[-2000:]
    counts = it.finish()
    it.assert_all_is_well(NAMES)
    assert (counts["billed"], counts["unsettled"]) == (len(NAMES), 0)
