"""The map page without a browser: what the views are told, and what they tell back."""

import base64
import json
from pathlib import Path

import numpy as np
import pytest
from streamlit.testing.v1 import AppTest

from explorer.load import load_sample
from explorer.project import projectors
from explorer.propose import propose
from explorer.run import run
from explorer.spec import silent
from explorer.ui.served import shelf
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


def told(app, key="map"):
    """What a view of ours was given."""
    found = [element.proto for element in app.get("bidi_component")
             if element.proto.id.endswith(f"-{key}")]
    (proto,) = found
    return json.loads(proto.json or proto.mixed.json)


def fetched(address, kind):
    return np.frombuffer(shelf.bytes_of(address.rsplit("/", 1)[1]), dtype=kind)


def bits(data):
    packed = np.frombuffer(base64.b64decode(data["chosen"]["bits"]), dtype=np.uint8)
    return np.flatnonzero(np.unpackbits(packed, count=data["n"])).tolist()


def select(app, rows, origin="elsewhere"):
    app.session_state["selection"] = Selection(np.array(rows), origin)
    app.run()
    assert not app.exception, app.exception


def test_points_arrive_where_the_projection_has_them(shared, wine):
    app = open_map(wine)
    points = app.session_state["run"].projection.points
    data = told(app)
    geometry = data["geometry"]
    placed = fetched(geometry["url"], "<f4").reshape(-1, 2)
    assert data["n"] == len(points) == 178
    assert "ids" not in data
    back = np.array(geometry["middle"]) + placed * np.array(geometry["unit"])
    np.testing.assert_allclose(back, points, atol=1e-4 * np.abs(points).max())
    np.testing.assert_allclose(np.abs(placed).max(axis=0), geometry["half"], rtol=1e-6)
    labels = app.session_state["run"].clustering.labels
    for name in data["names"]:
        inside = labels == name["code"]
        assert name["count"] == inside.sum()
        np.testing.assert_allclose((name["x"], name["y"]), np.median(placed[inside], axis=0),
                                   atol=1e-5)


def test_every_colouring_is_offered_and_says_what_each_row_has(shared, wine):
    app = open_map(wine)
    box = app.selectbox(key="color_by")
    assert box.options[:3] == ["Colour: Cluster", "Colour: Silhouette",
                               "Colour: Second-best cluster"]
    current = app.session_state["run"]
    np.testing.assert_array_equal(fetched(told(app)["colors"]["url"], "u1"),
                                  current.clustering.labels)
    seen = set()
    label = current.dataset.with_role("label")[0].name
    for key in (f"column:{label}", "column:proline", "silhouette", "second"):
        app.selectbox(key="color_by").set_value(key).run()
        assert not app.exception
        colors = told(app)["colors"]
        seen.add(colors["key"])
        codes = fetched(colors["url"], "u1")
        assert len(codes) == 178
        if key == f"column:{label}":
            names = {item["code"]: item["name"] for item in colors["items"]}
            assert [names[code] for code in codes] == current.dataset.texts(label)
        if key == "column:proline":
            values = current.dataset.numbers("proline")
            assert np.argmax(values) in np.flatnonzero(codes == codes.max())
            assert np.all(np.diff(codes[np.argsort(values)].astype(int)) >= 0)
    assert len(seen) == 4


def test_recolouring_changes_nothing_but_the_colours(shared, wine):
    app = open_map(wine)
    before = told(app)
    app.selectbox(key="color_by").set_value("silhouette").run()
    after = told(app)
    assert before["colors"].pop("key") != after["colors"].pop("key")
    assert {key for key in before if before[key] != after[key]} == {"colors"}
    app.run()
    assert told(app)["colors"]["url"] == after["colors"]["url"]


def test_a_cluster_keeps_its_colour_on_map_bars_and_cards(shared, wine):
    app = open_map(wine)
    colors, groups = told(app)["colors"], told(app, "silhouette")["groups"]
    palette = {item["name"]: colors["palette"][item["code"]] for item in colors["items"]}
    assert {group["name"]: group["color"] for group in groups} == palette
    card = shelf.rows_of(told(app)["card"].rsplit("/", 1)[1]).card(4)
    label = app.session_state["run"].clustering.labels[4]
    assert card.color == palette[f"Cluster {label}"]
    assert card.title == "Row 5"


def test_bars_are_the_silhouettes_by_cluster_falling(shared, wine):
    app = open_map(wine)
    current, data = app.session_state["run"], told(app, "silhouette")
    order, values = fetched(data["order"], "<u4"), fetched(data["values"], "<f4")
    scores = np.asarray(current.silhouette.per_row["silhouette"])
    np.testing.assert_allclose(values, scores[order], rtol=1e-6)
    assert sorted(order.tolist()) == list(range(178))
    for group in data["groups"]:
        part = slice(group["start"], group["end"])
        assert len(set(current.clustering.labels[order[part]])) == 1
        assert np.all(np.diff(values[part]) <= 0)
        assert group["mean"] == pytest.approx(scores[order[part]].mean())


def test_colouring_outlives_a_change_of_page(shared, wine):
    app = open_map(wine)
    app.selectbox(key="color_by").set_value("silhouette").run()
    app.switch_page("pages/explore/clusters.py").run()
    app.switch_page(MAP).run()
    assert app.selectbox(key="color_by").value == "silhouette"


