"""The API of the running product: the commands of docs/api.md, then errors, changes and the deletion of an integration."""

from __future__ import annotations

import json
import re
import shutil
import subprocess
import tempfile
import time
import urllib.error
import urllib.request
from pathlib import Path

import pytest

from demo.exchange import OPENER, Control
from demo.ports import free
from demo.processes import Processes
from demo.seeding import ACCOUNT_PASSWORD, TOKEN
from demo.stack import ROOT, Stack
from tests.journey.test_setting_up import DESK, USERS

pytestmark = pytest.mark.journey

COMMANDS = re.findall(r"```sh\n(.*?)```", (ROOT / "docs" / "api.md").read_text(), re.DOTALL)
PATIENCE = 30.0


@pytest.fixture(scope="module")
def stack():
    with tempfile.TemporaryDirectory() as folder, Processes(Path(folder)) as processes:
        made = Stack(processes, Path(folder), port=free())
        made.prepare(["--mailboxes", DESK, "--generate", "2/40"])
        made.manage("shell", "-v", "0", "-c", USERS)
        made.run()
        yield made


@pytest.fixture(scope="module")
def token(stack):
    return stack.manage("api_token", "admin", "Test").strip()


@pytest.fixture(scope="module")
def reinfer(stack):
    return Control(stack.simulators["reinfer"]["control_url"])


@pytest.fixture(scope="module")
def call(stack, token):
    def call(method, path, body=None):
        headers = {"Authorization": f"Bearer {token}", "Content-Type": "application/json"}
        data = None if body is None else json.dumps(body).encode()
        request = urllib.request.Request(f"{stack.url}api/v1/{path}", data, headers, method=method)
        try:
            with OPENER.open(request, timeout=60) as response:
                text = response.read()
                return response.status, json.loads(text) if text else None
        except urllib.error.HTTPError as error:
            return error.code, json.loads(error.read())

    return call


@pytest.mark.parametrize("number", range(len(COMMANDS)))
def test_the_commands_of_the_documentation_work(stack, token, number, tmp_path_factory):
    curl = shutil.which("curl")
    if curl is None:
        pytest.skip("There is no curl here.")
    exchange, reinfer = stack.simulators["exchange"], stack.simulators["reinfer"]
    values = {
        "API": stack.url.rstrip("/"),
        "TOKEN": token,
        "EXCHANGE": exchange["onprem"]["url"],
        "ACCOUNT": json.dumps(exchange["onprem"]["accounts"][0])[1:-1],
        "PASSWORD": ACCOUNT_PASSWORD,
        "CA": json.dumps(Path(exchange["ca_file"]).read_text()),
        "REINFER": reinfer["url"],
        "REINFER_TOKEN": TOKEN,
        "PATH": f"{Path(curl).parent}:/usr/bin:/bin",
        "no_proxy": "*",
    }
    done = subprocess.run(
        ["bash", "-euc", COMMANDS[number]], env=values, cwd=stack.folder, capture_output=True, text=True, check=False
    )
    assert done.returncode == 0, done.stdout + done.stderr
    assert '"ok":false' not in done.stdout, done.stdout


def test_all_emails_arrive_and_no_action_is_required(call, reinfer):
    end = time.monotonic() + PATIENCE
    while reinfer.get("sources/bank/desks")["comments"] < 40:
        assert time.monotonic() < end, call("GET", "overview")
        time.sleep(0.2)
    status, overview = call("GET", "overview")
    assert (status, overview["attention"]) == (200, [])


def test_a_failure_is_found_among_the_errors_of_its_kind(call):
    _, document = call("GET", "integrations/bank/desks")
    document["configuration"]["connection"]["access"]["password"] = "not the right one"
    assert call("PUT", "integrations/bank/desks", document)[0] == 200
    end = time.monotonic() + PATIENCE
    while not call("GET", "errors?kind=invalid_exchange_credentials")[1]["results"]:
        assert time.monotonic() < end
        time.sleep(0.2)
    status, checked = call("POST", "integrations/bank/desks/check")
    assert (status, checked["ok"]) == (200, False)
    assert [step["name"] for step in checked["steps"]][:3] == ["Name", "Port", "TLS"]


def test_an_integration_is_stopped_changed_after_a_dry_run_and_deleted(call, reinfer):
    assert call("POST", "integrations/bank/desks/stop")[0] == 200
    _, document = call("GET", "integrations/bank/desks")
    assert document["enabled"] is False
    document["configuration"]["connection"]["access"]["password"] = ACCOUNT_PASSWORD
    document["title"] = "Renamed"
    _, plan = call("PUT", "integrations/bank/desks?dry_run=1", document)
    assert {line["what"] for line in plan["changes"]} == {"Title", "Password"}
    assert call("PUT", "integrations/bank/desks", document)[1]["title"] == "Renamed"
    assert call("DELETE", "integrations/bank/desks")[0] == 204
    assert call("GET", "integrations/bank/desks")[0] == 404
    state = reinfer.get("sources/bank/desks")
    assert (state["comments"], state["ai_units"]) == (40, 40)


def test_the_browser_reports_no_errors_on_the_swagger_page(stack, browser):
    from tests.journey.browsing import logged_in
    from tests.journey.test_setting_up import PASSWORD

    complaints = []
    page = logged_in(browser, stack.url, "admin", PASSWORD, complaints)
    page.goto(stack.url + "api/docs")
    page.get_by_text("/api/v1/overview", exact=True).first.wait_for()
    assert complaints == [], complaints
