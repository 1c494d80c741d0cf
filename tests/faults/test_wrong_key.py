"""Two real workers, one of them with a wrong key: mail flows through the other, and nothing is held against anybody (F53)."""

from __future__ import annotations

import os
import re

import pytest
from cryptography.fernet import Fernet

from tests.faults.databases import ROOT, Databases
from tests.faults.workers import workers
from tests.mails import comment_id_of

NAMES = ["one", "two"]
SETTINGS = {
    "DJANGO_SETTINGS_MODULE": "config.settings", "PYTHONPATH": str(ROOT), "LOG_LEVEL": "WARNING", "LOG_FORMAT": "json",
    "WORKER_CONCURRENCY": "1", "DISPATCH_EVERY": "1", "POLL_INTERVAL": "1", "POLL_INTERVAL_LEAST": "1",
}  # fmt: skip

pytestmark = pytest.mark.long


@pytest.fixture(scope="module")
def databases(tmp_path_factory):
    made = Databases(tmp_path_factory.mktemp("databases"), {**os.environ, **SETTINGS})
    yield made
    made.drop()


@pytest.fixture
def stage(databases, tmp_path):
    with workers(databases, tmp_path, "desk@bank.example", NAMES, **SETTINGS) as started:
        yield started


def test_a_worker_with_a_wrong_key_stops_consuming_and_says_why_and_mail_flows_through_the_other(stage):
    wrong = stage.start(
        "wrong", "-Q", "control,sync", "-n", "wrong@here", ENCRYPTION_KEYS=Fernet.generate_key().decode()
    )
    stage.start("beat", "-s", str(stage.folder / "schedule"), what="beat")
    stage.wait(lambda: "worker.takes_no_mailboxes" in wrong.log.read_text())
    assert len(re.findall("sync.process_fault", wrong.log.read_text())) <= 2
    found = stage.look()
    assert (found["leased"], found["failures"], found["held"], found["runs"]) == (0, 0, 0, [])
    stage.wait(lambda: "worker_unfit" in stage.look()["standing"])
    assert set(stage.look()["standing"]) == {"secret_unreadable", "worker_unfit"}
    health = stage.manage("worker_health")
    assert health.returncode == 1
    assert "cannot be decrypted" in health.stderr
    assert stage.manage("worker_health", "beat").stdout.strip() == "ok"
    stage.start("right", "-Q", "control,sync", "-n", "right@here")
    expected = {comment_id_of(name) for name in NAMES}
    stage.wait(lambda: set(stage.reinfer.sources["bank", "desks"].comments) == expected)
    found = stage.look()
    assert (found["failures"], found["held"]) == (0, 0)
    assert found["standing"] == ["worker_unfit"]
    assert stage.manage("worker_health").returncode == 0, "of this host, the one that was started last"
