"""The recipe's form, the conflict of two tabs, ticks and the sweep, without a browser."""


import pytest

from explorer.escape import esc_md
from explorer.load import load_sample
from explorer.propose import propose
from explorer.recipe import Recipe
from explorer.run import run
from explorer.spec import silent
from tests.ui.opened import open_page

RECIPE, CLUSTERS = "pages/explore/recipe.py", "pages/explore/clusters.py"
NUMBER = "pages/judge/number.py"


@pytest.fixture(scope="module")
def wine(shared):
    return load_sample("wine", shared.store, silent)


@pytest.fixture
def workspace(shared, wine):
    """A new workspace on the wine sample: the proposal, with PCA, asked for and computed."""
    from explorer.project import projectors
    from explorer.ui.state import Document

    recipe = propose(wine).recipe.using(projector=projectors().create("pca"))
    run(recipe, wine, shared.store)
    identifier = shared.workspaces.create("wine")
    document = Document(dataset=wine.id, recipe=recipe.to_data(), ran=recipe.to_data())
    shared.workspaces.save(identifier, document.model_dump(mode="json"), 0)
    return identifier


def saved(shared, workspace):
    """The recipe as the workspace holds it."""
    return Recipe.model_validate(shared.workspaces.open(workspace).document["recipe"])


def errors(app):
    return "\n".join(str(error.value) for error in app.error)


def test_a_value_out_of_bounds_is_refused_in_words_and_not_saved(shared, workspace):
    app = open_page(RECIPE, workspace)
    app.number_input("clusterer.kmeans.clusters").set_value(500).run()
    assert "step 3 Cluster" in errors(app)
    assert "Clusters must be" in errors(app)
    assert "500" in errors(app)
    assert not any(button.label in ("Run", "See the map") for button in app.button)
    assert saved(shared, workspace).clustering.clusters == 3
    app.number_input("clusterer.kmeans.clusters").set_value(5).run()
    assert not app.error
    assert saved(shared, workspace).clustering.clusters == 5


def test_judges_are_set_in_the_recipe(shared, workspace):
    """So that all silhouettes of very large data can be asked for."""
    app = open_page(RECIPE, workspace)
    app.number_input("judge.silhouette.exact_up_to").set_value(200_000).run()
    judges = {judge.key: judge for judge in saved(shared, workspace).judging}
    assert judges["silhouette"].exact_up_to == 200_000
    assert list(judges)[:3] == ["silhouette", "davies_bouldin", "calinski_harabasz"]


def test_limits_follow_the_data_and_are_said(workspace):
    app = open_page(RECIPE, workspace)
    app.selectbox("projector.method").set_value("tsne").run()
    perplexity = app.number_input("projector.tsne.perplexity")
    assert "up to 177" in perplexity.help  # 178 rows
    perplexity.set_value(178.0).run()
    assert "Perplexity must be between 1 and 177 for 178 rows" in errors(app)
    app.selectbox("projector.method").set_value("umap").run()
    assert app.number_input("projector.umap.n_neighbors").label == "Number of neighbours"


def test_a_method_chosen_again_has_its_values(shared, workspace):
    app = open_page(RECIPE, workspace)
    app.selectbox("clusterer.method").set_value("hdbscan").run()
    app.number_input("clusterer.hdbscan.min_cluster_size").set_value(7).run()
    app.selectbox("clusterer.method").set_value("kmeans").run()
    assert app.number_input("clusterer.kmeans.clusters").value == 3
    app.selectbox("clusterer.method").set_value("hdbscan").run()
    assert app.number_input("clusterer.hdbscan.min_cluster_size").value == 7
    assert saved(shared, workspace).clustering.min_cluster_size == 7


def test_values_survive_a_change_of_page(shared, workspace):
    app = open_page(RECIPE, workspace)
    app.number_input("clusterer.kmeans.clusters").set_value(6).run()
    app.switch_page("pages/about/methods.py").run()
    app.switch_page(RECIPE).run()
    assert app.number_input("clusterer.kmeans.clusters").value == 6
    assert saved(shared, workspace).clustering.clusters == 6


def test_a_parameter_changed_back_needs_no_job(shared, workspace):
    app = open_page(RECIPE, workspace)
    assert any(button.label == "See the map" for button in app.button)
    app.number_input("clusterer.kmeans.clusters").set_value(4).run()
    assert any(button.label == "Run" for button in app.button)
    app.number_input("clusterer.kmeans.clusters").set_value(3).run()
    assert any(button.label == "See the map" for button in app.button)
    assert not shared.jobs.owned(workspace)


def test_clustering_in_the_picture_is_said_and_limits_change(shared, workspace):
    app = open_page(RECIPE, workspace)
    # AppTest knows a segmented control as a button group without a key.
    next(group for group in app.get("button_group")).set_value("projection").run()
    assert any("distorted" in warning.value for warning in app.warning)
    assert saved(shared, workspace).cluster_in == "projection"


