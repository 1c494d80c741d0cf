"""Attachments with content: uploaded, linked to a comment by the hash of the content, and downloaded.

If a comment lacks the hash of an attachment, this attachment has no content.
"""

from __future__ import annotations

import hashlib
from collections.abc import Callable
from typing import Any

import httpx
import pytest

SOURCE = "/api/v1/sources/bank/desk"
CONTENT = b"%PDF-1.7 \x00\xff\r\n--boundary\r\n"


@pytest.fixture
def upload(client: httpx.Client, comment: dict[str, Any]) -> Callable[..., httpx.Response]:
    source_id = client.get(SOURCE).json()["source"]["id"]
    path = f"/api/_private/sources/id:{source_id}/comments/{comment['id']}/attachments"
    return lambda index=0, **form: client.put(
        f"{path}/{index}", **(form or {"files": {"file": ("0.4411.pdf", CONTENT)}})
    )


def stored(client: httpx.Client, comment: dict[str, Any]) -> dict[str, Any]:
    return dict(client.get(f"{SOURCE}/comments/{comment['id']}").json()["comment"]["attachments"][0])


def test_an_uploaded_attachment_is_downloaded_by_its_reference(
    client: httpx.Client,
    sync: Callable[..., httpx.Response],
    comment: dict[str, Any],
    upload: Callable[..., httpx.Response],
) -> None:
    uploaded = upload().json()
    assert uploaded == {"status": "ok", "content_hash": hashlib.sha256(CONTENT).hexdigest()}
    comment["attachments"][0]["content_hash"] = uploaded["content_hash"]
    assert sync(comment).json()["new"] == 1
    assert sync(comment).json()["unchanged"] == 1
    reference = stored(client, comment)["attachment_reference"]
    assert client.get(f"/api/v1/attachments/{reference}").content == CONTENT
    assert client.get("/api/v1/attachments/none").status_code == 404


def test_an_update_without_the_hash_removes_the_content_and_is_not_billed(
    client: httpx.Client,
    sync: Callable[..., httpx.Response],
    comment: dict[str, Any],
    upload: Callable[..., httpx.Response],
) -> None:
    comment["attachments"][0]["content_hash"] = upload().json()["content_hash"]
    sync(comment)
    del comment["attachments"][0]["content_hash"]
    assert sync(comment).json()["updated_properties_only"] == 1
    assert "attachment_reference" not in stored(client, comment)


@pytest.mark.parametrize("path", [f"POST {SOURCE}/sync", "PUT /api/_private/sources/bank/desk/comments"])
def test_a_hash_of_content_that_was_uploaded_for_another_index_is_refused(
    client: httpx.Client, comment: dict[str, Any], upload: Callable[..., httpx.Response], path: str
) -> None:
    comment["attachments"][0]["content_hash"] = upload(index=1).json()["content_hash"]
    method, _, url = path.partition(" ")
    answer = client.request(method, url, json={"comments": [comment]})
    assert (answer.status_code, "attachments[0]" in answer.json()["message"]) == (400, True)


def test_an_upload_that_is_no_form_with_one_file_is_refused(upload: Callable[..., httpx.Response]) -> None:
    assert upload(content=CONTENT).status_code == 415
    assert upload(files={"other": ("a", CONTENT)}).status_code == 400
    assert upload(files=[("file", ("a", b"1")), ("file", ("b", b"2"))]).status_code == 400
    assert upload(index=512).status_code == 400
    assert upload(index="x").status_code == 400
