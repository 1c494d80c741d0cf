"""The pytest plugin for all tests: it sets keys and disables proxies before Django loads the settings, and marks tests."""

import gc
import os
from pathlib import Path
from typing import Any

import pytest
from cryptography.fernet import Fernet

os.environ.setdefault("SECRET_KEY", "a key that only tests use")
os.environ.setdefault("ENCRYPTION_KEYS", Fernet.generate_key().decode())
os.environ.setdefault("LOG_LEVEL", "WARNING")
# No request of a test may use a proxy that is configured on this machine.
os.environ["NO_PROXY"] = os.environ["no_proxy"] = "*"


FAULTS = Path(__file__).parent / "faults"
"""Tests in this folder are marked even without the fixture `db`, because they can start processes that use the database."""

if os.environ.get("REWORD"):
    from tests import rewording

    rewording.install()


@pytest.hookimpl(tryfirst=True)  # before pytest selects by `-m`
def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Mark the tests that use the database, so that CI can run them on PostgreSQL, too."""
    for item in items:
        has_database = "db" in getattr(item, "fixturenames", ()) or item.get_closest_marker("django_db")
        if has_database or FAULTS in item.path.parents:
            item.add_marker("database")


def pytest_collection_finish() -> None:
    """Exempt the modules and tests, which live until the end, from garbage collection. This saves 6 % of the CPU time."""
    gc.collect()
    gc.freeze()
    gc.set_threshold(200_000, 50, 100)


def pytest_configure(config: Any) -> None:
    from django.conf import settings

    # Use a fast hash, because hundreds of tests sign in. The passwords of tests need no protection.
    settings.PASSWORD_HASHERS = ["django.contrib.auth.hashers.MD5PasswordHasher"]
    if os.environ.get("EWS_SCHEMA"):
        from tests import ews_schema

        config.pluginmanager.register(ews_schema.Plugin(ews_schema.install()))
