import pytest

from explorer import engine
from tests.engine.homes import Home, set_environment


@pytest.fixture(scope="module")
def home(tmp_path_factory):
    with pytest.MonkeyPatch.context() as patch:
        set_environment(patch)
        place = Home(tmp_path_factory.mktemp("home"))
        yield place
        place.engine.stop()


@pytest.fixture
def environment(monkeypatch):
    """One worker; engines that a test starts end with it."""
    set_environment(monkeypatch, EXPLORER_WORKERS="1")
    yield monkeypatch
    for running in list(engine._engines.values()):
        running.stop()
