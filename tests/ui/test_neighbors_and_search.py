"""The panels Neighbours and Search without a browser; clicks in lists are in tests/browser."""

import numpy as np
import pytest
from sklearn.neighbors import NearestNeighbors

from explorer import queries
from explorer.cluster import clusterers
from explorer.encode import encoders
from explorer.load import load_sample
from explorer.project import projectors
from explorer.propose import propose
from explorer.recipe import Recipe
from explorer.run import run
from explorer.spec import silent
from explorer.ui import neighbors_ask
from explorer.ui.state import Selection
from tests.builders import build_dataset
from tests.ui.opened import open_page

MAP = "pages/explore/map.py"
WORDS = ["goal match coach", "stocks bonds bank", "planet rocket moon", "goal *coach* league",
         "bonds bank market", "rocket orbit moon", "Café goal match", "market bank stocks",
         "moon planet orbit", "league match goal"]
TEXTS = [*WORDS, "", *WORDS]


def keep(shared, data, recipe):
    """The address of a workspace with that recipe computed."""
    from explorer.ui.state import Document

    run(recipe, data, shared.store)
    identifier = shared.workspaces.create("x")
    document = Document(dataset=data.id, recipe=recipe.to_data(), ran=recipe.to_data())
    shared.workspaces.save(identifier, document.model_dump(mode="json"), 0)
    return identifier


@pytest.fixture(scope="module")
def wine(shared):
    data = load_sample("wine", shared.store, silent)
    return keep(shared, data, propose(data).recipe.using(projector=projectors().create("pca")))


@pytest.fixture(scope="module")
def texts(shared):
    recipe = Recipe.of(encoders().create("tfidf", {"dimensions": 5}), projectors().create("pca"),
                       clusterers().create("kmeans", {"clusters": 3}))
    return keep(shared, build_dataset(shared.store, {"text": TEXTS}), recipe)


def open_panel(workspace, panel, rows=()):
    app = open_page(MAP, workspace)
    app.session_state["panel"] = panel
    return select(app, rows)


def select(app, rows, origin="elsewhere"):
    app.session_state["selection"] = Selection(np.array(rows, dtype=np.int64), origin)
    return rerun(app)


def rerun(app):
    app.run()
    assert not app.exception, app.exception
    return app


def said(app):
    return "\n".join(block.value for block in [*app.markdown, *app.caption, *app.error])


def press(app, label):
    app.button[[button.label for button in app.button].index(label)].click()
    return rerun(app)


def listed(app):
    """The rows of the panel's list, by number."""
    return [int(text) - 1 for text in app.dataframe[-1].value["row"].tolist()]


def chosen(app):
    return app.session_state["selection"].rows.tolist()


def lines(app):
    drawn = app.session_state["mark.lines"][1]
    return None if drawn is None else (drawn.source, drawn.targets.tolist())


def true_neighbors(app, row, count, metric="euclidean"):
    vectors = app.session_state["run"].embedding.vectors.astype(np.float64)
    search = NearestNeighbors(n_neighbors=count + 1, metric=metric, algorithm="brute").fit(vectors)
    return [int(at) for at in search.kneighbors(vectors[[row]])[1][0] if at != row][:count]


def test_neighbours_of_a_row_as_list_lines_and_words(shared, wine):
    app = open_panel(wine, "Neighbours", [20])
    near = true_neighbors(app, 20, 15)
    assert listed(app) == near
    assert lines(app) == (20, near)
    labels = np.asarray(app.session_state["run"].clustering.labels)
    same = np.count_nonzero(labels[near] == labels[20])
    assert f"**{same} of 15** are in the same cluster" in said(app)
    kinds = app.session_state["run"].dataset.texts("label")
    alike = sum(kinds[row] == kinds[20] for row in near)
    assert f"**{alike} of 15** have the same label" in said(app)
    points = app.session_state["run"].projection.points.astype(np.float64)
    seen = np.argsort(np.linalg.norm(points - points[20], axis=1), kind="stable")
    kept = len(set(seen[seen != 20][:15].tolist()) & set(near))
    assert f"**{kept} of the 15 points nearest to it in the picture**" in said(app)
    assert "Euclidean distance in" in said(app)
    assert "exact: 177 other rows compared" in said(app)


def test_count_metric_and_lines_are_chosen_and_stay(shared, wine):
    app = open_panel(wine, "Neighbours", [20])
    app.number_input(key="neighbors.count").set_value(5)
    app.selectbox(key="neighbors.metric").set_value("manhattan")
    rerun(app)
    near = true_neighbors(app, 20, 5, "manhattan")
    assert listed(app) == near
    assert lines(app) == (20, near)
    app.checkbox(key="neighbors.lines").uncheck()
    assert lines(rerun(app)) is None
    app.session_state["panel"] = "Search"
    rerun(app)
    app.session_state["panel"] = "Neighbours"
    rerun(app)
    assert listed(app) == near
    assert lines(app) is None


def test_lines_go_when_another_panel_opens(shared, wine):
    app = open_panel(wine, "Neighbours", [20])
    assert lines(app) is not None
    app.session_state["panel"] = "Search"
    assert lines(rerun(app)) is None


def test_selecting_the_neighbours_keeps_the_question(shared, wine):
    app = open_panel(wine, "Neighbours", [20])
    near = listed(app)
    press(app, "Select these 15")
    assert chosen(app) == sorted(near)
    assert listed(app) == near
    assert "Nearest to **row 21**" in said(app)
    select(app, [3])
    assert "Nearest to **row 4**" in said(app)


