"""Build docker/Dockerfile, and run the image as in production: with a host name, behind a proxy, with HTTPS only, and with
a read-only root.

The tests take two to three minutes, need root, and start PostgreSQL and Redis. The port of the image must be free.
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
from tests.image.container import Container, becomes_true
from tests.tree import ROOT

pytestmark = pytest.mark.image

HOST = "mail.bank.example"
PORT = 8000
START_TIMEOUT = 60.0
"""Maximum time in seconds for a process to start, long enough for a busy machine."""


@pytest.fixture(scope="session")
def folder():
    if reason := building.missing():
        pytest.skip(reason)
    # Do not use pytest's temporary folder: pytest keeps its content, and this folder takes gigabytes.
    with building.builder(Path(tempfile.mkdtemp(prefix="reinfer-exchange-image-"))) as builder:
        yield builder


@pytest.fixture(scope="session")
def image(folder):
    dockerfile = ROOT / "docker/Dockerfile"
    folder.make_base(dockerfile)
    return folder.build(dockerfile)


@pytest.fixture(scope="session")
def services():
    """A running PostgreSQL server and a running Redis server."""
    if programs() is None or broker.binary() is None:
        pytest.skip("PostgreSQL or Redis is missing: install Debian's packages postgresql and redis-server.")
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
        "SECRET_KEY": "a key that only this test uses, and that is long enough for Django",
        "ENCRYPTION_KEYS": Fernet.generate_key().decode(),
        "DATABASE_URL": cluster.url,
        "REDIS_URL": queue.url,
        "ALLOWED_HOSTS": HOST,
        "CSRF_TRUSTED_ORIGINS": f"https://{HOST}",
        "HTTPS_ONLY": "true",
        "BEHIND_PROXY": "true",
        "METRICS_TOKEN": "a token of the monitoring",
        # A proxy that does not exist: requests to this machine must not use a proxy.
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
    assert ports.is_free(PORT), f"The image uses port {PORT}, which another process is using. Stop that process first."
    assert not migrated.is_healthy()
    child = migrated.start("web", image.config["Cmd"])
    assert becomes_true(migrated.is_healthy, START_TIMEOUT), child.last_words(50)
    return child


def command_of(service: str) -> list[str]:
    return yaml.safe_load((ROOT / "docker/compose.yaml").read_text())["services"][service]["command"]


def get(path: str, **headers: str) -> tuple[int, str]:
    """Send a request to the web process, as a proxy or monitoring does."""
    connection = http.client.HTTPConnection("127.0.0.1", PORT, timeout=20)
    connection.request("GET", path, headers=headers)
    response = connection.getresponse()
    return response.status, response.read().decode()


def test_the_checks_of_the_product_pass_in_the_image(migrated):
    done = migrated.run(["python", "manage.py", "check", "--fail-level", "WARNING"])
    assert done.returncode == 0, done.stderr
    assert migrated.run(["python", "manage.py", "migrate", "--check"]).returncode == 0


def test_the_image_is_read_only_and_its_user_is_not_root(container):
    assert container.run(["touch", "/app/x"]).returncode != 0
    assert container.run(["id", "-u"]).stdout.strip() == "10001"


def test_the_web_process_starts_without_a_warning(web):
    """This test must run before the tests that send invalid requests, because such requests are logged as warnings."""
    log = web.log.read_text()
    assert "Listening at" in log
    assert not re.search(r"\[(WARNING|ERROR|CRITICAL)\]|Traceback|[Cc]ontrol", log), log


def test_the_health_check_of_the_image_succeeds(web, migrated):
    assert migrated.is_healthy()
    token = "Bearer a token of the monitoring"
    assert get("/metrics", Authorization=token)[0] == 200
    assert get("/metrics")[0] == 401


def test_pages_and_static_files_are_served_only_over_https_and_for_the_host_name(web):
    status, page = get("/login/", Host=HOST, **{"X-Forwarded-Proto": "https"})
    assert status == 200
    sheets = re.findall(r'href="(/static/[^"]+\.css)"', page)
    assert sheets
    assert all(get(sheet, Host=HOST, **{"X-Forwarded-Proto": "https"})[0] == 200 for sheet in sheets)
    assert get("/login/", Host=HOST)[0] == 301
    assert get("/login/", Host="evil.example", **{"X-Forwarded-Proto": "https"})[0] == 400


def test_the_worker_and_beat_commands_of_compose_run_the_dispatch_task(services, migrated):
    cluster, queue = services
    worker = migrated.start("worker", command_of("worker"))
    assert becomes_true(lambda: bool(queue.waiting()), START_TIMEOUT), worker.last_words(50)
    beat = migrated.start("beat", command_of("beat"))
    ticked = becomes_true(lambda: bool(cluster.ask("SELECT 1 FROM sync_tick WHERE name = 'dispatch'")), START_TIMEOUT)
    assert ticked, worker.last_words(50) + beat.last_words(50)
    for child in (worker, beat):
        assert "Traceback" not in child.log.read_text(), child.last_words(50)
