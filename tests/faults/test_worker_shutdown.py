"""SIGTERM ends a real worker within ten seconds, even during an endless conversion. The next worker can sync at once."""

from __future__ import annotations

import json
import os
import signal
import time

import pytest

from tests.faults import spinning, workers
from tests.mails import comment_id_of

ADDRESS = "desk@bank.example"
NAMES = ["one", spinning.MARK, "three"]
SECONDS = 10.0
SETTINGS = {
    **workers.SETTINGS,
    "FETCH_COUNT": "1", "WORKER_CONCURRENCY": "2", "CONVERSION_DEADLINE": "3600",
}  # fmt: skip

pytestmark = pytest.mark.long


def spinning_worker(stage, pool):
    """Start a worker, and wait until it converts the email whose conversion does not end."""
    worker = stage.start("worker", "-Q", "control,sync", "-P", pool, app="tests.faults.spinning")
    stage.tick()
    stage.wait((stage.folder / spinning.SIGN).exists)
    return worker


def ends_within(worker, seconds, act):
    worker.ended_by_us = True
    began = time.monotonic()
    act()
    assert worker.ends(30), "it did not end within 30 s"
    took = time.monotonic() - began
    assert took <= seconds, f"after {took:.1f} s: {worker.log.read_text()[-2000:]}"


@pytest.mark.parametrize("pool", ["prefork", "solo"])
def test_a_worker_ends_in_time_during_an_endless_conversion_and_counts_no_attempt(stage, pool):
    worker = spinning_worker(stage, pool)
    assert stage.look()["attempts"] == 1
    ends_within(worker, SECONDS, lambda: worker.signal(signal.SIGTERM))
    state = stage.look()
    counted = {name: state[name] for name in ("leased", "failures", "attempts", "in_hand", "processes")}
    assert (set(counted.values()), state["runs"]) == ({0}, ["lost"]), worker.log.read_text()[-2000:]
    counts = json.loads(stage.run("finish"))
    assert set(stage.reinfer.sources["bank", "desks"].comments) == {comment_id_of(name) for name in NAMES}
    assert (counts["billed"], counts["set_aside"]) == (len(NAMES), 0)


def test_sigterm_to_all_processes_of_a_worker_is_counted_against_no_email(stage):
    """systemd sends SIGTERM to every process of a worker by default."""
    worker = spinning_worker(stage, "prefork")
    ends_within(worker, SECONDS, lambda: os.killpg(worker.pid, signal.SIGTERM))
    state = stage.look()
    assert (state["leased"], state["attempts"], state["runs"]) == (0, 0, ["lost"]), worker.log.read_text()[-2000:]
