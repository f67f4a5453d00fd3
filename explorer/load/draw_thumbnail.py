"""An image file as a small, upright, 8-bit picture without metadata."""

from __future__ import annotations

import io
import struct
import warnings
import zlib
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from explorer.load.limits import MAX_IMAGE_PIXELS, THUMBNAIL_SIDE

if TYPE_CHECKING:
    from PIL import Image

_FORMATS = ("PNG", "JPEG", "GIF", "BMP", "TIFF", "WEBP", "PPM")
_ENDINGS = {"heic": "HEIC", "heif": "HEIC", "avif": "AVIF", "jxl": "JPEG XL", "svg": "SVG"}
_KEPT_SIDE = 64
_DRAFT_SIDE = 2 * THUMBNAIL_SIDE
_QUALITY = 88
_ORIENTATION_TAG = 0x0112
_TURNS = {2: "FLIP_LEFT_RIGHT", 3: "ROTATE_180", 4: "FLIP_TOP_BOTTOM", 5: "TRANSPOSE",
          6: "ROTATE_270", 7: "TRANSVERSE", 8: "ROTATE_90"}
"""As in the EXIF standard and in Pillow's ImageOps.exif_transpose."""
BROKEN = (OSError, SyntaxError, ValueError, EOFError, TypeError, IndexError, KeyError,
          OverflowError, AttributeError, struct.error, zlib.error, ArithmeticError, AssertionError,
          RuntimeError)
"""What Pillow raises for damaged files, as seen on mutated ones; memory is not among them."""


class UnreadableImage(Exception):
    """Why an image was left out, in a few words a person reads in the report."""


@dataclass(frozen=True)
class Thumbnail:
    """The bytes (PNG, or JPEG for photos) and what had to be done to get them."""

    data: bytes
    range_scaled: bool
    animated: bool


def draw_thumbnail(data: bytes, name: str = "") -> Thumbnail:
    """The picture at most 96 pixels long, small ones at their size; the whole file is decoded, so
    that one cut in half is found. Raises UnreadableImage."""
    from PIL import Image, UnidentifiedImageError

    if not data:
        raise UnreadableImage("NOT_AN_IMAGE: it has 0 bytes")
    kind = _ENDINGS.get(name.rsplit(".", 1)[-1].lower())
    if kind is not None:
        raise UnreadableImage(f"UNSUPPORTED: {kind} is not supported")
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        try:
            with Image.open(io.BytesIO(data), formats=_FORMATS) as image:
                return _draw(image)
        except UnidentifiedImageError:
            raise UnreadableImage("NOT_AN_IMAGE: it is no PNG, JPEG, GIF, BMP, TIFF or "
                                  "WebP") from None
        except Image.DecompressionBombError as error:
            raise UnreadableImage(f"IMAGE_TOO_LARGE: {str(error)[:60]}") from None
        except BROKEN as error:
            raise UnreadableImage(f"DAMAGED_IMAGE: {str(error)[:100]}") from None


def save_picture(image: Image.Image) -> bytes:
    """Small pictures and those with transparency as PNG, photos as JPEG; without metadata."""
    image.info = {}
    small = max(image.size) <= _KEPT_SIDE or image.mode not in ("RGB", "L")
    out = io.BytesIO()
    if small:
        image.save(out, "PNG")
    else:
        image.save(out, "JPEG", quality=_QUALITY)
    return out.getvalue()


def _draw(image: Image.Image) -> Thumbnail:
    from PIL import Image

    if image.width * image.height > MAX_IMAGE_PIXELS:
        raise UnreadableImage(f"IMAGE_TOO_LARGE: {image.width:,} x {image.height:,} pixels, at "
                              f"most {MAX_IMAGE_PIXELS:,}")
    animated = bool(getattr(image, "is_animated", False))
    if image.format == "JPEG":
        image.draft(None, (_DRAFT_SIDE, _DRAFT_SIDE))
    image.load()
    scaled = image.mode.startswith(("I", "F"))
    plain = _eight_bit(image) if scaled else _plain_mode(image)
    turn = _TURNS.get(_orientation(image))
    upright = plain if turn is None else plain.transpose(Image.Transpose[turn])
    if max(upright.size) > THUMBNAIL_SIDE:
        upright.thumbnail((THUMBNAIL_SIDE, THUMBNAIL_SIDE), Image.Resampling.LANCZOS)
    return Thumbnail(save_picture(upright), scaled, animated)


def _orientation(image: Image.Image) -> int:
    try:
        return int(image.getexif().get(_ORIENTATION_TAG, 1))
    except BROKEN:  # broken metadata says nothing about the pixels, which are sound
        return 1


def _plain_mode(image: Image.Image) -> Image.Image:
    if image.mode in ("L", "RGB", "RGBA"):
        return image.copy()
    if image.mode == "1":
        return image.convert("L")
    if image.mode in ("LA", "PA", "La", "RGBa") or "transparency" in image.info:
        return image.convert("RGBA")
    return image.convert("RGB")


def _eight_bit(image: Image.Image) -> Image.Image:
    """16-bit, 32-bit and float pixels with the image's own range spread over 0..255 (Pillow's
    convert would cut everything above 255 off)."""
    from PIL import Image

    pixels = np.asarray(image, dtype=np.float64)
    finite = pixels[np.isfinite(pixels)]
    if not finite.size:
        raise UnreadableImage("DAMAGED_IMAGE: it has no finite pixel")
    low, high = float(finite.min()), float(finite.max())
    if high > low:
        pixels = (np.nan_to_num(pixels, nan=low, posinf=high, neginf=low) - low) / (high - low)
        return Image.fromarray(np.round(pixels * 255).astype(np.uint8))
    return Image.new("L", image.size, 128)

