"""Two real workers, one with a wrong key (F53 in docs/guarantees.md): the other delivers the mail. No circuit breaker opens."""

from __future__ import annotations

import re

import pytest
from cryptography.fernet import Fernet

from tests.faults import workers
from tests.mails import comment_id_of

NAMES = ["one", "two"]
SETTINGS = {
    **workers.SETTINGS,
    "WORKER_CONCURRENCY": "1", "DISPATCH_EVERY": "1", "POLL_INTERVAL": "1", "POLL_INTERVAL_LEAST": "1",
}  # fmt: skip

pytestmark = pytest.mark.long


def test_a_worker_with_a_wrong_key_stops_consuming_and_the_other_delivers_the_mail(stage):
    wrong = stage.start(
        "wrong", "-Q", "control,sync", "-n", "wrong@here", ENCRYPTION_KEYS=Fernet.generate_key().decode()
    )
    stage.start("beat", "-s", str(stage.folder / "schedule"), what="beat")
    stage.wait(lambda: "worker.takes_no_mailboxes" in wrong.log.read_text())
    assert len(re.findall("sync.process_fault", wrong.log.read_text())) <= 2
    state = stage.look()
    assert (state["leased"], state["failures"], state["held"], state["runs"]) == (0, 0, 0, [])
    stage.wait(lambda: "worker_unfit" in stage.look()["standing"])
    assert set(stage.look()["standing"]) == {"secret_unreadable", "worker_unfit"}
    health = stage.manage("worker_health")
    assert health.returncode == 1
    assert "cannot be decrypted" in health.stderr
    assert stage.manage("worker_health", "beat").stdout.strip() == "ok"
    stage.start("right", "-Q", "control,sync", "-n", "right@here")
    expected = {comment_id_of(name) for name in NAMES}
    stage.wait(lambda: set(stage.reinfer.sources["bank", "desks"].comments) == expected)
    state = stage.look()
    assert (state["failures"], state["held"]) == (0, 0)
    assert state["standing"] == ["worker_unfit"]
    assert stage.manage("worker_health").returncode == 0, (
        "the check is about the worker of this host that was started last"
    )
