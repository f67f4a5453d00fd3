"""Selections brought back, saved under a name and linked; filters on the form; two sessions."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from explorer.errors import ParameterError, StoreError
from explorer.ui import saved as saved_module
from explorer.ui.chosen import BYTES, COMBINED, STEPS, Past, Selection
from explorer.ui.saved import make_saved, payload, saved_selections
from explorer.workspace import Operation
from tests.ui.test_map import MAP, open_map, workspace

NOTHING = Selection(np.empty(0, dtype=np.int64))
ROWS = st.frozensets(st.integers(0, 60))


@pytest.fixture(scope="module")
def wine(shared):
    from explorer.project import projectors

    return workspace(shared, "wine", projector=projectors().create("pca"))


@settings(max_examples=150, deadline=None)
@given(st.lists(st.one_of(ROWS, st.sampled_from(["undo", "redo"])), max_size=30))
def test_undo_and_redo_walk_like_two_stacks(steps):
    past, now = Past(), NOTHING
    before, after, shown = [], [], frozenset()
    for step in steps:
        if step == "undo":
            now = past.undo(now) or now
            if before:
                after.append(shown)
                shown = before.pop()
        elif step == "redo":
            now = past.redo(now) or now
            if after:
                before.append(shown)
                shown = after.pop()
        else:
            past.note(now)
            now = Selection(np.array(sorted(step), dtype=np.int64))
            before, after, shown = [*before, shown], [], step
        assert set(now.rows.tolist()) == shown
        assert (len(past.before), len(past.after)) == (len(before), len(after))


def test_the_past_is_bounded_and_keeps_the_newest():
    past, random = Past(), np.random.default_rng(0)
    for _ in range(STEPS + 5):
        past.note(Selection(np.array([1])))
    assert len(past.before) == STEPS
    for size in (3_000_000, 30_000_000):
        big = Selection(np.flatnonzero(random.random(size) < 0.5))
        past.note(big)
    assert len(past.before) == 1  # alone larger than BYTES
    assert len(past.before[0].bits) > BYTES
    assert np.array_equal(past.undo(NOTHING).rows, big.rows)


@given(ROWS, ROWS)
def test_rows_meet_the_selection_as_sets_do(now, rows):
    arrays = [np.array(sorted(one), dtype=np.int64) for one in (now, rows)]
    expected = {"replace": rows, "add": now | rows, "common": now & rows, "take away": now - rows}
    for how, combine in COMBINED.items():
        assert combine(*arrays).tolist() == sorted(expected[how])


def _logged(*made):
    return [Operation(at, operation, told, 0.0) for at, (operation, told) in enumerate(made)]


def test_saved_selections_are_what_the_log_says():
    one = make_saved(" one ", np.array([1, 5]), "d", "data", 10, [])
    two = make_saved("Two", np.array([2]), "other", "other data", 3, [])
    steps = _logged((saved_module.SAVE, payload(one)), (saved_module.SAVE, payload(two)),
                    (saved_module.RENAME, {"id": one.id, "name": "zwei"}),
                    (saved_module.DELETE, {"id": two.id}), ("edit", {}))
    (left,) = saved_selections(steps)
    assert (left.name, left.rows().tolist(), left.dataset_name) == ("zwei", [1, 5], "data")
    for name in ("", "  ", "x" * 81, "zwei"):
        with pytest.raises(ParameterError):
            make_saved(name, np.array([1]), "d", "data", 10, steps)


def test_saved_selections_are_bounded(monkeypatch):
    steps = _logged(*[(saved_module.SAVE, payload(make_saved(str(at), np.array([1]), "d", "", 9,
                                                             []))) for at in range(100)])
    with pytest.raises(StoreError) as refused:
        make_saved("more", np.array([1]), "d", "", 9, steps)
    assert refused.value.code == "TOO_MANY"
    monkeypatch.setattr(saved_module, "MOST_BYTES", 40)
    with pytest.raises(StoreError) as refused:
        make_saved("more", np.array([1]), "d", "", 9, steps[:3])
    assert refused.value.code == "TOO_LARGE"


def chosen(app):
    return app.session_state["selection"].rows.tolist()


def choose(app, rows):
    app.session_state["test_rows"] = rows
    app.button(key="selection.undo")  # the bar is there
    app.session_state["selection"] = Selection(np.array(rows, dtype=np.int64), "test")
    app.run()
    assert not app.exception, app.exception


def test_the_bar_brings_back_inverts_and_clears(shared, wine):
    app = open_map(wine)
    assert app.button(key="selection.undo").disabled
    app.button(key="selection.invert").click().run()
    assert chosen(app) == list(range(178))
    app.button(key="selection.clear").click().run()
    assert chosen(app) == []
    app.button(key="selection.undo").click().run()
    assert chosen(app) == list(range(178))
    assert "Brings back: nothing selected." in app.button(key="selection.undo").help
    app.switch_page("pages/explore/clusters.py").run()
    app.switch_page(MAP).run()
    app.button(key="selection.undo").click().run()
    assert chosen(app) == []
    app.button(key="selection.redo").click().run()
    assert chosen(app) == list(range(178))
    assert not app.exception


def test_sessions_share_what_is_saved_and_nothing_else(shared, wine):
    first, second = open_map(wine), open_map(wine)
    choose(first, [3, 5, 8])
    first.text_input(key="selection.name").set_value("*odd* :red[x]")
    save = next(button for button in first.button if button.label == "Save 3 rows")
    save.click().run()
    assert not first.exception
    second.run()
    assert second.button(key="selection.undo").disabled
    assert "selection" not in second.session_state
    assert second.selectbox(key="selection.which").options == ["*odd* :red[x] · 3 rows"]
    second.button(key="selection.add").click().run()
    assert chosen(second) == [3, 5, 8]
    third = open_map(wine)  # as after a restart: only what is stored
    third.button(key="selection.replace").click().run()
    third.button(key="selection.take away").click().run()
    assert chosen(third) == []


def test_a_filter_is_stated_and_its_rows_selected(shared, wine):
    app = open_map(wine, panel_kept="Search")
    app.button(key="filter.add").click().run()
    app.selectbox(key="filter.0.subject").set_value("column:proline").run()
    app.number_input(key="filter.0.number0").set_value(1_000.0).run()
    assert not app.exception, app.exception
    values = app.session_state["run"].dataset.numbers("proline")
    expected = np.flatnonzero(values >= 1_000)
    said = [block.value for block in app.markdown if "Filter: " in block.value]
    assert f"**{len(expected)}** of 178 rows shown (proline at least 1000)" in said[0]
    app.button(key="filter.select").click().run()
    assert chosen(app) == expected.tolist()
    app.button(key="selection.invert").click().run()
    assert chosen(app) == []  # all shown were selected; hidden rows never are
    app.button(key="filter.clear").click().run()
    assert not [block.value for block in app.markdown if "Filter: " in block.value]


def link(app):
    app.button(key="selection.link").click().run()
    assert not app.exception, app.exception
    return asked(app, "v")


def asked(app, key):
    """A part of the address; the app's own is a list."""
    value = app.query_params[key]
    return value if isinstance(value, str) else value[0]


