"""Agreement, Probes and Leaderboard without a browser, on the wine sample."""

import pytest
from sklearn.metrics import adjusted_rand_score

from explorer import steps
from explorer.cluster import clusterers
from explorer.leaderboard import Contest, combine, steps_of
from explorer.plan import make_plan, missing
from explorer.spec import silent
from explorer.study.probe import Probe
from explorer.study.step import study_step
from tests.ui.opened import open_page


def words(app):
    return "\n".join(str(element.value) for kind in (app.markdown, app.caption, app.info)
                     for element in kind)


def button(app, label):
    return next(one for one in app.button if one.label.startswith(label))


@pytest.fixture(scope="module")
def current(shared, wine):
    return open_page("pages/explore/map.py", wine).session_state["run"]


@pytest.fixture(scope="module")
def known(current):
    column = next(column.name for column in current.dataset.with_role("label"))
    return column, current.dataset.texts(column)


def test_agreement_with_the_label_column(wine, current, known):
    app = open_page("pages/judge/agreement.py", wine)
    assert app.selectbox(key="agreement.column").value == known[0]
    expected = adjusted_rand_score(known[1], current.clustering.labels)
    assert f"ARI **{expected:.3f}**" in words(app)
    assert "178 of 178 rows" in words(app)
    outside = button(app, "Select the")
    app = outside.click().run()
    rows = app.session_state["selection"].rows
    assert outside.label == f"Select the {len(rows)} rows outside the pairing"
    assert 0 < len(rows) < 30
    assert f"**{len(rows)}** of 178 rows selected" in words(app)


def test_agreement_with_another_clusterer(wine, current, shared):
    recipe = current.recipe.unedited.using(clusterer=clusterers().create("kmeans",
                                                                         {"clusters": 5}))
    plan = make_plan(recipe, current.dataset, shared.store)
    step = next(step for step in plan.steps if step.kind == "cluster")
    app = open_page("pages/judge/agreement.py", wine)
    app.button_group(key="agreement.against").set_value("Another clusterer").run()
    assert "These are the clusters of the map" in words(app)
    app.number_input(key="agreement_clusterer.kmeans.clusters").set_value(5).run()
    assert any(one.label.startswith("Compute them") for one in app.button)
    steps.compute(step.payload, shared.store, silent)
    app.run()
    from explorer import values

    other = values.read(values.Clustering, shared.store.get(plan.clustering))
    assert f"ARI **{adjusted_rand_score(other.labels, current.clustering.labels):.3f}**" \
        in words(app)


def test_agreement_with_another_workspace(wine, current, shared):
    document = shared.workspaces.open(wine).document
    recipe = current.recipe.unedited.using(clusterer=clusterers().create("kmeans",
                                                                         {"clusters": 5}))
    step = next(step for step in make_plan(recipe, current.dataset, shared.store).steps
                if step.kind == "cluster")
    steps.compute(step.payload, shared.store, silent)
    other = shared.workspaces.create("colleague")
    shared.workspaces.save(other, {**document, "ran": recipe.to_data()}, 0)
    app = open_page("pages/judge/agreement.py", wine)
    app.button_group(key="agreement.against").set_value("Another workspace").run()
    app.text_input(key="agreement.workspace").set_value(f"http://x/map?w={other}&a=1").run()
    assert "ARI **" in words(app)
    app.text_input(key="agreement.workspace").set_value("nobody").run()
    assert "ARI **" not in words(app)
    assert not app.exception


def test_probe_says_its_numbers_and_selects_the_rows_it_gets_wrong(wine, current, known, shared):
    study = Probe.create(column=known[0])
    app = open_page("pages/judge/probes.py", wine)
    assert app.selectbox(key="probe.column").value == known[0]
    assert button(app, "Probe the vectors")
    steps.compute(study_step(current.plan, study).payload, shared.store, silent)
    app.run()
    found = current.finding(study)
    wrong = int((found.per_row["correct"] == 0).sum())
    label = f"Select the {wrong} row" if wrong else "Select the 0 rows"
    chosen = button(app, label)
    if wrong:
        app = chosen.click().run()
        assert len(app.session_state["selection"].rows) == wrong
    assert "5 folds, 2 runs" in words(app)
    assert "178 of 178 rows" in words(app)


def test_leaderboard_keeps_its_recipes_and_says_what_can_be_compared(wine, current, known, shared):
    app = open_page("pages/judge/leaderboard.py", wine)
    assert button(app, "Compare 1 recipes")
    app.text_input(key="leaderboard.clusterer.kmeans.values").set_value("3, 5").run()
    assert button(app, "Compare 2 recipes")
    app.text_input(key="leaderboard.clusterer.kmeans.values").set_value("3, x").run()
    assert not any(one.label.startswith("Compare") for one in app.button)
    app.text_input(key="leaderboard.clusterer.kmeans.values").set_value("3, 5").run()
    app = button(app, "Compare 2 recipes").click().run()
    assert not app.exception
    told = shared.workspaces.open(wine).document["leaderboard"]
    assert told["column"] == known[0]
    assert [data["clusterer"]["parameters"]["clusters"] for data in told["entries"]] == [3, 5]

    kinds = [current.recipe.clustering.with_count(count) for count in (3, 5)]
    recipes = combine(current.recipe, [current.recipe.encoding], [current.recipe.projecting],
                      kinds)
    contest = Contest(known[0])
    for recipe in recipes:
        plan = make_plan(recipe, current.dataset, shared.store)
        for step in missing(steps_of(plan, contest), shared.store):
            steps.compute(step.payload, shared.store, silent)
    app = open_page("pages/judge/leaderboard.py", wine)  # another session
    assert "**2 of 2 recipes** done" in words(app)
    assert "between rows of the same space only" in words(app)
    table = app.dataframe[0].value
    expected = adjusted_rand_score(known[1], current.clustering.labels)
    assert table["ARI"][0] == pytest.approx(expected)
    assert table["probe"][0] == table["probe"][1]
    assert table["clusters"].tolist() == [3, 5]
