"""Thumbnails as addresses of their own: no file on the server that anybody could ask for, and none
to be made, hashed and fetched again at every rerun."""

from __future__ import annotations

import base64
import io

from explorer.dataset import Dataset
from explorer.ui.kept import Kept

_NONE = "data:image/gif;base64,R0lGODlhAQABAIAAAAAAAP///yH5BAEAAAAALAAAAAABAAEAAAIBRAA7"
"""A clear dot."""
_pictures: Kept[str] = Kept(40_000_000, len)


def picture(data: Dataset, row: int, side: int) -> str:
    """The row's thumbnail, at most `side` pixels wide, as a data URL; a clear dot where it has
    none."""
    return _pictures.get((data.id, row, side), lambda: _draw(data.thumbnail(row), side))


def data_url(content: bytes, kind: str) -> str:
    """`content` of a MIME type as an address that holds it."""
    return f"data:{kind};base64,{base64.b64encode(content).decode()}"


def _draw(content: bytes, side: int) -> str:
    from PIL import Image

    if not content:
        return _NONE
    with Image.open(io.BytesIO(content)) as image:
        if image.width <= side:
            return data_url(content, Image.MIME[str(image.format)])
        image.draft("RGB", (side, side))
        small = image.resize((side, max(1, image.height * side // image.width)))
        buffer = io.BytesIO()
        small.save(buffer, str(image.format), quality=90)
        return data_url(buffer.getvalue(), Image.MIME[str(image.format)])
