"""How a network should see the images of a dataset: at which size, in colour or in grey."""

from __future__ import annotations

import io
import warnings
from collections import OrderedDict
from dataclasses import dataclass

import numpy as np

from explorer.dataset import Dataset

SAMPLE = 64
"""So many images, evenly spaced, are looked at: always the same ones of a dataset."""
LARGEST, SMALLEST = 32, 4
_GREY = 8
"""Channels of a grey picture differ by no more (of 255): JPEG rounds."""
_MOST_PIXELS = 50_000_000
_KEPT = 64
_seen: OrderedDict[str, Seen] = OrderedDict()


@dataclass(frozen=True)
class Seen:
    """`side` in pixels, and whether in grey."""

    side: int
    grey: bool


def seen_as(dataset: Dataset) -> Seen:
    """The longest side among the images looked at, between 4 and 32 pixels; grey where none of
    them has a colour. Decided by the stored images alone, so that the keys of results are stable;
    32 pixels in colour where none can be read."""
    found = _seen.get(dataset.id)
    if found is None:
        found = _seen[dataset.id] = _look(dataset)
        while len(_seen) > _KEPT:
            _seen.popitem(last=False)
    return found


def _look(dataset: Dataset) -> Seen:
    longest, grey = 0, True
    for row in np.unique(np.linspace(0, dataset.n - 1, SAMPLE).round().astype(int)).tolist():
        longest = max(longest, _longest_side(dataset.image(row)))
        grey = grey and is_grey(dataset.thumbnail(row))
    if not longest:
        return Seen(LARGEST, grey=False)
    return Seen(min(max(longest, SMALLEST), LARGEST), grey)


def _longest_side(data: bytes) -> int:
    """0 for what is no image; of the header alone, nothing is decoded."""
    from PIL import Image

    try:
        with warnings.catch_warnings(action="ignore"), Image.open(io.BytesIO(data)) as opened:
            return max(opened.size) if opened.width * opened.height <= _MOST_PIXELS else 0
    except (Image.DecompressionBombError, OSError, ValueError, SyntaxError, EOFError, TypeError):
        return 0


def is_grey(thumbnail: bytes) -> bool:
    """Of the small picture kept beside each image, which is always plain 8 bit; an image without
    one (it could not be read) says nothing."""
    from PIL import Image

    if not thumbnail:
        return True
    with Image.open(io.BytesIO(thumbnail)) as opened:
        if opened.mode in ("1", "L", "LA"):
            return True
        plain: Image.Image = opened
        if opened.has_transparency_data:  # seen on white, as the reader sees it
            over = opened.convert("RGBA")
            plain = Image.alpha_composite(Image.new("RGBA", over.size, "white"), over)
        pixels = np.asarray(plain.convert("RGB"), dtype=np.int16)
    return int(np.ptp(pixels, axis=2).max(initial=0)) <= _GREY
