"""An image as a model wants it: size, middle, scale, as the model's preprocessor_config.json says.

Transformers reads that file and fills in what it leaves open; the arithmetic is done here, on
Pillow and numpy alone, number for number as transformers' own Pillow processors do it
(`transformers.image_processing_backends.PilBackend`), but without ever making the parts of a long
image that the crop throws away.
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np

from explorer.errors import DataError, Where

if TYPE_CHECKING:
    from PIL.Image import Image

_LARGEST = 2_048
_LONG = 16
"""A scaled image more than so many times as large as what is cut out of it is never made whole."""
_WARPED = 384
"""ConvNeXt images of this side and more are stretched, smaller ones cut."""


@dataclass(frozen=True)
class Preparation:
    """`edge`: the shorter side is scaled to it and the shape kept; else the image is stretched to
    `stretch` (height, width), or left as it is where both are None. Then the middle of `crop`
    (height, width) is cut out, black around it where the image is smaller. Values 0 to 255 are
    multiplied by `scale`, less `mean`, over `spread` (one for each of the three channels).
    `resample` is Pillow's number of the filter."""

    edge: int | None
    stretch: tuple[int, int] | None
    crop: tuple[int, int] | None
    resample: int
    scale: float | None
    mean: tuple[float, ...] | None
    spread: tuple[float, ...] | None

    @property
    def size(self) -> tuple[int, int]:
        """Height and width of what comes out."""
        found = self.crop or self.stretch
        assert found is not None  # `preparation_of` refuses others
        return found


def preparation_of(processor: Any, name: str) -> Preparation:
    """What an image processor of transformers does to an image.

    Raises DataError UNSUPPORTED_MODEL where it does something else than scaling, cutting and
    shifting, or where images keep different sizes; MODEL_DAMAGED for numbers that make no sense.
    """
    from transformers.image_processing_backends import PilBackend
    from transformers.models.convnext.image_processing_pil_convnext import (
        ConvNextImageProcessorPil,
    )

    kind: Any = type(processor)
    size, simple = processor.size, isinstance(processor, PilBackend)
    crop = _pair(processor.crop_size, name) if processor.do_center_crop else None
    edge, stretch = None, None
    if isinstance(processor, ConvNextImageProcessorPil) and crop is None:
        side = _whole(size.shortest_edge, name)
        if side < _WARPED:
            edge, crop = _whole(int(side / _finite(processor.crop_pct, name)), name), (side, side)
        else:
            stretch = (side, side)
    elif not (simple and kind.resize is PilBackend.resize
              and kind._preprocess is PilBackend._preprocess) or processor.do_pad:
        raise _unsupported(name, f"{kind.__name__.removesuffix('Pil')}, which does more than that")
    elif size.shortest_edge and not size.longest_edge:
        edge = _whole(size.shortest_edge, name)
    elif size.height and size.width:
        stretch = _pair(size, name)
    else:
        raise _unsupported(name, f"the size {str(size)[:80]}")
    if not processor.do_resize:
        edge, stretch = None, None
    if crop is None and stretch is None:
        raise _unsupported(name, "one that leaves images at different sizes")
    normal = bool(processor.do_normalize)
    return Preparation(
        edge, stretch, crop, _filter(processor.resample, name),
        _finite(processor.rescale_factor, name) if processor.do_rescale else None,
        _channels(processor.image_mean, name) if normal else None,
        _channels(processor.image_std, name, least=1e-12) if normal else None)


def prepare(image: Image, how: Preparation) -> np.ndarray:
    """3 x height x width float32 of an RGB image."""
    pixels = np.moveaxis(_cut(image, how), -1, 0)
    if how.scale is not None:
        pixels = (pixels.astype(np.float64) * how.scale).astype(np.float32)
    pixels = pixels.astype(np.float32, copy=False)
    if how.mean is not None and how.spread is not None:
        pixels = pixels - np.array(how.mean, dtype=np.float32)[:, None, None]
        pixels /= np.array(how.spread, dtype=np.float32)[:, None, None]
    return np.ascontiguousarray(pixels)


