"""The timer interrupts a conversion at its deadline. It interrupts no other code."""

from __future__ import annotations

import re
import signal
import subprocess
import sys
import threading
import time
from collections import Counter
from pathlib import Path

import pytest

from conversion.deadline import timer
from conversion.deadline.timer import ConversionDeadline, DeadlineExceeded, can_interrupt, within
from tests.conversion.deadline.slow import ENDLESS, match_for_ever

ROOT = Path(__file__).parents[3]
SOON = ConversionDeadline(cpu=0.2, wall=20)


def test_work_that_ends_in_time_returns_its_result():
    assert within(ConversionDeadline(5, 50), lambda: 42) == 42


def test_a_regular_expression_that_does_not_end_is_interrupted():
    begun = time.process_time()
    with pytest.raises(DeadlineExceeded):
        within(SOON, lambda: re.search(r"(a+)+$", ENDLESS))
    assert time.process_time() - begun < 3


def test_a_library_that_catches_every_exception_does_not_prevent_the_interruption():
    assert not issubclass(DeadlineExceeded, Exception)
    with pytest.raises(DeadlineExceeded):
        within(SOON, match_for_ever)


def test_an_interruption_that_python_ignores_in_a_destructor_is_repeated():
    class Slow:
        def __del__(self):
            re.search(r"(a+)+$", ENDLESS)

    def work():
        thing = Slow()
        del thing  # the first DeadlineExceeded is raised in the destructor, and Python ignores it
        match_for_ever()

    ignored = []
    usual, sys.unraisablehook = sys.unraisablehook, ignored.append
    try:
        with pytest.raises(DeadlineExceeded):
            within(SOON, work)
    finally:
        sys.unraisablehook = usual
    assert [one.exc_type for one in ignored] == [DeadlineExceeded]


def test_work_that_only_waits_is_ended_by_the_wall_clock():
    with pytest.raises(DeadlineExceeded):
        within(ConversionDeadline(cpu=60, wall=0.5), lambda: time.sleep(60))


def test_an_error_of_the_work_is_raised_and_the_timers_are_off():
    with pytest.raises(ZeroDivisionError):
        within(SOON, lambda: 1 / 0)
    assert signal.getitimer(signal.ITIMER_PROF) == signal.getitimer(signal.ITIMER_REAL) == (0, 0)


def test_a_signal_that_comes_late_does_nothing():
    with pytest.raises(DeadlineExceeded):
        within(SOON, match_for_ever)
    for _ in range(timer.TICKS * 2):
        signal.raise_signal(signal.SIGPROF)
        signal.raise_signal(signal.SIGALRM)


def test_a_signal_interrupts_only_the_work_whenever_it_arrives():
    """A signal interrupts only the work.

    The deadline is exceeded from the start, and another thread sends signals as fast as it can for two seconds. These
    arrive during the work, while the timer is started and stopped, and after the work.
    """
    over, main, seen = ConversionDeadline(cpu=0, wall=1000), threading.main_thread().ident, Counter()
    end = time.monotonic() + 2

    def send():
        while time.monotonic() < end:
            signal.pthread_kill(main, signal.SIGPROF)
            time.sleep(0)

    def work():
        return sum(number for number in range(100))

    signal.signal(signal.SIGPROF, signal.SIG_IGN)
    sender = threading.Thread(target=send)
    sender.start()
    while time.monotonic() < end:
        try:
            outcome = within(over, work)
        except DeadlineExceeded:
            outcome = "ended"
        seen[outcome] += 1
        work()  # this call is outside of the deadline, so no signal interrupts it
    sender.join()
    assert set(seen) == {"ended", 4950}


def test_a_signal_that_arrives_before_the_deadline_ends_nothing():
    def work():
        for _ in range(timer.TICKS - 1):
            signal.raise_signal(signal.SIGPROF)
            signal.raise_signal(signal.SIGALRM)
        return "done"

    assert within(ConversionDeadline(cpu=60, wall=600), work) == "done"


def test_a_thread_cannot_be_interrupted():
    results = []
    thread = threading.Thread(target=lambda: results.append(can_interrupt()))
    thread.start()
    thread.join()
    assert results == [False]
    assert can_interrupt()


@pytest.mark.long
def test_time_for_which_the_process_is_stopped_is_not_counted_against_the_email():
    script = (
        "import time\n"
        "from conversion.deadline.timer import ConversionDeadline, within\n"
        "def work():\n"
        "    print('begun', flush=True)\n"
        "    end = time.process_time() + 0.3\n"
        "    while time.process_time() < end: pass\n"
        "    return 'done'\n"
        "print(within(ConversionDeadline(cpu=30, wall=4), work))\n"
    )
    process = subprocess.Popen([sys.executable, "-c", script], cwd=ROOT, stdout=subprocess.PIPE, text=True)
    assert process.stdout is not None
    assert process.stdout.readline() == "begun\n"
    process.send_signal(signal.SIGSTOP)
    time.sleep(5)
    process.send_signal(signal.SIGCONT)
    assert process.communicate(timeout=30)[0] == "done\n"


def test_the_deadline_interrupts_work_in_a_process_of_the_pool_of_celery():
    """Celery's prefork pool installs its own handlers for SIGPROF and other signals in its processes."""
    script = (
        "from billiard.pool import Pool\n"
        "from tests.conversion.deadline.test_deadline import ended\n"
        "if __name__ == '__main__':\n"
        "    pool = Pool(1, sigprotection=True)\n"
        "    print(pool.apply(ended), pool.apply(ended))\n"
        "    pool.terminate()\n"
    )
    done = subprocess.run(
        [sys.executable, "-c", script], cwd=ROOT, capture_output=True, text=True, timeout=60, check=False
    )
    assert done.stdout == "ended ended\n", done.stderr[-2000:]


def ended() -> str:
    try:
        within(SOON, match_for_ever)
    except DeadlineExceeded:
        for number in (signal.SIGPROF, signal.SIGALRM):
            signal.raise_signal(number)  # a late signal must not end the process
        return "ended"
    return "came back"
