"""The static quick look against its formula written out slowly; MiniLM's own table on board."""

from __future__ import annotations

import shutil
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from explorer.encode import minilm, static_minilm
from explorer.encode.minilm import MiniLM, minilm_folder
from explorer.encode.static_minilm import Pieces, StaticMiniLM, average, read_pieces
from explorer.encode.texts import Texts
from explorer.errors import Cancelled, DataError
from explorer.propose import propose
from explorer.spec import silent
from explorer.store import Store
from tests.builders import build_dataset
from tests.encode.tiny import WORDS

CUT: dict[str, list[str]] = {
    "the cat sat": ["the", "cat", "sat"], "a dog": ["a", "dog"], "blue red": ["blue", "red"],
    "The the\tthe sat cat cat": ["the", "the", "the", "sat", "cat", "cat"],
    "dogs: redo": ["dog", "##s", ":", "red", "##o"],
    "query " * 300 + "cat": [*["query"] * 300, "cat"],
    "\u4e2d \u6587": ["[UNK]", "[UNK]"], "the \u4e2d": ["the", "[UNK]"]}
"""Texts and, by hand, the pieces of WORDS they are cut into."""
TEXTS = [*list(CUT)[:4], "the cat sat", "", *list(CUT)[4:]]
FULL = [0, 1, 2, 3, 4, 6, 7, 8, 9]
STRANGE = 8


