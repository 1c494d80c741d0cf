"""The deadline timer of a request ends together with the request, and not at the deadline."""

from __future__ import annotations

import threading

from tests.integrations.ews.conftest import World


def test_no_deadline_timer_runs_after_the_requests_of_a_handshake(world: World):
    world.deliver("a")
    with world.source() as source:
        assert world.listed(source)
    assert 401 in world.wire.statuses()
    timers = [thread for thread in threading.enumerate() if isinstance(thread, threading.Timer)]
    assert not [timer for timer in timers if not timer.finished.is_set()]
