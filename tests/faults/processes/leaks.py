"""Leaks of processes, threads, file descriptors and connections. They are counted while the stack is idle."""

from __future__ import annotations

import os
from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass

from tests.faults.processes.stack import Stack

MORE_FILES, MORE_THREADS = 12, 6
"""Maximum growth of the open files and threads of a process in a seed. Connections that are kept for later use are no leak."""
WEB_THREADS = 4
"""Maximum number of database connections that the web process may keep open for later pages."""


@dataclass(frozen=True)
class Resources:
    """Resources of a member and its descendants: their number, and the largest numbers of threads and files of one process."""

    processes: int
    threads: int
    files: int
    kinds: str
    """The kinds of the open files of the process that has the most open files, for messages."""


def resources_of(stack: Stack) -> dict[str, Resources]:
    return {member.name: _resources(member.family()) for member in stack.members}


def leaks(stack: Stack, before: dict[str, Resources]) -> Iterator[str]:
    for name, now in resources_of(stack).items():
        then = before[name]
        if now.processes != then.processes:
            yield f"{name} is {now.processes} processes, and was {then.processes}"
        if now.threads > then.threads + MORE_THREADS:
            yield f"{name} has {now.threads} threads, and had {then.threads}"
        if now.files > then.files + MORE_FILES:
            yield f"{name} has {now.files} files open, and had {then.files}: {now.kinds}, and had {then.kinds}"
    if strays := stack.strays():
        yield f"{len(strays)} processes belong to no member: {[_command(pid) for pid in strays]}"
    if (connections := stack.cluster.connections()) > WEB_THREADS:
        yield f"{connections} connections to PostgreSQL are open, although the stack is idle"


def _resources(pids: list[int]) -> Resources:
    threads = [_count(f"/proc/{pid}/task") for pid in pids]
    files, most = max(((_count(f"/proc/{pid}/fd"), pid) for pid in pids), default=(0, 0))
    return Resources(len(pids), max(threads, default=0), files, _kinds(most))


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
