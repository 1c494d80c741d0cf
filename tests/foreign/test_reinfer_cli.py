"""The CLI of Re:infer against the simulator: projects, sources, comments, buckets with their emails, and sync states."""

from __future__ import annotations

import json
import re as regex
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any

import httpx
import pytest

from integrations.messages import Attachment, Comment
from integrations.reinfer.payload import comment_json, comment_object, read_comment
from integrations.reinfer.sink import ReinferSink
from simulators.reinfer import DEFAULT_TOKEN, ReinferSimulator
from tests.foreign.vendors_client import VendorsClient
from tests.integrations.reinfer.comments import comment
from tests.mails import mail, message_id_of

pytestmark = pytest.mark.foreign

DESK = "desk@bank.example"
_GAP = regex.compile(r"\s{2,}")
STATES = "/api/_private/buckets/id:{}/keyed-sync-state/{}"


@pytest.fixture
def reinfer() -> Iterator[ReinferSimulator]:
    with ReinferSimulator(sources=[("bank", "desk"), ("bank", "claims")], projects=["empty"]) as running:
        yield running


@pytest.fixture
def re(reinfer: ReinferSimulator, tmp_path: Path) -> VendorsClient:
    return VendorsClient(reinfer.url, DEFAULT_TOKEN, tmp_path)


@pytest.fixture
def bucket(re: VendorsClient) -> str:
    re("create", "bucket", "bank/desks", "--title", "Desks")
    return "bank/desks"


def written(path: Path, *objects: Any) -> Path:
    path.write_text("".join(f"{json.dumps(one)}\n" for one in objects))
    return path


def read_lines(path: Path) -> list[Any]:
    """Return the JSON lines of a file. `splitlines` is not used: a text may contain other line separators."""
    return [json.loads(line) for line in path.read_text().split("\n") if line]


def annotated(comments: list[Comment]) -> list[dict[str, Any]]:
    """Return comments in the file format of the client."""
    return [{"comment": comment_object(one)} for one in comments]


def table(printed: str) -> dict[str, str]:
    """Return the only row of a printed table, by column name."""
    heads, row = ([cell.strip() for cell in _GAP.split(line.strip())] for line in printed.splitlines() if line.strip())
    return dict(zip(heads, row, strict=True))


def push(reinfer: ReinferSimulator, *comments: Comment) -> None:
    """Push comments with the sink of the product."""
    with ReinferSink(reinfer.url, DEFAULT_TOKEN, "bank", "desk") as sink:
        assert sink.push(comments).in_doubt == ()


def stored_ids(reinfer: ReinferSimulator, name: str = "desk") -> list[str]:
    return list(reinfer.sources["bank", name].comments)


def email(name: str, mailbox: str = DESK) -> dict[str, Any]:
    return {
        "id": message_id_of(name),
        "mailbox": mailbox,
        "timestamp": "2026-03-02T08:15:30Z",
        "mime_content": mail(name).decode(),
        "metadata": {"folder": ["Inbox"], "has_attachments": False},
    }


# ---- projects and sources --------------------------------------------------------------------------------------------


def test_the_client_lists_projects_sources_and_the_user_of_the_token(
    re: VendorsClient, reinfer: ReinferSimulator
) -> None:
    assert [one["name"] for one in re.lines("get", "projects")] == ["bank", "empty"]
    sources = re.lines("get", "sources")
    assert sorted((one["owner"], one["name"]) for one in sources) == [("bank", "claims"), ("bank", "desk")]
    assert {one["id"] for one in sources} == {source.id for source in reinfer.sources.values()}
    assert "exchange-integration" in re("get", "current-user")


def test_the_client_creates_changes_and_deletes_a_source(
    re: VendorsClient, reinfer: ReinferSimulator, bucket: str
) -> None:
    re("create", "source", "bank/new", "--title", "New", "--bucket", bucket)
    new = reinfer.sources["bank", "new"]
    assert new.settings["bucket_id"] == reinfer.store.buckets["bank", "desks"].id
    re("update", "source", "bank/new", "--title", "Newer", "--bucket", bucket)
    (shown,) = re.lines("get", "sources", "bank/new")
    assert (shown["title"], shown["bucket_id"]) == ("Newer", new.settings["bucket_id"])
    re("delete", "source", "bank/new")
    assert ("bank", "new") not in reinfer.sources


def test_a_wrong_token_is_refused(re: VendorsClient) -> None:
    done = replace(re, token="wrong").run("get", "sources")
    assert done.returncode != 0
    assert "Invalid or missing API token" in done.stderr + done.stdout