def test_a_selection_reaches_both_views_and_stays_when_recoloured(shared, wine):
    app = open_map(wine)
    assert told(app)["chosen"] is None
    select(app, [3, 5, 8, 100])
    for key in ("silhouette", "selection", "cluster"):
        assert bits(told(app)) == bits(told(app, "silhouette")) == [3, 5, 8, 100]
        app.selectbox(key="color_by").set_value(key).run()
    app.button(key="selection.clear").click().run()
    assert told(app)["chosen"] is None


def test_what_a_view_sends_becomes_the_selection_of_this_session_only(shared, wine):
    first, second = open_map(wine), open_map(wine)
    lasso(first, "map", [0, 9, 177])
    assert first.session_state["selection"].rows.tolist() == [0, 9, 177]
    chosen = told(first)["chosen"]
    assert (chosen["origin"], chosen["turn"]) == ("view", 7)  # the view knows it for its own
    assert bits(told(first, "silhouette")) == [0, 9, 177]
    second.run()
    assert len(second.session_state["selection"].rows if "selection" in second.session_state
               else ()) == 0
    assert told(second)["chosen"] is None
    # Of a run that is not shown any more nothing is taken.
    lasso(first, "map", [1], rows="another embedding")
    assert first.session_state["selection"].rows.tolist() == [0, 9, 177]


def lasso(app, key, places, rows=None):
    """A view's trigger, as the browser sends it."""
    from streamlit.proto.WidgetStates_pb2 import WidgetState

    (view,) = [element.proto for element in app.get("bidi_component")
               if element.proto.id.endswith(f"-{key}")]
    data = told(app, key)
    inside = np.zeros(data["n"], dtype=bool)
    inside[places] = True
    sent = {"bits": base64.b64encode(np.packbits(inside)).decode(), "count": len(places),
            "n": data["n"], "rows": rows or data["rows"], "origin": "view", "turn": 7}
    state = WidgetState(id=f"$$STREAMLIT_INTERNAL_KEY_{view.id}__events",
                        json_trigger_value=json.dumps([{"event": "chosen", "value": sent}]))
    states = app._tree.get_widget_states()
    states.widgets.append(state)
    app._run(states)  # AppTest has no way of its own to send a component's trigger
    assert not app.exception, app.exception


def test_three_dimensions_are_plotly_and_say_how_to_choose(shared):
    identifier = workspace(shared, "wine", projector=projectors().create("pca", {"dimensions": 3}))
    app = open_map(identifier)
    assert figure(app).data[0].type == "scatter3d"
    assert "tool" not in [group.key for group in app.get("button_group")]
    assert any("3-D picture cannot be lassoed" in caption.value for caption in app.caption)
    assert told(app, "silhouette")["n"] == 178


def test_without_webgl_there_is_a_plainer_map_with_tools_and_a_word_on_it(shared, wine):
    app = open_map(wine, no_webgl=True)
    assert figure(app).layout.dragmode == "pan"
    assert any("draws no WebGL" in caption.value for caption in app.caption)
    app.segmented_control(key="tool").set_value("Lasso").run()
    assert figure(app).layout.dragmode == "lasso"
    select(app, [3, 5, 8, 100])
    assert sorted(figure(app).data[1].customdata.tolist()) == [3, 5, 8, 100]
    assert bits(told(app, "silhouette")) == [3, 5, 8, 100]
    text = figure(app).data[0].text
    label = app.session_state["run"].clustering.labels[4]
    assert any(line.startswith(f"row 5 · Cluster {label}<br>") for line in text)


def figure(app):
    from explorer.ui.map_view import FIGURES

    return FIGURES.get(app.session_state["figure.map"], lambda: pytest.fail("not kept"))


def test_side_by_side_shows_the_same_rows_on_other_pictures(shared, wine):
    from explorer.ui.state import Document

    app = open_map(wine)
    current = app.session_state["run"]
    app.segmented_control(key="maps").set_value(3).run()
    assert not app.exception
    app.selectbox(key="maps.picture.1").set_value("").run()
    app.selectbox(key="maps.picture.2").set_value("bars").run()
    app.selectbox(key="color_by.1").set_value("silhouette").run()
    first, second = told(app), told(app, "map.1")
    assert first["geometry"] == second["geometry"]
    assert first["linked"]
    assert first["colors"]["key"] != second["colors"]["key"]
    assert told(app, "silhouette.2")["n"] == 178
    # Another projector is a job: here nobody computes it.
    app.selectbox(key="maps.picture.1").set_value("umap").run()
    assert any(button.label.startswith("Draw it (") for button in app.button)
    run(current.recipe.using(projector=projectors().create("umap")), current.dataset, shared.store)
    app.run()
    umap = told(app, "map.1")
    assert umap["geometry"]["key"] != first["geometry"]["key"]
    assert (umap["rows"], umap["group"]) == (first["rows"], first["group"])
    np.testing.assert_array_equal(fetched(umap["colors"]["url"], "u1"),
                                  fetched(second["colors"]["url"], "u1"))
    document = Document.model_validate(shared.workspaces.open(wine).document)
    assert [panel["show"] for panel in document.panels] == ["umap", "bars"]
    app.segmented_control(key="maps").set_value(1).run()
    assert shared.workspaces.open(wine).document["panels"] == []
