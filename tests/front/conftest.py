"""A tab with the front end's own files and the tests' data: no server, no Streamlit."""

from pathlib import Path

import pytest

from tests.browser.conftest import chromium, pytest_runtest_makereport
from tests.front.bench import Bench

__all__ = ["chromium", "pytest_runtest_makereport"]
HERE = Path(__file__).parent


def pytest_collection_modifyitems(items):
    for item in items:
        if item.path.parent == HERE:
            item.add_marker(pytest.mark.browser)


@pytest.fixture(scope="package")
def shared(chromium):
    bench = Bench(chromium)
    yield bench
    bench.close()


@pytest.fixture
def bench(shared):
    """An empty page 1000 x 700; whatever went wrong in it fails the test."""
    shared.clear()
    yield shared
    assert not shared.errors, shared.errors


@pytest.fixture
def sharp(chromium):
    """The same on a screen of two pixels a pixel, with fingers."""
    bench = Bench(chromium, device_scale_factor=2, has_touch=True)
    yield bench
    assert not bench.errors, bench.errors
    bench.close()
