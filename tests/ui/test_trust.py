"""The page Map trust and the panel Trust without a browser."""

import numpy as np
import pytest
from scipy.spatial.distance import cdist

from explorer import queries, steps
from explorer.cluster import clusterers
from explorer.encode import encoders
from explorer.project import projectors
from explorer.recipe import Recipe
from explorer.run import run
from explorer.spec import silent
from explorer.study.map_trust import MapTrust
from explorer.study.step import study_step
from explorer.ui.state import Selection
from tests.builders import build_dataset
from tests.ui.opened import open_page

TRUST, MAP = "pages/judge/trust.py", "pages/explore/map.py"


def said(app):
    blocks = [*app.markdown, *app.caption, *app.error, *app.info]
    return "\n".join(block.value for block in blocks).replace("\\", "")


def rerun(app):
    app.run()
    assert not app.exception, app.exception
    return app


def press(app, label):
    next(button for button in app.button if button.label.startswith(label)).click()
    return rerun(app)


def current_of(app):
    return app.session_state["run"]


def measure(shared, current, study=None):
    steps.execute(study_step(current.plan, study or MapTrust.create()).payload,
                  str(shared.store.root), silent)


def open_panel(workspace, rows):
    app = open_page(MAP, workspace)
    app.session_state["panel"] = "Trust"
    app.session_state["selection"] = Selection(np.array(rows, dtype=np.int64), "elsewhere")
    return rerun(app)


def reference(values, row):
    """The other rows by distance, ties by row."""
    far = cdist(values[[row]].astype(float), values.astype(float))[0]
    return [at for at in np.argsort(far, kind="stable").tolist() if at != row]


def test_lists_and_lines_of_a_row(shared, wine):
    app = open_panel(wine, [20])
    current = current_of(app)
    true = reference(current.embedding.vectors, 20)
    drawn = reference(current.projection.points, 20)
    near, shown = set(true[:15]), set(drawn[:15])
    lines = app.session_state["mark.lines"][1]
    assert lines.source == 20
    assert set(lines.targets.tolist()) == near & shown
    assert set(lines.lost.tolist()) == near - shown
    assert set(lines.false.tolist()) == shown - near
    assert f"the map keeps **{len(near & shown)}** beside it" in said(app)
    assert "exact over all 178 rows" in said(app)
    lost = next(table.value for table in app.dataframe if "map rank" in table.value)
    assert [int(text) - 1 for text in lost["row"]] == [at for at in true[:15] if at not in shown]
    assert [int(text) for text in lost["map rank"]] == [
        drawn.index(int(text) - 1) + 1 for text in lost["row"]]
    false = next(table.value for table in app.dataframe if "true rank" in table.value)
    assert [int(text) for text in false["true rank"]] == [
        true.index(int(text) - 1) + 1 for text in false["row"]]
    app.button(key="trust.select.lost").click()
    rerun(app)
    assert set(app.session_state["selection"].rows.tolist()) == near - shown


def test_the_lines_can_be_left_out_and_go_with_the_panel(shared, wine):
    app = open_panel(wine, [20])
    app.checkbox(key="trust.lines").uncheck()
    assert rerun(app).session_state["mark.lines"][1] is None
    app.checkbox(key="trust.lines").check()
    app.number_input(key="trust.count").set_value(5)
    lines = rerun(app).session_state["mark.lines"][1]
    assert len(lines.targets) + len(lines.lost) == 5
    app.session_state["panel"] = "Search"
    assert rerun(app).session_state["mark.lines"][1] is None


def test_a_large_embedding_is_searched_by_a_job(shared, wine, monkeypatch):
    monkeypatch.setattr(queries, "AT_ONCE", 0)
    app = open_panel(wine, [33])
    assert "mark.lines" not in app.session_state or app.session_state["mark.lines"][1] is None
    step = queries.nearest_step(current_of(app), np.array([33]), "euclidean")
    assert shared.jobs.view(step.key).state == "queued"
    queries.execute(step.payload, str(shared.store.root), silent)
    assert app.session_state["mark.lines"][1] is None
    assert rerun(app).session_state["mark.lines"][1].source == 33
    shared.jobs.cancel([step.key], app.query_params["w"][0])


