"""What page tests without a browser share."""

import os

import pytest


@pytest.fixture(scope="module")
def shared(tmp_path_factory):
    """The backend on a home of this module; its engine is not needed and stopped."""
    from explorer.ui.backend import backend

    before = os.environ.get("EXPLORER_HOME")
    os.environ["EXPLORER_HOME"] = str(tmp_path_factory.mktemp("home"))
    backend.clear()
    found = backend()
    found.engine.stop()
    yield found
    backend.clear()
    if before is None:
        del os.environ["EXPLORER_HOME"]
    else:
        os.environ["EXPLORER_HOME"] = before
