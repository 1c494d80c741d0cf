"""The parts of the demo: child processes, ports, the choice of the broker, the expected comments, and text tables."""

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
    """Wait until a child has started, and return its process id."""
    assert child.process.stdout.readline() == b"up\n"
    return child.process.pid


def test_children_end_with_their_group_even_if_they_ignore_sigterm(tmp_path):
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
            # The child has another parent now, so it cannot be waited for. `alive` detects its end.
            os.sched_yield()
    assert not alive(pid)


def test_a_child_that_ends_unexpectedly_is_reported_with_the_end_of_its_log(tmp_path):
    with Processes(tmp_path) as processes:
        child = processes.start("worker", [sys.executable, "-c", "raise SystemExit('no more')"], os.environ)
        child.process.wait(10)
        with pytest.raises(ChildDied, match=r"worker ended too early(.|\n)*no more"):
            processes.check()


def test_a_port_in_use_is_not_free_and_not_chosen():
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        taken.listen()
        port = taken.getsockname()[1]
        assert not ports.is_free(port)
        assert ports.free(port) != port


def test_the_packaged_broker_can_be_run(tmp_path):
    server = broker.binary()
    assert server is not None
    assert "9" in subprocess.run([server, "--version"], capture_output=True, text=True, check=True).stdout


def test_the_broker_of_redis_url_is_preferred():
    assert broker.given_url({"REDIS_URL": "redis://elsewhere"}) == "redis://elsewhere"
    assert broker.given_url({}) is None


FOLDERS = [
    {"path": "Inbox", "distinguished": "inbox"},
    {"path": "Papierkorb", "distinguished": "deleteditems"},
    {"path": "Papierkorb/Alt", "distinguished": ""},
]


def test_subfolders_of_a_skipped_well_known_folder_are_skipped():
    assert is_wanted("Inbox", FOLDERS)
    assert not is_wanted("Papierkorb/Alt", FOLDERS)


@pytest.fixture
def expected():
    expectation = Expectation()
    expectation.add("desk@bank.example", "Inbox", mail("a"))
    return expectation


def comments(**changes):
    """Return the comments of a bucket that contains only the comment of email `a`, with these values changed."""
    values = {"folder": "Inbox", "mailbox": "desk@bank.example", "subject": "About a", "text": "Text"} | changes
    return {
        comment_id_of("a"): {
            "user_properties": {"string:Folder": values["folder"], "string:Mailbox": values["mailbox"]},
            "content": {"messages": [{"subject": {"text": values["subject"]}, "body": {"text": values["text"]}}]},
        }
    }


def test_correct_comments_have_no_differences(expected):
    assert faults(expected, comments()) == []


@pytest.mark.parametrize(
    ("arrived", "words"),
    [
        ({}, "Missing emails (1)"),
        (comments(folder="Done"), "where the email is not"),
        (comments(mailbox="other@bank.example"), "where the email is not"),
        (comments(subject="Another"), "another subject"),
        (comments(text=" "), "has no text"),
        (comments() | {"ff": comments()[comment_id_of("a")]}, "unexpected comments"),
    ],
)
def test_missing_unexpected_and_wrong_comments_are_reported(expected, arrived, words):
    assert words in "\n".join(faults(expected, arrived))


def test_a_failed_email_that_is_not_nested_too_deeply_is_reported(expected):
    assert surplus_failed(expected, {"desk@bank.example": 0}) == []
    assert "1 emails failed" in "\n".join(surplus_failed(expected, {"desk@bank.example": 1}))


def test_only_an_email_that_is_nested_too_deeply_may_fail(expected):
    def nested(levels):
        heads = (f'Content-Type: multipart/mixed; boundary="b{level}"\n\n--b{level}\n' for level in range(levels))
        return ("".join(heads) + "Content-Type: text/plain\n\nText").encode()

    expected.add("desk@bank.example", "Inbox", nested(100))
    assert surplus_failed(expected, {"desk@bank.example": 1})
    for levels in (101, 5_000):
        expected.add("desk@bank.example", "Inbox", nested(levels))
    assert surplus_failed(expected, {"desk@bank.example": 2}) == []


def test_numbers_are_aligned_to_the_right():
    assert table(["name", "n"], [["a", 1], ["bb", 10]]).splitlines()[-2:] == ["a      1", "bb    10"]
