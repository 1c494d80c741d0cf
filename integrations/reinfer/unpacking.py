"""The body of an answer as it comes in, unpacked piece by piece and never beyond a bound.

httpx unpacks whatever arrives at once, by any number of codings that a server names: a few kilobytes can become gigabytes
before anybody can count them. Pure.
"""

from __future__ import annotations

import zlib

_GZIP = 16 + zlib.MAX_WBITS


class Unpacked:
    """Takes pieces until `most` bytes came out."""

    def __init__(self, coding: str, most: int) -> None:
        """`coding`: of the header Content-Encoding; we ask for gzip or none. Raises `ValueError` for another."""
        coding = coding.strip().lower()
        if coding not in ("", "identity", "gzip", "x-gzip"):
            raise ValueError("a content coding that nobody asked for")
        self.body = bytearray()
        self._most = most
        self._unpacker = zlib.decompressobj(_GZIP) if coding.endswith("gzip") else None

    @property
    def is_too_large(self) -> bool:
        """Whether more came out than was wanted; the body ends there."""
        return len(self.body) > self._most

    def add(self, piece: bytes) -> None:
        """Raises `ValueError` for what is not packed as the server says."""
        if self._unpacker is None:
            self.body += piece[: self._room()]
            return
        while piece and not self.is_too_large:
            if self._unpacker.eof:
                # Several packed pieces one behind the other are one body (RFC 1952, section 2.2).
                self._unpacker = zlib.decompressobj(_GZIP)
            try:
                self.body += self._unpacker.decompress(piece, self._room())
            except zlib.error:
                raise ValueError("no gzip") from None
            piece = self._unpacker.unconsumed_tail or self._unpacker.unused_data

    def end(self) -> None:
        """Raises `ValueError` when the packing was cut short."""
        if self._unpacker is not None and self.body and not self._unpacker.eof and not self.is_too_large:
            raise ValueError("gzip that was cut short")

    def _room(self) -> int:
        return self._most + 1 - len(self.body)
