"""An answer is unpacked as far as it may be, however it is packed and cut into pieces."""

from __future__ import annotations

import gzip

import pytest
from hypothesis import given
from hypothesis import strategies as st

from integrations.reinfer.unpacking import Unpacked


def unpacked(coding: str, pieces: list[bytes], most: int = 1000) -> Unpacked:
    made = Unpacked(coding, most)
    for piece in pieces:
        made.add(piece)
    made.end()
    return made


@given(
    st.binary(max_size=300),
    st.sampled_from(["", "identity", "gzip", "X-GZIP "]),
    st.integers(1, 40),
    st.integers(0, 400),
)
def test_what_comes_out_is_what_was_packed_up_to_the_bound(body: bytes, coding: str, step: int, most: int) -> None:
    packed = gzip.compress(body[:100]) + gzip.compress(body[100:]) if "gzip" in coding.lower() else body
    made = unpacked(coding, [packed[place : place + step] for place in range(0, len(packed), step)], most)
    assert made.is_too_large == (len(body) > most)
    assert bytes(made.body) == body[: most + 1]


@pytest.mark.parametrize("coding", ["br", "zstd", "deflate", "gzip, gzip", "gzip,identity", "x"])
def test_a_coding_that_nobody_asked_for_is_refused(coding: str) -> None:
    with pytest.raises(ValueError, match="was not requested"):
        Unpacked(coding, 1)


BROKEN = {
    "not packed": b"plain",
    "cut": gzip.compress(b"a" * 500, mtime=0)[:-9],
    "with a rest": gzip.compress(b"a", mtime=0) + b"rest",
}


@pytest.mark.parametrize("packed", BROKEN.values(), ids=BROKEN)
def test_broken_packing_is_told(packed: bytes) -> None:
    with pytest.raises(ValueError, match="gzip"):
        unpacked("gzip", [packed])


def test_an_empty_answer_may_say_that_it_is_packed() -> None:
    assert unpacked("gzip", []).body == b""
