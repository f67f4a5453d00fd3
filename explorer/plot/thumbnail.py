"""A map in the size of a stamp: every point, in the colours of the clusters."""

from __future__ import annotations

import io

import numpy as np

from explorer.plot.palette import NOISE_COLOR, cluster_color
from explorer.values import NOISE

_MARGIN = 4


def draw_thumbnail(points: np.ndarray, labels: np.ndarray | None, *, width: int = 168,
                   height: int = 112, radius: float = 1.3) -> bytes:
    """A PNG of n x 2 points (of n x 3 the first two axes) on a clear ground; a unit is as long on
    both axes. Points without a cluster are grey and lie below."""
    from PIL import Image

    flat = np.asarray(points, dtype=np.float64)[:, :2]
    image = np.zeros((height, width, 4), dtype=np.uint8)
    if len(flat):
        low, high = flat.min(axis=0), flat.max(axis=0)
        room = np.array([width, height]) - 2 * _MARGIN - 1
        scale = float(np.min(room / np.maximum(high - low, 1e-12)))
        spots = (flat - (low + high) / 2) * scale * [1, -1] + np.array([width, height]) / 2
        codes = np.full(len(flat), NOISE) if labels is None else np.asarray(labels)
        order = np.argsort(codes != NOISE, kind="stable")
        reach = int(np.ceil(radius))
        for down in range(-reach, reach + 1):
            for right in range(-reach, reach + 1):
                if down * down + right * right <= radius * radius:
                    _put(image, spots[order] + [right, down], codes[order])
    held = io.BytesIO()
    Image.fromarray(image).save(held, "PNG")
    return held.getvalue()


def _put(image: np.ndarray, spots: np.ndarray, codes: np.ndarray) -> None:
    x, y = np.clip(np.round(spots).astype(np.int64), 0,
                   [image.shape[1] - 1, image.shape[0] - 1]).T
    found, at = np.unique(codes, return_inverse=True)
    colors = [NOISE_COLOR if code < 0 else cluster_color(int(code)) for code in found]
    palette = np.array([[*bytes.fromhex(color[1:]), 255] for color in colors], dtype=np.uint8)
    image[y, x] = palette[at]
