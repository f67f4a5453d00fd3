"""Search by words against a slow and obvious reading of every cell."""

from __future__ import annotations

import datetime
import random
import re
import time
import unicodedata
from typing import Any

import numpy as np
import pytest

from explorer.dataset import Dataset
from explorer.errors import ParameterError
from explorer.search_rows import (
    Found,
    fold,
    fold_column,
    read_query,
    row_named,
    search,
    searched_columns,
    snippet,
)
from explorer.store import Store
from tests.builders import build_dataset

TEXTS = ["Crème brûlée in Paris", "creme BRULEE", "the straße and the STRASSE", "", None,
         "new\n\tyork  city", "york is new", "a.b*c (d|e) [f] \\g %_", "ΣΊΣΥΦΟΣ σίσυφος",
         "İstanbul", "ﬁne Ⅳ ＡＢＣ", "price 5,00 EUR", "“quoted” words", "中文 日本語 が"]


def find(dataset: Dataset, typed: str, *columns: str) -> Found:
    return search(dataset, read_query(typed), typed, columns or searched_columns(dataset),
                  lambda name: fold_column(dataset, name))


@pytest.mark.parametrize(("typed", "rows"), [
    ("creme", [0, 1]), ("CRÈME brulee", [0, 1]), ("paris creme", [0]), ("strasse", [2]),
    ("STRAẞE", [2]), ('"new york"', [5]), ("new york", [5, 6]), ('"york city" new', [5]),
    ("sisyphos", []), ("Σίσυφος", [8]), ("istanbul", [9]), ("fine", [10]), ("iv abc", [10]),
    ("日本", [13]), ("が", [13]), ("か", []), ("a.b*c", [7]), (".*", []), ("(d|e)", [7]),
    ("%", [7]), ("_", [7]), ("\\g", [7]), ("[f]", [7]), ("5,00", [11]), ("quoted", [12]),
    ('"brulee', [0, 1]), ("  creme\t", [0, 1]), ("\u202ecreme\u200f", []), ("cre\u00adme", [0, 1]),
])
def test_known_hits(store: Store, typed: str, rows: list[int]) -> None:
    found = find(build_dataset(store, {"t": TEXTS}), typed)
    assert found.rows.tolist() == rows
    assert found.named == -1


def test_equals_a_slow_search_of_random_texts(store: Store) -> None:
    rng = random.Random(3)
    letters = "abcABéÉß \n\t12Žñ'\""
    cells = ["".join(rng.choice(letters) for _ in range(rng.randrange(12))) for _ in range(400)]
    others = ["".join(rng.choice(letters) for _ in range(rng.randrange(6))) for _ in range(400)]
    dataset = build_dataset(store, {"a": cells, "b": others})

    def slow(text: str) -> str:
        bare = "".join(c for c in unicodedata.normalize("NFD", text.casefold())
                       if not unicodedata.combining(c))
        return re.sub(r"\s+", " ", bare)

    for _ in range(60):
        words = ["".join(rng.choice("abéß1Žn") for _ in range(rng.randrange(1, 3)))
                 for _ in range(rng.randrange(1, 3))]
        expected = [row for row in range(400) if all(
            slow(word) in slow(cells[row]) or slow(word) in slow(others[row]) for word in words)]
        assert find(dataset, " ".join(words)).rows.tolist() == expected
        only = [row for row in range(400) if all(slow(word) in slow(others[row]) for word in words)]
        assert find(dataset, " ".join(words), "b").rows.tolist() == only


def test_folding_twice_changes_nothing() -> None:
    sample = [chr(code) for code in range(0x3000) if not 0xD800 <= code < 0xE000]
    once = [fold(text) for text in ("".join(sample[at:at + 64])
                                    for at in range(0, len(sample), 64))]
    assert [fold(text) for text in once] == once


def test_every_kind_of_column_can_be_searched(store: Store) -> None:
    day = datetime.date(2024, 3, 1)
    columns: dict[str, list[Any]] = {
        "number": [1, 20, None], "real": [0.5, 1e20, None], "flag": [True, False, None],
        "day": [day, None, None], "list": [["red", "blue"], None, []], "skip": ["x", "y", "20"]}
    dataset = build_dataset(store, columns, {"skip": "ignore", "flag": "category", "day": "text",
                                             "list": "text"})
    for typed, rows in (("20", [0, 1, 2]), ("0.5", [0]), ("true", [0]), ("2024-03-01", [0]),
                        ("blue", [0]), ("1e+20", [1])):
        assert find(dataset, typed).rows.tolist() == rows, typed
    assert find(dataset, "20", "skip").rows.tolist() == [2]


