"""Our way through a sentence model beside the library's own: texts a second, in one process, in
turns; the least cosine of a row between the two; and what probes learn from either."""

from __future__ import annotations

import tempfile
import time
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

from explorer.cli_write import say, table, table_row
from explorer.dataset import Dataset
from explorer.encode.minilm import MiniLM, minilm_folder
from explorer.encode.precision import Precision, resolve
from explorer.encode.texts import Texts, read_texts
from explorer.errors import DataError
from explorer.imports import open_data
from explorer.spec import Progress, part, silent
from explorer.store import Store

TURNS = 3
_FOLDS, _NEAR = 5, 10
_WARM = 64


@dataclass(frozen=True)
class Encoding:
    """n x d float32 `vectors` and the `seconds` of every turn."""

    vectors: np.ndarray
    seconds: tuple[float, ...]


def compare_texts(file: str, label: str, most: int, progress: Progress) -> None:
    """Measure MiniLM on the texts of a file and print a Markdown table. `label` names a column
    for the probes ('' for none); at most `most` rows (0: all), drawn with seed 0."""
    with tempfile.TemporaryDirectory() as folder:
        dataset = open_data([file], Store(Path(folder)), progress=part(progress, 0.0, 0.05))
        texts, classes = _sample(dataset, label, most)
    names: tuple[Precision, ...] = ("float32", "bfloat16")
    ways: dict[str, Callable[[Texts], np.ndarray]] = {"the library": _library()}
    ways |= {f"ours, {name}": _ours(name) for name in names}
    found = measure(ways, texts, part(progress, 0.05, 1.0))
    theirs = found["the library"]
    say(f"MiniLM on {len(texts.values):,} texts of {dataset.name}; {_threads()} threads; automatic "
        f"is {resolve('automatic')} here; {TURNS} turns of each, one after the other, seconds of "
        "the median turn, in brackets all; ratio: of medians, in brackets of each turn; probes: "
        f"accuracy on rows held out, {_FOLDS} folds, seed 0, on {label or 'nothing'}.")
    say()
    say(table(("way", "texts a second", "ratio", "least cosine", f"{_NEAR} nearest", "linear"), ()))
    for name, encoding in found.items():
        ratios = [mine / yours for mine, yours in
                  zip(theirs.seconds, encoding.seconds, strict=True)]
        probes = probed(encoding.vectors, classes) if classes is not None else ("-", "-")
        median = float(np.median(encoding.seconds))
        say(table_row((
            name, f"{len(texts.values) / median:.1f}",
            f"{np.median(theirs.seconds) / median:.2f} "
            f"({', '.join(f'{one:.2f}' for one in ratios)})",
            f"{least_cosine(theirs.vectors, encoding.vectors):.5f}", *probes)))
    progress(1.0, "done")


def measure(ways: dict[str, Callable[[Texts], np.ndarray]], texts: Texts,
            progress: Progress = silent) -> dict[str, Encoding]:
    """Every way in turns: what else the machine does meets all of them alike."""
    few = Texts(texts.values[:_WARM], texts.rows[:_WARM], texts.columns, ())
    for way in ways.values():
        way(few)
    seconds: dict[str, list[float]] = {name: [] for name in ways}
    vectors: dict[str, np.ndarray] = {}
    for turn in range(TURNS):
        for place, (name, way) in enumerate(ways.items()):
            progress((turn + place / len(ways)) / TURNS, f"turn {turn + 1} of {TURNS}: {name}")
            started = time.perf_counter()
            vectors[name] = way(texts)
            seconds[name].append(time.perf_counter() - started)
    return {name: Encoding(vectors[name], tuple(seconds[name])) for name in ways}


def least_cosine(one: np.ndarray, other: np.ndarray) -> float:
    """The smallest cosine between the two vectors of a row."""
    wide, narrow = one.astype(np.float64), other.astype(np.float64)
    products = (wide * narrow).sum(axis=1)
    lengths = np.linalg.norm(wide, axis=1) * np.linalg.norm(narrow, axis=1)
    return float((products / lengths).min())


def probed(vectors: np.ndarray, classes: np.ndarray) -> tuple[str, str]:
    """Cross-validated accuracy of the nearest rows' vote and of logistic regression."""
    from sklearn.linear_model import LogisticRegression
    from sklearn.model_selection import StratifiedKFold, cross_val_score
    from sklearn.neighbors import KNeighborsClassifier

    folds = StratifiedKFold(_FOLDS, shuffle=True, random_state=0)
    near, linear = (cross_val_score(probe, vectors, classes, cv=folds).mean() for probe in
                    (KNeighborsClassifier(_NEAR), LogisticRegression(max_iter=1000)))
    return f"{near:.4f}", f"{linear:.4f}"


def _sample(dataset: Dataset, label: str, most: int) -> tuple[Texts, np.ndarray | None]:
    texts = read_texts(dataset)
    rows = np.arange(len(texts.values))
    if 0 < most < len(rows):
        rows = np.sort(np.random.default_rng(0).choice(rows, most, replace=False))
    if label and label not in [column.name for column in dataset.columns]:
        raise DataError("NO_COLUMN", "label must be one of "
                        f"{', '.join(column.name for column in dataset.columns)}, got {label!r}.")
    kept = Texts([texts.values[row] for row in rows], texts.rows[rows], texts.columns, ())
    classes = np.array(dataset.texts(label))[kept.rows] if label else None
    return kept, classes


def _library() -> Callable[[Texts], np.ndarray]:
    from sentence_transformers import SentenceTransformer

    model: Any = SentenceTransformer(str(minilm_folder()), device="cpu", local_files_only=True)
    return lambda texts: np.asarray(model.encode(texts.values))


def _ours(precision: Precision) -> Callable[[Texts], np.ndarray]:
    method = MiniLM(precision=precision)
    return lambda texts: method.encode_read(texts, silent).vectors


def _threads() -> int:
    import torch

    return torch.get_num_threads()