def test_the_page_before_and_after(shared, wine):
    app = open_page(TRUST, wine)
    assert "How much of the embedding does this map keep?" in said(app)
    assert "Not computed for this recipe yet" in said(app)
    press(app, "Compute")
    current = current_of(app)
    step = study_step(current.plan, MapTrust.create())
    assert shared.jobs.view(step.key).state == "queued"
    shared.jobs.cancel([step.key], app.query_params["w"][0])
    measure(shared, current)
    rerun(app)
    finding = current_of(app).finding(MapTrust.create())
    kept, far = (next(score for score in finding.scores if score.name == name).value
                 for name in ("Neighbours kept", "Distance correlation (Spearman)"))
    assert f"**{kept:.0%}** of each row's 15 nearest rows are kept" in said(app)
    assert "k=15, euclidean distance in standardised columns" in said(app)
    assert f"rank correlation {far:.2f} over all pairs of 178 rows" in said(app)
    assert app.metric[0].value == f"{kept:.1%}"
    assert "neighbourhood hit" in said(app)
    app.selectbox(key="trust.worst_by").set_value("continuity")
    app.number_input(key="trust.worst").set_value(7)
    rerun(app)
    press(app, "Select these 7")
    worst = np.argsort(finding.per_row["continuity"], kind="stable")[:7]
    assert app.session_state["selection"].rows.tolist() == sorted(worst.tolist())
    table = next(table.value for table in app.dataframe if "kept" in table.value)
    inside = np.asarray(current.clustering.labels) == 0
    assert table["kept"][0] == pytest.approx(100 * finding.per_row["kept"][inside].mean())
    app.switch_page(MAP)
    app.session_state["coloring"] = "study:map_trust:kept"
    rerun(app)
    assert app.selectbox(key="color_by").value == "study:map_trust:kept"


def test_several_rows_have_their_share(shared, wine):
    app = open_panel(wine, [1, 2, 3])
    measure(shared, current_of(app))
    rerun(app)
    finding = current_of(app).finding(MapTrust.create())
    share = finding.per_row["kept"][[1, 2, 3]].mean()
    assert f"Neighbours kept on the map: **{share:.0%}** on average over 3 rows" in said(app)
    near, shown = finding.extras["near"], finding.extras["shown"]
    lost = {int(at) for row in (1, 2, 3) for at in near[row] if at not in shown[row]} - {1, 2, 3}
    press(app, "Select their lost neighbours")
    assert set(app.session_state["selection"].rows.tolist()) == lost


@pytest.fixture(scope="module")
def small(shared):
    """A workspace of 20 rows: fewer than half of them is 9."""
    from explorer.ui.state import Document

    rng = np.random.default_rng(1)
    data = build_dataset(shared.store, {f"n{at}": rng.normal(size=20).tolist() for at in range(4)})
    recipe = Recipe.of(encoders().create("features"), projectors().create("pca"),
                       clusterers().create("kmeans", {"clusters": 2}))
    run(recipe, data, shared.store)
    identifier = shared.workspaces.create("small")
    document = Document(dataset=data.id, recipe=recipe.to_data(), ran=recipe.to_data())
    shared.workspaces.save(identifier, document.model_dump(mode="json"), 0)
    return identifier


def test_maps_are_ranked_and_one_is_used(shared, small):
    app = open_page(TRUST, small)
    app.number_input(key="study.map_trust.neighbors").set_value(5)
    app.multiselect(key="trust.maps").set_value(["", "ica"])
    rerun(app)
    assert "Still missing: PCA" in said(app)
    assert "t-SNE (perplexity 19)" in app.multiselect(key="trust.maps").options
    press(app, "Draw and measure 2 maps")
    study = MapTrust.create(neighbors=5)
    current = current_of(app)
    step = study_step(current.plan, study)
    assert shared.jobs.view(step.key).state == "queued"
    shared.jobs.cancel([step.key], app.query_params["w"][0])
    other = current.recipe.using(projector=projectors().create("ica"))
    done = run(other, current.dataset, shared.store)
    measure(shared, current, study)
    measure(shared, done, study)
    rerun(app)
    lines = said(app)
    ours, theirs = (found.finding(study).scores[2].value for found in (current, done))
    for value in (ours, theirs):
        assert f"{value:.1%}" in lines
    assert f"**{max(ours, theirs):.1%}** :material/star:" in lines
    press(app, "Use this map")
    document = app.session_state["opened"].document
    assert "pca" in app.multiselect(key="trust.maps").value
    assert document.ran["projector"]["method"] == document.recipe["projector"]["method"] == "ica"
