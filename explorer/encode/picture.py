"""One image file as an upright square of numbers."""

from __future__ import annotations

import io
import struct
import warnings
import zlib
from collections.abc import Callable
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, TypeVar

import numpy as np

if TYPE_CHECKING:
    from PIL.Image import Image

_MOST_PIXELS = 50_000_000
_DEEP = ("I;16", "I;16B", "I;16L", "I;16N", "I", "F")


T = TypeVar("T")


class Unreadable(Exception):
    """This file is not an image that can be read; the message says why."""


@dataclass(frozen=True)
class Square:
    """`pixels` float32, side x side or side x side x 3, 0..1; `stretched` when the file's own
    range of numbers was unknown and its smallest and largest value became 0 and 1."""

    pixels: np.ndarray
    stretched: bool = False


@dataclass(frozen=True)
class Picture:
    """`image` RGB, 8 bit, upright, at its own size; `stretched` as of a `Square`."""

    image: Image
    stretched: bool = False


def read_square(data: bytes, side: int, colour: bool) -> Square:
    """Decode, turn upright (EXIF), put alpha on white, stretch to side x side, scale to 0..1.

    16-bit greys keep their depth (0..65535 becomes 0..1). Of several frames the first is taken.
    Raises Unreadable.
    """
    return _read(data, lambda image: (_deep(image, side, colour) if image.mode in _DEEP
                                      else _plain(image, side, colour)))


def read_picture(data: bytes) -> Picture:
    """Decode, turn upright (EXIF), put alpha on white; greys of more than 8 bits are scaled to 8.
    Of several frames the first is taken. Raises Unreadable."""
    return _read(data, _whole)


def _read(data: bytes, use: Callable[[Image], T]) -> T:
    """What `use` makes of the decoded, upright image."""
    from PIL import Image, ImageOps, UnidentifiedImageError

    if not data:
        raise Unreadable("no image")
    try:
        with warnings.catch_warnings(action="ignore"), Image.open(io.BytesIO(data)) as opened:
            if opened.width * opened.height > _MOST_PIXELS:
                raise Unreadable(f"larger than {_MOST_PIXELS // 10**6} megapixels")
            opened.load()
            image = ImageOps.exif_transpose(opened)
        return use(image)
    except Image.DecompressionBombError as error:
        raise Unreadable(f"larger than {_MOST_PIXELS // 10**6} megapixels") from error
    except UnidentifiedImageError as error:
        raise Unreadable("not an image") from error
    except (OSError, ValueError, SyntaxError, EOFError, IndexError, TypeError, KeyError,
            OverflowError, MemoryError, struct.error, zlib.error) as error:
        raise Unreadable("damaged") from error


def _whole(image: Image) -> Picture:
    from PIL import Image as images

    if image.mode not in _DEEP:
        return Picture(_on_white(image).convert("RGB"))
    values, stretched = _greys(image)
    return Picture(images.fromarray(np.round(values * 255).astype(np.uint8)).convert("RGB"),
                   stretched)


def _on_white(image: Image) -> Image:
    from PIL import Image as images

    if not image.has_transparency_data:
        return image
    over = image.convert("RGBA")
    return images.alpha_composite(images.new("RGBA", over.size, "white"), over)


def _plain(image: Image, side: int, colour: bool) -> Square:
    flat = _on_white(image).convert("RGB" if colour else "L")
    pixels = np.asarray(_resize(flat, side), dtype=np.float32) / np.float32(255)
    return Square(pixels)


def _deep(image: Image, side: int, colour: bool) -> Square:
    from PIL import Image as images

    values, stretched = _greys(image)
    small = _resize(images.fromarray(values.astype(np.float32)), side)
    pixels = np.asarray(small, dtype=np.float32)
    return Square(np.repeat(pixels[:, :, None], 3, axis=2) if colour else pixels, stretched)


def _greys(image: Image) -> tuple[np.ndarray, bool]:
    """Greys of more than 8 bits as float64, 0..1 (Pillow's own conversion to 8 bits cuts at 255);
    and whether their range was unknown."""
    values = np.asarray(image).astype(np.float64)
    if not np.isfinite(values).all():
        raise Unreadable("values that are not numbers")
    low, high = float(values.min()), float(values.max())
    # Floats are 0..1 by custom, whole numbers 16 bit; anything else says nothing of its range.
    top = 1.0 if image.mode == "F" else 65535.0
    stretched = low < 0 or high > top
    if stretched:
        values = (values - low) / (high - low) if high > low else np.zeros_like(values)
    else:
        values = values / top
    return values, stretched


def _resize(image: Any, side: int) -> Any:
    """Bilinear over the whole area each new pixel covers (Pillow's own antialiasing)."""
    from PIL import Image

    if image.size == (side, side):
        return image
    return image.resize((side, side), Image.Resampling.BILINEAR)
