"""The pages 'Reconstruction' and 'Anomalies', without torch: the study is computed before."""

import sys

import numpy as np
import pytest
from sklearn.datasets import load_digits
from sklearn.metrics import average_precision_score, precision_recall_fscore_support

from explorer import steps
from explorer.study.reconstruction import Reconstruction
from explorer.study.step import study_step
from tests.ui.opened import open_page

REBUILD, ANOMALIES = "pages/lab/rebuild.py", "pages/lab/anomalies.py"
DIGITS = load_digits()
N = 300


def said(app):
    """The words, without Markdown's escapes."""
    return "\n".join(block.value for block in [*app.markdown, *app.caption]).replace("\\", "")


def press(app, label):
    app.button[[button.label for button in app.button].index(label)].click().run()
    assert not app.exception, app.exception


def trained(shared, data, encoder, *, studied=True, **parameters):
    """A workspace on a run of a network of 3 epochs."""
    from explorer.cluster import clusterers
    from explorer.encode import encoders
    from explorer.project import projectors
    from explorer.recipe import Recipe
    from explorer.run import run
    from explorer.spec import silent
    from explorer.ui.state import Document

    recipe = Recipe.of(encoders().create(encoder, {"epochs": 3, **parameters}),
                       projectors().create("pca"), clusterers().create("kmeans", {"clusters": 3}))
    result = run(recipe, data, shared.store)
    if studied:
        steps.execute(study_step(result.plan, Reconstruction.create()).payload,
                      str(shared.store.root), silent)
    identifier = shared.workspaces.create(encoder)
    document = Document(dataset=data.id, recipe=recipe.to_data(), ran=recipe.to_data())
    shared.workspaces.save(identifier, document.model_dump(mode="json"), 0)
    return identifier


@pytest.fixture(scope="module")
def pictures(shared):
    """A denoising network of 300 digits."""
    from tests.builders import build_dataset, png

    images = [png(np.round(image * 255 / 16).astype(np.uint8)) for image in DIGITS.images[:N]]
    data = build_dataset(shared.store, {"digit": [f"d{digit}" for digit in DIGITS.target[:N]]},
                         {"digit": "label"}, images=images)
    return trained(shared, data, "denoising", dimensions=4)


@pytest.fixture(scope="module")
def columns(shared):
    """A network of the wine sample's columns."""
    from explorer.load import load_sample
    from explorer.spec import silent

    return trained(shared, load_sample("wine", shared.store, silent), "autoencoder", dimensions=3)


def finding(app):
    return next(made.finding for made in app.session_state["run"].findings
                if made.study.key == "reconstruction")


def test_one_row_after_the_other(pictures):
    before = "torch" in sys.modules
    app = open_page(REBUILD, pictures)
    found = finding(app)
    errors = np.asarray(found.per_row["error"], dtype=np.float64)
    worst = np.argsort(-errors, kind="stable")
    assert f"**Row {worst[0] + 1}**" in said(app)
    assert f"error **{errors[worst[0]]:.4g}**" in said(app)
    for title in ("Original", "Rebuilt", "With noise", "Denoised", "Error"):
        assert f"**{title}**" in said(app)
    press(app, "Next")
    assert f"**Row {worst[1] + 1}**" in said(app)
    app.selectbox(key="rebuild.way").set_value("Order of the data").run()
    app.number_input(key="rebuild.place").set_value(8).run()
    assert "**Row 8**" in said(app)
    held = "**held back** from training" if found.per_row["held"][7] else "trained on"
    assert held in said(app)
    press(app, "Select on the map")
    assert app.session_state["selection"].rows.tolist() == [7]
    assert before or "torch" not in sys.modules


