"""What a stack holds on to: processes, threads, descriptors, connections. Compared when it has nothing to do."""

from __future__ import annotations

import os
from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass

from tests.faults.processes.stack import Stack

MORE_FILES, MORE_THREADS = 12, 6
"""What a process may hold more than at the start: connections that it keeps for the next time."""
WEB_THREADS = 4
"""Each of the pages' threads keeps one connection to the database for the next page."""


@dataclass(frozen=True)
class Held:
    """By one member and all that it started; the largest of them."""

    processes: int
    threads: int
    files: int
    kinds: str
    """Of the files, for people."""


def held(stack: Stack) -> dict[str, Held]:
    return {member.name: _held(member.family()) for member in stack.members}


def leaks(stack: Stack, before: dict[str, Held]) -> Iterator[str]:
    for name, now in held(stack).items():
        then = before[name]
        if now.processes != then.processes:
            yield f"{name} is {now.processes} processes, and was {then.processes}"
        if now.threads > then.threads + MORE_THREADS:
            yield f"{name} has {now.threads} threads, and had {then.threads}"
        if now.files > then.files + MORE_FILES:
            yield f"{name} has {now.files} files open, and had {then.files}: {now.kinds}, and had {then.kinds}"
    if strays := stack.strays():
        yield f"{len(strays)} processes belong to nobody: {[_command(pid) for pid in strays]}"
    if (connections := stack.cluster.connections()) > WEB_THREADS:
        yield f"{connections} connections to PostgreSQL are open, and nothing is to be done"


def _held(pids: list[int]) -> Held:
    threads = [_count(f"/proc/{pid}/task") for pid in pids]
    files, most = max(((_count(f"/proc/{pid}/fd"), pid) for pid in pids), default=(0, 0))
    return Held(len(pids), max(threads, default=0), files, _kinds(most))


def _count(folder: str) -> int:
    return len(_names(folder))


def _names(folder: str) -> list[str]:
    try:
        return os.listdir(folder)
    except OSError:
        return []


def _kinds(pid: int) -> str:
    counted: Counter[str] = Counter()
    for number in _names(f"/proc/{pid}/fd"):
        try:
            counted[os.readlink(f"/proc/{pid}/fd/{number}").partition(":")[0]] += 1
        except OSError:
            continue
    return ", ".join(f"{count} {kind}" for kind, count in counted.most_common())


def _command(pid: int) -> str:
    try:
        with open(f"/proc/{pid}/cmdline") as file:
            return f"{pid} {' '.join(file.read().split(chr(0))[:6])}"
    except OSError:
        return f"{pid}"
