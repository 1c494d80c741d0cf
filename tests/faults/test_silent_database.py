"""A database server that accepts a connection and never responds."""

from __future__ import annotations

import os
import socket
import subprocess
import sys

import pytest

from tests.faults.databases import ROOT

CONNECTS = "import django; django.setup(); from django.db import connection; connection.ensure_connection()"


@pytest.mark.long
def test_a_connection_attempt_to_a_silent_database_times_out():
    with socket.create_server(("127.0.0.1", 0)) as silent:
        url = f"postgres://test@127.0.0.1:{silent.getsockname()[1]}/test"
        environment = {**os.environ, "DATABASE_URL": url, "DJANGO_SETTINGS_MODULE": "config.settings"}
        command = [sys.executable, "-c", CONNECTS]
        done = subprocess.run(
            command, cwd=ROOT, env=environment, capture_output=True, text=True, timeout=60, check=False
        )
    assert "OperationalError" in done.stderr
    assert "timeout" in done.stderr
