"""Run commands in the root file system of an image, with the restrictions of the containers in docker/compose.yaml.

The root is read-only, `/tmp` and `/dev/shm` are in memory, and commands run as the user of the image. A command can gain no
privileges and inherits no environment variables. Commands use the network of this machine.
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
    """Runs commands of an image with a set of environment variables."""

    def __init__(self, image: Image, environment: Mapping[str, str], processes: Processes) -> None:
        self._image = image
        self._environment = dict(line.split("=", 1) for line in image.config["Env"])
        # A container engine sets HOME from the user's line in /etc/passwd.
        self._environment |= {"HOME": image.config["WorkingDir"], **environment}
        self._processes = processes

    def run(self, command: Sequence[str], seconds: float = 120) -> subprocess.CompletedProcess[str]:
        """Run a command, and wait until it ends."""
        return subprocess.run(
            self._entered(command), env={"PATH": "/usr/sbin:/usr/bin:/sbin:/bin"},
            capture_output=True, text=True, timeout=seconds, check=False,
        )  # fmt: skip

    def start(self, name: str, command: Sequence[str]) -> Child:
        """Start a command. The command is ended together with the other `processes` of this container."""
        return self._processes.start(name, self._entered(command), {"PATH": "/usr/sbin:/usr/bin:/sbin:/bin"})

    def is_healthy(self) -> bool:
        """Return whether the health check of the image succeeds."""
        kind, *command = self._image.config["Healthcheck"]["Test"]
        assert kind == "CMD"
        return self.run(command).returncode == 0

    def _entered(self, command: Sequence[str]) -> list[str]:
        config = self._image.config
        # Use a new PID namespace. When its first process ends, all other processes of the namespace end too.
        spaces = ["unshare", "--mount", "--pid", "--fork", "--kill-child", "--ipc", "--uts"]
        arguments = [str(self._image.root), config["User"], config["WorkingDir"]]
        pairs = [f"{name}={value}" for name, value in self._environment.items()]
        return [*spaces, "sh", "-c", ENTER, "enter", *arguments, *pairs, *command]


def becomes_true(condition: Callable[[], bool], seconds: float) -> bool:
    """Wait for a condition, and return whether it became true within some seconds."""
    end = time.monotonic() + seconds
    while not condition():
        if time.monotonic() > end:
            return False
        time.sleep(0.2)
    return True
