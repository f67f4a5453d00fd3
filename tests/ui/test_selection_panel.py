"""The panel of the selected rows: what it offers, what it says, what stays when one is picked."""

import numpy as np

from explorer.ui.state import Selection
from tests.ui.opened import open_page

MAP = "pages/explore/map.py"


def select(app, rows, origin="elsewhere"):
    app.session_state["selection"] = Selection(np.array(rows, dtype=np.int64), origin)
    app.run()
    assert not app.exception, app.exception


def said(app):
    return "\n".join(block.value for block in [*app.markdown, *app.caption])


def press(app, label):
    app.button[[button.label for button in app.button].index(label)].click().run()
    assert not app.exception, app.exception


def chosen(app):
    return app.session_state["selection"].rows.tolist()


def test_what_is_worth_a_look_is_one_click(shared, wine):
    app = open_page(MAP, wine)
    current = app.session_state["run"]
    labels = np.asarray(current.clustering.labels)
    offers = [button.label for button in app.button]
    assert "The 17 least typical rows" in offers
    assert "All 178 rows" in offers
    press(app, f"Cluster 1 · {np.count_nonzero(labels == 1)}")
    assert chosen(app) == np.flatnonzero(labels == 1).tolist()
    assert f"Cluster 1: **{len(chosen(app))}** of its {len(chosen(app))}" in said(app)


def test_the_least_typical_are_the_farthest_from_their_centres(shared, wine):
    app = open_page(MAP, wine)
    current = app.session_state["run"]
    press(app, "The 17 least typical rows")
    vectors, labels = current.embedding.vectors.astype(float), current.clustering.labels
    far = [np.linalg.norm(vectors[row] - vectors[labels == labels[row]].mean(axis=0))
           for row in range(178)]
    assert chosen(app) == sorted(np.argsort(far)[-17:].tolist())


def test_the_summary_says_counts_silhouette_and_columns(shared, wine):
    app = open_page(MAP, wine)
    current = app.session_state["run"]
    rows = np.arange(30)
    select(app, rows)
    text = said(app)
    values = np.asarray(current.silhouette.per_row["silhouette"])
    assert "**30 rows**, 17 % of 178" in text
    assert f"**{values[:30].mean():.3f}** here, {values[30:].mean():.3f} in the" in text
    proline = current.dataset.numbers("proline")
    assert f"- proline: mean {proline[:30].mean():.0f} here" in text
    assert "label = " in text
    select(app, np.arange(178))
    assert "nothing to compare them with" in said(app)


def test_rows_picked_among_the_shown_ones_leave_the_others_there(shared, wine):
    app = open_page(MAP, wine)
    select(app, [3, 40, 90, 120])
    select(app, [40], origin="selected")  # as the gallery or the table does
    text = said(app)
    assert "**Row 41**" in text
    assert "in order of typicality" in text
    press(app, "Select all 4 again")
    assert chosen(app) == [3, 40, 90, 120]
    select(app, [3, 90], origin="selected")
    press(app, "Show only these 2")
    assert not [button for button in app.button if button.label.startswith("Select all")]
    select(app, [3], origin="map")  # chosen elsewhere: only that
    assert not [button for button in app.button if button.label.startswith("Select all")]
    assert "**Row 4**" in said(app)


def test_the_table_is_sorted_over_all_rows_and_says_what_it_leaves_out(shared, wine, monkeypatch):
    from explorer.ui import rows_view

    monkeypatch.setattr(rows_view, "TABLE_ROWS", 10)
    app = open_page(MAP, wine)
    select(app, np.arange(50))
    app.selectbox(key="selected.order").set_value("column:proline:down").run()
    current = app.session_state["run"]
    proline = current.dataset.numbers("proline")
    expected = np.argsort(-proline[:50], kind="stable")[:10]
    tables = [frame.value for frame in app.dataframe if "row_id" in frame.value.columns]
    assert tables[0]["row_id"].tolist() == [str(row + 1) for row in expected]
    assert "The first 10 of 50 rows in this order" in said(app)
    app.selectbox(key="selected.order").set_value("column:label").run()
    tables = [frame.value for frame in app.dataframe if "row_id" in frame.value.columns]
    assert tables[0]["label"].is_monotonic_increasing


def test_a_tick_in_the_table_selects_the_row_it_shows(shared, wine):
    import streamlit as st

    from explorer.ui import state
    from explorer.ui.rows_view import _chooser

    try:
        st.session_state["held"] = {"selection": {"rows": [2, 0, 9]}}
        _chooser(np.array([30, 10, 20]), "held", "selected")()
        assert state.selection().rows.tolist() == [20, 30]
        assert state.selection().origin == "selected"
    finally:
        st.session_state.clear()


def test_the_gallery_brings_back_packed_rows_and_only_of_this_data(shared, wine):
    import base64

    import streamlit as st

    from explorer.ui import state
    from explorer.ui.gallery_view import _chooser
    from explorer.ui.map_data import digest

    def tell(rows, dataset):
        bits = np.zeros(178, dtype=bool)
        bits[rows] = True
        st.session_state["selected.gallery"] = {"chosen": {
            "bits": base64.b64encode(np.packbits(bits).tobytes()).decode() if rows else "",
            "key": digest(dataset), "origin": "page", "turn": 4}}
        _chooser(178, "mine", "selected")()

    try:
        tell([5, 177], "mine")
        assert state.selection().rows.tolist() == [5, 177]
        tell([1], "other")
        assert state.selection().rows.tolist() == [5, 177]
        tell([], "mine")
        assert state.selection().rows.tolist() == []
    finally:
        st.session_state.clear()
