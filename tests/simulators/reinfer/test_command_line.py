"""`python -m simulators`: the line of JSON with all addresses, the servers, the end of the process, and errors in options."""

import base64
import json
import signal
import socket
import ssl
import subprocess
import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import httpx
import pytest

from simulators.graph.removals import Removals
from simulators.options import read_options
from simulators.reinfer import DEFAULT_TOKEN, READ

ROOT = Path(__file__).parents[3]
MAIL = (
    b"From: ann@north.example\r\nTo: desk@bank.example\r\nSubject: Hello\r\nMessage-ID: <1@north.example>\r\n\r\nHi\r\n"
)


@contextmanager
def simulators(*arguments: str) -> Iterator[tuple[subprocess.Popen[str], dict[str, Any]]]:
    command = [sys.executable, "-m", "simulators", *arguments]
    pipe = subprocess.PIPE
    with subprocess.Popen(command, cwd=ROOT, stdin=pipe, stdout=pipe, stderr=pipe, text=True) as process:
        try:
            assert process.stdout
            yield process, json.loads(process.stdout.readline())
        finally:
            process.kill()


def run(*arguments: str) -> subprocess.CompletedProcess[str]:
    command = [sys.executable, "-m", "simulators", *arguments]
    return subprocess.run(command, cwd=ROOT, input="", capture_output=True, text=True, timeout=30, check=False)


def test_one_line_contains_all_addresses_and_sigterm_ends_the_process(tmp_path: Path) -> None:
    (tmp_path / "mail").mkdir()
    (tmp_path / "mail" / "one.eml").write_bytes(MAIL)
    with simulators(
        "--mailboxes", "desk@bank.example", "--mail", str(tmp_path / "mail"),
        "--sources", "bank/desk", "--record", str(tmp_path / "record"),
    ) as (process, addresses):  # fmt: skip
        exchange, graph, reinfer = addresses["exchange"], addresses["graph"], addresses["reinfer"]
        assert exchange["mailboxes"] == [{"address": "desk@bank.example", "emails": 1}]
        trust = ssl.create_default_context(cafile=exchange["ca_file"])
        for personality in ("onprem", "online"):
            asked = httpx.post(exchange[personality]["url"], verify=trust, trust_env=False)
            assert asked.status_code == 401
        mailbox = f"{graph['url']}/v1.0/users/desk@bank.example/mailFolders"
        assert httpx.get(mailbox, verify=trust, trust_env=False).status_code == 401
        assert httpx.get(f"{graph['control_url']}/mailboxes", trust_env=False).json()[0]["count"] == 1
        assert httpx.get(f"{exchange['control_url']}/mailboxes", trust_env=False).json()[0]["count"] == 1
        headers = {"Authorization": f"Bearer {DEFAULT_TOKEN}"}
        found = httpx.get(f"{reinfer['url']}/api/v1/sources/bank/desk", headers=headers, trust_env=False)
        assert found.json()["source"]["name"] == "desk"
        assert "bank" in httpx.get(reinfer["pages_url"], trust_env=False).text
        process.send_signal(signal.SIGTERM)
        _, errors = process.communicate(timeout=10)
        assert (process.returncode, errors) == (0, "")
    assert not Path(exchange["ca_file"]).exists()
    assert any((tmp_path / "record" / "exchange").iterdir())
    assert [path.name for path in sorted((tmp_path / "record" / "reinfer").iterdir())] == [
        "000001-get-source-request.txt",
        "000001-get-source-response-200.json",
    ]


def test_the_process_ends_with_its_standard_input_and_generates_the_same_mail_each_time() -> None:
    def mime() -> bytes:
        with simulators("--mailboxes", "a@bank.example", "--generate", "7/12") as (process, addresses):
            control = addresses["exchange"]["control_url"]
            items = httpx.get(f"{control}/mailboxes/a@bank.example", trust_env=False).json()["items"]
            assert len(items) == 12
            assert {item["folder"] for item in items} > {"Inbox", "Done"}
            content = [
                httpx.get(f"{control}/mime/a@bank.example", params={"id": item["id"]}, trust_env=False).content
                for item in items
            ]
            process.communicate(timeout=10)
            assert process.returncode == 0
            return b"".join(sorted(content))

    assert mime() == mime()


