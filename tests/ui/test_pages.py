"""Every page, empty and loaded, without a browser."""


import json

import pytest
from streamlit.testing.v1 import AppTest

from tests.ui.opened import ROOT, open_page

PAGES = sorted(path.relative_to(ROOT).as_posix() for path in (ROOT / "pages").rglob("*.py"))


@pytest.fixture(scope="module")
def home(tmp_path_factory):
    """A home of its own, shared by this module: one engine, one store."""
    import os

    from explorer.ui.backend import backend

    folder = tmp_path_factory.mktemp("home")
    before = os.environ.get("EXPLORER_HOME")
    os.environ["EXPLORER_HOME"] = str(folder)
    backend.clear()
    yield folder
    backend().engine.stop()
    backend.clear()
    if before is None:
        del os.environ["EXPLORER_HOME"]
    else:
        os.environ["EXPLORER_HOME"] = before


@pytest.fixture(scope="module")
def loaded(home):
    """The id of a workspace with the wine sample and everything computed."""
    from explorer.load import load_sample
    from explorer.propose import propose
    from explorer.run import run
    from explorer.spec import silent
    from explorer.ui.backend import backend
    from explorer.ui.state import Document

    shared = backend()
    data = load_sample("wine", shared.store, silent)
    recipe = propose(data).recipe
    run(recipe, data, shared.store)
    identifier = shared.workspaces.create("wine")
    version = shared.workspaces.open(identifier).version
    document = Document(dataset=data.id, recipe=recipe.to_data(), ran=recipe.to_data())
    shared.workspaces.save(identifier, document.model_dump(mode="json"), version)
    return identifier


def words(app):
    """All text on the page."""
    return "\n".join(str(element.value) for kind in (app.title, app.markdown, app.caption, app.info,
                                                     app.warning, app.error, app.subheader)
                     for element in kind)


@pytest.mark.parametrize("path", PAGES)
def test_empty_page_says_what_to_do(home, path):
    app = open_page(path)
    assert len(words(app)) > 20
    assert not app.error
    if path.startswith(("pages/explore", "pages/take")):
        assert "no data yet" in words(app)
        assert any(button.label == "Bring data" for button in app.button)


@pytest.mark.parametrize("path", PAGES)
def test_loaded_page_has_no_problem(home, loaded, path):
    app = open_page(path, loaded)
    assert not app.error, [error.value for error in app.error]


def test_map_names_space_sample_and_noise(home, loaded):
    app = open_page("pages/explore/map.py", loaded)
    text = words(app)
    assert "178 of 178 rows" in text
    assert "noise" in text
    assert "euclidean" in text


def test_scores_on_screen_equal_scikit_learn(home, loaded):
    from sklearn.cluster import KMeans
    from sklearn.datasets import load_wine
    from sklearn.metrics import silhouette_score
    from sklearn.preprocessing import StandardScaler

    vectors = StandardScaler().fit_transform(load_wine().data)
    labels = KMeans(3, n_init=10, random_state=0).fit_predict(vectors)
    app = open_page("pages/explore/map.py", loaded)
    assert f"**{silhouette_score(vectors, labels):.3f}**" in words(app)


def test_sweep_range_and_rename_survive_a_new_session(home, loaded):
    from explorer.ui.backend import backend

    app = open_page("pages/explore/clusters.py", loaded)
    assert "Nothing" not in words(app)
    data = app.session_state["run"]
    backend().workspaces.log(loaded, "rename", {"clustering": data.plan.clustering, "cluster": 0,
                                                "name": "Barolo"})
    again = open_page("pages/explore/map.py", loaded)
    assert again.session_state["run"].plan.clustering == data.plan.clustering
    views = [json.loads(view.proto.json or view.proto.mixed.json)
             for view in again.get("bidi_component")]
    assert "Barolo" in [name["name"] for view in views for name in view.get("names", ())]
    assert "Barolo" in [group["name"] for view in views for group in view.get("groups", ())]


def test_unknown_workspace_is_said_and_has_a_way_out(home):
    app = AppTest.from_file(str(ROOT / "app.py"), default_timeout=60)
    app.query_params["w"] = "not-there"
    app.run()
    assert not app.exception
    assert app.error
    app.button[0].click().run()
    assert not app.error
