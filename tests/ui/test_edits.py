"""Editing clusters on the pages: at once, undone, in two tabs, refused where it must be."""

import numpy as np
import pytest

from explorer.changes import KINDS, changes_of
from explorer.cluster import clusterers
from explorer.edit import edits
from explorer.load import load_sample
from explorer.plan import make_plan
from explorer.project import projectors
from explorer.propose import propose
from explorer.recipe import Recipe
from explorer.row_sets import pack_rows
from explorer.run import run
from explorer.spec import silent
from explorer.steps import execute
from explorer.workspace import Family
from tests.ui.opened import open_page

MAP, CLUSTERS, EXPORT = "pages/explore/map.py", "pages/explore/clusters.py", "pages/take/export.py"


@pytest.fixture(scope="module")
def wine(shared):
    return load_sample("wine", shared.store, silent)


@pytest.fixture(scope="module")
def recipe(shared, wine):
    made = propose(wine).recipe.using(projector=projectors().create("pca"))
    run(made, wine, shared.store)
    return made


@pytest.fixture
def workspace(shared, wine, recipe):
    from explorer.ui.state import Document

    identifier = shared.workspaces.create("wine")
    document = Document(dataset=wine.id, recipe=recipe.to_data(), ran=recipe.to_data())
    shared.workspaces.save(identifier, document.model_dump(mode="json"), 0)
    return identifier


def open_edits(workspace):
    app = open_page(MAP, workspace)
    app.session_state["panel"] = "Edit clusters"
    return app.run()


def press(app, key):
    next(button for button in app.button if button.key == key).click()
    app.run()
    assert not app.exception, app.exception
    return app


def labels(app):
    return app.session_state["run"].clustering.labels


def words(app):
    return "\n".join(str(element.value) for kind in (app.markdown, app.caption, app.info, app.error)
                     for element in kind)


def merge(app, *clusters):
    next(box for box in app.multiselect if box.label == "Clusters to merge").set_value(
        list(clusters)).run()
    return press(app, "edit_do.merge")


def test_a_merge_is_shown_at_once_and_undone_and_redone(shared, workspace, wine, recipe):
    app = open_edits(workspace)
    before = labels(app).copy()
    assert "means made them" in words(app)
    merge(app, 1, 2)
    after = np.where(before == 2, 1, before)
    assert np.array_equal(labels(app), after)
    changed = int((before == 2).sum())
    assert f"Edited: 1 step**, {changed} rows differ" in words(app)
    assert "being computed" in words(app)  # the scores: nobody computes here
    assert any(button.label.startswith("Undo: merge of Cluster 2") for button in app.button)
    waiting = {step.key for step in app.session_state["run"].plan.missing(shared.store)}
    assert waiting
    assert waiting == {view.key for view in shared.jobs.views(sorted(waiting)).values()}
    for step in app.session_state["run"].plan.missing(shared.store):
        execute(step.payload, str(shared.store.root), silent)
    fresh = open_edits(workspace)  # as after a reload
    assert "being computed" not in words(fresh)
    headless = run(recipe.using(edits=[{"method": "merge", "parameters": {"clusters": [1, 2],
                                                                         "into": 1}}]),
                   wine, shared.store)
    assert fresh.session_state["run"].scores == headless.scores
    assert np.array_equal(labels(fresh), after)
    press(fresh, "edit_undo")
    assert np.array_equal(labels(fresh), before)
    press(fresh, "edit_redo")
    assert np.array_equal(labels(fresh), after)
    press(fresh, "edit_original")
    assert np.array_equal(labels(fresh), before)
    assert np.array_equal(labels(open_edits(workspace)), before)
    press(fresh, "edit_undo")
    assert np.array_equal(labels(fresh), after)


def test_the_selection_becomes_a_named_cluster_and_its_number_stays(shared, workspace):
    from explorer.ui.chosen import Selection

    app = open_edits(workspace)
    before = labels(app).copy()
    rows = np.array([3, 60, 150])
    app.session_state["selection"] = Selection(rows, "test")
    app.session_state["edit_what"] = "Move rows"
    app.run()
    assert "3 rows selected" in words(app)
    target = next(box for box in app.selectbox if box.label == "Move the selection to")
    assert target.value == -2
    next(box for box in app.text_input if box.label == "Its name").set_value("odd <b>*ones*").run()
    press(app, "edit_do.separate")
    assert np.flatnonzero(labels(app) != before).tolist() == rows.tolist()
    assert set(labels(app)[rows].tolist()) == {3}
    table = open_page(CLUSTERS, workspace)
    assert not table.error
    next(box for box in app.selectbox if box.label == "Move the selection to").set_value(-1).run()
    press(app, "edit_do.assign")
    assert set(labels(app)[rows].tolist()) == {-1}
    trail = shared.workspaces.trail(workspace, Family(KINDS))
    found = changes_of(((step.operation, step.payload) for step in trail.active),
                       app.session_state["run"].plan.original)
    assert found.names == {3: "odd <b>*ones*"}


