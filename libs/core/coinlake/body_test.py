"""Bodies within their limit, to the byte and in memory."""

from __future__ import annotations

import gzip
import tracemalloc

import pytest

from coinlake.body import Body
from coinlake.errors import Refused, TryAgain

LIMIT_BYTES = 1000


def test_a_bomb_that_comes_in_one_piece_is_never_unpacked_past_the_limit() -> None:
    bomb = gzip.compress(bytes(64 * 1024 * 1024))
    tracemalloc.start()
    try:
        with pytest.raises(Refused):
            Body("gzip", LIMIT_BYTES).add(bomb)
        assert tracemalloc.get_traced_memory()[1] < 1024 * 1024
    finally:
        tracemalloc.stop()


@pytest.mark.parametrize("piece_bytes", [1, 7, 10_000])
def test_a_packed_body_is_the_same_however_it_is_cut_into_pieces(piece_bytes: int) -> None:
    packed = gzip.compress(b"x" * LIMIT_BYTES)
    body = Body("gzip", LIMIT_BYTES)
    for start in range(0, len(packed), piece_bytes):
        body.add(packed[start : start + piece_bytes])
    assert body.whole() == b"x" * LIMIT_BYTES


@pytest.mark.parametrize("kept_bytes", range(1, len(gzip.compress(b"[]"))))
def test_a_packed_body_cut_anywhere_is_known_as_cut(kept_bytes: int) -> None:
    body = Body("gzip", LIMIT_BYTES)
    body.add(gzip.compress(b"[]")[:kept_bytes])
    with pytest.raises(TryAgain, match="cut"):
        body.whole()


def test_an_empty_answer_is_whole_whatever_its_encoding_says() -> None:
    assert Body("gzip", LIMIT_BYTES).whole() == b""
