"""The bench of scores without a browser: numbers, one-click selections, dropping a cluster."""

import numpy as np
import pytest
from sklearn.metrics import davies_bouldin_score, silhouette_samples

from explorer import steps
from explorer.judging import every_judge, judge_step, picture_judge_step
from explorer.plan import make_plan
from explorer.run import Run
from explorer.spec import silent
from tests.ui.opened import open_page

SCORES = "pages/judge/scores.py"
MAP = "pages/explore/map.py"


@pytest.fixture(scope="module")
def judged(shared, wine):
    """The wine workspace with every judge computed, and its run."""
    app = open_page(SCORES, wine)
    run = app.session_state["run"]
    for judge in every_judge(run.recipe):
        steps.execute(judge_step(run.plan, judge).payload, str(shared.store.root), silent)
    beside = picture_judge_step(run.plan, every_judge(run.recipe)[0])
    steps.execute(beside.payload, str(shared.store.root), silent)
    return wine, run


def said(app):
    return "\n".join(str(element.value) for kind in (app.markdown, app.caption) for element in kind)


def button(app, start):
    return next(one for one in app.button if one.label.startswith(start))


def chosen(app):
    return app.session_state["selection"].rows.tolist()


def test_both_spaces_and_the_rows_they_disagree_about(judged):
    workspace, run = judged
    app = open_page(SCORES, workspace)
    labels = run.clustering.labels
    own = silhouette_samples(run.embedding.vectors, labels)
    shown = silhouette_samples(run.projection.points, labels)
    text = said(app)
    assert f"In the clustered space** · mean **{own.mean():.3f}**" in text
    assert f"On the picture** · mean **{shown.mean():.3f}**" in text
    assert "178 of 178 rows" in text
    for start, rows in (("All negative", own < 0), ("Negative on the picture only",
                                                     (own > 0) & (shown < 0))):
        if rows.any():
            button(app, start).click().run()
            assert chosen(app) == np.flatnonzero(rows).tolist()
            assert "Selected: Rows " in said(app)
    rather = [one.label.replace("\\", "") for one in app.button
              if one.label.startswith("Would rather be in Cluster")]
    assert sum(int(label.rpartition("(")[2].rstrip(")")) for label in rather) == (own < 0).sum()
    app.slider("scores_below").set_value(0.1).run()
    app.button("scores_below_do").click().run()
    assert chosen(app) == np.flatnonzero(own < 0.1).tolist()
    app.switch_page(MAP).run()
    assert any("All negative" in one.label for one in app.button) == bool((own < 0).any())


def test_every_index_with_its_basis_and_whether_it_fits(judged):
    workspace, run = judged
    app = open_page(SCORES, workspace)
    app.segmented_control("scores_show").set_value("All indices").run()
    assert not app.exception
    (table,) = [one.value for one in app.markdown if one.value.startswith("| index |")]
    lines = table.splitlines()
    assert len(lines) == 2 + 1 + len(every_judge(run.recipe)) + 1  # inertia has two lines
    expected = davies_bouldin_score(run.embedding.vectors, run.clustering.labels)
    (line,) = [one for one in lines if "Davies" in one]
    for word in (f"{expected:.3f}".replace(".", "\\."), "lower", "fits", "178 of 178", "euclidean",
                 "no noise rows"):
        assert word in line, word
    assert "DBCV" in table
    assert "on the picture" in table
    assert "not computed" not in table


def test_a_weak_cluster_is_found_and_dropped(shared, judged):
    workspace, run = judged
    app = open_page(SCORES, workspace)
    app.segmented_control("scores_show").set_value("Clusters").run()
    means = run.silhouette.per_cluster["mean"]
    weakest = int(np.argmin(means))
    assert app.selectbox("scores_cluster").value == weakest
    inside = np.flatnonzero(run.clustering.labels == weakest)
    app.button("scores_rows").click().run()
    assert chosen(app) == inside.tolist()
    app.button("scores_drop").click().run()
    assert not app.exception
    edited = app.session_state["run"]
    assert (edited.clustering.labels[inside] == -1).all()
    assert edited.clustering.count == run.clustering.count - 1
    assert edited.rows_edited == len(inside)
    app.button("edit_undo").click().run()
    assert app.session_state["run"].plan.clustering == run.plan.clustering


def test_what_is_missing_is_said_and_asked_for(shared, wine):
    from explorer.ui.state import Document

    app = open_page(SCORES, wine)
    recipe = app.session_state["run"].recipe
    recipe = recipe.using(clusterer=recipe.clustering.with_count(5))
    data = app.session_state["run"].dataset
    plan = make_plan(recipe, data, shared.store)
    for step in plan.missing(shared.store):
        steps.execute(step.payload, str(shared.store.root), silent)
    identifier = shared.workspaces.create("five")
    shared.workspaces.save(identifier, Document(
        dataset=data.id, recipe=recipe.to_data(), ran=recipe.to_data()).model_dump(mode="json"), 0)
    app = open_page(SCORES, identifier)
    assert Run(plan, shared.store).silhouette is not None
    assert "Not computed yet" in said(app)
    assert "DBCV" in {view.title for view in shared.jobs.owned(identifier)}, "it is quick here"