@pytest.fixture(scope="module")
def tiny(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The two files the table is read from, as the libraries write them for a BERT; torch is not
    needed to make them and not to read them."""
    from safetensors.numpy import save_file
    from tokenizers import Tokenizer, models, normalizers, pre_tokenizers

    folder = tmp_path_factory.mktemp("models") / "tiny"
    folder.mkdir()
    tokenizer = Tokenizer(models.WordPiece({word: at for at, word in enumerate(WORDS)},
                                           unk_token="[UNK]"))
    tokenizer.normalizer = normalizers.BertNormalizer()
    tokenizer.pre_tokenizer = pre_tokenizers.BertPreTokenizer()
    tokenizer.enable_truncation(8)
    tokenizer.save(str(folder / "tokenizer.json"))
    rows = np.random.default_rng(0).normal(0.3, 1.0, (len(WORDS), 16)).astype(np.float32)
    save_file({"embeddings.word_embeddings.weight": rows}, folder / "model.safetensors")
    return folder


@pytest.fixture
def pieces(tiny: Path) -> Pieces:
    return read_pieces(tiny)


@pytest.fixture
def on_board(tiny: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """The tiny model in the place of MiniLM."""
    monkeypatch.setattr(static_minilm, "minilm_folder", lambda: tiny)
    monkeypatch.setattr(static_minilm, "check_files", lambda folder: None)


def texts(store: Store, values: list) -> Any:
    return build_dataset(store, {"t": values}, {"t": "text"})


def read(values: list[str]) -> Texts:
    return Texts(values, np.arange(len(values)), "t", ())


def slowly(folder: Path, text: str, smoothing: float) -> np.ndarray:
    """The formula, piece by piece."""
    from safetensors.numpy import load_file

    rows = load_file(folder / "model.safetensors")["embeddings.word_embeddings.weight"]
    first = WORDS.index("red")
    harmonic = sum(1 / rank for rank in range(1, len(WORDS) - first + 1))
    total = np.zeros(rows.shape[1])
    for piece in CUT[text]:
        place = WORDS.index(piece)
        share = 1 / max(place - first + 1, 1) / harmonic
        total += smoothing / (smoothing + share) * (rows[place] - rows.mean(axis=0))
    return total / np.linalg.norm(total)


@pytest.mark.parametrize("smoothing", [1e-3, 1.0])
def test_equals_the_formula(store: Store, tiny: Path, on_board: None, smoothing: float) -> None:
    found = StaticMiniLM(smoothing=smoothing).encode(texts(store, TEXTS), silent)
    expected = np.array([slowly(tiny, TEXTS[row], smoothing) for row in FULL])
    np.testing.assert_allclose(found.vectors, expected, atol=2e-6)
    assert found.vectors.dtype == np.float32
    assert found.rows.tolist() == FULL
    assert found.title == "Static MiniLM (16-d)"
    said = " ".join(found.notes)
    assert "1 row left out (no text): row 6." in said
    assert "1 text of signs only that MiniLM does not know" in said


def test_equal_texts_any_order_and_any_batch(pieces: Pieces, monkeypatch: pytest.MonkeyPatch
                                             ) -> None:
    values = [TEXTS[row] for row in FULL]
    whole = average(pieces, read(values), 1e-3, silent)
    np.testing.assert_array_equal(whole.vectors[0], whole.vectors[4])
    assert whole.strange.tolist() == [row == STRANGE for row in FULL]
    monkeypatch.setattr(static_minilm, "_AT_ONCE", 2)
    backwards = average(pieces, read(values[::-1]), 1e-3, silent)
    np.testing.assert_array_equal(backwards.vectors[::-1], whole.vectors)
    alone = np.array([average(pieces, read([value]), 1e-3, silent).vectors[0] for value in values])
    np.testing.assert_array_equal(alone, whole.vectors)


def test_texts_without_any_piece_are_left_out_and_said(store: Store, on_board: None) -> None:
    # A lone accent can be seen, but the tokeniser strips it: nothing is left.
    method = StaticMiniLM()
    found = method.encode(texts(store, ["red cat", "\u0301", "blue"]), silent)
    assert found.rows.tolist() == [0, 2]
    assert "1 row left out (nothing in the text that MiniLM has a word piece for): row 2." in \
        found.notes
    with pytest.raises(DataError) as caught:
        method.encode(texts(store, ["\u0301", "\u0300"]), silent)
    assert (caught.value.code, caught.value.where.column) == ("NO_TEXT", "t")
    with pytest.raises(DataError) as caught:
        method.place("\u0301", {})
    assert caught.value.code == "NO_KNOWN_WORD"


def test_a_typed_text_is_placed_as_a_row(store: Store, on_board: None) -> None:
    method = StaticMiniLM(smoothing=0.01)
    rows = method.encode(texts(store, TEXTS), silent)
    for at, row in enumerate(FULL):
        placed = method.place(TEXTS[row], {})
        np.testing.assert_array_equal(placed.vector, rows.vectors[at])
        assert bool(placed.notes) == (row == STRANGE)


def test_progress_rises_and_stops(store: Store, on_board: None, monkeypatch: pytest.MonkeyPatch
                                  ) -> None:
    monkeypatch.setattr(static_minilm, "_AT_ONCE", 1)
    data, seen = texts(store, TEXTS), []
    StaticMiniLM().encode(data, lambda done, text: seen.append(done))
    assert seen == sorted(seen)
    assert (len(seen), seen[-1]) == (10, 1.0)

    def stop(done: float, text: str) -> None:
        if done > 0.5:
            raise Cancelled

    with pytest.raises(Cancelled):
        StaticMiniLM().encode(data, stop)


def test_the_table_on_board_knows_meaning_and_is_read_once(
        store: Store, monkeypatch: pytest.MonkeyPatch) -> None:
    values = ["A cat sleeps on the sofa.", "The kittens nap on a couch.",
              "Stock markets fell on Monday."]
    first = StaticMiniLM().encode(texts(store, values), silent)
    assert first.vectors.shape == (3, 384)
    assert np.allclose(np.linalg.norm(first.vectors, axis=1), 1)
    near, far = first.vectors[0] @ first.vectors[1], first.vectors[0] @ first.vectors[2]
    assert near > 0.4 > far + 0.3
    pieces = static_minilm._read(minilm_folder())
    frequent = np.argsort(-pieces.shares[1996:], kind="stable")[:3] + 1996
    assert [pieces.tokenizer.id_to_token(int(place)) for place in frequent] == ["the", "of", "and"]
    assert pieces.shares[1996:].sum() == pytest.approx(1)

    monkeypatch.setattr(static_minilm, "read_pieces", lambda folder: pytest.fail("read again"))
    again = StaticMiniLM().encode(texts(store, values), silent)
    np.testing.assert_array_equal(again.vectors, first.vectors)


def test_damaged_weights_are_refused(store: Store, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
                                     ) -> None:
    damaged = tmp_path / "damaged"
    shutil.copytree(minilm_folder(), damaged, ignore=shutil.ignore_patterns("*.safetensors"))
    (damaged / "model.safetensors").write_bytes(b"x" * 1000)
    monkeypatch.setattr(static_minilm, "minilm_folder", lambda: damaged)
    with pytest.raises(DataError) as caught:
        StaticMiniLM().encode(texts(store, ["red"]), silent)
    assert caught.value.code == "MODEL_DAMAGED"


def test_it_is_proposed_where_minilm_takes_too_long(store: Store, monkeypatch: pytest.MonkeyPatch
                                                    ) -> None:
    assert MiniLM().fingerprint().startswith(StaticMiniLM().fingerprint())
    data = texts(store, [f"the cat sat {number}" for number in range(40)])
    assert propose(data).recipe.encoder.method == "minilm"
    monkeypatch.setattr(minilm, "TEXTS_A_SECOND", 40 / 900)
    found = propose(data)
    assert found.recipe.encoder.method == "static_minilm"
    assert "Quick look (static MiniLM), because the data set has t. MiniLM (English, on board) " \
        "is more exact, but would take about 15 minutes here" in found.reasons[0]
