"""What every test may rely on: keys of its own, and no traffic that leaves this machine. Loaded before the settings are."""

import os
from pathlib import Path
from typing import Any

import pytest
from cryptography.fernet import Fernet

os.environ.setdefault("SECRET_KEY", "a key for tests that guards nothing")
os.environ.setdefault("ENCRYPTION_KEYS", Fernet.generate_key().decode())
os.environ.setdefault("LOG_LEVEL", "WARNING")
# Nothing in a test may go through a proxy that the machine happens to have.
os.environ["NO_PROXY"] = os.environ["no_proxy"] = "*"


FAULTS = Path(__file__).parent / "faults"
"""Its tests start workers, which open the database themselves."""

if os.environ.get("REWORD"):
    from tests import rewording

    rewording.install()


@pytest.hookimpl(tryfirst=True)  # before `-m` selects
def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Mark the tests that use the database, so that CI can run them on PostgreSQL, too."""
    for item in items:
        has_database = "db" in getattr(item, "fixturenames", ()) or item.get_closest_marker("django_db")
        if has_database or FAULTS in item.path.parents:
            item.add_marker("database")


def pytest_configure(config: Any) -> None:
    from django.conf import settings

    # Passwords of tests guard nothing, and hundreds of tests sign in: a digest that costs no time is enough.
    settings.PASSWORD_HASHERS = ["django.contrib.auth.hashers.MD5PasswordHasher"]
    if os.environ.get("EWS_SCHEMA"):
        from tests import ews_schema

        config.pluginmanager.register(ews_schema.Plugin(ews_schema.install()))
