"""The content of attachments: uploaded before the comment or email that it belongs to, linked by its hash, then downloaded.

An upload is linked when the comment is sent with the hash that the upload was answered with, at the same place among its
attachments. Without the hash the comment has no content, whatever was uploaded.
"""

from __future__ import annotations

import hashlib
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

from simulators.reinfer.comments import JsonObject


@dataclass(frozen=True, slots=True)
class Place:
    """Where an attachment stands: in what (id of a source or bucket), of what (id of a comment or email), at which index."""

    holder: str
    item: str
    index: int

    def reference(self, content_hash: str) -> str:
        """What the content is asked for by, once it is linked."""
        return hashlib.sha256(f"{self.holder}/{self.item}/{self.index}/{content_hash}".encode()).hexdigest()[:32]


class Uploads:
    def __init__(self) -> None:
        self._hashes: dict[Place, str] = {}
        self._contents: dict[str, tuple[str, bytes]] = {}

    def put(self, place: Place, content: bytes) -> str:
        """Keep the content; returns its hash, 64 lower-case hexadecimal digits."""
        content_hash = hashlib.sha256(content).hexdigest()
        self._hashes[place] = content_hash
        self._contents[place.reference(content_hash)] = (place.holder, content)
        return content_hash

    def content(self, reference: str) -> tuple[str, bytes] | None:
        """The id of the source or bucket that holds it, and the content."""
        return self._contents.get(reference)

    def unknown(self, holder: str, item: JsonObject) -> Iterator[int]:
        """Indexes of attachments that claim a content which was never uploaded for them."""
        for index, attachment in enumerate(item.get("attachments", [])):
            claimed = attachment.get("content_hash")
            if claimed is not None and self._hashes.get(Place(holder, item["id"], index)) != claimed:
                yield index

    def linked(self, holder: str, item: JsonObject) -> dict[str, Any]:
        """The comment or email, its attachments with a reference where their content is linked."""
        if not item.get("attachments"):
            return dict(item)
        return {
            **item,
            "attachments": [
                {
                    **attachment,
                    "attachment_reference": Place(holder, item["id"], index).reference(attachment["content_hash"]),
                }
                if attachment.get("content_hash")
                else attachment
                for index, attachment in enumerate(item["attachments"])
            ],
        }
