"""Reads files by the reader's own code in this process; tests of the process itself start one."""

from __future__ import annotations

import shutil
from collections.abc import Callable
from pathlib import Path

import pytest

from explorer.dataset import Dataset, open_dataset
from explorer.load import ReadOptions, Upload
from explorer.load.child import read
from explorer.load.read_files import adopt
from explorer.spec import silent
from explorer.store import Store

Load = Callable[..., Dataset]


@pytest.fixture
def upload(tmp_path: Path) -> Callable[[str, bytes], Upload]:
    """A file on disk under a neutral name, known by the name given."""
    (tmp_path / "uploads").mkdir()
    count = iter(range(1000))

    def write(name: str, data: bytes) -> Upload:
        path = tmp_path / "uploads" / str(next(count))
        path.write_bytes(data)
        return Upload(name, path)

    return write


@pytest.fixture
def load(store: Store, upload: Callable[[str, bytes], Upload]) -> Load:
    def read_all(files: dict[str, bytes | str], **options: object) -> Dataset:
        uploads = [upload(name, data.encode() if isinstance(data, str) else data)
                   for name, data in files.items()]
        folder = store.new_folder()
        try:
            meta = read(uploads, ReadOptions(**options), folder, silent)
            return open_dataset(store, adopt(store, folder, meta))
        finally:
            shutil.rmtree(folder, ignore_errors=True)

    return read_all
