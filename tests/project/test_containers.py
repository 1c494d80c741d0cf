"""Check the Dockerfiles and docker/compose.yaml without a container engine."""

import re
from pathlib import Path

import pytest
import yaml

ROOT = Path(__file__).resolve().parents[2]
COMPOSE = yaml.safe_load((ROOT / "docker/compose.yaml").read_text())
DOCKERFILES = sorted((ROOT / "docker").glob("Dockerfile*"))


@pytest.mark.parametrize("path", DOCKERFILES, ids=lambda path: path.name)
def test_every_file_that_an_image_copies_exists(path):
    for line in re.findall(r"^COPY (?!--from)(.+)$", path.read_text(), re.MULTILINE):
        *sources, _ = (word for word in line.split() if not word.startswith("--"))
        assert all((ROOT / source).exists() for source in sources), line


@pytest.mark.parametrize("path", DOCKERFILES, ids=lambda path: path.name)
def test_no_image_runs_as_root(path):
    assert re.findall(r"^USER (\S+)$", path.read_text(), re.MULTILINE)[-1] == "10001"


def test_compose_has_all_services_and_a_demo_profile():
    assert {"postgres", "redis", "migrate", "web", "worker", "beat", "demo"} <= COMPOSE["services"].keys()
    assert COMPOSE["services"]["demo"]["profiles"] == ["demo"]


def test_every_dockerfile_that_compose_builds_exists():
    builds = [service["build"]["dockerfile"] for service in COMPOSE["services"].values() if "build" in service]
    assert builds
    assert all((ROOT / build).exists() for build in builds)


def test_the_worker_consumes_every_queue_of_the_product(settings):
    command = COMPOSE["services"]["worker"]["command"]
    queues = {settings.CELERY_TASK_DEFAULT_QUEUE, *(route["queue"] for route in settings.CELERY_TASK_ROUTES.values())}
    assert set(command[command.index("--queues") + 1].split(",")) == queues
