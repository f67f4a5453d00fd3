"""Pictures drawn by code: shapes of all sizes, turns and colours, for a sample nobody owns."""

from __future__ import annotations

import math
from collections.abc import Iterator
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

if TYPE_CHECKING:
    from PIL import Image

SHAPES = ("circle", "square", "triangle", "star", "cross", "crescent")
FILLS = ("solid", "outline", "striped")
BACKGROUNDS = ("plain", "gradient", "noise", "checker")
SIDE = 48
_SCALE = 4  # drawn large and shrunk, for smooth edges
_PER_SHAPE = 100


@dataclass(frozen=True)
class Drawing:
    """One 48 x 48 RGB picture and what is in it; `size` is a share of the side, `turn` degrees."""

    image: Image.Image
    shape: str
    fill: str
    background: str
    size: float
    turn: int


def draw_shapes(seed: int = 0) -> Iterator[Drawing]:
    """100 pictures of each shape, in turn; the same seed draws the same."""
    random = np.random.default_rng(seed)
    for i in range(_PER_SHAPE * len(SHAPES)):
        shape = SHAPES[i % len(SHAPES)]
        fill = FILLS[int(random.integers(len(FILLS)))]
        background = BACKGROUNDS[int(random.integers(len(BACKGROUNDS)))]
        size = round(float(random.uniform(0.45, 0.9)), 3)
        turn = int(random.integers(0, 360))
        image = _draw(random, shape, fill, background, size, turn)
        yield Drawing(image, shape, fill, background, size, turn)


def _draw(random: np.random.Generator, shape: str, fill: str, background: str, size: float,
          turn: int) -> Image.Image:
    from PIL import Image

    side = SIDE * _SCALE
    hue = float(random.uniform(0, 360))
    ink = _colour(hue, float(random.uniform(0.55, 1.0)), float(random.uniform(0.25, 0.55)))
    paper = _colour(hue + 180, 0.35, float(random.uniform(0.75, 0.95)))
    slack = side * (1 - size) / 2
    centre = side / 2 + random.uniform(-slack, slack, 2) * 0.8
    mask = _mask(shape, fill, centre, side * size / 2, math.radians(turn))
    picture = _paper(random, background, paper, side)
    picture.paste(Image.new("RGB", (side, side), ink), mask=mask)
    return picture.resize((SIDE, SIDE), Image.Resampling.LANCZOS)


def _mask(shape: str, fill: str, centre: np.ndarray, radius: float, turn: float) -> Image.Image:
    from PIL import Image, ImageChops

    whole = _silhouette(shape, centre, radius, turn)
    if fill == "solid":
        return whole
    if fill == "outline":
        return ImageChops.subtract(whole, _silhouette(shape, centre, radius * 0.72, turn))
    side = whole.width
    rows = np.arange(side)[:, None] + np.zeros(side)
    stripes = Image.fromarray(((rows // (3 * _SCALE)) % 2 * 255).astype(np.uint8))
    return ImageChops.multiply(whole, stripes)


def _silhouette(shape: str, centre: np.ndarray, radius: float, turn: float) -> Image.Image:
    from PIL import Image, ImageDraw

    side = SIDE * _SCALE
    mask = Image.new("L", (side, side), 0)
    pen = ImageDraw.Draw(mask)
    if shape in ("circle", "crescent"):
        pen.ellipse(_box(centre, radius), fill=255)
        if shape == "crescent":
            bite = centre + radius * 0.55 * np.array([math.cos(turn), math.sin(turn)])
            pen.ellipse(_box(bite, radius * 0.8), fill=0)
        return mask
    corners = {"square": _corners(4, radius), "triangle": _corners(3, radius),
               "star": _corners(10, radius, 0.42), "cross": _cross(radius)}[shape]
    turned = corners @ np.array([[math.cos(turn), math.sin(turn)],
                                 [-math.sin(turn), math.cos(turn)]]) + centre
    pen.polygon([(float(x), float(y)) for x, y in turned], fill=255)
    return mask


def _corners(count: int, radius: float, inner: float = 1.0) -> np.ndarray:
    angles = np.arange(count) * 2 * math.pi / count
    radii = np.where(np.arange(count) % 2, radius * inner, radius)
    return np.stack([radii * np.cos(angles), radii * np.sin(angles)], axis=1)


def _cross(radius: float) -> np.ndarray:
    long, wide = radius * 0.95, radius * 0.32
    quarter = np.array([[wide, -long], [wide, -wide], [long, -wide]])
    turns = [np.array([[math.cos(a), math.sin(a)], [-math.sin(a), math.cos(a)]])
             for a in np.arange(4) * math.pi / 2]
    return np.concatenate([quarter @ turn for turn in turns])


def _box(centre: np.ndarray, radius: float) -> tuple[float, float, float, float]:
    return (float(centre[0] - radius), float(centre[1] - radius), float(centre[0] + radius),
            float(centre[1] + radius))


def _paper(random: np.random.Generator, background: str, colour: tuple[int, int, int],
           side: int) -> Image.Image:
    from PIL import Image

    base = np.broadcast_to(np.array(colour, dtype=np.float64), (side, side, 3))
    if background == "gradient":
        base = base * np.linspace(0.55, 1.0, side)[:, None, None]
    elif background == "noise":
        base = base + random.normal(0, 28, (side, side, 1))
    elif background == "checker":
        cells = np.arange(side) // (6 * _SCALE)
        base = base * np.where((cells[:, None] + cells) % 2, 0.82, 1.0)[:, :, None]
    return Image.fromarray(np.clip(base, 0, 255).astype(np.uint8))


def _colour(hue: float, saturation: float, lightness: float) -> tuple[int, int, int]:
    import colorsys

    red, green, blue = colorsys.hls_to_rgb(hue % 360 / 360, lightness, saturation)
    return (round(red * 255), round(green * 255), round(blue * 255))
