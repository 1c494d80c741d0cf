"""Decompression of an answer up to a size limit, for each content encoding and chunk size."""

from __future__ import annotations

import gzip

import pytest
from hypothesis import given
from hypothesis import strategies as st

from integrations.reinfer.unpacking import Unpacked


def unpacked(coding: str, pieces: list[bytes], most: int = 1000) -> Unpacked:
    result = Unpacked(coding, most)
    for piece in pieces:
        result.add(piece)
    result.end()
    return result


@given(
    st.binary(max_size=300),
    st.sampled_from(["", "identity", "gzip", "X-GZIP "]),
    st.integers(1, 40),
    st.integers(0, 400),
)
def test_the_decompressed_body_is_returned_up_to_the_limit(body: bytes, coding: str, step: int, most: int) -> None:
    packed = gzip.compress(body[:100]) + gzip.compress(body[100:]) if "gzip" in coding.lower() else body
    result = unpacked(coding, [packed[offset : offset + step] for offset in range(0, len(packed), step)], most)
    assert result.is_too_large == (len(body) > most)
    assert bytes(result.body) == body[: most + 1]


@pytest.mark.parametrize("coding", ["br", "zstd", "deflate", "gzip, gzip", "gzip,identity", "x"])
def test_an_encoding_that_was_not_requested_is_refused(coding: str) -> None:
    with pytest.raises(ValueError, match="was not requested"):
        Unpacked(coding, 1)


BROKEN = {
    "not compressed": b"plain",
    "truncated": gzip.compress(b"a" * 500, mtime=0)[:-9],
    "with trailing bytes": gzip.compress(b"a", mtime=0) + b"rest",
}


@pytest.mark.parametrize("packed", BROKEN.values(), ids=BROKEN)
def test_broken_gzip_data_is_an_error(packed: bytes) -> None:
    with pytest.raises(ValueError, match="gzip"):
        unpacked("gzip", [packed])


def test_an_empty_answer_with_gzip_encoding_is_valid() -> None:
    assert unpacked("gzip", []).body == b""
