"""The debounce allows one action per interval, also after the clock was set back."""

from sync.jobs.debounce import Debounce


class Clock:
    def __init__(self) -> None:
        self.now = 100.0

    def __call__(self) -> float:
        return self.now


def test_one_action_per_interval_is_allowed():
    clock = Clock()
    debounce = Debounce(2.0, clock)
    assert [debounce.lets_pass() for _ in range(3)] == [True, False, False]
    clock.now += 2
    assert debounce.lets_pass()


def test_a_clock_that_was_set_back_blocks_no_action():
    clock = Clock()
    debounce = Debounce(2.0, clock)
    assert debounce.lets_pass()
    clock.now -= 3600
    assert debounce.lets_pass()
