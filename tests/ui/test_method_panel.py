"""The panel Method: what each method shows of itself, and what a click on it does."""

import json

import numpy as np
import pytest

from explorer.cluster import clusterers
from explorer.project import projectors
from explorer.ui.method_grid import grid_of
from explorer.ui.method_view import DRAWINGS
from tests.ui.opened import open_page

MAP = "pages/explore/map.py"


@pytest.fixture(scope="module")
def made(shared):
    """What makes workspaces on a sample with these methods, everything computed."""
    from explorer.encode import encoders
    from explorer.load import load_sample
    from explorer.propose import propose
    from explorer.run import run
    from explorer.spec import silent
    from explorer.ui.state import Document

    def make(sample, projector, clusterer, encoder=None):
        data = load_sample(sample, shared.store, silent)
        recipe = propose(data).recipe.using(projector=projectors().create(*projector),
                                            clusterer=clusterers().create(*clusterer))
        if encoder is not None:
            recipe = recipe.using(encoder=encoders().create(*encoder))
        run(recipe, data, shared.store)
        identifier = shared.workspaces.create(sample)
        document = Document(dataset=data.id, recipe=recipe.to_data(), ran=recipe.to_data())
        shared.workspaces.save(identifier, document.model_dump(mode="json"), 0)
        return identifier
    return make


@pytest.fixture(scope="module")
def wine_grid(made):
    return made("wine", ("pca",), ("som", {"clusters": 3}))


def open_panel(identifier, drawing=None):
    app = open_page(MAP, identifier)
    app.session_state["panel"] = "Method"
    if drawing is not None:
        app.session_state["method.drawing"] = drawing
    app.run()
    assert not app.exception, app.exception
    return app


def said(app):
    return "\n".join(block.value for block in [*app.markdown, *app.caption])


def figure(app, key):
    (chart,) = [element.proto for element in app.get("plotly_chart")
                if element.proto.id.endswith(f"-{key}")]
    return chart, json.loads(chart.spec)


def click(app, key, customdata):
    """A click on a point, as the browser sends it: AppTest has no way of its own."""
    from streamlit.proto.WidgetStates_pb2 import WidgetState

    chart, _ = figure(app, key)
    selection = {"points": [{"customdata": one} for one in customdata], "point_indices": [],
                 "box": [], "lasso": []}
    states = app._tree.get_widget_states()
    kept = [state for state in states.widgets if state.id != chart.id]
    del states.widgets[:]
    states.widgets.extend(kept)
    states.widgets.append(WidgetState(id=chart.id,
                                      string_value=json.dumps({"selection": selection})))
    app._run(states)
    assert not app.exception, app.exception


def chosen(app):
    return app.session_state["selection"].rows.tolist()


def test_every_drawing_a_method_names_is_known():
    for registry in (projectors(), clusterers()):
        for method in registry:
            assert set(method.draws) <= set(DRAWINGS), method.key
    for drawing in DRAWINGS.values():
        assert drawing.reads.endswith(".")


def test_a_click_on_a_neuron_selects_its_rows(shared, wine_grid):
    app = open_panel(wine_grid)
    assert app.session_state["method.drawing"] == "loadings"  # the projector's come first
    for drawing in ("hit_map", "u_matrix", "component_planes"):
        app = open_panel(wine_grid, drawing)
        current = app.session_state["run"]
        neuron = np.asarray(current.original.extras["neuron"])
        busy = np.argsort(-np.bincount(neuron))[:2].tolist()
        key = "planes" if drawing == "component_planes" else drawing
        click(app, f"method.{key}", [busy[0], [busy[1]]])
        assert chosen(app) == np.flatnonzero(np.isin(neuron, busy)).tolist()
        assert "178 rows" in said(app) or "13 columns" in said(app) or "Distances in" in said(app)
    assert "quantization error" in said(app)


