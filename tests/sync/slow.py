"""An Exchange that is slow according to the clock of the tests, and mailboxes with many folders."""

from __future__ import annotations

from typing import Any

from mailboxes.models import Mailbox
from tests.fakes.exchange import FakeSource
from tests.sync.world import World


class Slow:
    """A source that takes `seconds` for each response. It appends the names of requested folders to `requested`."""

    def __init__(self, source: FakeSource, world: World, seconds: float, requested: list[str]) -> None:
        self._source, self._world, self._seconds, self._requested = source, world, seconds, requested

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
            self._requested.append(self._source.mailbox.folders[folder].folder.name)
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
    """Make every response of Exchange take `seconds`. Return a list to which requested folders are appended."""
    requested: list[str] = []
    world.wrap = lambda port, it: Slow(it, world, seconds, requested) if port == "source" else it
    return requested


def with_folders(world: World, count: int, **rules: Any) -> Mailbox:
    """Create a mailbox with `count` folders: the default folders, and then `Folder 000`, `Folder 001` and so on."""
    desk = world.mailbox(**rules)
    box = world.mailboxes[desk.address]
    for number in range(count - len(box.folders)):
        box.create_folder(f"Folder {number:03}")
    return desk
