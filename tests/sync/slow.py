"""An Exchange that takes its time by the clock of the tests, and mailboxes with many folders."""

from __future__ import annotations

from mailboxes.models import Mailbox
from tests.fakes.exchange import FakeSource
from tests.sync.world import World


class Slow:
    """A source that takes `seconds` for each answer, and keeps which folders were asked for."""

    def __init__(self, source: FakeSource, world: World, seconds: float, asked: list[str]) -> None:
        self._source, self._world, self._seconds, self._asked = source, world, seconds, asked

    def __getattr__(self, name):
        return getattr(self._source, name)

    def __enter__(self):
        return self

    def __exit__(self, *error):
        self._source.close()

    def folders(self, after):
        self._world.clock.turn(seconds=self._seconds)
        return self._source.folders(after)

    def changes(self, folder, after):
        pages = self._source.changes(folder, after)
        while True:
            self._asked.append(self._source.mailbox.folders[folder].folder.name)
            self._world.clock.turn(seconds=self._seconds)
            page = next(pages)
            yield page
            if page.last:
                return

    def fetch(self, changes):
        for fetched in self._source.fetch(changes):
            self._world.clock.turn(seconds=self._seconds)
            yield fetched


def slow(world: World, seconds: float) -> list[str]:
    """Let every answer of Exchange take so many seconds; which folders are asked for from now on, in their order."""
    asked: list[str] = []
    world.wrap = lambda port, it: Slow(it, world, seconds, asked) if port == "source" else it
    return asked


def with_folders(world: World, count: int, **rules: object) -> Mailbox:
    """A mailbox with this many folders in all: those of every mailbox, and `Folder 000` and so on."""
    desk = world.mailbox(**rules)
    box = world.mailboxes[desk.address]
    for number in range(count - len(box.folders)):
        box.create_folder(f"Folder {number:03}")
    return desk
