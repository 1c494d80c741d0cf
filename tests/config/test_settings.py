"""Every setting is in docs/configuration.md, and Docker Compose passes it to every container of the product.

To find the settings, the tests run config/settings.py with an environment that records which variables are read.
"""

from __future__ import annotations

import re
import runpy
from collections.abc import Iterator, Mapping

import environ
import pytest
import yaml

from config import settings_reference
from tests.tree import ROOT

COMPOSE = yaml.safe_load((ROOT / "docker/compose.yaml").read_text())
CONFIGURATION = (ROOT / "docs/configuration.md").read_text()
EXAMPLE = (ROOT / "docker/env.example").read_text()
PRODUCT = [
    name for name, service in COMPOSE["services"].items() if service.get("image") == COMPOSE["x-product"]["image"]
]
SECRETS = ("SECRET_KEY", "ENCRYPTION_KEYS", "POSTGRES_PASSWORD", "METRICS_TOKEN")


class RecordingEnvironment(Mapping[str, str]):
    """Environment variables that record the names that are read."""

    def __init__(self, values: Mapping[str, str]) -> None:
        self.given = values
        self.names_read: set[str] = set()

    def __getitem__(self, name: str) -> str:
        self.names_read.add(name)
        return self.given[name]

    def __iter__(self) -> Iterator[str]:
        return iter(self.given)

    def __len__(self) -> int:
        return len(self.given)


@pytest.fixture
def read(monkeypatch, tmp_path) -> set[str]:
    """The names of all settings that config/settings.py reads."""
    environment = RecordingEnvironment({"DATA_DIR": str(tmp_path)})
    monkeypatch.setattr(environ.FileAwareEnv, "ENVIRON", environment)
    monkeypatch.setattr("config.logs.logging_config", lambda *given: None)
    runpy.run_path(str(ROOT / "config/settings.py"))
    names = {name for name in environment.names_read if not name.endswith("_FILE")}
    assert {"SECRET_KEY", "EMAIL_URL", "POLL_INTERVAL", "LIMIT_PARTS"} <= names
    return names


def documented() -> set[str]:
    """The names of the settings in the tables of docs/configuration.md."""
    return set(re.findall(r"^\| `([A-Z_]+)` \|", CONFIGURATION, re.M))


def given_to(service: str, dotenv: Mapping[str, str]) -> dict[str, str]:
    """Return the environment variables that Docker Compose passes to a container, according to the specification of Compose.

    `environment` takes precedence over `env_file`. `${NAME:-default}` is the variable if it is set and not empty, otherwise
    the default.
    """
    definition = COMPOSE["services"][service]
    files = {entry["path"] for entry in definition.get("env_file", [])}
    assert files <= {".env"}
    environment = dict(dotenv) if files else {}
    for name, value in definition.get("environment", {}).items():
        text, inner = str(value), re.compile(r"\$\{(\w+):-([^${}]*)\}")
        while inner.search(text):
            text = inner.sub(lambda match: dotenv.get(match[1]) or match[2], text)
        environment[name] = text
    return environment


def test_the_reference_of_the_settings_is_what_its_generator_prints():
    assert settings_reference.page() == CONFIGURATION, "Run `make reference`."


def test_the_reference_lists_every_setting_that_is_read_and_no_other(read):
    assert documented() == read


def test_a_setting_without_a_description_is_refused():
    section = "# ---- storage ----\n"
    described = settings_reference.read(f'{section}#: The queue.\nQUEUE = env("QUEUE", default="a")')
    assert described == {"Storage": [settings_reference.Setting("QUEUE", "text", "`a`", "The queue.")]}
    with pytest.raises(ValueError, match="QUEUE has no description"):
        settings_reference.read(f'{section}# The queue.\nQUEUE = env("QUEUE", default="a")')


@pytest.mark.parametrize("service", PRODUCT)
def test_every_setting_reaches_every_container_of_the_product(service, read):
    dotenv = {name: f"a value of {name}" for name in read}
    assert given_to(service, dotenv).items() >= dotenv.items()


def test_exactly_four_services_use_the_image_of_the_product():
    assert set(PRODUCT) == {"migrate", "web", "worker", "beat"}


@pytest.mark.parametrize("service", PRODUCT)
def test_no_secret_has_a_default_in_compose(service):
    environment = given_to(service, {})
    assert not {*SECRETS} & environment.keys()
    assert environment["DATABASE_URL"] == "postgres://reinfer:@postgres:5432/reinfer"


def test_the_example_names_settings_that_exist_and_gives_no_secret(read):
    lines = dict(re.findall(r"^#?([A-Z_]+)=(.*)$", EXAMPLE, re.M))
    assert lines.keys() - {"POSTGRES_PASSWORD", "PORT"} <= read
    assert all(lines[name] == "" for name in SECRETS)
