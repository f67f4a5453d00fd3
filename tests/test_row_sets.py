"""Sets of rows as text against the set itself, and what no such text is."""

from __future__ import annotations

import zlib
from base64 import b64decode, b64encode

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from explorer.errors import DataError
from explorer.row_sets import pack_rows, unpack_rows


@settings(max_examples=150, deadline=None)
@given(st.integers(0, 300).flatmap(lambda n: st.tuples(
    st.just(n), st.sets(st.integers(0, max(0, n - 1)), max_size=n))))
def test_what_was_packed_comes_back(case: tuple[int, set[int]]) -> None:
    n, chosen = case[0], case[1] if case[0] else set()
    rows = np.array(sorted(chosen), dtype=np.int64)
    text = pack_rows(rows, n)
    back = unpack_rows(text, n)
    assert back.dtype == np.int64
    assert back.tolist() == sorted(chosen)
    # The oracle: bit i of a little-endian number says whether row i is in.
    bits = int.from_bytes(zlib.decompress(b64decode(text)), "little")
    assert {row for row in range(n) if bits >> row & 1} == chosen
    assert text == pack_rows(rows.astype(np.int32), n)


def test_a_million_rows_stay_small() -> None:
    rows = np.flatnonzero(np.random.default_rng(0).random(1_000_000) < 0.5)
    text = pack_rows(rows, 1_000_000)
    assert len(text) < 170_000
    assert np.array_equal(unpack_rows(text, 1_000_000), rows)
    assert len(pack_rows(np.arange(400_000), 1_000_000)) < 400


@pytest.mark.parametrize(("rows", "n"), [
    ([3], 3), ([-1], 3), ([2, 1], 3), ([1, 1], 3), ([0], 0), ([0.5], 3), ([[1]], 3),
    ([2, 0, 2], 3), ([1, -5, 2], 3)])
def test_rows_that_are_no_set_are_refused(rows: list[int], n: int) -> None:
    with pytest.raises(DataError) as refused:
        pack_rows(np.array(rows), n)
    assert refused.value.code == "BAD_ROWS"


def _text(raw: bytes) -> str:
    return b64encode(zlib.compress(raw)).decode()


@pytest.mark.parametrize("text", [
    "", "no base64!", "ü", "AAAA", _text(b""), _text(b"\0"), _text(b"\0\0\0"),
    _text(b"\0\x04"), _text(b"\0\0") + "=", b64encode(zlib.compress(b"\0\0")[:-1]).decode(),
    b64encode(zlib.compress(b"\0\0") + b"more").decode()])
def test_texts_of_another_kind_are_refused(text: str) -> None:
    with pytest.raises(DataError) as refused:
        unpack_rows(text, 10)
    assert refused.value.code == "BAD_ROWS"


def test_a_bomb_is_refused_before_it_unfolds() -> None:
    import tracemalloc

    bomb = _text(bytes(64 * 2**20))
    tracemalloc.start()
    with pytest.raises(DataError):
        unpack_rows(bomb, 1_000)
    assert tracemalloc.get_traced_memory()[1] < 2**20
    tracemalloc.stop()