def test_the_way_back(shared, wine):
    app = open_panel(wine, "Neighbours", [20])
    for row in (7, 9):
        go_to_in(app, row)
    assert "Nearest to **row 10**" in said(app)
    assert chosen(app) == [9]
    labels = [button.label for button in app.button]
    assert [label for label in labels if label.startswith("Row ")] == ["Row 21", "Row 8"]
    press(app, "Back")
    assert chosen(app) == [7]
    press(app, "Row 21")
    assert chosen(app) == [20]
    assert "Back" not in [button.label for button in app.button]


def go_to_in(app, row):
    """What a click in the list does; AppTest cannot click there."""
    held = app.session_state["neighbors.asked"]
    rows = np.array([row])
    app.session_state["neighbors.asked"] = neighbors_ask.Asked(
        held.dataset, rows, (*held.trail, int(held.rows[0])), rows)
    select(app, [row], neighbors_ask.ORIGIN)


def test_the_centre_of_several_rows(shared, wine):
    app = open_panel(wine, "Neighbours", [3, 8, 30])
    vectors = app.session_state["run"].embedding.vectors.astype(np.float64)
    distances = np.linalg.norm(vectors - vectors[[3, 8, 30]].mean(axis=0), axis=1)
    order = [row for row in np.argsort(distances, kind="stable").tolist() if row not in (3, 8, 30)]
    assert listed(app) == order[:15]
    source = min((3, 8, 30), key=lambda row: distances[row])
    assert lines(app) == (source, order[:15])
    assert "the centre of 3 rows" in said(app)


def test_nothing_selected_offers_a_start(shared, wine):
    app = open_panel(wine, "Neighbours")
    assert lines(app) is None
    assert "Click a point on the map" in said(app)
    press(app, "Start at the most doubtful row")
    silhouette = app.session_state["run"].silhouette.per_row["silhouette"]
    assert chosen(app) == [int(np.nanargmin(silhouette))]
    assert listed(app)


def test_a_row_without_a_vector(shared, texts):
    app = open_panel(texts, "Neighbours", [10])
    assert "no vector" in said(app)
    assert lines(app) is None


def test_many_numbers_are_compared_by_a_job(shared, wine, monkeypatch):
    monkeypatch.setattr(queries, "AT_ONCE", 0)
    app = open_panel(wine, "Neighbours", [21])
    assert not app.dataframe or "distance" not in app.dataframe[-1].value
    current = app.session_state["run"]
    step = queries.nearest_step(current, np.array([21]), "euclidean")
    assert shared.jobs.view(step.key).state == "queued"
    queries.execute(step.payload, str(shared.store.root), silent)
    near = true_neighbors(app, 21, 15)
    assert listed(rerun(app)) == near
    assert lines(app) == (21, near)
    shared.jobs.cancel([step.key], app.query_params["w"][0])


def search(app, typed, key="search.words"):
    app.text_input(key=key).set_value(typed)
    return rerun(app)


def test_words_found_and_selected(shared, texts):
    app = search(open_panel(texts, "Search"), "GOAL cafe")
    assert listed(app) == [6, 17]
    assert "**2** of 21 rows" in said(app)
    assert "goal: 8, cafe: 2" in said(app)
    table = app.dataframe[-1].value
    assert table["match"].tolist() == ["goal", "goal"]
    assert table["before"].tolist() == ["Café ", "Café "]
    press(app, "Select all 2")
    assert chosen(app) == [6, 17]
    assert listed(app) == [6, 17]


@pytest.mark.parametrize(("typed", "words"), [
    ("zebra", "**None** of 21 rows has this"),
    ("goal zebra", "goal: 8, zebra: 0"),
    ('""', "must have a letter"),
    ("*coach*", "**2** of 21 rows"),
    ("11", "**The row of that id**"),
    ("<b>[x](y)</b>", "**None**"),
])
def test_what_is_said_of_a_search(shared, texts, typed, words):
    assert words in said(search(open_panel(texts, "Search"), typed))


def test_a_row_is_found_by_its_id_though_it_has_no_vector(shared, texts):
    app = search(open_panel(texts, "Search"), "11")
    assert listed(app) == [10]
    assert "1 row of these has no vector: not on the map" in said(app)
    assert app.dataframe[-1].value["cluster"].tolist() == ["(no vector)"]


def test_meaning_is_a_job_and_then_a_list(shared, texts):
    app = open_panel(texts, "Search")
    app.segmented_control(key="search.how").set_value("Meaning")
    app = search(rerun(app), "a rocket to the moon", "search.meaning")
    current = app.session_state["run"]
    step = queries.meaning_step(current, "a rocket to the moon")
    assert shared.jobs.view(step.key).state == "queued"
    queries.execute(step.payload, str(shared.store.root), silent)
    rerun(app)
    assert set(listed(app)[:6]) == {2, 5, 8, 13, 16, 19}
    similar = app.dataframe[-1].value["similarity"].tolist()
    assert similar == sorted(similar, reverse=True)
    assert "cosine in TF\\-IDF" in said(app)
    assert "not\\:" in said(app)
    shared.jobs.cancel([step.key], app.query_params["w"][0])


def test_meaning_needs_an_encoder_of_texts(shared, wine):
    app = open_panel(wine, "Search")
    app.segmented_control(key="search.how").set_value("Meaning")
    rerun(app)
    assert "cannot place a typed text" in said(app)
    assert app.text_input(key="search.meaning").disabled
