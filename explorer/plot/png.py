"""A laid-out map as PNG, drawn without a browser."""

from __future__ import annotations

import io
from functools import cache
from importlib.util import find_spec
from pathlib import Path
from typing import Any

import numpy as np

from explorer.plot.scene import Scene, Words

STAMPED = 60_000
"""Up to so many points each is blended where it lies; more are drawn opaque, at a third of a
second for a million."""
_FINE = 4
"""Parts of a pixel in which a point may lie, and by which its edge is smoothed."""


def write_png(scene: Scene, *, scale: int = 2) -> bytes:
    """The scene at `scale` times its size, RGB."""
    from PIL import Image, ImageDraw

    size = (scene.width * scale, scene.height * scale)
    if len(scene.spots) <= STAMPED:
        image = Image.new("RGB", size, "#FFFFFF")
        _stamp(image, scene, scale)
    else:
        image = Image.fromarray(_scatter(scene, size, scale))
    pen = ImageDraw.Draw(image)
    if scene.bar is not None:
        step = scene.bar.height / len(scene.bar.colors)
        for at, color in enumerate(scene.bar.colors):
            foot = scene.bar.y + scene.bar.height - at * step
            pen.rectangle((scene.bar.x * scale, (foot - step) * scale,
                           (scene.bar.x + scene.bar.width) * scale, foot * scale), fill=color)
    for dot in scene.dots:
        pen.ellipse([(dot.x - 5) * scale, (dot.y - 5) * scale, (dot.x + 5) * scale,
                     (dot.y + 5) * scale], fill=dot.color)
    for words in scene.words:
        _write(pen, words, scale)
    held = io.BytesIO()
    image.save(held, "PNG", compress_level=1)
    return held.getvalue()


def _stamp(image: Any, scene: Scene, scale: int) -> None:
    """Every point by a smooth mask at a quarter of a pixel, blended in the order drawn."""
    radius = scene.radius * scale
    masks: dict[tuple[int, int, int], Any] = {}
    spots = np.floor(scene.spots * (scale * _FINE)).astype(np.int64)
    whole, part = np.divmod(spots, _FINE)
    reach = int(np.ceil(radius)) + 1
    for (x, y), (right, down), paint in zip(whole.tolist(), part.tolist(), scene.paints.tolist(),
                                            strict=True):
        faint = int(paint == scene.context)
        mask = masks.get((right, down, faint))
        if mask is None:
            mask = masks[right, down, faint] = _mask(
                radius, reach, (right + 0.5) / _FINE, (down + 0.5) / _FINE,
                scene.opacity_of(paint))
        image.paste(scene.colors[paint], (x - reach, y - reach), mask)


def _mask(radius: float, reach: int, right: float, down: float, opacity: float) -> Any:
    """How far a disc covers each pixel of a square around the one its middle lies in."""
    from PIL import Image

    fine = 8
    at = (np.arange((2 * reach + 1) * fine) + 0.5) / fine - reach
    inside = np.hypot(at[None, :] - right, at[:, None] - down) <= radius
    side = 2 * reach + 1
    share = inside.reshape(side, fine, side, fine).mean(axis=(1, 3))
    return Image.fromarray(np.round(255 * opacity * share).astype(np.uint8))


def _scatter(scene: Scene, size: tuple[int, int], scale: int) -> np.ndarray:
    """Many points: discs of whole pixels on a canvas of twice the size, which is then halved."""
    wide, high = 2 * size[0], 2 * size[1]
    canvas = np.full((high * wide,), len(scene.colors), dtype=np.uint16)
    middles = np.floor(scene.spots * (2 * scale)).astype(np.int64)
    reach = max(1.0, scene.radius * 2 * scale)
    steps = np.arange(-int(reach), int(reach) + 1)
    for down in steps.tolist():
        for right in steps.tolist():
            if np.hypot(down, right) > reach:
                continue
            x, y = middles[:, 0] + right, middles[:, 1] + down
            inside = (x >= 0) & (x < wide) & (y >= 0) & (y < high)
            # Of several in one place numpy keeps the last: the one that lies on top.
            canvas[(y * wide + x)[inside]] = scene.paints[inside]
    table = np.array([[int(color[at:at + 2], 16) for at in (1, 3, 5)]
                      for color in (*scene.colors, "#FFFFFF")], dtype=np.uint8)
    if scene.context >= 0:
        table[scene.context] = 0.6 * 255 + 0.4 * table[scene.context]
    drawn = canvas.reshape(high, wide)
    total = np.zeros((size[1], size[0], 3), dtype=np.uint16)
    for down in (0, 1):
        for right in (0, 1):
            total += table[drawn[down::2, right::2]]
    halved: np.ndarray = ((total + 2) // 4).astype(np.uint8)
    return halved


def _write(pen: Any, words: Words, scale: int) -> None:
    font = _font(words.size * scale)
    anchor = "ms" if words.middle else "ls"
    pen.text((words.x * scale, words.y * scale), words.text, fill=words.color, font=font,
             anchor=anchor, stroke_width=2 * scale if words.middle else 0, stroke_fill="#FFFFFF")


@cache
def _font(size: int) -> Any:
    """The letters of the app's own pages, which lie in the installed Streamlit (Latin, Greek,
    Cyrillic); Pillow's where they are not."""
    from PIL import ImageFont

    package = find_spec("streamlit")
    folder = Path(str(package.origin)).parent / "static" / "static" / "media" if package else None
    for path in sorted(folder.glob("SourceSansVF-Upright*.woff2")) if folder else ():
        try:
            found = ImageFont.truetype(path, size)
            found.set_variation_by_axes([450])
        except OSError:  # FreeType without what opens this form
            break
        return found
    return ImageFont.load_default(size)
