"""The pages that read one cluster whole, and that find strange and doubled rows."""

import numpy as np
import pytest

from explorer import steps
from explorer.study.confounders import Confounders
from explorer.study.near_duplicates import NearDuplicates
from explorer.study.outliers import Outliers
from explorer.study.rules import Rules
from explorer.study.step import study_step
from tests.ui.opened import open_page

WHY, ODD, MAP = "pages/explore/why.py", "pages/judge/odd.py", "pages/explore/map.py"


def said(app):
    """The words, without Markdown's escapes."""
    return "\n".join(block.value for block in [*app.markdown, *app.caption]).replace("\\", "")


def press(app, label):
    app.button[[button.label for button in app.button].index(label)].click().run()
    assert not app.exception, app.exception


@pytest.fixture(scope="module")
def computed(shared, wine):
    """What the pages ask for, computed as the engine would."""
    current = open_page(WHY, wine).session_state["run"]
    for study in (Rules.create(), Confounders.create(), Outliers.create(),
                  NearDuplicates.create(threshold=1.5), NearDuplicates.create()):
        steps.execute(study_step(current.plan, study).payload, str(shared.store.root),
                      lambda part, text: None)
    return wine


def test_nothing_is_computed_before_it_is_asked_for(shared, wine):
    app = open_page(WHY, wine)
    assert "**65 rows**" in said(app)
    labels = [button.label for button in app.button]
    assert sum(label.startswith("Compute (") for label in labels) == 2
    labels = [button.label for button in open_page(ODD, wine).button]
    assert any(label.startswith("Compute (") for label in labels)


def test_a_cluster_is_read_whole(shared, computed):
    app = open_page(WHY, computed)
    current = app.session_state["run"]
    assert "proline at most **918**" in said(app)
    assert "On rows it was not learned from: precision **0.93**, recall **0.82**" in said(app)
    labels = np.asarray(current.clustering.labels)
    silhouette = np.asarray(current.silhouette.per_row["silhouette"])
    tables = [frame.value for frame in app.dataframe if "row_id" in frame.value.columns]
    assert [len(table) for table in tables] == [12, 12, 12]
    inside = np.flatnonzero(labels == 0)
    lowest = inside[np.argsort(silhouette[inside], kind="stable")[:12]]
    assert tables[1]["row_id"].tolist() == [str(row + 1) for row in lowest]
    press(app, "Next")
    assert "**62 rows**" in said(app)
    color, proline = (current.dataset.numbers(name) for name in ("color_intensity", "proline"))
    press(app, "Previous")
    found = next(button for button in app.button if button.label.endswith("it finds"))
    expected = np.flatnonzero((color <= 3.94) & (proline <= 918))
    assert found.label == f"Select the {len(expected)} rows it finds"
    found.click().run()
    assert app.session_state["selection"].rows.tolist() == expected.tolist()


def test_the_rule_becomes_the_filter_of_the_map(shared, computed):
    app = open_page(WHY, computed)
    press(app, "Filter the map by it")
    app.switch_page(MAP).run()
    assert not app.exception, app.exception
    assert "color_intensity at most 3.94" in said(app)


def test_the_strangest_rows_are_selected_and_colour_the_map(shared, computed):
    app = open_page(ODD, computed)
    app.segmented_control(key="odd.score").set_value("study:outliers:lof").run()
    assert "about 1 inside a group" in said(app)
    press(app, "Select the 20 strangest rows")
    current = app.session_state["run"]
    values = np.asarray(next(made.finding for made in current.findings
                             if made.study.key == "outliers").per_row["lof"])
    expected = np.sort(np.argsort(-values, kind="stable")[:20])
    assert app.session_state["selection"].rows.tolist() == expected.tolist()
    app.switch_page(MAP).run()
    assert not app.exception, app.exception
    assert app.selectbox(key="color_by").value == "study:outliers:lof"
    assert app.selectbox(key="selected.order").value == "study:outliers:lof:down"


def test_another_threshold_finds_groups_to_thin_out(shared, computed):
    app = open_page(ODD, computed)
    app.segmented_control(key="odd.part").set_value("Near-duplicates").run()
    assert "No two rows are so near" in app.info[0].value
    box = next(box for box in app.number_input if box.label == "Another threshold")
    box.set_value(1.5).run()
    press(app, "Use 1.5")
    assert "Groups of near-duplicates: **" in said(app)
    extra = next(button for button in app.button if button.label.startswith("Keep one of each"))
    extra.click().run()
    rows = app.session_state["selection"].rows
    current = app.session_state["run"]
    found = next(made.finding for made in current.findings if made.study.key == "near_duplicates")
    assert float(found.extras["threshold"][0]) == 1.5
    assert rows.tolist() == np.flatnonzero(np.asarray(found.per_row["extra"]) == 1).tolist()
    assert len(rows)
