"""Three emails that the product cannot convert among 300 ordinary ones, in the running stack with four worker processes.

No test asserts how long it takes, since other programs use the machine as well: `-s` prints it.
"""

from __future__ import annotations

import sys

import pytest

from integrations.dead_letter_reasons import DeadLetterKind
from tests.faults.poison import ENDLESS, RECURSES
from tests.faults.processes.burst import Burst, burst
from tests.faults.processes.stack import running_stack
from tests.mails import comment_id_of, mail

SETTINGS = {
    "POLL_INTERVAL": "2", "POLL_INTERVAL_LEAST": "1", "DISPATCH_EVERY": "1", "WORKER_CONCURRENCY": "2",
    "API_RATE": "100000/min", "CONVERSION_DEADLINE": "3",
}  # fmt: skip
HEALTHY = 1.0
"""Seconds in which the health page has to answer."""
BLANKS = [mail(f"blanks-{number}", body="a" + " " * 400_000 + "x") for number in range(2)]
GROUPS = mail("groups").replace(b"To: desk@bank.example", b"To: " + b"team:" * 1000 + b"ann@north.example")
FORMER = {comment_id_of(name) for name in ("blanks-0", "blanks-1", "groups")}
"""Comment ids of emails that blocked a worker, and stopped a mailbox, for minutes."""
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


def told(what: str, found: Burst) -> None:
    sys.stdout.write(
        f"\n{what}: ordinary emails after {found.seconds:.1f} s, all after {found.settled:.1f} s, "
        f"/healthz at most {found.health.worst * 1000:.0f} ms in {found.health.probes} requests\n"
    )


def assert_well(found: Burst, *, delivered: set[str], aside: dict[str, tuple[str, int]]) -> None:
    """Each of these arrived, written once and billed once, each of those is set aside, and the pages answered all the time."""
    assert found.aside == aside
    assert found.comments == dict.fromkeys(found.ordinary | delivered, 1)
    assert found.billed == len(found.comments)
    assert not found.health.other
    assert found.health.worst < HEALTHY


def test_ordinary_emails_arrive(stack):
    found = burst(stack, "ordinary")
    told("300 ordinary emails", found)
    assert_well(found, delivered=set(), aside={})


def test_emails_that_once_blocked_a_worker_arrive_like_all_others(stack):
    found = burst(stack, "former", [*BLANKS, GROUPS])
    told("with 400 kB of blanks twice, and a thousand groups", found)
    assert_well(found, delivered=FORMER, aside={})


def test_emails_that_cannot_be_converted_are_set_aside_at_once_and_the_others_arrive(stack):
    found = burst(stack, "planted", PLANTED)
    told("with two conversions that do not end, and one that fails", found)
    late, failed = (DeadLetterKind.CONVERSION_DEADLINE.value, 1), (DeadLetterKind.CONVERSION_FAILED.value, 1)
    aside = {comment_id_of("spins-0"): late, comment_id_of("spins-1"): late, comment_id_of("deep"): failed}
    assert_well(found, delivered=set(), aside=aside)
    assert stack.died() == []
