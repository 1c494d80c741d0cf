"""Of a burst one passes, and a clock that was turned holds nothing up."""

from sync.jobs.debounce import Debounce


class Clock:
    def __init__(self) -> None:
        self.now = 100.0

    def __call__(self) -> float:
        return self.now


def test_of_a_burst_one_passes_and_later_the_next():
    clock = Clock()
    pace = Debounce(2.0, clock)
    assert [pace.lets_pass() for _ in range(3)] == [True, False, False]
    clock.now += 2
    assert pace.lets_pass()


def test_a_clock_that_was_set_back_holds_nothing_up():
    clock = Clock()
    pace = Debounce(2.0, clock)
    assert pace.lets_pass()
    clock.now -= 3600
    assert pace.lets_pass()
