"""What every room's tests may use: a store of their own, small data, the real data where it is."""

from __future__ import annotations

import os

# Two processes of tests on two cores: threads of theirs would wait for each other, spinning.
os.environ.setdefault("OMP_NUM_THREADS", "1")

from collections.abc import Iterator
from pathlib import Path

import numpy as np
import pytest

from explorer.store import Store

# Every server a test starts would import UMAP in every worker first: five seconds of CPU each.
os.environ.setdefault("EXPLORER_WARM", "")


_ALONE = {"browser", "crowd", "engine", "faults", "front", "workspace", "edges"}
"""Rooms whose tests start servers and wait for them: never two of them at the same time."""


def pytest_itemcollected(item: pytest.Item) -> None:
    """With `-n`, a file's tests stay together, and those that wait for servers in one worker."""
    room = item.path.relative_to(Path(__file__).parent).parts[0]
    item.add_marker(pytest.mark.xdist_group("alone" if room in _ALONE else str(item.path)))


@pytest.fixture(autouse=True)
def own_home(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """No test writes into the results of the checkout."""
    home = tmp_path / "home"
    monkeypatch.setenv("EXPLORER_HOME", str(home))
    return home


@pytest.fixture
def store(own_home: Path) -> Store:
    """An empty store, the one EXPLORER_HOME names."""
    return Store(own_home)


@pytest.fixture(scope="session")
def shared_store(tmp_path_factory: pytest.TempPathFactory) -> Store:
    """One store for the whole session, for results that many tests only read."""
    return Store(tmp_path_factory.mktemp("shared-home"))


@pytest.fixture(scope="session")
def real_data() -> Iterator[Path]:
    """The folder of AG News, CIFAR and MNIST files: EXPLORER_TEST_DATA."""
    folder = os.environ.get("EXPLORER_TEST_DATA", "")
    if not folder or not Path(folder).is_dir():
        pytest.skip("set EXPLORER_TEST_DATA to the folder with ag_news_test.csv, cifar10-1000.zip "
                    "and the MNIST t10k files to run the tests on real data")
    return Path(folder)


@pytest.fixture(scope="session")
def blobs() -> np.ndarray:
    """60 x 5 float32: three round groups of 20, far apart."""
    draws = np.random.default_rng(0)
    centers = np.array([[0, 0, 0, 0, 0], [9, 0, 0, 0, 3], [0, 9, 0, 6, 0]], dtype=np.float32)
    return (np.repeat(centers, 20, axis=0)
            + draws.normal(scale=0.7, size=(60, 5))).astype(np.float32)
