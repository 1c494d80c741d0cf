"""Seeds in which an admin often switches between EWS and Graph: no email is lost, and none is billed twice.

Both simulators use the same store. A switch can happen between any two calls of a port: during a sync, and while there are dead
letters and dirty ledger entries.
"""

from __future__ import annotations

from contextlib import ExitStack, contextmanager
from datetime import timedelta

import pytest

from integrations.models import Integration
from operations.resumption import settings_changed
from tests.faults.drawn import seeds
from tests.faults.ends import serving
from tests.faults.seed import Seed
from tests.faults.story import Story

SEEDS = seeds("1")


class SwitchingSeed(Seed):
    """A seed in which a switch between EWS and Graph is the most frequent action of the admin."""

    def __init__(self, number, ends):
        super().__init__(number, ends[number % 2])
        self.ends = ends

    def _story(self):
        """Return a story without folders of other classes: Graph does not list them, so the result would depend on the API."""
        return Story(self.random, self.end.server.store, more_folders=self.pace.folders)

    @contextmanager
    def _stage(self):
        other = next(end for end in self.ends if end is not self.end)
        other.server.faults.clear()
        with super()._stage():
            for box in self.story.store:
                box.clock = self.clock
            other.server.store = self.story.store
            try:
                yield
            finally:
                other.close()

    def _admin_acts(self):
        if self.random.random() < 0.5:
            self.log.append("admin: switches")
            self._switches()
        else:
            super()._admin_acts()

    def _switches(self):
        self.end = next(end for end in self.ends if end is not self.end)
        self.trouble.end = self.end
        usual = {"auth": "ntlm", "microsoft_api": "ews"}
        row = Integration.objects.get(pk=self.integration.pk)
        for name, value in {**usual, **self._plain_row(), self.end.secret_field: "secret"}.items():
            setattr(row, name, value)
        row.save()
        settings_changed(self.integration)

    def _plain_row(self):
        return {name: value for name, value in self.end.row().items() if name != self.end.secret_field}

    def _tick(self, *, interrupted):
        if interrupted and self.random.random() < 0.2:
            self._switches()
        super()._tick(interrupted=interrupted)


@pytest.fixture(scope="module")
def ends():
    with ExitStack() as stack:
        yield [stack.enter_context(serving(name)) for name in ("ews", "graph")]


@pytest.mark.parametrize("number", SEEDS)
@pytest.mark.django_db(transaction=True)
def test_a_switch_at_any_moment_loses_nothing_and_pays_nothing_twice(number, ends, settings):
    settings.FETCH_COUNT, settings.PUSH_COUNT, settings.PAGE_SIZE = 2, 3, 4
    settings.EXCHANGE_DEADLINE = settings.REINFER_DEADLINE = timedelta(seconds=1)
    seed = SwitchingSeed(number, ends)
    violations = seed.run()
    assert not violations, "\n".join([f"seed {number}:", *violations, "--", seed.report()])