def test_a_model_that_is_not_there_is_said_at_its_step(shared, tmp_path, monkeypatch):
    from explorer.ui.state import Document

    monkeypatch.setenv("EXPLORER_MODEL_ROOTS", str(tmp_path))
    texts = load_sample("everyday_texts", shared.store, silent)
    identifier = shared.workspaces.create("texts")
    shared.workspaces.save(identifier, Document(dataset=texts.id).model_dump(mode="json"), 0)
    app = open_page(RECIPE, identifier)
    app.selectbox("encoder.method").set_value("sentence_transformer").run()
    assert "step 1 Encode" in errors(app)
    assert "Model must be the name of a model on this machine" in errors(app)
    assert esc_md(str(tmp_path)) in errors(app)
    app.selectbox("encoder.method").set_value("tfidf").run()
    assert not app.error
    app.selectbox("projector.method").set_value("tsne").run()
    assert "up to 896" in app.number_input("projector.tsne.perplexity").help  # 897 texts


def test_two_tabs_never_overwrite_each_other(shared, workspace):
    first, second = open_page(RECIPE, workspace), open_page(RECIPE, workspace)
    first.number_input("clusterer.kmeans.clusters").set_value(5).run()
    second.number_input("clusterer.kmeans.clusters").set_value(8).run()
    assert "changed elsewhere" in errors(second)
    assert saved(shared, workspace).clustering.clusters == 5
    second.button("conflict_reload").click().run()
    assert not second.error
    assert second.number_input("clusterer.kmeans.clusters").value == 5
    second.number_input("clusterer.kmeans.clusters").set_value(9).run()
    assert not second.error
    assert saved(shared, workspace).clustering.clusters == 9


def test_the_tab_that_lost_can_keep_its_state_elsewhere(shared, workspace):
    clustering = open_page(CLUSTERS, workspace).session_state["run"].plan.clustering
    first, second = open_page(RECIPE, workspace), open_page(RECIPE, workspace)
    shared.workspaces.log(workspace, "rename", {"clustering": clustering, "cluster": 1,
                                                "name": "Barbera"})
    first.number_input("clusterer.kmeans.clusters").set_value(5).run()
    second.number_input("clusterer.kmeans.clusters").set_value(8).run()
    second.button("conflict_keep").click().run()
    assert not second.error
    kept = second.session_state["opened"].id
    assert kept != workspace
    assert saved(shared, kept).clustering.clusters == 8
    assert saved(shared, workspace).clustering.clusters == 5
    assert shared.workspaces.operations(kept)[0].payload["name"] == "Barbera"


def test_ticks_do_not_pass_to_another_clustering(shared, wine, workspace):
    from explorer.ui.state import Document

    app = open_page(CLUSTERS, workspace)
    app.session_state["ticked"] = [0, 2]
    app.run()
    assert "2 clusters picked" in "\n".join(text.value for text in app.markdown)
    recipe = saved(shared, workspace)
    other = recipe.using(clusterer=recipe.clustering.with_count(4))
    run(other, wine, shared.store)
    document = Document(dataset=wine.id, recipe=other.to_data(), ran=other.to_data())
    app.session_state["opened"].document = document
    app.run()
    assert "clusters picked" not in "\n".join(text.value for text in app.markdown)


def test_sweep_range_is_kept_and_its_number_used(shared, wine, workspace):
    from explorer.plan import make_plan
    from explorer.steps import execute
    from explorer.sweep_step import sweep_step

    recipe = saved(shared, workspace)
    step = sweep_step(make_plan(recipe, wine, shared.store), (2, 3, 4))
    execute(step.payload, str(shared.store.root), silent)
    app = open_page(NUMBER, workspace)
    assert app.slider("sweep_range").value == (2, 15)
    app.slider("sweep_range").set_value((2, 4)).run()
    assert app.selectbox("sweep_count").value == 3
    app.selectbox("sweep_count").set_value(4).run()
    app.button("sweep_use").click().run()
    assert saved(shared, workspace).clustering.clusters == 4
    assert app.session_state["run"].plan.recipe.clustering.clusters == 4
    assert app.session_state["run"].clustering is not None, "the sweep stored this clustering"
    run(saved(shared, workspace), wine, shared.store)  # the rest, which the engine would do
    app.switch_page("pages/about/methods.py").run()
    app.switch_page(NUMBER).run()
    assert app.slider("sweep_range").value == (2, 4)
    app.switch_page(RECIPE).run()
    assert app.number_input("clusterer.kmeans.clusters").value == 4


def test_words_and_typical_rows_of_text_clusters(shared):
    from explorer.encode import encoders
    from explorer.project import projectors
    from explorer.ui.cluster_table import cluster_records

    texts = load_sample("everyday_texts", shared.store, silent)
    recipe = propose(texts).recipe.using(encoder=encoders().create("tfidf"),
                                         projector=projectors().create("pca"))
    records = cluster_records(run(recipe, texts, shared.store), {2: "Pets"})
    assert [record["rows"] for record in records] == sorted(
        (record["rows"] for record in records), reverse=True)
    assert records[2]["name"] == "Pets"
    for record in records:
        words = record["set apart by"].split(" · ")[0].split(", ")
        assert len(words) == 8
        assert not any("rows" in word for word in words)
        assert len(record["typical rows"].split("▪")) == 3
