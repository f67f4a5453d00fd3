"""Data sets to begin with, one click each. Made here or shipped by scikit-learn."""

from __future__ import annotations

import csv
import io
import shutil
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Literal

import numpy as np
import pyarrow as pa

from explorer.dataset import Dataset, Source, open_dataset
from explorer.errors import InputError, ParameterError, Where
from explorer.load.content import Block, Content, Field
from explorer.load.draw_thumbnail import save_picture
from explorer.load.options import ReadOptions, Upload
from explorer.load.read_files import adopt, read_files
from explorer.load.write_dataset import write_dataset
from explorer.load.write_pictures import PictureWriter
from explorer.spec import Progress, part
from explorer.store import Store

EVERYDAY_TEXTS = Path(__file__).resolve().parents[2] / "data" / "everyday_texts.csv"


@dataclass(frozen=True)
class Sample:
    """One sample as the import page offers it."""

    key: str
    title: str
    description: str
    kind: Literal["table", "texts", "images", "vectors"]
    rows: int


SAMPLES: tuple[Sample, ...] = (
    Sample("digits", "Handwritten digits", "8 x 8 grey pictures of the digits 0 to 9, with their "
           "64 pixels as vectors. From scikit-learn.", "images", 1797),
    Sample("everyday_texts", "Everyday texts", "Short texts about everyday topics, written for "
           "this project.", "texts", 897),
    Sample("drawn_shapes", "Drawn shapes", "Six shapes in many sizes, turns, colours and fills, "
           "drawn by code.", "images", 600),
    Sample("wine", "Wines", "13 chemical measurements of wines from three growers. From "
           "scikit-learn.", "table", 178),
    Sample("breast_cancer", "Breast cancer", "30 measurements of cell nuclei, benign or malignant. "
           "From scikit-learn.", "table", 569),
)


def load_sample(key: str, store: Store, progress: Progress) -> Dataset:
    """The sample of that key as a data set of the store.

    Raises ParameterError UNKNOWN_SAMPLE, InputError NO_SAMPLE when its file is not there.
    """
    title = {sample.key: sample.title for sample in SAMPLES}.get(key)
    if title is None:
        known = ", ".join(sample.key for sample in SAMPLES)
        raise ParameterError("UNKNOWN_SAMPLE", f"The sample must be one of {known}, got {key!r}.",
                             Where(parameter="sample"))
    if key == "everyday_texts":
        return _read_texts(store, progress)
    folder = store.new_folder()
    try:
        progress(0.0, f"Making {title}")
        content = _make(key, title, folder, part(progress, 0.0, 0.7))
        meta = write_dataset(content, title, (Source(title, 0, ""),), folder,
                             part(progress, 0.7, 0.9))
        dataset_id = adopt(store, folder, meta)
    finally:
        shutil.rmtree(folder, ignore_errors=True)
    progress(1.0, "Data set stored")
    return open_dataset(store, dataset_id)


def _make(key: str, title: str, folder: Path, progress: Progress) -> Content:
    if key == "digits":
        return _digits(title, folder, progress)
    if key == "drawn_shapes":
        return _shapes(title, folder, progress)
    return _table(key, title)


def _read_texts(store: Store, progress: Progress) -> Dataset:
    if not EVERYDAY_TEXTS.exists():
        raise InputError("NO_SAMPLE", "The sample file data/everyday_texts.csv must be in the "
                                      "checkout, got none.", Where(file=EVERYDAY_TEXTS.name),
                         "Take another sample, or get the file from the repository.")
    return read_files([Upload(EVERYDAY_TEXTS.name, EVERYDAY_TEXTS)], ReadOptions(), store, progress)


def _digits(title: str, folder: Path, progress: Progress) -> Content:
    from PIL import Image
    from sklearn.datasets import load_digits

    digits = load_digits()
    with PictureWriter(folder) as writer:
        for i, pixels in enumerate(digits.images):
            # 17 grey levels, dark ink on white
            grey = np.round(255 - pixels * 255 / 16).astype(np.uint8)
            picture = save_picture(Image.fromarray(grey))
            writer.add(picture, picture)
            if i % 200 == 0:
                progress(i / len(digits.images), f"{i} digits drawn")
        pictures = writer.finish()
    labels = _strings("label", [str(digit) for digit in digits.target])
    vectors = Block("pixels", np.ascontiguousarray(digits.data, dtype=np.float32))
    return Content(title, len(digits.data), (labels, vectors), ReadOptions(), pictures=pictures)


def _shapes(title: str, folder: Path, progress: Progress) -> Content:
    from explorer.load.draw_shapes import draw_shapes

    rows: list[tuple[str, ...]] = []
    with PictureWriter(folder) as writer:
        for i, drawing in enumerate(draw_shapes()):
            picture = save_picture(drawing.image)
            writer.add(picture, picture)
            rows.append((f"{drawing.shape}-{i:03d}.png", drawing.shape, drawing.fill,
                         drawing.background, str(drawing.size), str(drawing.turn)))
            if i % 50 == 0:
                progress(i / 600, f"{i} shapes drawn")
        pictures = writer.finish()
    names = ("file", "shape", "fill", "background", "size", "rotation")
    fields = [_strings(name, cells) for name, cells in zip(names, zip(*rows, strict=True),
                                                           strict=True)]
    fields[1] = Field("shape", fields[1].values, role="label", why="What was drawn.")
    return Content(title, len(rows), tuple(fields), ReadOptions(), pictures=pictures)


def _table(key: str, title: str) -> Content:
    """The cells of scikit-learn's own file, as they stand in it."""
    from sklearn import datasets

    source: Any = datasets.load_wine() if key == "wine" else datasets.load_breast_cancer()
    file = {"wine": "wine_data.csv", "breast_cancer": "breast_cancer.csv"}[key]
    text = (Path(datasets.__file__).parent / "data" / file).read_text(encoding="utf-8")
    rows = list(csv.reader(io.StringIO(text)))[1:]  # the first line counts rows and names classes
    columns = list(zip(*rows, strict=True))
    fields = [_strings(name, cells)
              for name, cells in zip(source.feature_names, columns[:-1], strict=True)]
    names = [str(name) for name in source.target_names]
    fields.append(_strings("label", [names[int(cell)] for cell in columns[-1]]))
    return Content(title, len(rows), tuple(fields), ReadOptions())


def _strings(name: str, cells: Sequence[str]) -> Field:
    return Field(str(name), pa.chunked_array([pa.array(list(cells), pa.string())]))
