"""300 ordinary emails in a running stack with four worker processes: alone, and with three difficult emails.

The difficult emails blocked a worker in earlier versions, or cannot be converted. Only generous limits of time are checked,
because other programs use the machine as well. With `-s`, pytest prints the times.
"""

from __future__ import annotations

import sys

import pytest

from integrations.dead_letter_reasons import DeadLetterKind
from integrations.messages import CommentId
from tests.faults.poison import ENDLESS, RECURSES
from tests.faults.processes.burst import Burst, burst
from tests.faults.processes.stack import running_stack
from tests.mails import comment_id_of, mail

SETTINGS = {
    "POLL_INTERVAL": "2", "POLL_INTERVAL_LEAST": "1", "DISPATCH_EVERY": "1", "WORKER_CONCURRENCY": "2",
    "API_RATE": "100000/min", "CONVERSION_DEADLINE": "3",
}  # fmt: skip
HEALTHY = 1.0
"""Maximum response time of the health page in seconds."""
BLANKS = [mail(f"blanks-{number}", body="a" + " " * 400_000 + "x") for number in range(2)]
GROUPS = mail("groups").replace(b"To: desk@bank.example", b"To: " + b"team:" * 1000 + b"ann@north.example")
FORMER = {comment_id_of(name) for name in ("blanks-0", "blanks-1", "groups")}
"""Comment ids of emails that blocked a worker for minutes in earlier versions."""
PLANTED = [
    mail("spins-0", subject=f"It is {ENDLESS}"),
    mail("spins-1", subject=f"It is {ENDLESS}, too"),
    mail("deep", subject=f"It {RECURSES}"),
]

pytestmark = pytest.mark.processes


@pytest.fixture(scope="module")
def stack():
    with running_stack(SETTINGS, app="tests.faults.poisoned_worker") as started:
        yield started


def report(what: str, result: Burst) -> None:
    sys.stdout.write(
        f"\n{what}: ordinary emails after {result.seconds:.1f} s, all after {result.settled:.1f} s, "
        f"/healthz at most {result.health.worst * 1000:.0f} ms in {result.health.probes} requests\n"
    )


def assert_well(result: Burst, *, delivered: set[CommentId], aside: dict[CommentId, tuple[str, int]]) -> None:
    """Check that ordinary and `delivered` emails were pushed once and billed once, and that `aside` are the dead letters.

    Also check that the health page responded to every request in less than `HEALTHY` seconds.
    """
    assert result.aside == aside
    assert result.comments == dict.fromkeys(result.ordinary | delivered, 1)
    assert result.billed == len(result.comments)
    assert not result.health.other
    assert result.health.worst < HEALTHY


def test_ordinary_emails_arrive(stack):
    result = burst(stack, "ordinary")
    report("300 ordinary emails", result)
    assert_well(result, delivered=set(), aside={})


def test_emails_that_once_blocked_a_worker_arrive_like_all_others(stack):
    result = burst(stack, "former", [*BLANKS, GROUPS])
    report("with 400 kB of blanks twice, and a thousand groups", result)
    assert_well(result, delivered=FORMER, aside={})


def test_emails_that_cannot_be_converted_are_set_aside_at_once_and_the_others_arrive(stack):
    result = burst(stack, "planted", PLANTED)
    report("with two conversions that do not end, and one that fails", result)
    late, failed = (DeadLetterKind.CONVERSION_DEADLINE.value, 1), (DeadLetterKind.CONVERSION_FAILED.value, 1)
    aside = {comment_id_of("spins-0"): late, comment_id_of("spins-1"): late, comment_id_of("deep"): failed}
    assert_well(result, delivered=set(), aside=aside)
    assert stack.died() == []
