"""Install the packages of third-party clients into a folder outside the project, which later runs reuse.

The folder is `$FOREIGN_CACHE`, or `reinfer-exchange-foreign` in the user's cache folder. Each set of packages has a separate
subfolder, whose name contains a digest of the files that pin the versions and of the Python version. If one of these changes,
the packages are installed into a new subfolder.
"""

from __future__ import annotations

import fcntl
import hashlib
import os
import shutil
import subprocess
import sys
from collections.abc import Callable, Sequence
from pathlib import Path

import pytest


def python_of(client: Path) -> Path:
    """Return the interpreter of a virtual environment with only the packages of `client/requirements.txt`."""
    requirements = client / "requirements.txt"

    def install(into: Path) -> None:
        run([sys.executable, "-m", "venv", str(into / "venv")])
        run([into / "venv/bin/python", "-m", "pip", "install", "-q", "--require-hashes", "-r", requirements])

    return _installed(client.name, [requirements], install) / "venv/bin/python"


def node_modules_of(client: Path) -> Path:
    """Return the folder of modules of `client/package-lock.json`, for NODE_PATH. Skip the test if Node is missing."""
    need("node", "npm")
    pins = [client / "package.json", client / "package-lock.json"]

    def install(into: Path) -> None:
        for pin in pins:
            shutil.copy(pin, into)
        run(["npm", "ci", "--ignore-scripts", "--no-audit", "--no-fund"], cwd=into)

    return _installed(client.name, pins, install) / "node_modules"


def jars_of(client: Path) -> Path:
    """Return the folder of libraries of `client/pom.xml`. Skip the test if Java or Maven is missing."""
    need("java", "javac", "mvn")
    pom = client / "pom.xml"

    def install(into: Path) -> None:
        shutil.copy(pom, into)
        run(["mvn", "-q", "-B", "dependency:copy-dependencies", f"-DoutputDirectory={into / 'lib'}"], cwd=into)

    return _installed(client.name, [pom], install) / "lib"


def need(*programs: str) -> None:
    """Skip the test if one of the programs is not installed."""
    missing = [program for program in programs if shutil.which(program) is None]
    if missing:
        pytest.skip(f"{', '.join(missing)} not installed here")


def run(command: Sequence[str | Path], *, cwd: Path | None = None) -> None:
    """Run a program that installs or builds. If it fails, raise `AssertionError` with its output."""
    done = subprocess.run([str(word) for word in command], cwd=cwd, capture_output=True, text=True, check=False)
    assert done.returncode == 0, f"{command[0]} failed:\n{done.stdout[-2000:]}\n{done.stderr[-2000:]}"


def _installed(name: str, pins: Sequence[Path], install: Callable[[Path], None]) -> Path:
    """Return the folder for these pins. If no earlier run filled the folder, `install` fills it.

    While a process fills the folder, other processes wait.
    """
    version = f"{sys.version_info.major}.{sys.version_info.minor}".encode()
    digest = hashlib.sha256(b"\0".join([version, *(pin.read_bytes() for pin in pins)])).hexdigest()[:16]
    folder = _cache() / f"{name}-{digest}"
    with (_cache() / f"{folder.name}.lock").open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        complete = folder / ".complete"
        if not complete.exists():
            shutil.rmtree(folder, ignore_errors=True)
            folder.mkdir()
            install(folder)
            complete.touch()
    return folder


def _cache() -> Path:
    default = Path(os.environ.get("XDG_CACHE_HOME") or Path.home() / ".cache") / "reinfer-exchange-foreign"
    folder = Path(os.environ.get("FOREIGN_CACHE") or default)
    folder.mkdir(parents=True, exist_ok=True)
    return folder


def built_by(script: Path, *needed: str) -> Path:
    """Return the folder that `script FOLDER PYTHON` fills. Skip the test if one of the programs `needed` is missing."""
    need(*needed)
    return _installed(script.parent.name, [script], lambda into: run([script, into, sys.executable]))
