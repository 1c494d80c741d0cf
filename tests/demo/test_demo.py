"""The demo's own parts: processes that never outlive it, ports, brokers, and an expectation that can be disappointed."""

import os
import socket
import subprocess
import sys
import time

import pytest

from demo import broker, ports
from demo.expectation import Expectation, faults, is_wanted, surplus_failed
from demo.processes import ChildDied, Processes
from demo.table import table
from tests.mails import comment_id_of, mail

SLEEPER = [sys.executable, "-c", "import time; print('up', flush=True); time.sleep(60)"]
STUBBORN = [
    sys.executable,
    "-c",
    "import signal, time; signal.signal(signal.SIGTERM, signal.SIG_IGN); print('up', flush=True); time.sleep(60)",
]


def alive(pid):
    try:
        os.kill(pid, 0)
    except ProcessLookupError:
        return False
    return True


def up(child):
    assert child.process.stdout.readline() == b"up\n"
    return child.process.pid


def test_children_end_with_their_group_also_those_that_would_not(tmp_path):
    with Processes(tmp_path, grace=0.5) as processes:
        pids = [
            up(processes.start(f"c{n}", command, os.environ, piped=True))
            for n, command in enumerate([SLEEPER, STUBBORN])
        ]
    assert not any(alive(pid) for pid in pids)


def test_children_end_when_their_parent_is_killed(tmp_path):
    code = (
        "import os, sys; from pathlib import Path; from demo.processes import Processes\n"
        f"child = Processes(Path({str(tmp_path)!r})).start('c', {SLEEPER!r}, os.environ, piped=True)\n"
        "child.process.stdout.readline(); print(child.process.pid, flush=True); sys.stdin.read()"
    )
    parent = subprocess.Popen([sys.executable, "-c", code], stdin=subprocess.PIPE, stdout=subprocess.PIPE)
    pid = int(parent.stdout.readline())
    parent.kill()
    parent.wait()
    end = time.monotonic() + 5
    while alive(pid) and time.monotonic() < end:
        try:
            os.waitpid(pid, os.WNOHANG)
        except ChildProcessError:
            # It is somebody else's child now; the kernel tells us when it is gone.
            os.sched_yield()
    assert not alive(pid)


def test_a_child_that_ends_by_itself_is_named_with_its_last_words(tmp_path):
    with Processes(tmp_path) as processes:
        child = processes.start("worker", [sys.executable, "-c", "raise SystemExit('no more')"], os.environ)
        child.process.wait(10)
        with pytest.raises(ChildDied, match=r"worker ended too early(.|\n)*no more"):
            processes.check()


def test_a_taken_port_is_stepped_around():
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        taken.listen()
        port = taken.getsockname()[1]
        assert not ports.is_free(port)
        assert ports.free(port) != port


def test_the_broker_comes_out_of_the_wheel_and_starts(tmp_path):
    server = broker.binary()
    assert server is not None
    assert "9" in subprocess.run([server, "--version"], capture_output=True, text=True, check=True).stdout


def test_a_broker_of_the_admin_is_preferred():
    assert broker.given_url({"REDIS_URL": "redis://elsewhere"}) == "redis://elsewhere"
    assert broker.given_url({}) is None


FOLDERS = [
    {"path": "Inbox", "distinguished": "inbox"},
    {"path": "Papierkorb", "distinguished": "deleteditems"},
    {"path": "Papierkorb/Alt", "distinguished": ""},
]


def test_well_known_folders_that_are_skipped_are_skipped_with_all_below_them():
    assert is_wanted("Inbox", FOLDERS)
    assert not is_wanted("Papierkorb/Alt", FOLDERS)


@pytest.fixture
def expected():
    expectation = Expectation()
    expectation.add("desk@bank.example", "Inbox", mail("a"))
    return expectation


def held(**changes):
    given = {"folder": "Inbox", "mailbox": "desk@bank.example", "subject": "About a", "text": "Text"} | changes
    return {
        comment_id_of("a"): {
            "user_properties": {"string:Folder": given["folder"], "string:Mailbox": given["mailbox"]},
            "content": {"messages": [{"subject": {"text": given["subject"]}, "body": {"text": given["text"]}}]},
        }
    }


def test_what_arrived_right_has_no_faults(expected):
    assert faults(expected, held()) == []


@pytest.mark.parametrize(
    ("arrived", "words"),
    [
        ({}, "1 emails are missing"),
        (held(folder="Done"), "where the email is not"),
        (held(mailbox="other@bank.example"), "where the email is not"),
        (held(subject="Another"), "another subject"),
        (held(text=" "), "has no text"),
        (held() | {"ff": held()[comment_id_of("a")]}, "unexpected comments"),
    ],
)
def test_what_is_missing_surplus_or_wrong_is_told(expected, arrived, words):
    assert words in "\n".join(faults(expected, arrived))


def test_that_emails_were_set_aside_excuses_nothing(expected):
    assert surplus_failed(expected, {"desk@bank.example": 0}) == []
    assert "1 emails failed" in "\n".join(surplus_failed(expected, {"desk@bank.example": 1}))


def test_only_an_email_nested_too_deep_may_be_set_aside(expected):
    def nested(levels):
        heads = (f'Content-Type: multipart/mixed; boundary="b{level}"\n\n--b{level}\n' for level in range(levels))
        return ("".join(heads) + "Content-Type: text/plain\n\nText").encode()

    expected.add("desk@bank.example", "Inbox", nested(100))
    assert surplus_failed(expected, {"desk@bank.example": 1})
    for levels in (101, 5_000):
        expected.add("desk@bank.example", "Inbox", nested(levels))
    assert surplus_failed(expected, {"desk@bank.example": 2}) == []


def test_numbers_stand_to_the_right():
    assert table(["name", "n"], [["a", 1], ["bb", 10]]).splitlines()[-2:] == ["a      1", "bb    10"]
