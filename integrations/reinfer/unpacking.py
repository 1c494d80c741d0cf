"""Decompress the body of a response piece by piece, up to a limit. No I/O.

httpx decompresses everything that arrives, through any number of codings that the server names: a few kilobytes can become
gigabytes before the size can be checked.
"""

from __future__ import annotations

import zlib

_GZIP = 16 + zlib.MAX_WBITS


class Unpacked:
    """A body that is decompressed until a limit is reached.

    Attributes:
        body: Decompressed bytes so far, at most one byte more than the limit.
    """

    def __init__(self, coding: str, most: int) -> None:
        """Start with an empty body.

        Args:
            coding: Value of the `Content-Encoding` header. Requests of this product accept only gzip or no coding.
            most: Largest size of the body, in decompressed bytes.

        Raises:
            ValueError: The coding was not requested.
        """
        coding = coding.strip().lower()
        if coding not in ("", "identity", "gzip", "x-gzip"):
            raise ValueError("the response has a content coding that was not requested")
        self.body = bytearray()
        self._most = most
        self._decompressor = zlib.decompressobj(_GZIP) if coding.endswith("gzip") else None

    @property
    def is_too_large(self) -> bool:
        """Whether the limit was exceeded. If so, the body is incomplete."""
        return len(self.body) > self._most

    def add(self, piece: bytes) -> None:
        """Decompress the next piece.

        Args:
            piece: Bytes as received.

        Raises:
            ValueError: The bytes are not gzip although the header names gzip.
        """
        if self._decompressor is None:
            self.body += piece[: self._room()]
            return
        while piece and not self.is_too_large:
            if self._decompressor.eof:
                # Several gzip members in sequence form one body (RFC 1952, section 2.2).
                self._decompressor = zlib.decompressobj(_GZIP)
            try:
                self.body += self._decompressor.decompress(piece, self._room())
            except zlib.error:
                raise ValueError("the response is not gzip") from None
            piece = self._decompressor.unconsumed_tail or self._decompressor.unused_data

    def end(self) -> None:
        """Check that the body is complete.

        Raises:
            ValueError: The gzip data is truncated. Not raised if the decompressed body is still empty.
        """
        if self._decompressor is not None and self.body and not self._decompressor.eof and not self.is_too_large:
            raise ValueError("the gzip data of the response is truncated")

    def _room(self) -> int:
        return self._most + 1 - len(self.body)
