"""The images of a dataset through a network: each different one once, batch by batch."""

from __future__ import annotations

import hashlib
import os
from collections.abc import Sequence
from concurrent.futures import Future, ThreadPoolExecutor
from dataclasses import dataclass, field

import numpy as np

from explorer.dataset import Dataset
from explorer.encode.image_kinds import Pooling
from explorer.encode.image_network import ImageNetwork
from explorer.encode.image_prepare import prepare
from explorer.encode.picture import Unreadable, read_picture
from explorer.encode.unfinished import unfinished
from explorer.encode.unit import counted
from explorer.errors import DataError
from explorer.spec import Progress
from explorer.train.memory import is_no_memory
from explorer.train.threads import all_threads

BATCH = 32
_BATCH_ON_CARD = 128
_MOST_READERS = 4
_REPORT_EVERY = 512


@dataclass(frozen=True)
class Different:
    """`first` (m int64): a row for each different image, in the order of the images' checksums, so
    that the batches do not depend on the order of the rows; `places` (n int64): which of them a row
    shows."""

    first: np.ndarray
    places: np.ndarray


@dataclass(frozen=True)
class EncodedImages:
    """m x d float32 `vectors` of the different images (NaN where unreadable); `unread`: why, for
    the places of those; `stretched`: places of images whose numbers had an unknown range."""

    vectors: np.ndarray
    unread: dict[int, str]
    stretched: frozenset[int]
    notes: tuple[str, ...]


@dataclass(frozen=True)
class _Read:
    """An image as the network takes it (None: `why` not)."""

    pixels: np.ndarray | None
    stretched: bool = False
    why: str = ""


def different_images(dataset: Dataset, progress: Progress) -> Different:
    """Which rows show the same file, byte for byte."""
    known: dict[bytes, int] = {}
    digests = []
    for row in range(dataset.n):
        if row % _REPORT_EVERY == 0:
            progress(row / dataset.n, f"{row:,} of {counted(dataset.n, 'image')} compared")
        digest = hashlib.blake2b(dataset.image(row), digest_size=16).digest()
        known.setdefault(digest, row)
        digests.append(digest)
    order = {digest: place for place, digest in enumerate(sorted(known))}
    first = np.array([known[digest] for digest in order], dtype=np.int64)
    return Different(first, np.array([order[digest] for digest in digests], dtype=np.int64))


def encode_images(network: ImageNetwork, pooling: Pooling, dataset: Dataset, different: Different,
                  progress: Progress) -> EncodedImages:
    """Every different image as the network's vector. While one batch is computed the next is read;
    where memory does not suffice for a batch it is halved, which is noted. Batches that an earlier
    attempt finished are taken up (see `unfinished`). Raises DataError NO_IMAGES, NO_MEMORY."""
    batches = _Batches(network, pooling)
    m, size = len(different.first), batches.size
    kept = unfinished("images", str(size), network.device)
    blocks = list(kept.taken())
    begin = sum(map(len, blocks))

    def read(place: int) -> _Read:
        return _read(dataset.image(int(different.first[place])), network)

    why = {place: read(place).why for place in _places_without(blocks)}
    readers = min(int(os.environ.get("EXPLORER_THREADS", "1")), _MOST_READERS)
    with all_threads(), ThreadPoolExecutor(readers) as pool:
        def ask(start: int) -> list[Future[_Read]]:
            return [pool.submit(read, place) for place in range(start, min(start + size, m))]

        coming = ask(begin)
        for start in range(begin, m, size):
            progress(start / m, f"{start:,} of {counted(m, 'different image')} encoded")
            given, coming = [future.result() for future in coming], ask(start + size)
            why |= {start + at: one.why for at, one in enumerate(given) if one.pixels is None}
            blocks.append(batches.block(given))
            kept.add(blocks[-1])
    progress(1.0, f"{counted(m, 'different image')} encoded")
    width = max((block.shape[1] - 1 for block in blocks), default=0)
    if not width:
        raise DataError("NO_IMAGES", "At least one image must be readable, got "
                                     f"{counted(m, 'different file')} without "
                                     f"({', '.join(sorted(set(why.values())))}).",
                        hint="Import a zip of images, or choose another encoder.")
    whole = np.full((m, width + 1), np.nan, dtype=np.float32)
    start = 0
    for block in blocks:
        if block.shape[1] > 1:
            whole[start:start + len(block)] = block
        start += len(block)
    return EncodedImages(whole[:, 1:], why, frozenset(np.flatnonzero(whole[:, 0] == 1).tolist()),
                         tuple(batches.notes))


def encode_one(network: ImageNetwork, pooling: Pooling, data: bytes) -> np.ndarray:
    """d float32 of one image file. Raises DataError BAD_IMAGE with the reason in words."""
    read = _read(data, network)
    if read.pixels is None:
        raise DataError("BAD_IMAGE", f"The image must be readable, got one that is not "
                                     f"({read.why}).", hint="Take a PNG or JPEG file.")
    with all_threads():
        found: np.ndarray = _Batches(network, pooling).vectors([read.pixels])[0]
    return found


def _places_without(blocks: Sequence[np.ndarray]) -> list[int]:
    """The places whose images could not be read, see `_Batches.block`."""
    firsts = [block[:, 0] for block in blocks]
    return np.flatnonzero(np.isnan(np.concatenate(firsts))).tolist() if firsts else []


def _read(data: bytes, network: ImageNetwork) -> _Read:
    try:
        picture = read_picture(data)
    except Unreadable as error:
        return _Read(None, why=str(error))
    return _Read(prepare(picture.image, network.preparation), picture.stretched)


@dataclass
class _Batches:
    """Runs batches; remembers how many images fitted into memory."""

    network: ImageNetwork
    pooling: Pooling
    most: int = 0
    notes: list[str] = field(default_factory=list)

    @property
    def size(self) -> int:
        return BATCH if self.network.device == "cpu" else _BATCH_ON_CARD

    def block(self, given: Sequence[_Read]) -> np.ndarray:
        """B x (1 + d) float32: whether the image was stretched (1 or 0), and its vector; NaN for an
        image that cannot be read. B x 1 where none can be."""
        good = [at for at, one in enumerate(given) if one.pixels is not None]
        if not good:
            return np.full((len(given), 1), np.nan, dtype=np.float32)
        made = self.vectors([given[at].pixels for at in good])
        found = np.full((len(given), 1 + made.shape[1]), np.nan, dtype=np.float32)
        found[good, 0] = [given[at].stretched for at in good]
        found[good, 1:] = made
        return found

    def vectors(self, images: Sequence[np.ndarray | None]) -> np.ndarray:
        """B x d float32 of the prepared images. Raises DataError NO_MEMORY for one too many."""
        import torch

        most = self.most or self.size
        if len(images) > most:
            return np.concatenate([self.vectors(images[start:start + most])
                                   for start in range(0, len(images), most)])
        try:
            return self.network.vectors(np.stack([image for image in images
                                                  if image is not None]), self.pooling)
        except (MemoryError, RuntimeError) as error:
            if not is_no_memory(error):
                raise
            if len(images) == 1:
                raise DataError("NO_MEMORY", "There must be memory for one image, got less.",
                                hint="Choose a smaller model.") from error
        if self.network.device == "cuda":
            torch.cuda.empty_cache()
        self.most = len(images) // 2
        self.notes.append("Memory did not suffice for a batch of images: it was halved to "
                          f"{self.most:,}.")
        return self.vectors(images)
