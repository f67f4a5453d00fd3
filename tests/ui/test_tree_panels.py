"""Dendrogram and condensed tree on the map page: what a click there does."""

import json

import numpy as np
import pytest

from explorer.cluster.agglomerative import cut
from explorer.cluster.condense import rows_under
from explorer.plot.dendrogram import crown_of
from tests.ui.test_method_panel import chosen, click, figure, made, open_panel, said

__all__ = ["made"]  # the fixture


@pytest.fixture(scope="module")
def cut_tree(made):
    return made("wine", ("pca",), ("agglomerative", {"clusters": 4}))


def colours(app):
    (proto,) = [element.proto for element in app.get("bidi_component")
                if element.proto.id.endswith("-map")]
    return json.loads(proto.json or proto.mixed.json)["colors"]


def test_a_click_tries_another_cut_and_the_button_uses_it(shared, cut_tree):
    app = open_panel(cut_tree, "dendrogram")
    assert "4 clusters" in said(app)
    assert "the last 49 of 177 joins" in said(app)
    assert [button.disabled for button in app.button if button.label == "Use this cut"] == [True]
    click(app, "dendrogram", [-7])
    assert "7 clusters" in said(app)
    assert "nothing else has changed" in said(app)
    run = app.session_state["run"]
    sizes = np.bincount(cut(run.tree.merges, 7))
    assert f"largest of {sizes.max()} rows, the smallest of {sizes.min()}" in said(app)
    assert colours(app)["title"] == "tried: 7 clusters"
    assert len(colours(app)["items"]) == 7
    assert app.number_input(key="cut.count").value == 7
    app.number_input(key="cut.count").set_value(3).run()
    assert colours(app)["title"] == "tried: 3 clusters"
    height = float(run.tree.merges[-6, 2]) + 1e-6
    app.number_input(key="cut.height").set_value(height).run()
    assert colours(app)["title"] == "tried: 6 clusters"
    (use,) = [button for button in app.button if button.label == "Use this cut"]
    use.click().run()
    document = shared.workspaces.open(cut_tree).document
    parameters = document["ran"]["clusterer"]["parameters"]
    assert parameters["distance_threshold"] == pytest.approx(height)
    assert "cut.preview" not in app.session_state


def test_a_click_on_a_join_selects_its_rows(made):
    app = open_panel(made("wine", ("pca",), ("agglomerative", {"clusters": 4})), "dendrogram")
    crown = crown_of(app.session_state["run"].tree.merges)
    click(app, "dendrogram", [97])
    assert chosen(app) == crown.inside(97).tolist()
    click(app, "dendrogram", [[-5]])
    (back,) = [button for button in app.button if button.label == "Back to the clusters in use"]
    back.click().run()
    assert colours(app)["title"] == "cluster"


def test_a_click_on_a_branch_selects_its_rows(made):
    app = open_panel(made("wine", ("pca",), ("hdbscan", {"min_cluster_size": 5})),
                     "condensed_tree")
    found = app.session_state["run"].original
    branches, last = found.extras["branches"], found.extras["last"]
    label = int(np.flatnonzero(branches[:, 4] == 0)[0])
    click(app, "condensed_tree", [label])
    assert chosen(app) == np.flatnonzero(found.labels == 0).tolist()
    click(app, "condensed_tree", [0])
    assert len(chosen(app)) == len(rows_under(branches, last, 0)) == 178
    assert f"178 rows in standardised columns (13); {found.noise:,} of them are noise" in \
        said(app).replace("\\", "")
    assert "All rows: holds" in str(figure(app, "condensed_tree")[1])
