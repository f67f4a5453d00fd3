"""Points and colours as the bytes the map's front end draws: float32 places, one or two bytes a
colour."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from explorer.plot.palette import NOISE_COLOR, CategoryColors, NumberColors, cluster_color
from explorer.values import NOISE

LEVELS = 254
"""A number is drawn in one of so many steps of its scale; the step after them is 'missing'."""


@dataclass(frozen=True)
class Places:
    """n points scaled into [-1, 1]: `data` are n x 2 float32, little-endian, `half` how far they
    reach to each side of the middle."""

    data: bytes
    half: tuple[float, float]
    middle: tuple[float, float]
    unit: tuple[float, float]

    def put(self, points: np.ndarray) -> np.ndarray:
        """Other points (m x 2) of the same picture on the same scale (float64)."""
        return (np.asarray(points, dtype=np.float64) - self.middle) / self.unit


@dataclass(frozen=True)
class Coded:
    """n colours as codes of `width` bytes (1 or 2, unsigned, little-endian) into `palette`
    ('#RRGGBB'). `grey` is the code of noise or a missing value, -1 when there is none."""

    data: bytes
    width: int
    palette: tuple[str, ...]
    grey: int


def place_points(points: np.ndarray, *, same_units: bool = True) -> Places:
    """Scale n x 2 points (finite) for drawing. `same_units`: both axes by the same factor, so that
    distances on screen compare in every direction."""
    points = np.asarray(points, dtype=np.float64)
    if not len(points):
        return Places(b"", (1.0, 1.0), (0.0, 0.0), (1.0, 1.0))
    low, high = points.min(axis=0), points.max(axis=0)
    middle, reach = (low + high) / 2, (high - low) / 2
    unit = np.full(2, reach.max()) if same_units else reach.copy()
    unit[unit == 0] = 1.0
    placed = ((points - middle) / unit).astype("<f4")
    half = reach / unit
    return Places(placed.tobytes(), (float(half[0]), float(half[1])),
                  (float(middle[0]), float(middle[1])), (float(unit[0]), float(unit[1])))


def code_categories(colors: CategoryColors) -> Coded:
    """Codes 0.. are the categories, the one after them is noise (code -1). Raises ValueError above
    65,535 categories."""
    codes = np.asarray(colors.codes, dtype=np.int64)
    count = int(codes.max(initial=NOISE)) + 1
    if count > 65_535:
        raise ValueError(f"at most 65,535 categories can be drawn, got {count}")
    palette = (*(colors.color(code) for code in range(count)), colors.color(NOISE))
    width = 1 if count < 256 else 2
    data = np.where(codes == NOISE, count, codes).astype(f"<u{width}").tobytes()
    return Coded(data, width, palette, count if (codes == NOISE).any() else -1)


def code_numbers(colors: NumberColors) -> Coded:
    """Codes 0..LEVELS-1 are equal steps from low to high, LEVELS is missing (NaN)."""
    values = np.asarray(colors.values, dtype=np.float64)
    finite = np.isfinite(values)
    low, high = ends_of(colors)
    span = high - low or 1.0
    steps = np.clip(np.floor((values - low) / span * LEVELS), 0, LEVELS - 1,
                    where=finite, out=np.zeros(len(values)))
    codes = np.where(finite, steps, LEVELS).astype(np.uint8)
    return Coded(codes.tobytes(), 1, (*scale_colors(colors.scale), NOISE_COLOR),
                 LEVELS if not finite.all() else -1)


def ends_of(colors: NumberColors) -> tuple[float, float]:
    """Low and high end of the scale; (0, 0) without any finite value."""
    finite = np.asarray(colors.values)[np.isfinite(colors.values)]
    if not len(finite):
        return 0.0, 0.0
    low = float(finite.min()) if colors.low is None else colors.low
    high = float(finite.max()) if colors.high is None else colors.high
    return low, high


def scale_colors(name: str) -> tuple[str, ...]:
    """LEVELS colours of one of Plotly's continuous scales, as '#RRGGBB'."""
    from plotly.colors import get_colorscale, sample_colorscale

    sampled = sample_colorscale(get_colorscale(name), np.linspace(0, 1, LEVELS).tolist(),
                                colortype="tuple")
    return tuple("#" + "".join(f"{round(255 * part):02X}" for part in color) for color in sampled)


__all__ = ["LEVELS", "Coded", "Places", "cluster_color", "code_categories", "code_numbers",
           "ends_of", "place_points", "scale_colors"]
