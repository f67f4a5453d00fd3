"""What a map's front end is sent, made of stored results once for all sessions."""

from __future__ import annotations

import base64
import hashlib
from dataclasses import dataclass, replace
from typing import Any

import numpy as np

from explorer.colorings import Coloring
from explorer.plot.bars import Bars, sort_bars
from explorer.plot.palette import CategoryColors, NumberColors
from explorer.plot.points import (
    LEVELS,
    Coded,
    Places,
    code_categories,
    code_numbers,
    ends_of,
    place_points,
)
from explorer.run import Run
from explorer.ui.colors import colors_of
from explorer.ui.kept import Kept
from explorer.ui.marks import Lines
from explorer.ui.served import shelf
from explorer.values import NOISE, Judgement

_places: Kept[Places] = Kept(64 * 2**20, lambda places: len(places.data))
_bars: Kept[Bars] = Kept(64 * 2**20, lambda bars: len(bars.order) + len(bars.values))
_coded: Kept[Coded] = Kept(64 * 2**20, lambda coded: len(coded.data))
_middles: Kept[list[dict[str, Any]]] = Kept(64)
_bits: Kept[str] = Kept(16 * 2**20, len)
_TOLD_AT_ONCE = 50_000
"""Of more places the selection is fetched by who does not know it: the view that made it does."""


@dataclass(frozen=True)
class Picture:
    """A projection to show the rows of a run on, of the run itself or another one: `embedding` and
    `projection` name it, its n x 2 `points` are those of the dataset rows `rows` (n int64,
    ascending); `same_units`: a step is as long on both axes."""

    embedding: str
    projection: str
    rows: np.ndarray
    points: np.ndarray
    same_units: bool

    def positions(self, rows: np.ndarray) -> np.ndarray:
        """Where these dataset rows stand in it (int64; rows not in it are left out)."""
        rows = np.asarray(rows, dtype=np.int64)
        if len(self.rows) and len(self.rows) == int(self.rows[-1]) + 1:
            return rows[rows < len(self.rows)]  # every row has its own number
        return np.searchsorted(self.rows, rows[np.isin(rows, self.rows)])


def picture_of(run: Run) -> Picture:
    """The picture a run has of its own."""
    assert run.projection is not None
    return Picture(run.plan.embedding, run.plan.projection, run.rows,
                   np.asarray(run.projection.points),
                   run.recipe.projecting.reads != "coordinates")


def digest(content: object) -> str:
    """A short name of that content: the same for the same."""
    data = content if isinstance(content, bytes) else repr(content).encode()
    return hashlib.blake2b(data, digest_size=8).hexdigest()


def places_of(picture: Picture) -> Places:
    """The points of a picture as they are drawn."""
    return _places.get((picture.embedding, picture.projection, picture.same_units),
                       lambda: place_points(picture.points, same_units=picture.same_units))


def bars_of(current: Run, key: str, judgement: Judgement, passing: np.ndarray | None) -> Bars:
    """The silhouettes of a run in a judgement of that key as they are drawn; `passing`: only of
    these dataset rows."""
    def sort() -> Bars:
        assert current.clustering is not None
        silhouettes = np.array(judgement.per_row["silhouette"])
        if passing is not None:
            silhouettes[~np.isin(current.rows, passing)] = np.nan
        return sort_bars(silhouettes, current.clustering.labels)
    shown = None if passing is None else digest(passing.tobytes())
    return _bars.get((current.plan.clustering, key, shown), sort)


def middles_of(current: Run, picture: Picture) -> list[dict[str, Any]]:
    """{code, x, y, count} of every cluster at the median of its points, biggest first."""
    if current.clustering is None:
        return []
    return _middles.get((picture.embedding, picture.projection, current.plan.clustering),
                        lambda: _find_middles(current, picture))


def colors_told(current: Run, picture: Picture, coloring: Coloring) -> dict[str, Any]:
    """The colours of the places of a picture and their legend."""
    key = ("colors", picture.embedding, *coloring.content)
    colors = _carried(colors_of(coloring), current, picture)
    coded = _coded.get(key, lambda: code_categories(colors)
                       if isinstance(colors, CategoryColors) else code_numbers(colors))
    told: dict[str, Any] = {
        "key": digest(key), "url": shelf.put(key, lambda: coded.data), "bytes": coded.width,
        "palette": coded.palette, "grey": coded.grey, "title": coloring.heading}
    if isinstance(colors, CategoryColors):
        return {**told, "kind": "category", "items": _items(colors, coded)}
    low, high = ends_of(colors)
    return {**told, "kind": "number", "low": f"{low:.4g}", "high": f"{high:.4g}",
            "levels": LEVELS, "missing": "not defined" if coded.grey >= 0 else ""}


