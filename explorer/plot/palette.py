"""One colour per cluster number and category, the same in every view; colour-blind safe."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np

from explorer.values import NOISE

NOISE_COLOR = "#9A9A9A"
NUMBER_SCALE = "viridis"
RATIO_SCALE = "cividis"

# Blue, orange and green of Okabe and Ito (2008), then greedily the colour farthest from all before
# and from the noise grey in OKLab (Ottosson 2020), as seen with normal, deuteranope and protanope
# vision (Machado et al. 2009), among colours that show on white and on black.
_COLORS = (
    "#0072B2", "#E69F00", "#009E73", "#00F0C3", "#F087FF", "#875A00", "#5A1EFF", "#B40F78",
    "#C3E13C", "#7878FF", "#D2692D", "#78C378", "#D20FC3", "#78E1FF", "#00B4D2", "#C33C4B",
    "#FF69C3", "#D2D287", "#FF4B69", "#69D2C3", "#1E8796", "#3C69E1", "#785A96", "#A55A78",
)
_VARIATIONS = (None, (255, 0.4), (0, 0.35))  # plain, towards white, towards black


@dataclass(frozen=True)
class CategoryColors:
    """n `codes` (int32, 0.., -1 is grey: noise or missing) with the `names` and `colors` of the
    codes; `title` stands over the legend."""

    codes: np.ndarray
    names: Mapping[int, str]
    colors: Mapping[int, str]
    title: str = ""

    def name(self, code: int) -> str:
        """The name of a code, not escaped."""
        return self.names.get(code) or cluster_name(code)

    def color(self, code: int) -> str:
        """The colour of a code; -1 is grey unless it was given one."""
        return self.colors.get(code) or cluster_color(code)


@dataclass(frozen=True)
class NumberColors:
    """n `values` (float; NaN is drawn grey and counted) under `title`; `low` and `high` are the
    ends of the scale (None: of the values)."""

    values: np.ndarray
    title: str
    scale: str = NUMBER_SCALE
    low: float | None = None
    high: float | None = None


def cluster_color(i: int) -> str:
    """The colour of cluster `i`, always the same: 24 colours, lighter and darker forms of them for
    24..71, from 72 on repeated; grey below 0."""
    if i < 0:
        return NOISE_COLOR
    color = _COLORS[i % len(_COLORS)]
    variation = _VARIATIONS[i // len(_COLORS) % len(_VARIATIONS)]
    if variation is None:
        return color
    target, share = variation
    parts = [int(color[at:at + 2], 16) for at in (1, 3, 5)]
    return "#" + "".join(f"{round(part + (target - part) * share):02X}" for part in parts)


def cluster_colors(labels: np.ndarray, names: Mapping[int, str] | None = None, *,
                   title: str = "cluster") -> CategoryColors:
    """Colours of n cluster labels (-1 noise); `names` are people's names of some clusters."""
    labels = np.asarray(labels, dtype=np.int32)
    count = int(labels.max(initial=NOISE)) + 1
    present = (NOISE, *range(count))
    return CategoryColors(codes=labels, title=title,
                          names={i: cluster_name(i, names) for i in present},
                          colors={i: cluster_color(i) for i in present})


def cluster_name(i: int, names: Mapping[int, str] | None = None) -> str:
    """What people call cluster `i`."""
    if i == NOISE:
        return "Noise"
    return (names or {}).get(i) or f"Cluster {i}"


def category_colors(values: Sequence[str | None], *, title: str = "") -> CategoryColors:
    """Colours of n category values, numbered by falling count (ties by name); None and '' are
    grey."""
    cells = np.array(["" if value is None else str(value) for value in values], dtype=object)
    found, inverse, counts = np.unique(cells, return_inverse=True, return_counts=True)
    order = sorted((i for i in range(len(found)) if found[i] != ""),
                   key=lambda i: (-counts[i], found[i]))
    rank = np.full(len(found), NOISE, dtype=np.int32)
    rank[order] = np.arange(len(order), dtype=np.int32)
    codes = rank[inverse] if len(found) else np.empty(0, dtype=np.int32)
    return CategoryColors(
        codes=codes, title=title,
        names={NOISE: "missing", **{at: str(found[i]) for at, i in enumerate(order)}},
        colors={at: cluster_color(at) for at in range(NOISE, len(order))})


def with_alpha(color: str, alpha: float) -> str:
    """A '#RRGGBB' colour as Plotly's rgba() text."""
    red, green, blue = (int(color[at:at + 2], 16) for at in (1, 3, 5))
    return f"rgba({red},{green},{blue},{alpha:g})"