# ---- comments --------------------------------------------------------------------------------------------------------


def test_comments_that_the_client_creates_are_billed_once_and_stored_unchanged(
    re: VendorsClient, reinfer: ReinferSimulator, tmp_path: Path
) -> None:
    comments = [comment(str(number)) for number in range(300)]
    file = written(tmp_path / "comments.jsonl", *annotated(comments))
    for options in ([], [], ["--overwrite"]):
        re("create", "comments", "--source", "bank/desk", "--file", file, "--yes", "--no-progress", *options)
    source = reinfer.sources["bank", "desk"]
    assert [read_comment(one.as_answer(include_markup=False)) for one in source.comments.values()] == comments
    assert source.ai_units == 300


def test_the_client_reads_comments_of_the_product(re: VendorsClient, reinfer: ReinferSimulator, tmp_path: Path) -> None:
    rich = comment(
        "rich",
        body="Dear Bob,\n\n“quotes” \u2028 and 📦",
        properties={"string:Folder": "Inbox/Büro", "number:Size": 2048, "number:Share": 0.5},
        attachments=(Attachment("a.pdf", 10, "application/pdf"),),
    )
    push(reinfer, rich, comment("plain"))
    file = tmp_path / "read.jsonl"
    re("get", "comments", "bank/desk", "--file", file)
    read = [read_comment(line["comment"]) for line in read_lines(file)]
    assert {one.id: one for one in read} == {one.id: one for one in (rich, comment("plain"))}
    (alone,) = re.lines("get", "comment", "--source", "bank/desk", rich.id)
    assert read_comment(alone["comment"]) == read_comment(json.loads(comment_json(rich)))


def test_the_client_counts_all_comments(re: VendorsClient, reinfer: ReinferSimulator) -> None:
    push(reinfer, *(comment(str(number)) for number in range(7)))
    # The counts are in the table only, not in the JSON.
    assert table(re("get", "sources", "bank/desk", "--stats"))["Num Comments"] == "7"
    assert reinfer.requests.count("statistics") == 1


def test_the_client_reads_a_range_of_time_page_by_page(
    re: VendorsClient, reinfer: ReinferSimulator, tmp_path: Path
) -> None:
    whole = comment()
    days = [replace(whole, id=comment(str(day)).id, timestamp=whole.timestamp.replace(day=day)) for day in range(1, 29)]
    push(reinfer, *days)
    file = tmp_path / "some.jsonl"
    bounds = ("--from-timestamp", "2026-03-05T09:30:00Z", "--to-timestamp", "2026-03-20T00:00:00Z")
    re("get", "comments", "bank/desk", *bounds, "--file", file)
    read = [line["comment"]["id"] for line in read_lines(file)]
    assert read == [one.id for one in days[4:19]]


def test_the_client_deletes_comments_by_id_and_by_time(re: VendorsClient, reinfer: ReinferSimulator) -> None:
    push(reinfer, *(comment(name) for name in "abc"))
    re("delete", "comments", "--source", "bank/desk", comment("b").id)
    assert stored_ids(reinfer) == [comment("a").id, comment("c").id]
    re("delete", "bulk", "--source", "bank/desk", "--include-annotated=true", "--no-progress")
    assert stored_ids(reinfer) == []


def test_the_content_of_an_attachment_is_uploaded_and_downloaded(
    re: VendorsClient, reinfer: ReinferSimulator, tmp_path: Path
) -> None:
    one = comment("with", attachments=(Attachment("hello.txt", 5, "text/plain"),))
    up = tmp_path / "up"
    (up / one.id).mkdir(parents=True)
    (up / one.id / "0.hello.txt").write_bytes(b"Hello")
    file = written(tmp_path / "comments.jsonl", *annotated([one]))
    re("create", "comments", "--source", "bank/desk", "--file", file, "--attachments", up, "--yes", "--no-progress")
    (attachment,) = reinfer.sources["bank", "desk"].comments[one.id].content["attachments"]
    assert len(attachment["content_hash"]) == 64
    down = tmp_path / "down.jsonl"
    re("get", "comment", "--source", "bank/desk", one.id, "--file", down, "--attachments", "true")
    assert [path.read_bytes() for path in tmp_path.rglob("0.hello.txt") if up not in path.parents] == [b"Hello"]


# ---- prune -----------------------------------------------------------------------------------------------------------


