"""Whether the clusters follow something nobody asked about: light, length, gaps, order."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, ClassVar

import numpy as np
from pydantic import Field

from explorer.dataset import Dataset
from explorer.judge.association import Association, associate_categories, associate_numbers
from explorer.judge.measure_rows import kind_of_file, measure_picture, measure_texts
from explorer.spec import Cost, Progress, advanced, part
from explorer.study import Input, RowValue, Study, column_name
from explorer.study.subject import Subject
from explorer.values import Finding, Score

_SURE = 0.05


class Confounders(Study):
    """Measures of every row what has nothing to do with its meaning (brightness and contrast of
    pictures, length and writing of texts, empty cells, the order of the file) and says how much of
    it goes with the clusters. A large effect may be what you want, or an accident of how the data
    came about."""

    key: ClassVar[str] = "confounders"
    title: ClassVar[str] = "Confounders"
    question: ClassVar[str] = "Do the clusters follow something that should not matter?"
    reads: ClassVar[tuple[Input, ...]] = ("embedding", "clustering")
    reads_data: ClassVar[bool] = True
    follows_rows: ClassVar[bool] = False
    rows_say: ClassVar[Mapping[str, RowValue]] = {
        "brightness": RowValue("Brightness", "mean grey level of the thumbnail, 0 black to 1 "
                               "white"),
        "contrast": RowValue("Contrast", "standard deviation of the thumbnail's grey levels"),
        "colour": RowValue("Colourfulness", "mean difference of the largest and the smallest "
                           "colour channel of the thumbnail; 0 is grey"),
        "aspect": RowValue("Width over height", "width over height of the picture"),
        "bytes": RowValue("File size", "size of the image file in bytes"),
        "length": RowValue("Text length", "length of the text in characters"),
        "digits": RowValue("Share of digits", "share of the text's characters that are digits"),
        "capitals": RowValue("Share of capitals", "share of the text's characters that are capital "
                             "letters"),
        "foreign": RowValue("Share beyond ASCII", "share of the text's characters that are not in "
                            "ASCII: accents, other scripts, emoji"),
        "missing": RowValue("Empty cells", "how many cells of the row are empty"),
        "order": RowValue("Place in the data", "the row's number in the data, from 1"),
    }

    also: str = column_name(roles=("category", "label", "number"), description=(
        "A column to check too: source, camera, batch, date. Empty: none."))
    shuffles: int = Field(200, ge=19, le=5000, description="How often the values are dealt out to "
                          "the rows anew, to see what comes by chance.")
    seed: int = advanced(0, ge=0, le=2**32 - 1, description="Same seed, same result.")

    def estimate(self, n: int, d: int) -> Cost:
        return Cost(0.2 + 1e-3 * n + 6e-8 * n * self.shuffles, 400 * n + 2**24)

    def study(self, subject: Subject, progress: Progress) -> Finding:
        """Per row the measures there are, float32. Table 'confounders', greatest effect first."""
        data, rows = subject.dataset, subject.embedding.rows
        labels = np.asarray(subject.clustering.labels)
        measured = _measure(data, rows, part(progress, 0.0, 0.5))
        found: dict[str, Association] = {}
        asked = [*measured, *(["image format"] if data.has_images else []),
                 *([self.also] if self.also else [])]
        for step, name in enumerate(asked):
            share = part(progress, 0.5 + 0.5 * step / len(asked),
                         0.5 + 0.5 * (step + 1) / len(asked))
            if name in measured:
                found[self.rows_say[name].title] = associate_numbers(
                    measured[name], labels, self.shuffles, self.seed, share)
            elif name == "image format":
                kinds = [kind_of_file(data.image(int(row))[:16]) for row in rows]
                found["Image format"] = associate_categories(
                    _codes(kinds), labels, self.shuffles, self.seed, share)
            else:
                found[f"Column {name}"] = self._column(data, name, rows, labels, share)
        order = sorted(found, key=lambda name: -(found[name].effect or 0.0))
        noise = int((labels < 0).sum())
        return Finding(
            scores=tuple(Score(f"{name} ({found[name].measure})", found[name].effect,
                               "the data, by cluster", "", found[name].rows, len(labels),
                               f"{noise:,} noise rows left out" if noise else "no noise rows",
                               self.seed, _why(found[name]), "lower") for name in order),
            per_row={name: values.astype(np.float32) for name, values in measured.items()},
            tables={"confounders": [_record(name, found[name]) for name in order]},
            notes=tuple(f"The clusters follow {name[:1].lower() + name[1:]} "
                        f"({found[name].measure} {found[name].effect:.2f}): is that what you want?"
                        for name in order if _large(found[name])))

    def _column(self, data: Dataset, name: str, rows: np.ndarray, labels: np.ndarray,
                progress: Progress) -> Association:
        if data.column(name).role == "number":
            return associate_numbers(data.numbers(name)[rows], labels, self.shuffles, self.seed,
                                     progress)
        texts = data.texts(name)
        return associate_categories(_codes([texts[row] for row in rows]), labels, self.shuffles,
                                    self.seed, progress)


def _measure(data: Dataset, rows: np.ndarray, progress: Progress) -> dict[str, np.ndarray]:
    found: dict[str, np.ndarray] = {}
    if data.has_images:
        pictures = []
        for step, row in enumerate(rows):
            if step % 200 == 0:
                progress(step / len(rows), f"{step:,} of {len(rows):,} pictures")
            pictures.append(measure_picture(data.thumbnail(int(row))))
        found["brightness"] = np.array([one.brightness for one in pictures])
        found["contrast"] = np.array([one.contrast for one in pictures])
        found["colour"] = np.array([one.color for one in pictures])
        found["aspect"] = np.array([one.aspect for one in pictures])
        found["bytes"] = np.array([len(data.image(int(row))) for row in rows], dtype=np.float64)
    columns = [data.texts(column.name) for column in data.with_role("text")]
    if columns:
        letters = measure_texts(["\n".join(texts[row] for texts in columns) for row in rows])
        found |= {"length": letters.length, "digits": letters.digits,
                  "capitals": letters.capitals, "foreign": letters.foreign}
    gaps = [column.name for column in data.columns
            if column.place == "table" and column.missing and not column.dimensions]
    if gaps:
        empty = np.array([[not text for text in data.texts(name)] for name in gaps])
        found["missing"] = empty.sum(axis=0).astype(np.float64)[rows]
    return found | {"order": rows + 1.0}


def _codes(values: list[str]) -> np.ndarray:
    known: dict[str, int] = {}
    return np.array([known.setdefault(value, len(known)) if value else -1 for value in values],
                    dtype=np.int64)


def _large(found: Association) -> bool:
    return found.size == "large" and found.p is not None and found.p <= _SURE


def _why(found: Association) -> str:
    if found.effect is None:
        return f"Not defined: {found.why}."
    return f"{found.size} effect, p {found.p:.3g} by {found.shuffles:,} shuffles"


def _record(name: str, found: Association) -> dict[str, Any]:
    return {"what": name, "effect": None if found.effect is None else round(found.effect, 4),
            "measure": found.measure, "size": found.size or f"not defined: {found.why}",
            "p": found.p, "rows": found.rows}
