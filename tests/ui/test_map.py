"""The map page without a browser: colourings, tools, marks of a selection, hover, rows."""

from pathlib import Path

import numpy as np
import pytest
from streamlit.testing.v1 import AppTest

from explorer.load import load_sample
from explorer.project import projectors
from explorer.propose import propose
from explorer.run import run
from explorer.spec import silent
from explorer.ui.state import Selection

ROOT = Path(__file__).parents[2]
MAP = "pages/explore/map.py"


def workspace(shared, sample, **changes):
    """A workspace on a sample with everything computed."""
    from explorer.ui.state import Document

    data = load_sample(sample, shared.store, silent)
    recipe = propose(data).recipe.using(**changes)
    run(recipe, data, shared.store)
    identifier = shared.workspaces.create(sample)
    document = Document(dataset=data.id, recipe=recipe.to_data(), ran=recipe.to_data())
    shared.workspaces.save(identifier, document.model_dump(mode="json"), 0)
    return identifier


@pytest.fixture(scope="module")
def wine(shared):
    return workspace(shared, "wine", projector=projectors().create("pca"))


def open_map(identifier, **session):
    app = AppTest.from_file(str(ROOT / "app.py"), default_timeout=60)
    app.query_params["w"] = identifier
    app.run()
    for key, value in session.items():
        app.session_state[key] = value
    app.switch_page(MAP)
    app.run()
    assert not app.exception, app.exception
    return app


def figure(app, name="map"):
    from explorer.ui.map_view import FIGURES

    return FIGURES.get(app.session_state[f"figure.{name}"], lambda: pytest.fail("not kept"))


def select(app, rows, origin="elsewhere"):
    app.session_state["selection"] = Selection(np.array(rows), origin)
    app.run()
    assert not app.exception, app.exception


def test_every_colouring_draws(shared, wine):
    app = open_map(wine)
    box = app.selectbox(key="color_by")
    assert box.options[:3] == ["Colour: Cluster", "Colour: Silhouette",
                               "Colour: Second-best cluster"]
    assert "Colour: proline" in box.options
    seen = []
    for key in app.session_state["run"].dataset.roles:
        if f"column:{key}" in ("column:class", "column:proline"):
            app.selectbox(key="color_by").set_value(f"column:{key}").run()
            assert not app.exception
            seen.append(figure(app).to_json())
    app.selectbox(key="color_by").set_value("silhouette").run()
    seen.append(figure(app).to_json())
    assert len(set(seen)) == len(seen) >= 2


def test_colouring_and_tool_outlive_a_change_of_page(shared, wine):
    app = open_map(wine)
    app.selectbox(key="color_by").set_value("silhouette").run()
    app.segmented_control(key="tool").set_value("Box").run()
    app.switch_page("pages/explore/clusters.py").run()
    app.switch_page(MAP).run()
    assert app.selectbox(key="color_by").value == "silhouette"
    assert app.segmented_control(key="tool").value == "Box"


def test_tool_sets_what_dragging_does_on_both_figures(shared, wine):
    app = open_map(wine)
    assert (figure(app).layout.dragmode, figure(app, "silhouette").layout.dragmode) == (
        "pan", "pan")  # Streamlit takes clicks only while dragging does not select
    app.segmented_control(key="tool").set_value("Lasso").run()
    assert (figure(app).layout.dragmode, figure(app, "silhouette").layout.dragmode) == (
        "lasso", "select")


def test_axes_with_a_meaning_show_their_numbers(shared, wine):
    layout = figure(open_map(wine)).layout
    assert layout.xaxis.showticklabels
    assert layout.xaxis.title.text.startswith("PC 1 (")
    tsne = workspace(shared, "wine", projector=projectors().create(
        "tsne", {"iterations": 20, "early_iterations": 5}))
    layout = figure(open_map(tsne)).layout
    assert layout.xaxis.showticklabels is False
    assert layout.xaxis.title.text == "across: t-SNE 1 · up: t-SNE 2"


