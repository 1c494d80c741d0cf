"""A Redis server that tests can kill, empty, fill or make read-only."""

from __future__ import annotations

import os
import shutil
import time
from pathlib import Path

import redis

from demo import broker, ports
from tests.faults.processes.member import Member


class Queue:
    """A Redis server that stores its data on disk, so that `kill` can keep the data or delete it."""

    def __init__(self, folder: Path) -> None:
        server = broker.binary()
        assert server is not None
        self.port = ports.free()
        self._data = folder / "redis"
        self._data.mkdir()
        command = [*broker.command(server, self.port, self._data), "--appendonly", "yes", "--appendfsync", "always"]
        self.server = Member("redis", command, dict(os.environ), folder)

    @property
    def url(self) -> str:
        return f"redis://127.0.0.1:{self.port}/0"

    def start(self) -> None:
        self.server.start()
        end = time.monotonic() + 30
        while time.monotonic() < end:
            try:
                with self._client() as client:
                    client.ping()
                    return
            except redis.RedisError:
                time.sleep(0.05)
        raise AssertionError(f"Redis does not come back: {self.server.log.read_text()[-1000:]}")

    def kill(self, *, keep: bool) -> None:
        self.server.kill()
        if not keep:
            shutil.rmtree(self._data)
            self._data.mkdir()

    def refuse_writes(self) -> None:
        """Make Redis the replica of a server that does not exist, as after a failed failover."""
        with self._client() as client:
            client.execute_command("REPLICAOF", "127.0.0.1", "1")

    def fill(self) -> None:
        with self._client() as client:
            client.config_set("maxmemory", 1)

    def mend(self) -> None:
        with self._client() as client:
            client.execute_command("REPLICAOF", "NO", "ONE")
            client.config_set("maxmemory", 0)

    def serves(self, pid: int) -> bool:
        """Return whether a process waits for a task: Redis has a connection of this process with a pending BRPOP.

        The number of such connections is not sufficient: a new worker may have none while another worker has two.
        """
        return not local_ports(pid).isdisjoint(self.waiting())

    def waiting(self) -> list[int]:
        """Return the ports of the clients that wait for a task."""
        try:
            with self._client() as client:
                waiting = [one["addr"] for one in client.client_list() if one["cmd"].startswith("brpop")]
        except redis.RedisError:
            return []
        return [int(address.rpartition(":")[2]) for address in waiting]

    def _client(self) -> redis.Redis:
        return redis.Redis(port=self.port, socket_timeout=5)


def local_ports(pid: int) -> set[int]:
    """Return the local ports of the open IPv4 TCP connections of a process; an empty set if the process has ended."""
    try:
        links = {os.readlink(f"/proc/{pid}/fd/{number}") for number in os.listdir(f"/proc/{pid}/fd")}
        rows = [line.split() for line in Path(f"/proc/{pid}/net/tcp").read_text().splitlines()[1:]]
    except OSError:
        return set()
    return {int(row[1].rpartition(":")[2], 16) for row in rows if f"socket:[{row[9]}]" in links}
