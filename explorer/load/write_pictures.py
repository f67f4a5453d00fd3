"""The image store: files one after the other, with their offsets."""

from __future__ import annotations

import hashlib
import os
from contextlib import ExitStack
from pathlib import Path
from types import TracebackType
from typing import Self

import numpy as np

from explorer.load.content import Pictures


class PictureWriter:
    """Appends images and thumbnails to images.bin and thumbs.bin of a folder."""

    def __init__(self, folder: Path) -> None:
        self._files = ExitStack()  # closed by __exit__, whose with-statement is the caller's
        self._images = self._files.enter_context(open(folder / "images.bin", "wb"))  # noqa: SIM115
        self._thumbs = self._files.enter_context(open(folder / "thumbs.bin", "wb"))  # noqa: SIM115
        self._image_ends = [0]
        self._thumb_ends = [0]
        self._seen: set[bytes] = set()

    def __enter__(self) -> Self:
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None,
                 trace: TracebackType | None) -> None:
        self._files.close()

    def __len__(self) -> int:
        return len(self._image_ends) - 1

    def add(self, image: bytes, thumbnail: bytes) -> None:
        """The next row's image, byte for byte, and its small picture."""
        self._images.write(image)
        self._thumbs.write(thumbnail)
        self._image_ends.append(self._image_ends[-1] + len(image))
        self._thumb_ends.append(self._thumb_ends[-1] + len(thumbnail))
        self._seen.add(hashlib.blake2b(image, digest_size=16).digest())

    def finish(self) -> Pictures:
        """Where each image lies. Call after the last `add`."""
        return Pictures(np.array(self._image_ends, dtype=np.int64),
                        np.array(self._thumb_ends, dtype=np.int64), len(self._seen))


def reorder(folder: Path, pictures: Pictures, rows: np.ndarray) -> Pictures:
    """The files rewritten so that row i holds what row `rows[i]` held."""
    return Pictures(_rewrite(folder / "images.bin", pictures.images, rows),
                    _rewrite(folder / "thumbs.bin", pictures.thumbs, rows), pictures.distinct)


def _rewrite(path: Path, offsets: np.ndarray, rows: np.ndarray) -> np.ndarray:
    ends = [0]
    part = path.with_suffix(".part")
    with open(path, "rb") as source, open(part, "wb") as target:
        for row in rows:
            source.seek(int(offsets[row]))
            target.write(source.read(int(offsets[row + 1] - offsets[row])))
            ends.append(target.tell())
    os.replace(part, path)
    return np.array(ends, dtype=np.int64)