def ids_told(picture: Picture, total: int) -> dict[str, str] | None:
    """The dataset rows of the places; None when every one of `total` rows has its own number."""
    if len(picture.rows) == total:
        return None
    key = ("ids", picture.embedding)
    return {"key": digest(key),
            "url": shelf.put(key, lambda: picture.rows.astype("<u4").tobytes())}


def lines_told(picture: Picture, drawn: Lines | None) -> dict[str, Any] | None:
    """Lines between places; rows that are not in the picture have none."""
    if drawn is None:
        return None
    start = picture.positions(np.array([drawn.source]))
    ends = {name: picture.positions(np.sort(rows)).tolist() for name, rows in
            (("to", drawn.targets), ("lost", drawn.lost), ("false", drawn.false))}
    if not len(start) or not any(ends.values()):
        return None
    return {"from": int(start[0]), "to": ends.pop("to"),
            **{name: places for name, places in ends.items() if places}}


def filter_told(picture: Picture, passing: np.ndarray | None) -> dict[str, str] | None:
    """The places that pass, as packed bits behind an address."""
    if passing is None:
        return None
    key = ("filter", picture.embedding, digest(passing.tobytes()))
    return {"key": digest(key), "url": shelf.put(key, lambda: _pack(picture, passing))}


def chosen_told(picture: Picture, rows: np.ndarray, name: str) -> dict[str, str]:
    """The places of these dataset rows as packed bits, of many behind an address; `name` is the
    rows' digest."""
    key = ("chosen", picture.embedding, name)
    if len(picture.rows) > _TOLD_AT_ONCE:
        return {"url": shelf.put(key, lambda: _pack(picture, rows))}
    return {"bits": _bits.get(key, lambda: base64.b64encode(_pack(picture, rows)).decode())}


def as_rows(picture: Picture, bits: str) -> np.ndarray:
    """The dataset rows (ascending) of packed bits in base64; '' is none."""
    packed = np.frombuffer(base64.b64decode(bits), dtype=np.uint8)
    inside = np.unpackbits(packed, count=len(picture.rows)).astype(bool)
    rows: np.ndarray = picture.rows[inside]
    return rows


def _pack(picture: Picture, rows: np.ndarray) -> bytes:
    inside = np.zeros(len(picture.rows), dtype=bool)
    inside[picture.positions(rows)] = True
    return np.packbits(inside).tobytes()


def _carried(colors: CategoryColors | NumberColors, current: Run,
             picture: Picture) -> CategoryColors | NumberColors:
    """The colours of a run's rows for the places of a picture that may have others: grey where
    the run has no value."""
    if picture.embedding == current.plan.embedding:
        return colors
    at, known = _places_in(current, picture)
    if isinstance(colors, CategoryColors):
        codes = np.where(known, np.asarray(colors.codes)[at], NOISE).astype(np.int32)
        lacking = "" if known.all() else " or not known"
        return replace(colors, codes=codes,
                       names={**colors.names, NOISE: f"{colors.name(NOISE)}{lacking}"})
    return replace(colors, values=np.where(known, np.asarray(colors.values)[at], np.nan))


def _places_in(current: Run, picture: Picture) -> tuple[np.ndarray, np.ndarray]:
    """For every place of a picture its place in the run (0 where it has none), and whether."""
    at = np.minimum(np.searchsorted(current.rows, picture.rows), len(current.rows) - 1)
    known = current.rows[at] == picture.rows
    return np.where(known, at, 0), known


def _find_middles(current: Run, picture: Picture) -> list[dict[str, Any]]:
    assert current.clustering is not None
    at, known = _places_in(current, picture)
    labels = np.where(known, current.clustering.labels[at], NOISE)
    order = np.argsort(labels, kind="stable")
    found, starts = np.unique(labels[order], return_index=True)
    ends = np.append(starts[1:], len(order))
    middles = []
    for label, start, end in zip(found.tolist(), starts, ends, strict=True):
        if label == NOISE:
            continue
        middle = np.median(picture.points[order[start:end]], axis=0)
        x, y = places_of(picture).put(middle[None])[0]
        middles.append({"code": label, "x": float(x), "y": float(y), "count": int(end - start)})
    return sorted(middles, key=lambda middle: -int(middle["count"]))


def _items(colors: CategoryColors, coded: Coded) -> list[dict[str, Any]]:
    """The legend's lines: categories that have rows (labels may have gaps), grey last."""
    present = np.unique(np.asarray(colors.codes))
    items = [{"code": int(code), "name": colors.name(int(code))} for code in present if code >= 0]
    if coded.grey >= 0:
        items.append({"code": coded.grey, "name": colors.name(NOISE)})
    return items
