"""Compare encoders: what is offered, what the table says, and what can be done with a line."""

import importlib

import numpy as np
import pytest
from sklearn.cluster import KMeans
from sklearn.metrics import adjusted_rand_score, silhouette_score

from explorer.comparison import Terms, recipe_with
from explorer.encode import encoders
from explorer.encode.autoencoder import Autoencoder
from explorer.encode.principal_components import PrincipalComponents
from explorer.plan import make_plan, missing
from explorer.project.plane import Plane
from explorer.recipe import Call
from explorer.run import Run, run
from explorer.shared_neighbors import shared_step
from explorer.spec import silent
from explorer.study.reconstruction import Reconstruction
from explorer.ui.compare_choice import name_of
from explorer.ui.decode_view import has_decoder, way_of
from tests.ui.opened import open_page

PAGE, MAP = "pages/lab/compare.py", "pages/explore/map.py"
NETWORK = Autoencoder.create(dimensions=2, epochs=2, layers=0)
CHOSEN = (encoders().create("features"), PrincipalComponents.create(dimensions=2), NETWORK)


def said(app):
    blocks = [*app.markdown, *app.caption, *app.error, *app.info]
    return "\n".join(block.value for block in blocks).replace("\\", "")


def press(app, label):
    next(button for button in app.button if button.label.startswith(label)).click()
    app.run()
    assert not app.exception, app.exception
    return app


@pytest.fixture(scope="module")
def opened(shared, wine):
    """A workspace like `wine`, in which a network was trained."""
    document = shared.workspaces.open(wine).document
    identifier = shared.workspaces.create("compared")
    shared.workspaces.save(identifier, {
        **document, "trained": [Call.of(NETWORK).model_dump(mode="json")]}, 0)
    return identifier


@pytest.fixture(scope="module")
def compared(shared, opened):
    """The runs of three encoders after the page asked for them and all is computed."""
    app = open_page(PAGE, opened)
    offered = app.multiselect(key="compare.encoders")
    names = [f"Raw: {CHOSEN[0].title}", "PCA of the rows",
             "Autoencoder (dimensions 2, epochs 2, layers 0)", "PCA of the rows (dimensions 2)"]
    assert [title for title in offered.options if title in names] == names
    assert name_of(NETWORK) in offered.value
    offered.set_value([name_of(method) for method in CHOSEN])
    app.run()
    app.number_input(key="compare.k").set_value(5)
    app.run()
    press(app, "Compare 3 encoders")
    current = app.session_state["run"]
    terms = Terms(column=app.selectbox(key="compare.column").value, k=5)
    plans = [make_plan(recipe_with(current.recipe, method), current.dataset, shared.store)
             for method in CHOSEN]
    waiting = missing([step for plan in plans for step in terms.steps_of(plan)], shared.store)
    step = shared_step({plan.embedding: 1 for plan in plans}, current.dataset.n, 5, "euclidean")
    for one in (*waiting, step):
        assert shared.jobs.view(one.key).state == "queued", one.title
    assert not any(one.kind in ("project", "graph") for one in waiting)
    shared.jobs.cancel([one.key for one in (*waiting, step)], opened)
    for one in (*waiting, step):
        module, name = one.call.split(":")
        getattr(importlib.import_module(module), name)(one.payload, str(shared.store.root), silent)
    return [Run(plan, shared.store) for plan in plans]


