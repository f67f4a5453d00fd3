"""One small picture large enough to see its pixels."""

from __future__ import annotations

import io

import numpy as np

_SIDE = 192
_FRAME = 128


def draw_picture(pixels: np.ndarray, side: int = _SIDE) -> bytes:
    """A PNG of channels x height x width floats from 0 to 1 (channels 1 or 3; beyond is cut off),
    every pixel a square of whole pixels, about `side` wide, in a thin grey frame: white and black
    pictures have an edge on every page."""
    from PIL import Image

    shown = np.round(np.asarray(pixels, dtype=np.float32).clip(0.0, 1.0) * 255).astype(np.uint8)
    times = max(1, side // max(shown.shape[1:]))
    shown = shown.transpose(1, 2, 0).repeat(times, axis=0).repeat(times, axis=1)
    shown = np.pad(shown, ((1, 1), (1, 1), (0, 0)), constant_values=_FRAME)
    held = io.BytesIO()
    Image.fromarray(shown[:, :, 0] if shown.shape[2] == 1 else shown).save(held, "PNG")
    return held.getvalue()
