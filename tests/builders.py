"""A small data set in a real store, for any room's tests: columns, vectors and images by hand."""

from __future__ import annotations

import hashlib
import io
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any, cast

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq

from explorer.dataset import Column, Dataset, Issue, Role, Source, dataset_meta, open_dataset
from explorer.store import Store


def build_dataset(store: Store, columns: Mapping[str, Sequence[Any]],
                  roles: Mapping[str, str] | None = None,
                  matrices: Mapping[str, np.ndarray] | None = None,
                  images: Sequence[bytes] | None = None, *, name: str = "sample",
                  decimal: str = ".", issues: tuple[Issue, ...] = ()) -> Dataset:
    """A data set as the readers would have written it.

    `columns`: name -> n values (None is missing; numbers stay numbers, text stays text).
    `matrices`: name -> n x d array, kept in its dtype. `images`: n files as bytes (b"" has no
    thumbnail), as the column 'image'. Roles not given: 'number' for columns of numbers, 'text'
    otherwise, 'vector' for matrices, 'image' for images.
    """
    roles, matrices = dict(roles or {}), dict(matrices or {})
    lengths = {len(values) for values in [*columns.values(), *matrices.values()]}
    lengths |= {len(images)} if images is not None else set()
    assert len(lengths) == 1, f"all columns must have one length, got {sorted(lengths)}"
    described = [_table_column(key, list(values), roles.get(key), decimal)
                 for key, values in columns.items()]
    described += [Column(name=key, original=key, role=cast(Role, roles.get(key, "vector")),
                         place="matrix", dimensions=array.shape[1])
                  for key, array in matrices.items()]
    if images is not None:
        described.append(Column(name="image", original="image", place="images",
                                role=cast(Role, roles.get("image", "image"))))
    folder = store.new_folder()
    if columns:
        table = pa.table({key: pa.array(list(values)) for key, values in columns.items()})
        pq.write_table(table, folder / "rows.parquet", write_page_checksum=True)
    for index, array in enumerate(matrices.values()):
        np.save(folder / f"matrix-{index}.npy", array, allow_pickle=False)
    if images is not None:
        _write_blobs(folder, "images", images)
        _write_blobs(folder, "thumbs", [_thumbnail(data) for data in images])
    meta = dataset_meta(name, lengths.pop(), tuple(described),
                        (Source(f"{name}.csv", 0, "0" * 64),), issues, {})
    key = _content_key(folder, meta)
    store.adopt(key, folder, meta)
    return open_dataset(store, key)


def png(pixels: np.ndarray, **options: Any) -> bytes:
    """A PNG of an h x w (grey, uint8 or uint16), h x w x 3 or h x w x 4 array."""
    from PIL import Image

    file = io.BytesIO()
    Image.fromarray(pixels).save(file, format="PNG", **options)
    return file.getvalue()


def _table_column(name: str, values: list[Any], role: str | None, decimal: str) -> Column:
    present = [value for value in values if value is not None]
    numeric = bool(present) and all(isinstance(value, (int, float)) for value in present)
    found = role or ("number" if numeric else "text")
    return Column(name=name, original=name, role=cast(Role, found), decimal=decimal,
                  missing=len(values) - len(present), distinct=len(set(map(repr, present))))


def _write_blobs(folder: Path, name: str, blobs: Sequence[bytes]) -> None:
    offsets = np.cumsum([0, *map(len, blobs)], dtype=np.int64)
    (folder / f"{name}.bin").write_bytes(b"".join(blobs))
    np.save(folder / f"{name}.npy", offsets, allow_pickle=False)


def _thumbnail(data: bytes) -> bytes:
    from PIL import Image, UnidentifiedImageError

    try:
        with Image.open(io.BytesIO(data)) as image:
            small = image.convert("RGB")
    except (UnidentifiedImageError, OSError):
        return b""
    small.thumbnail((64, 64))
    return png(np.asarray(small))


def _content_key(folder: Path, meta: Mapping[str, Any]) -> str:
    """Like the reader: the same content has the same id."""
    digest = hashlib.blake2b(repr(sorted(meta.items())).encode(), digest_size=16)
    for path in sorted(folder.iterdir()):
        digest.update(path.read_bytes())
    return digest.hexdigest()
