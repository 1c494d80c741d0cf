"""docker/Dockerfile is built for real, and its commands run as in production: with an own host name, behind a proxy, over HTTPS
alone, and with a root that cannot be written.

Takes two to three minutes, needs root, and starts a PostgreSQL and a Redis of its own. The port of the image must be free.
"""

from __future__ import annotations

import http.client
import re
import tempfile
from pathlib import Path

import pytest
import yaml
from cryptography.fernet import Fernet

from demo import broker, ports
from demo.processes import Processes
from tests.faults.processes.cluster import Cluster, programs
from tests.faults.processes.queue import Queue
from tests.image import building
from tests.image.container import Container, comes
from tests.tree import ROOT

pytestmark = pytest.mark.image

HOST = "mail.bank.example"
PORT = 8000
PATIENCE = 60.0
"""Seconds that a process has to come up on a machine that has other things to do."""


@pytest.fixture(scope="session")
def folder():
    if why := building.missing():
        pytest.skip(why)
    # Not below pytest's own folder: that is kept, and this one takes gigabytes.
    with building.builder(Path(tempfile.mkdtemp(prefix="reinfer-exchange-image-"))) as made:
        yield made


@pytest.fixture(scope="session")
def image(folder):
    dockerfile = ROOT / "docker/Dockerfile"
    folder.make_base(dockerfile)
    return folder.build(dockerfile)


@pytest.fixture(scope="session")
def services():
    """A PostgreSQL and a Redis."""
    if programs() is None or broker.binary() is None:
        pytest.skip("There is no PostgreSQL or no Redis here: install Debian's packages postgresql and redis-server.")
    with tempfile.TemporaryDirectory(prefix="reinfer-exchange-services-") as folder:
        Path(folder).chmod(0o755)
        cluster, queue = Cluster(Path(folder)), Queue(Path(folder))
        try:
            cluster.start()
            cluster.make()
            queue.start()
            yield cluster, queue
        finally:
            queue.server.stop()
            cluster.stop()


@pytest.fixture(scope="session")
def container(image, services, tmp_path_factory):
    cluster, queue = services
    environment = {
        "SECRET_KEY": "a key for a test that guards nothing, and is long enough for Django",
        "ENCRYPTION_KEYS": Fernet.generate_key().decode(),
        "DATABASE_URL": cluster.url,
        "REDIS_URL": queue.url,
        "ALLOWED_HOSTS": HOST,
        "CSRF_TRUSTED_ORIGINS": f"https://{HOST}",
        "HTTPS_ONLY": "true",
        "BEHIND_PROXY": "true",
        "METRICS_TOKEN": "a token of the monitoring",
        # A proxy of the machine, which nothing that stays on this machine may be sent through.
        "http_proxy": "http://127.0.0.1:9",
    }
    with Processes(tmp_path_factory.mktemp("logs")) as processes:
        yield Container(image, environment, processes)


@pytest.fixture(scope="session")
def migrated(container):
    done = container.run(["python", "manage.py", "migrate", "--noinput"], seconds=300)
    assert done.returncode == 0, done.stderr
    return container


@pytest.fixture(scope="session")
def web(image, migrated):
    assert ports.is_free(PORT), f"The image serves port {PORT}, and something on this machine has it: stop that first."
    assert not migrated.is_healthy()
    child = migrated.start("web", image.config["Cmd"])
    assert comes(migrated.is_healthy, PATIENCE), child.last_words(50)
    return child


def command_of(service: str) -> list[str]:
    return yaml.safe_load((ROOT / "docker/compose.yaml").read_text())["services"][service]["command"]


def asked(path: str, **headers: str) -> tuple[int, str]:
    """Ask the web process itself, as a proxy or a monitoring does."""
    connection = http.client.HTTPConnection("127.0.0.1", PORT, timeout=20)
    connection.request("GET", path, headers=headers)
    answer = connection.getresponse()
    return answer.status, answer.read().decode()


def test_the_checks_of_the_product_pass_in_the_image(migrated):
    done = migrated.run(["python", "manage.py", "check", "--fail-level", "WARNING"])
    assert done.returncode == 0, done.stderr
    assert migrated.run(["python", "manage.py", "migrate", "--check"]).returncode == 0


def test_nothing_of_the_image_can_be_written_and_its_user_is_not_root(container):
    assert container.run(["touch", "/app/x"]).returncode != 0
    assert container.run(["id", "-u"]).stdout.strip() == "10001"


def test_the_web_process_starts_without_a_complaint(web):
    """The first of those that ask it something: what they do wrong on purpose is complained about."""
    log = web.log.read_text()
    assert "Listening at" in log
    assert not re.search(r"\[(WARNING|ERROR|CRITICAL)\]|Traceback|[Cc]ontrol", log), log


def test_the_image_is_healthy_by_its_own_health_check(web, migrated):
    assert migrated.is_healthy()
    token = "Bearer a token of the monitoring"
    assert asked("/metrics", Authorization=token)[0] == 200
    assert asked("/metrics")[0] == 401


def test_the_pages_and_their_static_files_come_through_the_proxy_alone(web):
    status, page = asked("/login/", Host=HOST, **{"X-Forwarded-Proto": "https"})
    assert status == 200
    sheets = re.findall(r'href="(/static/[^"]+\.css)"', page)
    assert sheets
    assert all(asked(sheet, Host=HOST, **{"X-Forwarded-Proto": "https"})[0] == 200 for sheet in sheets)
    assert asked("/login/", Host=HOST)[0] == 301
    assert asked("/login/", Host="evil.example", **{"X-Forwarded-Proto": "https"})[0] == 400


def test_worker_and_beat_of_compose_tick(services, migrated):
    cluster, queue = services
    worker = migrated.start("worker", command_of("worker"))
    assert comes(lambda: bool(queue.waiting()), PATIENCE), worker.last_words(50)
    beat = migrated.start("beat", command_of("beat"))
    ticked = comes(lambda: bool(cluster.ask("SELECT 1 FROM sync_tick WHERE name = 'dispatch'")), PATIENCE)
    assert ticked, worker.last_words(50) + beat.last_words(50)
    for child in (worker, beat):
        assert "Traceback" not in child.log.read_text(), child.last_words(50)
