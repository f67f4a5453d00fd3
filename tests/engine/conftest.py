import pytest

from tests.engine.homes import Home, set_environment


@pytest.fixture(scope="module")
def home(tmp_path_factory):
    with pytest.MonkeyPatch.context() as patch:
        set_environment(patch)
        place = Home(tmp_path_factory.mktemp("home"))
        yield place
        place.engine.stop()