def test_the_selection_is_gone_through_the_worst_first(pictures):
    from explorer.ui.chosen import Selection

    app = open_page(REBUILD, pictures)
    app.session_state["selection"] = Selection(np.array([3, 40, 41]), "map")
    app.run()
    errors = finding(app).per_row["error"]
    assert app.selectbox(key="rebuild.way").value == "Selected"
    worst = max((3, 40, 41), key=lambda row: errors[row])
    assert f"**Row {worst + 1}**" in said(app)
    assert "1 of 3 rows" in said(app)


def test_columns_in_their_own_units(columns):
    app = open_page(REBUILD, columns)
    found, current = finding(app), app.session_state["run"]
    worst = int(np.argmax(found.per_row["error"]))
    table = next(frame.value for frame in app.dataframe if "off, in spreads" in frame.value.columns)
    for name in ("alcohol", "proline"):
        line = table[table["column"] == name].iloc[0]
        assert line["original"] == pytest.approx(current.dataset.numbers(name)[worst], rel=1e-4)
    off = np.abs(table["off, in spreads"])
    assert (np.diff(off) <= 0).all()


def test_nothing_is_computed_before_it_is_asked_for(shared, columns):
    data = open_page(REBUILD, columns).session_state["run"].dataset
    bare = trained(shared, data, "autoencoder", dimensions=2, studied=False)
    for page in (REBUILD, ANOMALIES):
        app = open_page(page, bare)
        assert any(button.label.startswith("Compute (") for button in app.button)


def test_without_a_network_the_way_to_one_is_shown(wine):
    for page in (REBUILD, ANOMALIES):
        app = open_page(page, wine)
        assert "Train an encoder" in [button.label for button in app.button]


def test_anomalies_by_share_are_selected(pictures):
    app = open_page(ANOMALIES, pictures)
    app.slider(key="anomalies.share").set_value(10.0).run()
    errors = np.asarray(finding(app).per_row["error"])
    expected = np.sort(np.argsort(-errors, kind="stable")[:30])
    assert "**30** of 300 rows" in said(app)
    press(app, "Select these 30 rows")
    assert app.session_state["selection"].rows.tolist() == expected.tolist()
    again = open_page(ANOMALIES, pictures)  # another session
    assert again.slider(key="anomalies.share").value == 10.0


def test_precision_and_recall_where_a_column_knows(pictures):
    app = open_page(ANOMALIES, pictures)
    assert "not defined before a column" in said(app)
    app.slider(key="anomalies.share").set_value(20.0).run()
    app.selectbox(key="anomalies.column").set_value("digit").run()
    app.multiselect(key="anomalies.values.digit").set_value(["d8", "d9"]).run()
    assert not app.exception, app.exception
    errors = np.asarray(finding(app).per_row["error"], dtype=np.float64)
    odd = np.isin(DIGITS.target[:N], [8, 9])
    beyond = errors >= np.sort(errors)[-60]
    expected = precision_recall_fscore_support(odd, beyond, average="binary")[:3]
    shown = {metric.label: metric.value for metric in app.metric}
    assert [shown[name] for name in ("Precision", "Recall", "F1")] == [
        f"{value:.3f}" for value in expected]
    assert shown["Average precision"] == f"{average_precision_score(odd, errors):.3f}"
    best = next(button for button in app.button if button.label.startswith("Line of the best F1"))
    best.click().run()
    line = app.slider(key="anomalies.line.study:reconstruction:error").value
    assert f"({line:.4g})" in best.label
    again = open_page(ANOMALIES, pictures)
    assert again.multiselect(key="anomalies.values.digit").value == ["d8", "d9"]


def test_a_label_that_is_always_or_never_anomalous_says_so(pictures):
    app = open_page(ANOMALIES, pictures)
    app.selectbox(key="anomalies.column").set_value("digit").run()
    app.multiselect(key="anomalies.values.digit").set_value([f"d{at}" for at in range(10)]).run()
    assert "every row is anomalous" in app.info[-1].value
    shown = {metric.label: metric.value for metric in app.metric}
    assert shown["Average precision"] == "not defined"