def open_view(identifier, name):
    from streamlit.testing.v1 import AppTest

    from tests.ui.test_map import ROOT

    app = AppTest.from_file(str(ROOT / "app.py"), default_timeout=60)
    app.query_params["w"], app.query_params["v"] = identifier, name
    app.run()
    assert not app.exception, app.exception
    return app


def test_a_link_opens_what_was_on_screen(shared, wine):
    app = open_map(wine)
    app.selectbox(key="color_by").set_value("silhouette").run()
    choose(app, [0, 7, 170])
    name = link(app)
    assert link(app) == name  # the same view is the same link
    other = open_view(wine, name)
    assert chosen(other) == [0, 7, 170]
    assert other.session_state["coloring"] == "silhouette"
    assert asked(other, "w") == wine
    choose(app, [1])
    assert link(app) != name


def test_a_link_to_work_that_went_on_opens_a_copy(shared, wine):
    app = open_map(wine)
    choose(app, [4, 9])
    name = link(app)
    before = shared.workspaces.open(wine)
    changed = {**before.document, "ran": {**before.document["ran"], "clusterer": {
        "method": "kmeans", "parameters": {"clusters": 2}}}}
    version = shared.workspaces.save(wine, changed, before.version)
    other = open_view(wine, name)
    copy = asked(other, "w")
    assert copy != wine
    assert any("this is a copy" in block.value for block in other.info)
    assert chosen(other) == [4, 9]
    assert shared.workspaces.open(copy).document["ran"] == before.document["ran"]
    assert shared.workspaces.open(wine).document == changed  # the owner's is as it was
    assert shared.workspaces.open(wine).version == version
    shared.workspaces.save(wine, before.document, version)


def test_an_unknown_link_says_so_and_shows_the_workspace(shared, wine):
    app = open_view(wine, "0" * 24)
    assert any("names a view that is not in this workspace" in block.value for block in app.info)
    assert "v" not in app.query_params
    assert asked(app, "w") == wine
