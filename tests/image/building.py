"""An image built from a Dockerfile by buildah, which needs neither a daemon nor a registry.

The base image of FROM is made here: a small Debian by debootstrap, with its own Python, under the name that FROM has. So the
version of Python is that of this Debian, and everything after FROM is what the Dockerfile says.
"""

from __future__ import annotations

import json
import os
import re
import shutil
import subprocess
import sys
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from tests.tree import ROOT

PROGRAMS = ("buildah", "debootstrap", "unshare", "setpriv")
BASE_PACKAGES = "python3,python3-venv,ca-certificates"
CERTIFICATES = "/etc/ssl/certs"
PATIENCE = 600
"""Seconds that one step may take."""
FOR_PIP = ("index-url", "extra-index-url", "trusted-host", "proxy", "cert", "default-timeout", "timeout", "retries")
"""What a machine tells its pip about how an index is reached."""


def missing() -> str:
    """Why no image can be built here; empty if one can."""
    if os.geteuid():
        return "An image is built as root here: run it as root."
    lacking = [program for program in PROGRAMS if shutil.which(program, path=_path()) is None]
    return f"To build an image, install Debian's packages for {', '.join(lacking)}." if lacking else ""


@dataclass(frozen=True)
class Image:
    """A built image: its root file system, unpacked, and what it says about how it is run."""

    root: Path
    config: Mapping[str, Any]


class Builder:
    """Everything lies below `folder`; `close` leaves no mount behind."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        self._driver = "overlay" if _mounts_overlays(folder) else "vfs"
        self._environment = {**os.environ, "BUILDAH_ISOLATION": "chroot", "PATH": _path()}

    def make_base(self, dockerfile: Path) -> None:
        """Make the base image that FROM names. Takes about a minute. Raises `AssertionError`."""
        (name,) = set(re.findall(r"^FROM (\S+)", dockerfile.read_text(), re.MULTILINE))
        tree = self._folder / "base"
        self._run("debootstrap", "--variant=minbase", f"--include={BASE_PACKAGES}", _debian(), str(tree))
        (tree / "usr/bin/python").symlink_to("python3")
        container = self._buildah("from", "scratch")
        self._buildah("copy", "--quiet", container, str(tree), "/")
        self._buildah("commit", "--quiet", "--rm", container, f"docker.io/library/{name}")
        shutil.rmtree(tree)

    def build(self, dockerfile: Path) -> Image:
        """Build it, with the tree as its context. Raises `AssertionError`, whose text tells the step that failed."""
        # The format of Docker: that of OCI has no health check.
        options = ["--format", "docker", "--pull-never", "--volume", f"{CERTIFICATES}:{CERTIFICATES}:ro"]
        options += ["--volume", f"{self._pip_settings()}:/etc/pip.conf:ro"]
        proxies = [f"{name}={value}" for name, value in os.environ.items() if name.lower().endswith("_proxy")]
        options += [part for proxy in proxies for part in ("--build-arg", proxy)]
        self._buildah("bud", *options, "--file", str(dockerfile), "--tag", dockerfile.name.lower(), str(ROOT))
        inspected = json.loads(self._buildah("inspect", "--type", "image", dockerfile.name.lower()))
        container = self._buildah("from", "--pull-never", dockerfile.name.lower())
        return Image(Path(self._buildah("mount", container)), inspected["Docker"]["config"])

    def close(self) -> None:
        """Undo what is mounted below the folder, the innermost first."""
        for mount in sorted(_mounts_below(self._folder), reverse=True):
            subprocess.run(["umount", "--lazy", mount], check=True)

    def _pip_settings(self) -> Path:
        """How this machine's pip reaches an index, as a file for the pip in the image."""
        told = self._run(sys.executable, "-m", "pip", "config", "list")
        found = dict(re.findall(r"^(?:\S+?)\.([a-z-]+)='(.*)'$", told, re.MULTILINE))
        lines = ["[global]", *(f"{name} = {value}" for name, value in found.items() if name in FOR_PIP)]
        path = self._folder / "pip.conf"
        path.write_text("\n".join(lines) + "\n")
        return path

    def _buildah(self, *arguments: str) -> str:
        # A storage of its own: nothing is left in that of the machine.
        storage = ["--root", f"{self._folder}/storage", "--runroot", f"{self._folder}/run"]
        return self._run("buildah", *storage, "--storage-driver", self._driver, *arguments).strip()

    def _run(self, *command: str) -> str:
        done = subprocess.run(
            command, env=self._environment, cwd=self._folder, capture_output=True, text=True, timeout=PATIENCE, check=False
        )  # fmt: skip
        if done.returncode:
            raise AssertionError(f"{' '.join(command)} failed:\n{done.stdout[-3000:]}\n{done.stderr[-3000:]}")
        return done.stdout


@contextmanager
def builder(folder: Path) -> Iterator[Builder]:
    made = Builder(folder)
    try:
        yield made
    finally:
        made.close()
        shutil.rmtree(folder)


def _path() -> str:
    # debootstrap lies where a plain PATH does not look.
    return os.environ.get("PATH", "") + ":/usr/sbin:/sbin"


def _mounts_overlays(folder: Path) -> bool:
    """Whether the kernel lays one folder over another here. Without that, each layer of an image is a copy of the one below."""
    lower, upper, work, merged = (folder / "overlay" / name for name in ("lower", "upper", "work", "merged"))
    for place in (lower, upper, work, merged):
        place.mkdir(parents=True)
    options = f"lowerdir={lower},upperdir={upper},workdir={work}"
    command = ["mount", "-t", "overlay", "overlay", "-o", options, str(merged)]
    if subprocess.run(command, check=False, capture_output=True).returncode:
        return False
    subprocess.run(["umount", str(merged)], check=True)
    return True


def _debian() -> str:
    """The name of the release that runs here: its keys are here, too."""
    lines = Path("/etc/os-release").read_text().splitlines()
    return dict(line.split("=", 1) for line in lines if "=" in line)["VERSION_CODENAME"]


def _mounts_below(folder: Path) -> list[str]:
    mounts = [line.split()[1] for line in Path("/proc/self/mounts").read_text().splitlines()]
    return [mount for mount in mounts if Path(mount).is_relative_to(folder)]