def test_hover_says_the_clusters_as_they_are_now(shared, wine_grid):
    app = open_panel(wine_grid, "hit_map")
    current = app.session_state["run"]
    grid = grid_of(current)
    neuron, labels = np.asarray(current.original.extras["neuron"]), current.clustering.labels
    for place in np.flatnonzero(grid.hits):
        inside = np.flatnonzero(neuron == place)
        assert grid.counts[place] == np.bincount(labels[inside]).max()
        far = current.original.extras["neuron_distance"][inside]
        assert grid.typical[place] == inside[np.argmin(far)]
    _, spec = figure(app, "method.hit_map")
    text = spec["data"][1]["hovertext"][0]
    assert text.startswith(f"<b>{grid.hits[grid.hits > 0][0]} row")
    assert "most typical: row" in text


def test_a_bar_of_the_scree_opens_its_loadings_and_a_loading_colours_the_map(shared, wine_grid):
    app = open_panel(wine_grid, "scree")
    assert "broken stick" in said(app)
    click(app, "method.scree", [3])
    assert app.session_state["method.drawing"] == "loadings"
    assert app.session_state["method.axes"] == [3]
    current = app.session_state["run"]
    loading = np.abs(current.projection.extras["loadings"][:, 3])
    first = int(np.argmax(loading))
    click(app, "method.loadings.3", [[first]])
    assert app.session_state["coloring"] == f"column:{current.embedding.features[first]}"


def test_memberships_select_the_rows_that_lean(shared, made):
    mixture = ("gaussian_mixture", {"clusters": 3, "covariance": "spherical"})
    app = open_panel(made("wine", ("truncated_svd",), mixture), "memberships")
    current = app.session_state["run"]
    memberships, labels = current.original.extras["memberships"], current.original.labels
    _, spec = figure(app, "method.memberships")
    assert len(spec["data"][0]["hovertext"]) == 9
    click(app, "method.memberships", [[0, 2]])
    others = memberships.copy()
    others[np.arange(178), labels] = -1
    expected = np.flatnonzero((labels == 0) & (np.argmax(others, axis=1) == 2))
    assert chosen(app) == expected.tolist()
    app.slider(key="method.sure").set_value(99).run()
    unsure = np.flatnonzero(current.original.strengths < 0.99)
    button = next(one for one in app.button if one.label == f"Select these {len(unsure)} rows")
    button.click().run()
    assert chosen(app) == unsure.tolist()
    assert "BIC" in said(app)


def test_the_curve_says_what_another_eps_would_do(shared, made):
    workspace = made("wine", ("kernel_pca",), ("dbscan",))
    app = open_panel(workspace, "k_distances")
    curve = app.session_state["run"].original.extras["k_distances"]
    assert "(used now)" in said(app)
    tried = float(curve[88])
    click(app, "method.k_distances", [tried])
    assert f"eps **{tried:.4g}**: 89 of 178 rows" in said(app)
    next(one for one in app.button if one.label.startswith("Put eps")).click().run()
    assert not app.exception, app.exception
    from explorer.ui.state import Document

    saved = Document.model_validate(shared.workspaces.open(workspace).document)
    assert saved.recipe["clusterer"]["parameters"]["eps"] == pytest.approx(tried, rel=1e-5)


def test_pixels_make_pictures_and_texts_make_words(shared, made):
    pictures = made("drawn_shapes", ("pca",), ("som", {"clusters": 3}),
                    ("pixels", {"side": 8, "dimensions": None}))
    app = open_panel(pictures, "loadings")
    assert "as a picture" in said(app)
    app = open_panel(pictures, "hit_map")
    _, spec = figure(app, "method.hit_map")
    assert spec["layout"]["images"][0]["source"].startswith("data:image/png;base64,")
    app.toggle(key="method.pictures").set_value(False).run()
    assert not figure(app, "method.hit_map")[1]["layout"].get("images")
    texts = made("everyday_texts", ("pca",), ("som", {"clusters": 5, "metric": "cosine"}),
                 ("tfidf",))
    app = open_panel(texts, "hit_map")
    _, spec = figure(app, "method.hit_map")
    assert any(text.count("<br>") == 2 for text in spec["data"][1]["hovertext"])
    assert "c-TF-IDF" in said(app)


def test_methods_without_pictures_say_so(shared, made):
    app = open_panel(made("wine", ("kernel_pca",), ("kmeans", {"restarts": 1})))
    assert "have no pictures of their own" in said(app)
    assert "Gaussian mixture" in said(app)
    assert "inertia **" in said(app)
