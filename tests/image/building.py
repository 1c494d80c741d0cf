"""An image built from a Dockerfile by buildah, which needs neither a daemon nor a registry.

The image that FROM names is not downloaded. In its place, debootstrap makes a small Debian with the Python of its release. So
the version of Python may differ from the real image. All instructions after FROM are those of the Dockerfile.
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
STEP_TIMEOUT = 600
"""Timeout of one step in seconds."""
FOR_PIP = ("index-url", "extra-index-url", "trusted-host", "proxy", "cert", "default-timeout", "timeout", "retries")
"""The pip options that configure access to a package index."""


def missing() -> str:
    """Return why no image can be built on this machine; empty if nothing is missing."""
    if os.geteuid():
        return "Building an image needs root. Run the tests as root."
    lacking = [program for program in PROGRAMS if shutil.which(program, path=_path()) is None]
    return f"To build an image, install Debian's packages for {', '.join(lacking)}." if lacking else ""


@dataclass(frozen=True)
class Image:
    """A built image: its unpacked root file system, and its configuration (command, user, environment)."""

    root: Path
    config: Mapping[str, Any]


class Builder:
    """Builds images below `folder`. `close` unmounts everything below `folder`."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        self._driver = "overlay" if _mounts_overlays(folder) else "vfs"
        self._environment = {**os.environ, "BUILDAH_ISOLATION": "chroot", "PATH": _path()}

    def make_base(self, dockerfile: Path) -> None:
        """Make the base image that FROM names. Takes about a minute. Raises `AssertionError` if a command fails."""
        (name,) = set(re.findall(r"^FROM (\S+)", dockerfile.read_text(), re.MULTILINE))
        tree = self._folder / "base"
        self._run("debootstrap", "--variant=minbase", f"--include={BASE_PACKAGES}", _debian(), str(tree))
        (tree / "usr/bin/python").symlink_to("python3")
        container = self._buildah("from", "scratch")
        self._buildah("copy", "--quiet", container, str(tree), "/")
        self._buildah("commit", "--quiet", "--rm", container, f"docker.io/library/{name}")
        shutil.rmtree(tree)

    def build(self, dockerfile: Path) -> Image:
        """Build an image, with the source tree as context. Raises `AssertionError` if a command fails."""
        # Use the format of Docker, because the OCI format has no health check.
        options = ["--format", "docker", "--pull-never", "--volume", f"{CERTIFICATES}:{CERTIFICATES}:ro"]
        options += ["--volume", f"{self._pip_settings()}:/etc/pip.conf:ro"]
        proxies = [f"{name}={value}" for name, value in os.environ.items() if name.lower().endswith("_proxy")]
        options += [part for proxy in proxies for part in ("--build-arg", proxy)]
        self._buildah("bud", *options, "--file", str(dockerfile), "--tag", dockerfile.name.lower(), str(ROOT))
        inspected = json.loads(self._buildah("inspect", "--type", "image", dockerfile.name.lower()))
        container = self._buildah("from", "--pull-never", dockerfile.name.lower())
        return Image(Path(self._buildah("mount", container)), inspected["Docker"]["config"])

    def close(self) -> None:
        """Unmount everything below the folder, the innermost mount first."""
        for mount in sorted(_mounts_below(self._folder), reverse=True):
            subprocess.run(["umount", "--lazy", mount], check=True)

    def _pip_settings(self) -> Path:
        """Write the pip options of this machine into a pip.conf for the image, and return its path."""
        listed = self._run(sys.executable, "-m", "pip", "config", "list")
        options = dict(re.findall(r"^(?:\S+?)\.([a-z-]+)='(.*)'$", listed, re.MULTILINE))
        lines = ["[global]", *(f"{name} = {value}" for name, value in options.items() if name in FOR_PIP)]
        path = self._folder / "pip.conf"
        path.write_text("\n".join(lines) + "\n")
        return path

    def _buildah(self, *arguments: str) -> str:
        # Use a separate storage, so that nothing is left in the storage of this machine.
        storage = ["--root", f"{self._folder}/storage", "--runroot", f"{self._folder}/run"]
        return self._run("buildah", *storage, "--storage-driver", self._driver, *arguments).strip()

    def _run(self, *command: str) -> str:
        done = subprocess.run(
            command, env=self._environment, cwd=self._folder, capture_output=True, text=True, timeout=STEP_TIMEOUT, check=False
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
    # debootstrap is in /usr/sbin, which is not in the PATH of every user.
    return os.environ.get("PATH", "") + ":/usr/sbin:/sbin"


def _mounts_overlays(folder: Path) -> bool:
    """Return whether overlay mounts work in a folder. The alternative, the vfs driver, copies all files for each layer."""
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
    """Return the code name of the Debian release of this machine. This machine has the package keys of this release."""
    lines = Path("/etc/os-release").read_text().splitlines()
    return dict(line.split("=", 1) for line in lines if "=" in line)["VERSION_CODENAME"]


def _mounts_below(folder: Path) -> list[str]:
    mounts = [line.split()[1] for line in Path("/proc/self/mounts").read_text().splitlines()]
    return [mount for mount in mounts if Path(mount).is_relative_to(folder)]