def test_the_table_says_what_was_measured(shared, opened, compared):
    app = open_page(PAGE, opened)
    assert "**3 of 3 encoders** measured" in said(app)
    table = app.dataframe[0].value
    assert table["dimensions"].tolist() == [13, 2, 2]
    data = compared[0].dataset
    known = np.array(data.texts(app.selectbox(key="compare.column").value))
    method = compared[0].recipe.clustering
    for at, one in enumerate(compared):
        vectors = np.asarray(one.embedding.vectors, dtype=np.float64)
        labels = np.asarray(one.clustering.labels)
        assert table["silhouette"][at] == pytest.approx(silhouette_score(vectors, labels), abs=1e-5)
        assert table["ARI"][at] == pytest.approx(adjusted_rand_score(known, labels))
        assert table["clusters"][at] == method.clusters == len(np.unique(labels))
        again = KMeans(method.clusters, n_init=10, random_state=0).fit(vectors)
        assert again.inertia_ == pytest.approx(
            sum(((vectors[labels == k] - vectors[labels == k].mean(axis=0)) ** 2).sum()
                for k in range(method.clusters)), rel=0.02)
    assert table["kNN probe"][0] > 0.9
    low, high = map(float, table["kNN 95 %"][0].split(" to "))
    assert low < table["kNN probe"][0] < high
    spread = np.linalg.svd(compared[0].embedding.vectors - compared[0].embedding.vectors.mean(0),
                           compute_uv=False) ** 2
    share = spread[:2].sum() / spread.sum()
    assert table["rebuilt"][1] == pytest.approx(share, abs=1e-5)
    assert table["PCA rebuilds"][2] == pytest.approx(share, abs=1e-5)
    scores = compared[2].finding(Reconstruction.create()).scores
    assert table["rebuilt"][2] == next(score.value for score in scores
                                       if score.name == "Share of the variance rebuilt")
    assert table["rebuilt"][2] <= share + 1e-6  # two directions: no linear network does better
    assert np.isnan(table["rebuilt"][0])  # not defined for what rebuilds nothing
    assert table["training s"].isna().tolist() == [True, True, False]
    assert np.isnan(table["raw neighbours"][0])
    assert 0.03 < table["raw neighbours"][1] < 1
    assert "k = 5, euclidean distance; 178 of 178 rows" in said(app)


def test_one_line_becomes_the_recipe_and_several_become_maps(shared, opened, compared):
    app = open_page(PAGE, opened)
    app.session_state["compare.table"] = {"selection": {"rows": [1, 2], "columns": []}}
    app.run()
    assert not any(button.label == "Use in the recipe" for button in app.button)
    press(app, "Maps side by side")
    document = app.session_state["opened"].document
    asked = {made["name"]: made["encoder"]["method"] for made in document.pictures}
    assert [asked[panel["show"]] for panel in document.panels] == [
        "principal_components", "autoencoder"]
    assert app.session_state["maps"] == 3


def test_without_groups_nothing_is_pretended(shared, opened, compared):
    app = open_page(PAGE, opened)
    app.selectbox(key="compare.column").set_value("")
    app.run()
    press(app, "Compare 3 encoders")
    assert app.dataframe[0].value[["kNN probe", "linear probe", "ARI"]].isna().all().all()
    assert "the probes and ARI are not defined" in said(app)


@pytest.mark.parametrize(("projector", "kind", "words"), [
    (Plane.create(), "plane", "Exact"), (Plane.create(x=2, y=1), "plane", "Exact"),
    (encoders, "near", "Approximated")])
def test_the_map_says_how_it_decodes(shared, compared, projector, kind, words):
    from explorer.project import projectors

    chosen = projector if isinstance(projector, Plane) else projectors().create(
        "tsne", {"iterations": 250})
    recipe = compared[1].recipe.using(projector=chosen)
    found = run(recipe, compared[1].dataset, shared.store)
    assert has_decoder(found)
    assert not has_decoder(compared[0])
    way = way_of(found)
    assert way["kind"] == kind
    assert way["words"].startswith(words)


def test_the_panel_is_there_only_where_something_can_be_decoded(shared, wine, compared):
    assert "Decode" not in open_page(MAP, wine).segmented_control(key="panel").options
    recipe = compared[1].recipe.using(projector=Plane.create())
    run(recipe, compared[1].dataset, shared.store)
    identifier = shared.workspaces.create("decoded")
    shared.workspaces.save(identifier, {
        **shared.workspaces.open(wine).document, "recipe": recipe.to_data(),
        "ran": recipe.to_data()}, 0)
    app = open_page(MAP, identifier)
    app.session_state["panel"] = "Decode"
    app.run()
    assert not app.exception, app.exception
    assert "What would stand where no row is?" in said(app)
