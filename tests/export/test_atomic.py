"""Nothing half written is left, whatever goes wrong."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import numpy as np
import pyarrow as pa
import pytest

from explorer.errors import Cancelled, StoreError
from explorer.export.atomic import writing
from explorer.export.rows import (
    Export,
    bundle,
    write_csv,
    write_images_zip,
    write_jsonl,
    write_parquet,
)
from explorer.store import Store
from tests.builders import build_dataset, png

WRITERS = [write_csv, write_jsonl, write_parquet, write_images_zip]
FULL = """
import resource, signal, sys
from pathlib import Path
import numpy as np, pyarrow as pa
from explorer.dataset import open_dataset
from explorer.errors import StoreError
from explorer.export import rows
from explorer.store import Store
home, key, name, target = sys.argv[1:]
dataset = open_dataset(Store(home), key)
signal.signal(signal.SIGXFSZ, signal.SIG_IGN)
resource.setrlimit(resource.RLIMIT_FSIZE, (4096, 4096))
try:
    getattr(rows, name)(rows.Export(dataset, np.arange(dataset.n), pa.table({}), {}), Path(target))
except StoreError as error:
    sys.exit(7 if error.code == "DISK" else 1)
"""


def export_of(store: Store) -> Export:
    n = 40
    noise = np.random.default_rng(0)
    dataset = build_dataset(store, {"t": [noise.bytes(400).hex() for _ in range(n)]},
                            images=[png(noise.integers(0, 255, (16, 16, 3)).astype(np.uint8))
                                    for _ in range(n)])
    return Export(dataset, np.arange(n), pa.table({}), {})


@pytest.mark.parametrize("write", WRITERS)
def test_a_cancel_leaves_no_file(write, store: Store, tmp_path: Path) -> None:
    def stop(fraction: float, text: str) -> None:
        raise Cancelled

    folder = tmp_path / "out"
    folder.mkdir()
    with pytest.raises(Cancelled):
        write(export_of(store), folder / "rows.bin", progress=stop)
    assert list(folder.iterdir()) == []


@pytest.mark.parametrize("write", WRITERS)
def test_a_full_disk_is_said_and_leaves_the_old_file(write, store: Store, tmp_path: Path) -> None:
    """A limit on the file size stands for the full disk: the same write call fails."""
    folder = tmp_path / "out"
    folder.mkdir()
    (folder / "rows.bin").write_bytes(b"from before")
    export = export_of(store)
    ended = subprocess.run([sys.executable, "-c", FULL, str(store.root), export.dataset.id,
                            write.__name__, str(folder / "rows.bin")], capture_output=True)
    assert ended.returncode == 7, ended.stderr.decode()
    assert [path.name for path in folder.iterdir()] == ["rows.bin"]
    assert (folder / "rows.bin").read_bytes() == b"from before"


def test_a_missing_folder_is_a_disk_error(tmp_path: Path) -> None:
    with pytest.raises(StoreError) as caught, writing(tmp_path / "no" / "file"):
        pass
    assert caught.value.code == "DISK"
    assert caught.value.where.file == "file"


def test_a_bundle_of_a_missing_file_leaves_nothing(tmp_path: Path) -> None:
    with pytest.raises(StoreError):
        bundle([tmp_path / "gone.csv"], tmp_path / "all.zip")
    assert list(tmp_path.glob("*.zip")) + list(tmp_path.glob(".*.part")) == []
