"""The dataset: rows as uploaded, what each column is, and its media. Never changed after import."""

from __future__ import annotations

import json
import re
from collections.abc import Mapping
from dataclasses import asdict, dataclass, replace
from functools import cached_property, lru_cache
from typing import Any, Literal, cast, get_args

import numpy as np
import pyarrow as pa

from explorer.errors import DataError, Where
from explorer.store import Entry, Store

Role = Literal["id", "text", "category", "number", "label", "image", "vector", "coordinate",
               "ignore"]
ROLES: tuple[Role, ...] = get_args(Role)
Place = Literal["table", "matrix", "images"]
_COMMA_NUMBER = re.compile(
    r"[+-]?([0-9]{1,3}(\.[0-9]{3})+|[0-9]+)(,[0-9]+)?([eE][+-]?[0-9]+)?")


@dataclass(frozen=True)
class Column:
    """One column. `name` is unique in the dataset; `original` is the header as uploaded.

    `place` says where the values are: the table, a matrix file, or the image store. `decimal` is
    the decimal mark when text cells hold numbers. `missing` counts empty cells, `distinct`
    different values (None: not counted). `why` says how the role was found.
    """

    name: str
    original: str
    role: Role
    place: Place = "table"
    decimal: str = "."
    missing: int = 0
    distinct: int | None = None
    dimensions: int = 0
    why: str = ""


@dataclass(frozen=True)
class Issue:
    """One line of the import report: something skipped, decoded, odd."""

    level: Literal["note", "warning"]
    code: str
    message: str
    count: int = 0
    rows: tuple[int, ...] = ()
    """The first few places: rows as an editor counts them."""
    entries: tuple[str, ...] = ()


@dataclass(frozen=True)
class Source:
    """One uploaded file: its name, size and the sha256 of its bytes."""

    name: str
    bytes: int
    sha256: str


@dataclass(frozen=True)
class Dataset:
    """Files of an entry in the store: rows.parquet, matrix-<i>.npy, images.bin + thumbs.bin with
    their offsets (images.npy, thumbs.npy: n + 1 int64)."""

    id: str
    name: str
    n: int
    columns: tuple[Column, ...]
    sources: tuple[Source, ...]
    report: tuple[Issue, ...]
    entry: Entry
    options: Mapping[str, Any]
    """How the file was read: encoding, delimiter, header ... (provenance, replayed by a recipe)."""

    def column(self, name: str) -> Column:
        """The column of that name, or DataError NO_COLUMN."""
        for column in self.columns:
            if column.name == name:
                return column
        raise DataError("NO_COLUMN", f"The data set has no column {name!r}.", Where(column=name),
                        f"It has: {', '.join(column.name for column in self.columns)}.")

    def with_role(self, *roles: Role) -> tuple[Column, ...]:
        """The columns of these roles, in file order."""
        return tuple(column for column in self.columns if column.role in roles)

    def with_roles(self, roles: Mapping[str, str]) -> Dataset:
        """The same rows with other roles; unknown names or roles are DataError."""
        for name, role in roles.items():
            allowed = roles_of(self.column(name))
            if role not in allowed:
                raise DataError("BAD_ROLE", f"The role of {name} must be one of "
                                            f"{', '.join(allowed)}, got {role!r}.",
                                Where(column=name))
        columns = tuple(replace(column, role=cast(Role, roles.get(column.name, column.role)))
                        for column in self.columns)
        return replace(self, columns=columns)

    @property
    def roles(self) -> dict[str, str]:
        return {column.name: column.role for column in self.columns}

    @property
    def table(self) -> pa.Table:
        """The table columns exactly as uploaded (CSV cells as text)."""
        if not self.entry.has("rows.parquet"):
            return pa.table({})
        return _read_table(str(self.entry.path("rows.parquet")))

    @cached_property
    def row_ids(self) -> list[str]:
        """n names of rows: the id column when every value is there and different, else the row
        number from 1."""
        for column in self.with_role("id"):
            if column.missing == 0 and column.distinct == self.n:
                return self.texts(column.name)
        return [str(row + 1) for row in range(self.n)]

    def texts(self, name: str) -> list[str]:
        """The column as n strings; a missing value is ''."""
        values = self.values(name)
        return ["" if value is None else as_text(value) for value in values]

    def text(self, name: str, row: int) -> str:
        """One cell as `texts` gives it, without reading the whole column."""
        value = self.table.column(self.column(name).name)[row].as_py()
        return "" if value is None else as_text(value)

    def values(self, name: str) -> list[Any]:
        """The column as n Python values exactly as uploaded; None where missing."""
        self.column(name)
        return list(self.table.column(name).to_pylist())

    def numbers(self, name: str) -> np.ndarray:
        """The column as n float64; NaN where missing or not a number."""
        column = self.column(name)
        data = self.table.column(name)
        if pa.types.is_integer(data.type) or pa.types.is_floating(data.type):
            return np.asarray(data.cast(pa.float64(), safe=False).to_numpy(zero_copy_only=False),
                              dtype=np.float64)
        if pa.types.is_boolean(data.type):
            return np.asarray(data.cast(pa.int8()).cast(pa.float64())
                              .to_numpy(zero_copy_only=False), dtype=np.float64)
        return np.array([as_number(value, column.decimal) for value in data.to_pylist()],
                        dtype=np.float64)

    def matrix(self, name: str) -> np.ndarray:
        """The n x d vectors of a vector column in their uploaded dtype, memory-mapped."""
        column = self.column(name)
        vectors = [other.name for other in self.columns if other.dimensions]
        if column.name not in vectors:
            raise DataError("NOT_VECTORS", f"Column {name!r} must hold vectors of one length.",
                            Where(column=name))
        return self.entry.array(f"matrix-{vectors.index(name)}")

    def told(self) -> dict[str, Any]:
        """Name, sources, report and options as plain data: what belongs to one import and not to
        the content, which other files may share."""
        return {"name": self.name, "sources": [asdict(source) for source in self.sources],
                "report": [asdict(issue) for issue in self.report], "options": dict(self.options)}

    def retold(self, told: Mapping[str, Any]) -> Dataset:
        """The same content as another import told it; the inverse of `told`."""
        return replace(self, name=told["name"], options=told["options"],
                       sources=tuple(Source(**source) for source in told["sources"]),
                       report=tuple(_issue(issue) for issue in told["report"]))

    @property
    def has_images(self) -> bool:
        return self.entry.has("images.bin")

    def image(self, row: int) -> bytes:
        """The image file of a row, byte for byte as uploaded."""
        return self._blob("images", row)

    def thumbnail(self, row: int) -> bytes:
        """A small PNG or JPEG of the row's image: upright, 8 bit, without metadata."""
        return self._blob("thumbs", row)

    @cached_property
    def _offsets(self) -> dict[str, np.ndarray]:
        """In memory: a page shows sixty pictures, and mapping the file for each costs more."""
        return {name: self.entry.array(name, mapped=False) for name in ("images", "thumbs")}

    def _blob(self, name: str, row: int) -> bytes:
        offsets = self._offsets[name]
        with open(self.entry.path(f"{name}.bin"), "rb") as file:
            file.seek(int(offsets[row]))
            return file.read(int(offsets[row + 1] - offsets[row]))