def test_selection_is_marked_on_both_figures_and_stays_when_recoloured(shared, wine):
    app = open_map(wine)
    select(app, [3, 5, 8, 100])
    for _ in range(2):
        overlay = figure(app).data[1]
        assert sorted(overlay.customdata.tolist()) == [3, 5, 8, 100]
        bars = figure(app, "silhouette").data[0]
        shades = [bars.marker.colorscale[2 * code][1] for code in bars.marker.color]
        bright = {row for row, shade in zip(bars.customdata.tolist(), shades, strict=True)
                  if shade in ("#0072B2", "#E69F00", "#009E73")}
        assert bright == {3, 5, 8, 100}
        app.selectbox(key="color_by").set_value("silhouette").run()
    said = [block.value for block in app.markdown if "selected" in block.value]
    assert said[0].startswith("**4 rows selected** · ")
    app.button[[button.label for button in app.button].index("Clear")].click().run()
    assert len([trace for trace in figure(app).data if trace.customdata is not None]) == 1


def test_own_selection_is_left_to_the_browser_until_it_forgets(shared, wine):
    """Redrawing a figure for its own selection would throw away the zoom."""
    from explorer.ui.map_view import _marks

    app = open_map(wine)
    current = app.session_state["run"]
    base = app.session_state["figure.map"][0]
    assert _marks_with(_marks, current, base, [1, 2], str(base), [1, 2]) is None
    for origin, live in (("silhouette", [1, 2]), (str(base), []), (str(base), [1])):
        found = _marks_with(_marks, current, base, [1, 2], origin, live)
        assert np.flatnonzero(found).tolist() == [1, 2]


def _marks_with(marks, current, base, rows, origin, live):
    """`_marks` for a selection of `rows` made in `origin` while the chart holds `live`."""
    import streamlit as st

    from explorer.ui import state

    try:
        state.select(np.array(rows), origin)
        st.session_state[base[0]] = {"selection": {"points": [{"customdata": row}
                                                              for row in live]}}
        return marks(current, base)
    finally:
        st.session_state.clear()


def test_one_row_is_shown_whole_and_negatives_are_one_click(shared, wine):
    app = open_map(wine)
    select(app, [7])
    text = "\n".join(block.value for block in app.markdown)
    assert "**1 row selected**" in text
    assert "**Row 8**" in text
    assert "silhouette 0." in text
    values = app.session_state["run"].silhouette.per_row["silhouette"]
    app.button[[button.label for button in app.button].index("Clear")].click().run()
    (offer,) = [button for button in app.button if "negative" in button.label]
    assert offer.label == f"All {np.count_nonzero(values < 0)} negative silhouettes"
    offer.click().run()
    assert app.session_state["selection"].rows.tolist() == np.flatnonzero(values < 0).tolist()


def test_hover_names_row_and_cluster_and_above_the_limit_nothing_more(shared, wine, monkeypatch):
    from explorer.ui import colors

    app = open_map(wine)
    current = app.session_state["run"]
    texts = colors._hover(current, {0: "<b>"})
    assert len(texts) == 178
    label = int(current.clustering.labels[4])
    called = "&lt;b&gt;" if label == 0 else f"Cluster {label}"
    assert texts[4].startswith(f"row 5 · {called}<br>")
    monkeypatch.setattr(colors, "HOVER_ROWS", 100)
    assert colors._hover(current, {0: "<b>"})[4] == f"row 5 · {called}"
    silhouette = figure(app, "silhouette").data[0]
    assert all(text.startswith(f"row {row + 1}<br>") for row, text in
               zip(silhouette.customdata.tolist(), silhouette.text, strict=True))


def test_three_dimensions_say_how_to_choose(shared):
    identifier = workspace(shared, "wine", projector=projectors().create("pca", {"dimensions": 3}))
    app = open_map(identifier)
    assert figure(app).data[0].type == "scatter3d"
    assert any("3-D picture cannot be lassoed" in caption.value for caption in app.caption)


def test_sessions_do_not_share_a_selection(shared, wine):
    first, second = open_map(wine), open_map(wine)
    select(first, [1, 2, 3])
    second.run()
    assert "selection" not in second.session_state
    assert any("Nothing selected" in caption.value for caption in second.caption)
