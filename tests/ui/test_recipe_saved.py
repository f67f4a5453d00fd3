"""Saved recipes that no longer fit, and data no method can use, on the recipe's form."""


import numpy as np
import pytest

from explorer.load import load_sample
from explorer.propose import propose
from explorer.recipe import Recipe
from explorer.run import run
from explorer.spec import silent
from tests.builders import build_dataset
from tests.ui.opened import open_page

RECIPE, CLUSTERS, MAP = (f"pages/explore/{name}.py" for name in ("recipe", "clusters", "map"))


@pytest.fixture(scope="module")
def wine(shared):
    return load_sample("wine", shared.store, silent)


def keep(shared, data, recipe):
    """A workspace with this recipe (plain data) on the form and asked for."""
    from explorer.ui.state import Document

    identifier = shared.workspaces.create("saved")
    document = Document(dataset=data.id, recipe=recipe, ran=recipe)
    shared.workspaces.save(identifier, document.model_dump(mode="json"), 0)
    return identifier


def said(app):
    """What stands on the page, without the escapes."""
    text = "\n".join(str(part.value) for part in (*app.caption, *app.error))
    return text.replace("\\", "").replace("\u200b", "")


def saved(shared, workspace):
    return Recipe.model_validate(shared.workspaces.open(workspace).document["recipe"])


def with_pca(data):
    from explorer.project import projectors

    return propose(data).recipe.using(projector=projectors().create("pca"))


def test_k32_an_old_workspace_opens_with_a_note(shared, wine):
    old = with_pca(wine).to_data()
    old["clusterer"]["parameters"] |= {"gone": 3, "clusters": 7}
    old["projector"] = {"method": "magic", "parameters": {"wand": 1}}
    workspace = keep(shared, wine, old)
    for page in (MAP, CLUSTERS):
        assert "UNKNOWN" not in said(open_page(page, workspace))
    app = open_page(RECIPE, workspace)
    for _ in range(2):  # it stays on the page after the next click
        assert "no longer has the parameter gone" in said(app)
        assert "magic" in said(app)
        app.run()
    assert not app.error
    assert app.number_input("clusterer.kmeans.clusters").value == 7
    assert saved(shared, workspace).check().clustering.clusters == 7


def test_k01_a_saved_value_this_data_does_not_allow_is_clamped_and_said(shared, wine):
    from explorer.cluster import clusterers
    from explorer.project import projectors

    recipe = with_pca(wine).using(
        clusterer=clusterers().create("hdbscan", {"min_cluster_size": 500}),
        projector=projectors().create("umap", {"n_neighbors": 900}))
    workspace = keep(shared, wine, recipe.to_data())
    app = open_page(RECIPE, workspace)
    assert app.number_input("clusterer.hdbscan.min_cluster_size").value == 178
    assert app.number_input("projector.umap.n_neighbors").value == 177
    app.run()
    assert "minimum cluster size was 500 in the saved recipe; this data allows 178" in said(app)
    assert "number of neighbours was 900" in said(app)
    assert saved(shared, workspace).clustering.min_cluster_size == 178
    app.number_input("clusterer.hdbscan.min_cluster_size").set_value(400).run()
    assert "must be between 2 and 178" in said(app), "what is typed is refused, not clamped"


def test_k14_k26_the_form_knows_the_vectors(shared):
    from explorer.cluster import clusterers
    from explorer.encode import encoders

    rows = np.tile(np.arange(8, dtype=np.float32)[:, None], (10, 3)) * np.float32(1e20)
    data = build_dataset(shared.store, {"a": ["x"] * 80}, None, {"vector": rows}, name="k14")
    recipe = with_pca(data).using(encoder=encoders().create("vectors"),
                                  clusterer=clusterers().create("kmeans", {"clusters": 8}))
    run(recipe, data, shared.store)
    workspace = keep(shared, data, recipe.to_data())
    app = open_page(RECIPE, workspace)
    assert "all are divided by" in said(app)
    app.number_input("clusterer.kmeans.clusters").set_value(9).run()
    assert "must be between 2 and 8" in said(app), "there are 8 different rows"


def test_k16_one_click_leaves_all_zero_rows_out(shared):
    from explorer.cluster import clusterers
    from explorer.encode import encoders

    rows = np.random.default_rng(0).normal(size=(40, 3)).astype(np.float32)
    rows[[4, 9]] = 0
    data = build_dataset(shared.store, {"a": ["x"] * 40}, None, {"vector": rows}, name="k16")
    recipe = with_pca(data).using(encoder=encoders().create("vectors"))
    run(recipe, data, shared.store)
    cosine = clusterers().create("hdbscan", {"metric": "cosine"})
    workspace = keep(shared, data, recipe.using(clusterer=cosine).to_data())
    app = open_page(RECIPE, workspace)
    assert "(rows 5, 10)" in said(app)
    next(button for button in app.button if "all-zero" in button.label).click().run()
    assert not app.error
    assert saved(shared, workspace).encoding.normalize


def test_a_number_used_from_a_sweep_takes_the_threshold_off_the_form(shared, wine):
    from explorer.cluster import clusterers
    from explorer.plan import make_plan
    from explorer.steps import execute
    from explorer.sweep_step import sweep_step

    method = clusterers().create("agglomerative", {"distance_threshold": 12.0, "clusters": 8})
    recipe = with_pca(wine).using(clusterer=method)
    run(recipe, wine, shared.store)
    step = sweep_step(make_plan(recipe, wine, shared.store), tuple(range(2, 16)))
    execute(step.payload, str(shared.store.root), silent)
    workspace = keep(shared, wine, recipe.to_data())
    app = open_page(RECIPE, workspace)
    assert app.number_input("clusterer.agglomerative.distance_threshold").value == 12.0
    app.switch_page("pages/judge/number.py").run()
    app.selectbox("sweep_count").set_value(4).run()
    app.button("sweep_use").click().run()
    assert saved(shared, workspace).clustering.distance_threshold is None
    app.switch_page(RECIPE).run()
    assert app.checkbox("clusterer.agglomerative.distance_threshold.auto").value
    assert app.number_input("clusterer.agglomerative.clusters").value == 4
    kept = saved(shared, workspace).clustering
    assert (kept.clusters, kept.distance_threshold) == (4, None)