def roles_of(column: Column) -> tuple[Role, ...]:
    """The roles a column can have: a matrix is vectors, pictures are images, or left out."""
    if column.place == "matrix":
        return ("vector", "ignore")
    if column.place == "images":
        return ("image", "ignore")
    return tuple(role for role in ROLES
                 if role != "image" and (role != "vector" or column.dimensions))


@lru_cache(maxsize=8)
def _read_table(path: str) -> pa.Table:
    """Stored results never change, so all sessions share one decoded table."""
    import pyarrow.parquet as pq

    return pq.read_table(path, page_checksum_verification=True)


def open_dataset(store: Store, key: str) -> Dataset:
    """The dataset of that id, or DataError NO_DATASET."""
    entry = store.find(key)
    if entry is None or entry.meta.get("type") != "Dataset":
        raise DataError("NO_DATASET", "The data set of this work is not on this machine.",
                        Where(entry=key), "Import the same file again: its results are found by "
                                          "content and nothing is computed twice.")
    meta = entry.meta
    columns = tuple(Column(**column) for column in meta["columns"])
    bare = Dataset(id=key, name="", n=meta["n"], columns=columns, sources=(), report=(),
                   entry=entry, options={})
    return bare.retold(meta)


def _issue(plain: Mapping[str, Any]) -> Issue:
    return Issue(**{**plain, "rows": tuple(plain["rows"]), "entries": tuple(plain["entries"])})


def dataset_meta(name: str, n: int, columns: tuple[Column, ...], sources: tuple[Source, ...],
                 report: tuple[Issue, ...], options: Mapping[str, Any]) -> dict[str, Any]:
    """The manifest's `meta` that `open_dataset` reads back."""
    return {"type": "Dataset", "name": name, "n": n,
            "columns": [asdict(column) for column in columns],
            "sources": [asdict(source) for source in sources],
            "report": [asdict(issue) for issue in report], "options": dict(options)}


def as_number(value: Any, decimal: str = ".") -> float:
    """A cell as float64; NaN when it is missing or not a number. '1_000' is not a number."""
    if value is None or isinstance(value, bool):
        return float("nan") if value is None else float(value)
    if isinstance(value, (int, float)):
        try:
            return float(value)
        except OverflowError:
            return float("inf") if value > 0 else float("-inf")
    text = str(value).strip()
    if decimal == ",":
        if not _COMMA_NUMBER.fullmatch(text):  # '12.03.2024' is a date, not twelve million
            return _not_finite(text)
        text = text.replace(".", "").replace(",", ".")
    if "_" in text:
        return float("nan")
    try:
        return float(text)
    except ValueError:
        return float("nan")


def _not_finite(text: str) -> float:
    return float(text) if text.lower().lstrip("+-") in ("inf", "infinity") else float("nan")


def as_text(value: Any) -> str:
    """A value as text: text itself, JSON for lists and objects, str otherwise."""
    if isinstance(value, str):
        return value
    if isinstance(value, (list, dict)):
        return json.dumps(value, ensure_ascii=False, default=str)
    return str(value)