def test_an_occupied_port_causes_one_line_of_error_and_exit_code_2() -> None:
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = taken.getsockname()[1]
        refused = run("--reinfer-port", str(port))
    assert (refused.returncode, refused.stdout) == (2, "")
    assert refused.stderr.startswith(f"simulators: cannot listen at 127.0.0.1:{port}: ")
    assert "--reinfer-port" in refused.stderr
    assert refused.stderr.count("\n") == 1


def test_the_help_contains_the_defaults(capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit) as ended:
        read_options(["--help"])
    shown = capsys.readouterr().out
    assert ended.value.code == 0
    assert "--generate SEED/COUNT" in shown
    assert DEFAULT_TOKEN in shown
    assert max(len(line) for line in shown.splitlines()) <= 120


@pytest.mark.parametrize(
    ("arguments", "says"),
    [
        (["--generate", "many"], "SEED/COUNT"),
        (["--mailboxes", "nobody"], "expected email addresses"),
        (["--sources", "bank/desk/more"], "PROJECT/NAME"),
        (["--projects", "b@nk"], "not a valid project name"),
        (["--mail", "/nowhere/at/all"], "no such folder"),
        (["--online-port", "70000"], "0 to 65535"),
        (["--config", "/nowhere/at/all"], "No such file"),
        (["--nonsense"], "--nonsense"),
    ],
)
def test_an_invalid_option_causes_one_line_of_error_and_exit_code_2(
    capsys: pytest.CaptureFixture[str], arguments: list[str], says: str
) -> None:
    with pytest.raises(SystemExit) as ended:
        read_options(arguments)
    shown = capsys.readouterr().err
    assert ended.value.code == 2
    assert says in shown
    assert shown.count("\n") == 1


@pytest.fixture
def write(tmp_path: Path) -> Callable[[Any], str]:
    def written(value: Any) -> str:
        path = tmp_path / "config.json"
        path.write_text(json.dumps(value))
        return str(path)

    return written


def test_the_command_line_overrides_the_configuration_file_which_has_more_options(write: Callable[[Any], str]) -> None:
    secret = base64.b64encode(b"secret").decode()
    path = write(
        {
            "mailboxes": "a@x.example,b@x.example",
            "prefix": "/from/file/",
            "record": "somewhere",
            "accounts": [{"username": "X\\one", "password": "1", "delegate_of": ["a@x.example"], "impersonates": []}],
            "applications": [{"tenant": "t", "client_id": "c", "client_secret": "s", "certificates": ["PEM"]}],
            "users": [{"tenant": "t", "username": "svc@x.example", "password": "2"}],
            "graph_limits": True,
            "graph_removals": "no-row",
            "tokens": [{"secret": secret, "permissions": [READ], "projects": ["bank"]}, {"secret": "all"}],
        }
    )
    options = read_options(["--config", path, "--mailboxes", "c@x.example"])
    assert options.mailboxes == ("c@x.example",)
    assert (options.prefix, options.record) == ("/from/file", Path("somewhere"))
    (account,) = options.accounts
    assert (account.username, account.delegate_of, account.impersonates) == (
        "X\\one",
        frozenset({"a@x.example"}),
        frozenset(),
    )
    assert (options.applications[0].certificates, options.users[0].username) == (frozenset({"PEM"}), "svc@x.example")
    assert (options.graph_limits, options.graph_removals) == (True, Removals.NO_ROW)
    few, everything = options.tokens
    assert few.may(READ, "bank")
    assert not few.may(READ, "other")
    assert everything.may(READ, "other")
    assert secret not in repr(options)


@pytest.mark.parametrize(
    "config",
    [
        [],
        {"nonsense": 1},
        {"config": "x"},
        {"mailboxes": 7},
        {"accounts": [{"user": "x"}]},
        {"accounts": [{"username": "x"}]},
        {"tokens": [{"secret": "x", "permissions": ["everything"]}]},
    ],
)
def test_an_invalid_configuration_file_causes_one_line_of_error_with_its_path(
    capsys: pytest.CaptureFixture[str], write: Callable[[Any], str], config: Any
) -> None:
    path = write(config)
    with pytest.raises(SystemExit) as ended:
        read_options(["--config", path])
    shown = capsys.readouterr().err
    assert ended.value.code == 2
    assert shown.startswith(f"simulators: {path}: ")
    assert shown.count("\n") == 1
