"""A map laid out for paper: where every point, name and line of the legend stands, in pixels."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass

import numpy as np

from explorer.escape import log_line, shown
from explorer.plot.palette import CategoryColors, NumberColors
from explorer.plot.points import LEVELS, code_categories, code_numbers, ends_of, place_points
from explorer.values import NOISE

WIDTH, HEIGHT = 1200, 820
LISTED = 26
CONTEXT = "#B9BBC2"
"""Of points that are not selected."""
CONTEXT_OPACITY = 0.25
_LEFT, _TOP, _BOTTOM, _LEGEND = 24, 74, 20, 230
_LETTER = 7.2
_LONGEST = 28


@dataclass(frozen=True)
class Words:
    """A line of text with its beginning (or middle) at x and its baseline at y."""

    text: str
    x: float
    y: float
    size: int = 13
    color: str = "#20242C"
    middle: bool = False


@dataclass(frozen=True)
class Dot:
    """A dot of the legend."""

    x: float
    y: float
    color: str


@dataclass(frozen=True)
class Bar:
    """The legend of a scale: equal steps of `colors` from the bottom up."""

    x: float
    y: float
    width: float
    height: float
    colors: tuple[str, ...]


@dataclass(frozen=True)
class Scene:
    """What is drawn, in pixels of a picture `width` x `height`.

    `spots` are m x 2 float32, in the order drawn (the first lies lowest), `paints` their m places
    in `colors`, of which the one at `context` is drawn fainter (-1: none).
    """

    width: int
    height: int
    spots: np.ndarray
    paints: np.ndarray
    colors: tuple[str, ...]
    context: int
    radius: float
    opacity: float
    words: tuple[Words, ...]
    dots: tuple[Dot, ...]
    bar: Bar | None

    def opacity_of(self, paint: int) -> float:
        """How opaque points of that paint are."""
        return CONTEXT_OPACITY if paint == self.context else self.opacity


@dataclass(frozen=True)
class Named:
    """A name to stand at a point of the projection; the first of a list matter most."""

    text: str
    x: float
    y: float


def lay_out(points: np.ndarray, colors: CategoryColors | NumberColors, *,
            title: str, subtitle: str = "", heading: str = "", names: Sequence[Named] = (),
            selected: np.ndarray | None = None, drawn: np.ndarray | None = None,
            same_units: bool = True) -> Scene:
    """The scene of n x 2 `points` (finite) in these colours.

    `selected` (n bool) leaves the others as grey context, `drawn` (n bool) leaves rows out whole.
    Noise lies lowest, then the largest category, so that small ones are not hidden.
    """
    places = place_points(points, same_units=same_units)
    wide, high = WIDTH - _LEFT - _LEGEND, HEIGHT - _TOP - _BOTTOM
    half = np.maximum(places.half, 1e-6)
    unit = 0.96 * min(wide / half[0], high / half[1]) / 2 if same_units else (
        0.96 * wide / half[0] / 2, 0.96 * high / half[1] / 2)
    middle = (_LEFT + wide / 2, _TOP + high / 2)

    def put(at: np.ndarray) -> np.ndarray:
        """Pixels of points of the projection (m x 2)."""
        flat = places.put(at) * unit
        return np.column_stack([middle[0] + flat[:, 0], middle[1] - flat[:, 1]])

    coded = code_categories(colors) if isinstance(colors, CategoryColors) else code_numbers(colors)
    codes = np.frombuffer(coded.data, dtype=f"<u{coded.width}").astype(np.int64)
    inside = np.ones(len(codes), dtype=bool) if drawn is None else np.asarray(drawn, dtype=bool)
    palette: tuple[str, ...] = coded.palette
    paints, context = codes, -1
    if selected is not None:
        context = len(palette)
        palette, paints = (*palette, CONTEXT), np.where(selected, codes, context)
    order = np.flatnonzero(inside)
    ranked = isinstance(colors, CategoryColors)
    order = order[np.argsort(_depth(paints, coded.grey, context, ranked)[order], kind="stable")]
    room = wide * high / max(1, len(order))
    dots, words, bar = _legend(colors, codes[inside], coded.palette, heading)
    spots = put(np.asarray(points)[order]).astype(np.float32) if len(order) else \
        np.empty((0, 2), dtype=np.float32)
    head = (Words(_fit(title, 110), _LEFT, 32, 20), Words(_fit(subtitle, 170), _LEFT, 54, 12,
                                                          "#5B606B"))
    return Scene(WIDTH, HEIGHT, spots, paints[order], palette, context,
                 radius=float(np.clip(0.31 * np.sqrt(room), 0.7, 5.0)),
                 opacity=float(np.clip(0.3 + room / 90, 0.3, 0.9)),
                 words=(*head, *words, *_placed(names, put)), dots=dots, bar=bar)


def _depth(paints: np.ndarray, grey: int, context: int, ranked: bool) -> np.ndarray:
    """What is drawn first: context, grey, then (`ranked`) categories by falling size."""
    counts = np.bincount(paints, minlength=max(context, grey, 0) + 1)
    weight = -counts.astype(np.int64) * ranked
    if grey >= 0:
        weight[grey] = -len(paints) - 1
    if context >= 0:
        weight[context] = -len(paints) - 2
    depth: np.ndarray = weight[paints]
    return depth


def _legend(colors: CategoryColors | NumberColors, codes: np.ndarray, palette: tuple[str, ...],
            heading: str) -> tuple[tuple[Dot, ...], tuple[Words, ...], Bar | None]:
    """Categories with their numbers of rows drawn, or the scale."""
    x, y = WIDTH - _LEGEND + 18, _TOP + 14
    words = [Words(_fit(heading, _LONGEST), x, y, 14)] if heading else []
    counts = np.bincount(codes, minlength=len(palette))
    if isinstance(colors, NumberColors):
        low, high = ends_of(colors)
        bar = Bar(x, y + 14, 18, 260, palette[:LEVELS])
        words += [Words(f"{high:.4g}", x + 26, bar.y + 10, 12),
                  Words(f"{low:.4g}", x + 26, bar.y + bar.height, 12)]
        if not counts[LEVELS]:
            return (), tuple(words), bar
        foot = bar.y + bar.height + 26
        words.append(Words(f"not defined  {counts[LEVELS]:,}", x + 18, foot + 4, 12))
        return (Dot(x + 6, foot, palette[LEVELS]),), tuple(words), bar
    grey = len(palette) - 1
    present = np.flatnonzero(counts)
    listed = np.sort(present[np.argsort(-counts[present], kind="stable")[:LISTED]])
    dots = []
    for code in listed.tolist():
        y += 24
        dots.append(Dot(x + 6, y - 4, palette[code]))
        name = colors.name(NOISE if code == grey else code)
        words.append(Words(f"{_fit(name, 20)}  {counts[code]:,}", x + 18, y, 12))
    if len(present) > len(listed):
        rest = int(counts[present].sum() - counts[listed].sum())
        words.append(Words(f"and {len(present) - len(listed)} more: {rest:,} rows", x, y + 26, 12))
    return tuple(dots), tuple(words), None


def _placed(names: Sequence[Named], put: Callable[[np.ndarray], np.ndarray]) -> list[Words]:
    """The names that find room, the first of them first."""
    boxes: list[tuple[float, float, float, float]] = []
    found = []
    for named in names:
        text = _fit(named.text, _LONGEST)
        x, y = put(np.array([[named.x, named.y]]))[0]
        reach = _LETTER * len(text) / 2 + 4
        box = (x - reach, y - 12, x + reach, y + 8)
        if any(box[0] < other[2] and other[0] < box[2] and box[1] < other[3] and other[1] < box[3]
               for other in boxes):
            continue
        boxes.append(box)
        found.append(Words(text, float(x), float(y) + 4, 14, middle=True))
    return found


def _fit(text: str, most: int) -> str:
    """One line of at most `most` letters in which nothing is invisible or turned round."""
    text = log_line(str(text)[:4 * most])
    return shown(text if len(text) <= most else f"{text[:most - 1]}…")