def test_a_split_waits_for_the_engine_and_then_is_there(shared, workspace, wine):
    app = open_edits(workspace)
    before = labels(app).copy()
    app.session_state["edit_what"] = "Split"
    app.run()
    next(box for box in app.selectbox if box.label == "Split").set_value(1).run()
    press(app, "edit_do.split")
    assert np.array_equal(labels(app), before)  # the map shows the clusters before it
    assert "Splitting" in words(app)
    button = next(button for button in app.button if button.key == "edit_do.split")
    assert button.disabled
    call = shared.workspaces.operations(workspace)[-1].payload["edit"]
    edited = run(Recipe.model_validate(app.session_state["run_of"]).using(edits=[call]), wine,
                 shared.store)
    app.run()
    assert np.array_equal(labels(app), edited.clustering.labels)
    inside = before == 1
    assert set(labels(app)[inside].tolist()) == {3, 4}
    assert np.array_equal(labels(app)[~inside], before[~inside])
    assert call["parameters"]["clusterer"]["parameters"] == clusterers().create(
        "kmeans", {"clusters": 2}).values()


def test_two_tabs_lose_and_double_nothing(shared, workspace):
    one, other = open_edits(workspace), open_edits(workspace)
    before = labels(one).copy()
    next(box for box in other.multiselect if box.label == "Clusters to merge").set_value(
        [0, 2]).run()
    merge(one, 0, 1)
    press(other, "edit_do.merge")  # drawn before the first tab's merge
    assert "changed elsewhere" in words(other)
    assert np.array_equal(labels(other), np.where(before == 1, 0, before))
    assert len(shared.workspaces.operations(workspace)) == 1


def test_a_locked_cluster_refuses_in_words(shared, workspace):
    app = open_edits(workspace)
    before = labels(app).copy()
    app.session_state["edit_what"] = "Name, note, lock"
    app.run()
    press(app, "edit_lock")  # the first: cluster 0
    app.session_state["edit_what"] = "Merge"
    app.run()
    next(box for box in app.multiselect if box.label == "Clusters to merge").set_value(
        [0, 1]).run()
    assert "Locked clusters must keep their rows" in words(app)
    assert not any(button.key == "edit_do.merge" for button in app.button)
    assert np.array_equal(labels(app), before)


def test_what_others_log_is_neither_undone_nor_undoes(shared, workspace):
    app = open_edits(workspace)
    before = labels(app).copy()
    merge(app, 1, 2)
    press(app, "edit_undo")
    shared.workspaces.log(workspace, "selection", {"name": "somebody's rows"})
    app.run()
    press(app, "edit_redo")
    assert np.array_equal(labels(app), np.where(before == 2, 1, before))
    press(app, "edit_undo")
    assert [step.operation for step in shared.workspaces.operations(workspace)] == ["selection"]


def test_edits_stay_with_their_clustering(shared, workspace, recipe, wine):
    app = open_edits(workspace)
    merge(app, 1, 2)
    other = recipe.using(clusterer=clusterers().create("kmeans", {"clusters": 4}))
    run(other, wine, shared.store)
    save(shared, workspace, ran=other.to_data())
    assert len(set(labels(open_page(MAP, workspace)).tolist())) == 4
    save(shared, workspace, ran=recipe.to_data())
    assert len(set(labels(open_page(MAP, workspace)).tolist())) == 2


def save(shared, workspace, **fields):
    opened = shared.workspaces.open(workspace)
    shared.workspaces.save(workspace, {**opened.document, **fields}, opened.version)


def test_an_edit_of_another_version_is_left_out_and_said(shared, workspace, wine):
    app = open_edits(workspace)
    base = app.session_state["run"].plan.clustering
    packed = pack_rows(np.arange(5), wine.n)
    good = edits().create("separate", {"rows": packed, "total": wine.n}).values()
    for call in ({"method": "separate", "parameters": good}, {"method": "dissolve"}):
        shared.workspaces.log(workspace, "edit", {"clustering": base, "edit": call, "told": "x",
                                                  "first": 3})
    plan = app.session_state["run"].plan
    steps = make_plan(plan.recipe.using(edits=[{"method": "separate", "parameters": good}]), wine,
                      shared.store).missing(shared.store)
    for step in steps:
        execute(step.payload, str(shared.store.root), silent)
    app = open_edits(workspace)
    assert not app.error
    assert set(labels(app)[:5].tolist()) == {3}


def test_every_page_shows_clusters_with_gaps(shared, workspace):
    app = open_edits(workspace)
    merge(app, 0, 1)  # 1 or 0 is gone
    for step in app.session_state["run"].plan.missing(shared.store):
        execute(step.payload, str(shared.store.root), silent)
    for path in (MAP, CLUSTERS, EXPORT):
        page = open_page(path, workspace)
        assert not page.error, [error.value for error in page.error]
    picked = next(box for box in page.multiselect if box.label == "Clusters")
    assert len(picked.options) == 2
