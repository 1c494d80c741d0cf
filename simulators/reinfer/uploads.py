"""The content of attachments.

A client uploads the content before it sends the comment or email. The response to the upload contains a hash. The content is
linked when the comment or email is sent with this hash at the same index of its attachments. Without the hash, the attachment
has no content.
"""

from __future__ import annotations

import hashlib
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

from simulators.reinfer.comments import JsonObject


@dataclass(frozen=True, slots=True)
class Place:
    """The place of an attachment.

    `holder`: id of the source or bucket. `item`: id of the comment or email. `index`: position among the attachments of the
    item.
    """

    holder: str
    item: str
    index: int

    def reference(self, content_hash: str) -> str:
        """The reference with which the linked content is downloaded."""
        return hashlib.sha256(f"{self.holder}/{self.item}/{self.index}/{content_hash}".encode()).hexdigest()[:32]


class Uploads:
    def __init__(self) -> None:
        self._hashes: dict[Place, str] = {}
        self._contents: dict[str, tuple[str, bytes]] = {}

    def put(self, place: Place, content: bytes) -> str:
        """Store the content; returns its hash, 64 lower-case hexadecimal digits."""
        content_hash = hashlib.sha256(content).hexdigest()
        self._hashes[place] = content_hash
        self._contents[place.reference(content_hash)] = (place.holder, content)
        return content_hash

    def content(self, reference: str) -> tuple[str, bytes] | None:
        """The id of the source or bucket, and the content; None for an unknown reference."""
        return self._contents.get(reference)

    def unknown(self, holder: str, item: JsonObject) -> Iterator[int]:
        """The indexes of attachments whose hash differs from the hash of the content last uploaded for them."""
        for index, attachment in enumerate(item.get("attachments", [])):
            given_hash = attachment.get("content_hash")
            if given_hash is not None and self._hashes.get(Place(holder, item["id"], index)) != given_hash:
                yield index

    def linked(self, holder: str, item: JsonObject) -> dict[str, Any]:
        """The comment or email, with a reference in each attachment that has a hash."""
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