def test_counts_say_which_word_is_not_there(store: Store) -> None:
    found = find(build_dataset(store, {"t": TEXTS}), "creme zebra new")
    assert (found.rows.tolist(), found.counts) == ([], (2, 0, 2))


def test_the_row_of_an_id(store: Store) -> None:
    plain = build_dataset(store, {"t": ["7", "b", "c"]})
    assert [row_named(plain, typed) for typed in ("2", " 3 ", "0", "4", "02", "x", "9" * 30)] == [
        1, 2, -1, -1, -1, -1, -1]
    named = build_dataset(store, {"id": ["k-1", "2", "Ünï"], "t": ["a", "b", "c"]}, {"id": "id"})
    assert [row_named(named, typed) for typed in ("2", "k-1", "K-1", "Ünï", "1")] == [
        1, 0, -1, 2, -1]
    assert find(plain, "2").named == 1


@pytest.mark.parametrize(("typed", "code"), [
    ("", "EMPTY_SEARCH"), ("  \n", "EMPTY_SEARCH"), ('""', "EMPTY_SEARCH"),
    ("\u0301\u200b", "EMPTY_SEARCH"), ("x" * 100_000, "TOO_LONG"),
    (" ".join(map(str, range(40))), "TOO_LONG")])
def test_refused(typed: str, code: str) -> None:
    with pytest.raises(ParameterError) as caught:
        read_query(typed)
    assert caught.value.code == code
    assert caught.value.hint


@pytest.mark.parametrize("typed", ["\x00\x07\x1b[31m", "\ud800", "\u202e\u2066abc", "‏שלום עולם",
                                   "العَرَبِيّة", "' OR 1=1 --", "<script>", "(?i)a{9}", "\\x{61}"])
def test_strange_queries_find_nothing_or_themselves(store: Store, typed: str) -> None:
    clean = typed.encode("utf-8", "replace").decode()
    dataset = build_dataset(store, {"t": ["nothing", f"before {clean} after"]})
    assert 0 not in find(dataset, typed).rows


@pytest.mark.parametrize(("typed", "column", "parts"), [
    ("brulee", "t", ("Crème ", "brûlée", " in Paris")),
    ("city", "t", ("new\n\tyork  ", "city", "")),
    ('"new york"', "t", ("", "new\n\tyork", "  city")),
    ("strasse", "t", ("the ", "straße", " and the STRASSE")),
    ("iv", "t", ("ﬁne ", "Ⅳ", " ＡＢＣ")),
])
def test_the_match_is_shown_as_it_was_written(store: Store, typed: str, column: str,
                                              parts: tuple[str, str, str]) -> None:
    dataset = build_dataset(store, {"t": TEXTS})
    row = int(find(dataset, typed).rows[0])
    found = snippet(dataset, row, read_query(typed), ("t",))
    assert found is not None
    assert (found.column, found.before, found.match, found.after) == (column, *parts)


def test_a_long_cell_is_cut_on_both_sides(store: Store) -> None:
    dataset = build_dataset(store, {"t": ["a" * 500 + " needle " + "b" * 500,
                                          "é" * 300 + "needle"]})
    found = snippet(dataset, 0, read_query("needle"), ("t",), around=10)
    assert found is not None
    assert (found.before, found.match, found.after) == (
        "…" + "a" * 9 + " ", "needle", " " + "b" * 9 + "…")
    assert snippet(dataset, 1, read_query("needle"), ("t",), around=5).before == "…ééééé"
    assert snippet(dataset, 0, read_query("zebra"), ("t",)) is None


def test_an_accent_of_the_last_letter_belongs_to_the_match(store: Store) -> None:
    dataset = build_dataset(store, {"t": [unicodedata.normalize("NFD", "un café noir")]})
    found = snippet(dataset, 0, read_query("cafe"), ("t",))
    assert found is not None
    assert unicodedata.normalize("NFC", found.match) == "café"
    assert found.after == " noir"


def test_a_hundred_thousand_texts_are_searched_at_once(store: Store) -> None:
    words = [f"word{number}" for number in range(500)]
    rng = np.random.default_rng(0)
    texts = [" ".join(words[at] for at in row) for row in rng.integers(0, 500, (100_000, 12))]
    dataset = build_dataset(store, {"t": texts})
    folded = fold_column(dataset, "t")
    query = read_query("word123 word7")
    started = time.perf_counter()
    found = search(dataset, query, "word123 word7", ("t",), lambda name: folded)
    seconds = time.perf_counter() - started
    assert found.rows.tolist() == [row for row, text in enumerate(texts)
                                   if "word123" in text and "word7" in text]
    assert seconds < 1.5  # 0.05 on a quiet machine
