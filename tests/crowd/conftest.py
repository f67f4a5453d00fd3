"""One running app for all tests of this folder."""

import pytest

from tests.crowd.server import serving


@pytest.fixture(scope="package")
def server(tmp_path_factory):
    with serving(tmp_path_factory.mktemp("crowd"), EXPLORER_WORKERS="1") as found:
        yield found
