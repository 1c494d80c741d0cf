"""The health check for load balancers, and the static files."""

import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[2]


def test_the_health_page_needs_no_log_in(client, db):
    response = client.get("/healthz")
    assert (response.status_code, response.content) == (200, b"ok")


@pytest.mark.long
@pytest.mark.slow
def test_collected_static_files_are_served_under_names_that_change_with_them(tmp_path):
    import os

    environment = {
        **os.environ,
        "STATIC_DIR": str(tmp_path / "static"),
        "DATABASE_URL": f"sqlite:///{tmp_path}/x.sqlite3",
    }
    subprocess.run(
        [sys.executable, "manage.py", "collectstatic", "--noinput", "-v", "0"], cwd=ROOT, env=environment, check=True
    )
    code = (
        "import django; django.setup()\n"
        "from django.templatetags.static import static; print(static('app.css'))\n"
        "from django.test import Client; from django.contrib.staticfiles.storage import staticfiles_storage as s\n"
        "print(Client().get(s.url('app.css'), headers={'host': 'localhost'}).status_code)"
    )
    environment["DJANGO_SETTINGS_MODULE"] = "config.settings"
    out = subprocess.run(
        [sys.executable, "-c", code], cwd=ROOT, env=environment, capture_output=True, text=True, check=True
    )
    name, status = out.stdout.split()
    assert name.startswith("/static/app.")
    assert name != "/static/app.css"
    assert status == "200"
