"""Commands in the root file system of an image, confined as docker/compose.yaml confines its containers.

The root is read-only, `/tmp` and `/dev/shm` are in memory, the user is that of the image, no privilege can be gained, and
nothing of the environment of this machine is there. The network is that of this machine.
"""

from __future__ import annotations

import subprocess
import time
from collections.abc import Callable, Mapping, Sequence

from demo.processes import Child, Processes
from tests.image.building import Image

ENTER = """
set -eu
root=$1 user=$2 folder=$3; shift 3
mount --bind "$root" "$root"
mount -t tmpfs -o mode=0755 tmpfs "$root/dev"
for device in null zero full random urandom; do
    touch "$root/dev/$device" && mount --bind "/dev/$device" "$root/dev/$device"
done
mkdir "$root/dev/shm"
mount -t tmpfs -o mode=1777 tmpfs "$root/dev/shm"
mount -t tmpfs -o mode=1777 tmpfs "$root/tmp"
mount -t proc proc "$root/proc"
mount -o remount,bind,ro "$root"
exec setpriv --no-new-privs chroot --userspec="$user:$user" --groups= "$root" env -i -C "$folder" "$@"
"""


class Container:
    """Runs commands of one image with one environment."""

    def __init__(self, image: Image, environment: Mapping[str, str], processes: Processes) -> None:
        self._image = image
        self._environment = dict(line.split("=", 1) for line in image.config["Env"])
        # What an engine sets by the user's line in /etc/passwd.
        self._environment |= {"HOME": image.config["WorkingDir"], **environment}
        self._processes = processes

    def run(self, command: Sequence[str], seconds: float = 120) -> subprocess.CompletedProcess[str]:
        """Run it to its end."""
        return subprocess.run(
            self._entered(command), env={"PATH": "/usr/sbin:/usr/bin:/sbin:/bin"},
            capture_output=True, text=True, timeout=seconds, check=False,
        )  # fmt: skip

    def start(self, name: str, command: Sequence[str]) -> Child:
        """Start it; the processes that were given end it."""
        return self._processes.start(name, self._entered(command), {"PATH": "/usr/sbin:/usr/bin:/sbin:/bin"})

    def is_healthy(self) -> bool:
        """Run the health check that the image itself names."""
        kind, *command = self._image.config["Healthcheck"]["Test"]
        assert kind == "CMD"
        return self.run(command).returncode == 0

    def _entered(self, command: Sequence[str]) -> list[str]:
        config = self._image.config
        # In a tree of processes of its own: all end with the first of them.
        spaces = ["unshare", "--mount", "--pid", "--fork", "--kill-child", "--ipc", "--uts"]
        given = [str(self._image.root), config["User"], config["WorkingDir"]]
        pairs = [f"{name}={value}" for name, value in self._environment.items()]
        return [*spaces, "sh", "-c", ENTER, "enter", *given, *pairs, *command]


def comes(until: Callable[[], bool], seconds: float) -> bool:
    """Whether it becomes true in time."""
    end = time.monotonic() + seconds
    while not until():
        if time.monotonic() > end:
            return False
        time.sleep(0.2)
    return True
