"""Add the simulated mailboxes and an administrator to the product of a stack."""

from __future__ import annotations

import secrets
from pathlib import Path
from typing import Any

from demo.stack import Stack

# The defaults of `python -m simulators`.
ACCOUNT_PASSWORD, CLIENT_SECRET, TOKEN = "simulated-password", "simulated-client-secret", "simulated-api-token"


def seed(stack: Stack, password: str = "") -> str:
    """Create integrations, mailboxes and buckets for the simulators, and the administrator `admin`.

    Args:
        stack: the stack, prepared or running
        password: password of the administrator; generated if empty

    Returns:
        The password.
    """
    password = password or secrets.token_urlsafe(9)
    given: dict[str, Any] = {
        "simulators": stack.simulators,
        "password": password,
        "account_password": ACCOUNT_PASSWORD,
        "client_secret": CLIENT_SECRET,
        "token": TOKEN,
        "ca": Path(stack.simulators["exchange"]["ca_file"]).read_text(),
    }
    stack.product("seed", given=given)
    return password
