"""What every test may rely on: keys of its own, and no traffic that leaves this machine. Loaded before the settings are."""

import os
from typing import Any

from cryptography.fernet import Fernet

os.environ.setdefault("SECRET_KEY", "a key for tests that guards nothing")
os.environ.setdefault("ENCRYPTION_KEYS", Fernet.generate_key().decode())
os.environ.setdefault("LOG_LEVEL", "WARNING")
# Nothing in a test may go through a proxy that the machine happens to have.
os.environ["NO_PROXY"] = os.environ["no_proxy"] = "*"


if os.environ.get("REWORD"):
    from tests import rewording

    rewording.install()


def pytest_configure(config: Any) -> None:
    from django.conf import settings

    # Passwords of tests guard nothing, and hundreds of tests sign in: a digest that costs no time is enough.
    settings.PASSWORD_HASHERS = ["django.contrib.auth.hashers.MD5PasswordHasher"]
    if os.environ.get("EWS_SCHEMA"):
        from tests import ews_schema

        config.pluginmanager.register(ews_schema.Plugin(ews_schema.install()))