def _cut(image: Image, how: Preparation) -> np.ndarray:
    """Height x width x 3 uint8: the image scaled and its middle cut out."""
    width, height = image.size
    if how.edge is not None:
        longer = int(how.edge * max(width, height) / min(width, height))
        height, width = (longer, how.edge) if width <= height else (how.edge, longer)
    elif how.stretch is not None:
        height, width = how.stretch
    if how.crop is None:
        return np.asarray(_scaled(image, width, height, how))
    top, left = (height - how.crop[0]) // 2, (width - how.crop[1]) // 2
    if top >= 0 and left >= 0 and height * width > _LONG * math.prod(how.crop):
        # The middle alone: a line of 1 x 20,000 pixels would become one of 3 GB.
        right, bottom = left + how.crop[1], top + how.crop[0]
        across, down = image.width / width, image.height / height
        box = (left * across, top * down, min(right * across, image.width),
               min(bottom * down, image.height))
        return np.asarray(_scaled(image, how.crop[1], how.crop[0], how, box))
    return _middle(np.asarray(_scaled(image, width, height, how)), how.crop)


def _scaled(image: Image, width: int, height: int, how: Preparation,
            box: tuple[float, float, float, float] | None = None) -> Image:
    if image.size == (width, height) and box is None:
        return image
    from PIL import Image as images

    return image.resize((width, height), images.Resampling(how.resample), box=box)


def _middle(pixels: np.ndarray, crop: tuple[int, int]) -> np.ndarray:
    """The middle of an image, black where it is too small; the halves are rounded as
    `transformers.image_transforms.center_crop` rounds them."""
    height, width = pixels.shape[:2]
    top, left = (height - crop[0]) // 2, (width - crop[1]) // 2
    if top >= 0 and left >= 0:
        return pixels[top:top + crop[0], left:left + crop[1]]
    around = np.zeros((max(crop[0], height), max(crop[1], width), 3), dtype=pixels.dtype)
    down, across = -(-(len(around) - height) // 2), -(-(around.shape[1] - width) // 2)
    around[down:down + height, across:across + width] = pixels
    top, left = top + down, left + across
    return around[max(0, top):top + crop[0], max(0, left):left + crop[1]]


def _pair(size: Any, name: str) -> tuple[int, int]:
    return _whole(size.height, name), _whole(size.width, name)


def _whole(value: Any, name: str) -> int:
    if not isinstance(value, int) or not 1 <= value <= _LARGEST:
        raise _damaged(name, f"sizes from 1 to {_LARGEST:,} pixels", value)
    return value


def _filter(value: Any, name: str) -> int:
    from PIL import Image

    known = {int(one) for one in Image.Resampling}
    if not isinstance(value, int) or value not in known:
        raise _damaged(name, f"a filter among Pillow's {sorted(known)}", value)
    return int(value)


def _finite(value: Any, name: str, least: float = 0.0) -> float:
    if not isinstance(value, (int, float)) or not math.isfinite(value) or value < least:
        raise _damaged(name, "finite numbers to scale by", value)
    return float(value)


def _channels(values: Any, name: str, least: float = -math.inf) -> tuple[float, ...]:
    listed = tuple(values) if isinstance(values, (list, tuple)) else (values,) * 3
    if len(listed) != 3:
        raise _unsupported(name, f"one for {len(listed)} channels instead of red, green and blue")
    return tuple(_finite(value, name, least) for value in listed)


def _unsupported(name: str, given: str) -> DataError:
    return DataError("UNSUPPORTED_MODEL", "The image processor of a model must scale, cut and "
                                          f"shift every image to one size, got {given}.",
                     Where(file=name, entry="preprocessor_config.json", parameter="model"),
                     "Choose another model.")


def _damaged(name: str, allowed: str, given: Any) -> DataError:
    return DataError("MODEL_DAMAGED", f"The image processor of a model must have {allowed}, got "
                                      f"{str(given)[:40]!r}.",
                     Where(file=name, entry="preprocessor_config.json", parameter="model"),
                     "Copy the model again or choose another one.")