def test_the_client_prunes_the_comments_of_a_mailbox_and_keeps_annotated_ones(
    re: VendorsClient, reinfer: ReinferSimulator, tmp_path: Path
) -> None:
    def of(name: str, mailbox: str) -> Comment:
        return comment(name, properties={"string:Mailbox ID": mailbox})

    push(reinfer, of("a", DESK), of("b", DESK.upper()), of("c", "ops@bank.example"), of("d", DESK), comment("e"))
    source = reinfer.sources["bank", "desk"]
    reinfer.store.annotate(source, comment("d").id)
    reinfer.store.create_dataset("bank", "all", [source.id], {})
    backup = tmp_path / "backup"
    prune = ("prune", "--datasets", "bank/all", "--older-than-days", "1", "--mailbox", DESK, "--yes", "--no-progress")
    re(*prune, "--backup-dir", backup / "dry", "--dry-run")
    assert len(stored_ids(reinfer)) == 5
    re(*prune, "--backup-dir", backup)
    assert stored_ids(reinfer) == [comment(name).id for name in "cde"]
    (saved,) = backup.glob("2*/deleted-comments/*.jsonl")
    re("create", "comments", "--source", "bank/desk", "--file", saved, "--yes", "--no-progress")
    assert sorted(stored_ids(reinfer)) == sorted(comment(name).id for name in "abcde")


# ---- buckets ---------------------------------------------------------------------------------------------------------


def test_the_client_creates_counts_and_deletes_a_bucket(
    re: VendorsClient, reinfer: ReinferSimulator, bucket: str
) -> None:
    shown = table(re("get", "buckets", bucket, "--stats"))
    assert (shown["ID"], shown["Num Emails"]) == (reinfer.store.buckets["bank", "desks"].id, "=0")
    re("delete", "bucket", bucket)
    assert reinfer.store.buckets == {}


def test_the_client_puts_reads_and_deletes_the_emails_of_a_bucket(
    re: VendorsClient, reinfer: ReinferSimulator, bucket: str, tmp_path: Path
) -> None:
    emails = [email(f"m{number:03}", DESK if number % 3 else "ops@bank.example") for number in range(150)]
    file = written(tmp_path / "emails.jsonl", *emails)
    re("create", "emails", "--bucket", bucket, "--file", file, "--yes", "--no-progress")
    assert len(reinfer.store.buckets["bank", "desks"].emails) == 150
    read = re.lines("get", "emails", bucket, "--mailbox", DESK)
    assert [one["id"] for one in read] == [one["id"] for one in emails if one["mailbox"] == DESK]
    assert read[0]["mime_content"] == emails[1]["mime_content"]
    assert [one["id"] for one in re.lines("get", "emails", bucket, message_id_of("m007"))] == [message_id_of("m007")]
    re("delete", "emails", "--bucket", bucket, message_id_of("m007"))
    assert len(re.lines("get", "emails", bucket)) == 149


def test_files_that_the_client_parses_become_comments_of_a_linked_source(
    re: VendorsClient, reinfer: ReinferSimulator, bucket: str, tmp_path: Path
) -> None:
    re("create", "source", "bank/parsed", "--bucket", bucket)
    folder = tmp_path / "emls"
    folder.mkdir()
    for name in "ab":
        (folder / f"{name}.eml").write_bytes(mail(name))
    re("parse", "emls", "--dir", folder, "--bucket", bucket, "--yes")
    assert sorted(stored_ids(reinfer, "parsed")) == sorted(message_id_of(name).encode().hex() for name in "ab")
    assert reinfer.sources["bank", "parsed"].ai_units == 2


def test_the_client_lists_and_deletes_the_sync_states_of_a_mailbox(
    re: VendorsClient, reinfer: ReinferSimulator, bucket: str
) -> None:
    of_mailbox = {"mailbox_name": DESK, "status": "UP_TO_DATE"}
    of_folder = {**of_mailbox, "folder_id": "F1", "folder_path": ["Inbox"]}
    of_another = {"mailbox_name": "ops@bank.example", "status": "IN_PROGRESS"}
    row = reinfer.store.buckets["bank", "desks"]
    for key, state in (("6d61", of_mailbox), ("6d62", of_folder), ("6d63", of_another)):
        httpx.put(
            reinfer.url + STATES.format(row.id, key),
            json={"keyed_sync_state": state},
            headers={"Authorization": f"Bearer {DEFAULT_TOKEN}"},
            trust_env=False,
        ).raise_for_status()
    states = re.lines("get", "keyed-sync-states", bucket)
    assert [(one["mailbox_name"], one["folder_path"]) for one in states] == [
        (DESK, None), (DESK, ["Inbox"]), ("ops@bank.example", None),
    ]  # fmt: skip
    re("delete", "keyed-sync-states", bucket, DESK)
    assert list(row.sync_states) == ["6d63"]
