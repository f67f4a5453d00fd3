"""What can be measured of a row without knowing what it means: its light, its length, its gaps.

These are what clusters follow by accident. Pictures are measured on their thumbnails, as grey
levels 0 to 1 (ITU-R BT.601 weights); texts in characters, whatever the language.
"""

from __future__ import annotations

import io
from collections.abc import Iterable, Sequence
from dataclasses import dataclass

import numpy as np


@dataclass(frozen=True)
class Picture:
    """Mean and standard deviation of the grey levels, mean colourfulness (largest minus smallest
    channel), width over height."""

    brightness: float
    contrast: float
    color: float
    aspect: float


def measure_picture(thumbnail: bytes) -> Picture:
    """The measures of one small picture (PNG or JPEG of ours); NaN where there is none."""
    from PIL import Image

    if not thumbnail:
        return Picture(np.nan, np.nan, np.nan, np.nan)
    opened = Image.open(io.BytesIO(thumbnail)).convert("RGB")
    pixels = np.asarray(opened, dtype=np.float32) / 255
    grey = pixels @ np.array([0.299, 0.587, 0.114], dtype=np.float32)
    spread = pixels.max(axis=2) - pixels.min(axis=2)
    return Picture(float(grey.mean()), float(grey.std()), float(spread.mean()),
                   opened.width / opened.height)


def kind_of_file(content: bytes) -> str:
    """The format of an image file by its first bytes; '' where it is none of the usual ones."""
    for start, name in ((b"\x89PNG", "PNG"), (b"\xff\xd8\xff", "JPEG"), (b"GIF8", "GIF"),
                        (b"BM", "BMP"), (b"II*\x00", "TIFF"), (b"MM\x00*", "TIFF")):
        if content.startswith(start):
            return name
    return "WebP" if content[:4] == b"RIFF" and content[8:12] == b"WEBP" else ""


@dataclass(frozen=True)
class Letters:
    """n float64 each: `length` in characters (0 is a value), and of the characters the shares of
    `digits`, of `capitals`, of what is outside ASCII (`foreign`); shares are NaN without any."""

    length: np.ndarray
    digits: np.ndarray
    capitals: np.ndarray
    foreign: np.ndarray


def measure_texts(texts: Sequence[str]) -> Letters:
    """The measures of n texts."""
    length = np.array([len(text) for text in texts], dtype=np.float64)

    def share(counts: Iterable[int]) -> np.ndarray:
        found = np.fromiter(counts, dtype=np.float64, count=len(texts))
        return np.divide(found, length, out=np.full(len(texts), np.nan), where=length > 0)
    return Letters(length, share(sum(map(str.isdigit, text)) for text in texts),
                   share(sum(map(str.isupper, text)) for text in texts),
                   share(len(text) - len(text.encode("ascii", "ignore")) for text in texts))
