"""Pictures above, and below each what a network made of it."""

from __future__ import annotations

import io

import numpy as np

_TILE = 96
"""Pixels across of one picture: a whole multiple of its own, so that its pixels stay square."""
_GAP = 6


def draw_rebuilt(original: np.ndarray, made: np.ndarray) -> bytes:
    """A PNG of two lines of m pictures on a clear ground: m x channels x height x width each,
    float from 0 to 1, channels 1 (grey) or 3."""
    from PIL import Image

    lines = [_line(np.asarray(pictures)) for pictures in (original, made)]
    gap = np.zeros((_GAP, *lines[0].shape[1:]), dtype=np.uint8)
    held = io.BytesIO()
    Image.fromarray(np.concatenate([lines[0], gap, lines[1]])).save(held, "PNG", compress_level=3)
    return held.getvalue()


def _line(pictures: np.ndarray) -> np.ndarray:
    """Height x width x 4 uint8."""
    shown = np.round(pictures.clip(0.0, 1.0) * 255).astype(np.uint8).transpose(0, 2, 3, 1)
    if shown.shape[3] == 1:
        shown = shown.repeat(3, axis=3)
    times = max(1, _TILE // max(shown.shape[1:3]))
    shown = shown.repeat(times, axis=1).repeat(times, axis=2)
    full = np.concatenate([shown, np.full((*shown.shape[:3], 1), 255, dtype=np.uint8)], axis=3)
    gap = np.zeros((full.shape[1], _GAP, 4), dtype=np.uint8)
    pieces = [piece for picture in full for piece in (picture, gap)][:-1]
    return np.concatenate(pieces, axis=1)
