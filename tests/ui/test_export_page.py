"""The export page without a browser: which rows, which formats, the prepared file."""

import re
from pathlib import Path

import numpy as np
from streamlit.testing.v1 import AppTest

from explorer.exports import FORMATS, execute, export_step, keep_rows
from explorer.load import load_sample
from explorer.project import projectors
from explorer.propose import propose
from explorer.run import run
from explorer.spec import silent
from explorer.ui.state import Selection

ROOT = Path(__file__).parents[2]
EXPORT = "pages/take/export.py"


def open_export(identifier, **session):
    app = AppTest.from_file(str(ROOT / "app.py"), default_timeout=60)
    app.query_params["w"] = identifier
    app.run()
    for key, value in session.items():
        app.session_state[key] = value
    app.switch_page(EXPORT)
    app.run()
    assert not app.exception, app.exception
    return app


def labels(app):
    return [button.label for button in app.button]


def test_nothing_chosen_offers_nothing_to_prepare(shared, wine):
    app = open_export(wine)
    assert app.segmented_control(key="export_rows").value == "Clusters"
    assert not any(label.startswith("Prepare") for label in labels(app))
    assert any("at least one cluster" in caption.value for caption in app.caption)


def test_ticked_clusters_are_taken_over_and_stay_when_changed(shared, wine):
    app = open_export(wine, ticked=[0, 2])
    sizes = np.bincount(app.session_state["run"].clustering.labels)
    assert app.multiselect(key="export_clusters").value == [0, 2]
    assert f"Prepare {sizes[0] + sizes[2]} rows" in labels(app)
    app.multiselect(key="export_clusters").set_value([1]).run()
    assert f"Prepare {sizes[1]} rows" in labels(app)
    assert app.session_state["ticked"] == [1]
    app.switch_page("pages/explore/map.py").run()
    app.switch_page(EXPORT).run()
    assert app.multiselect(key="export_clusters").value == [1]


def test_selection_comes_first_when_there_is_one(shared, wine):
    app = open_export(wine, selection=Selection(np.array([4])))
    assert app.segmented_control(key="export_rows").value == "Selected rows"
    assert "Prepare 1 row" in labels(app)
    assert any(caption.value.startswith("1 row selected") for caption in app.caption)


def test_images_are_offered_only_where_there_are_some(shared, wine):
    app = open_export(wine, ticked=[0])
    assert app.radio(key="export_format").options == ["CSV, safe for Excel", "CSV, exact",
                                                      "Parquet", "JSONL"]


def test_a_prepared_file_is_offered_with_its_size(shared, wine):
    app = open_export(wine)
    app.segmented_control(key="export_rows").set_value("All rows").run()
    assert any("All 178 rows" in caption.value for caption in app.caption)
    step = export_step(app.session_state["run"], np.arange(178), {}, "csv")
    assert not shared.store.has(step.payload["rows"])  # looking at the page stores nothing
    keep_rows(app.session_state["run"], np.arange(178))
    execute(step.payload, str(shared.store.root), silent)
    app.run()
    offers = [element.proto for element in app.get("link_button")]
    assert [one.label for one in offers] == ["Download with manifest and recipe",
                                             "Only rows.csv"]
    assert all(re.fullmatch(r"/download/[\w-]{32}", one.url) for one in offers)
    assert offers[0].url != offers[1].url
    size = shared.store.get(step.key).path("export.zip").stat().st_size
    assert any(f"178 rows, {size / 1e3:.1f} kB" in caption.value for caption in app.caption)


def test_what_a_format_cannot_hold_is_said(shared):
    from explorer.ui.state import Document

    data = load_sample("digits", shared.store, silent)
    recipe = propose(data).recipe.using(projector=projectors().create("pca"))
    run(recipe, data, shared.store)
    identifier = shared.workspaces.create("digits")
    document = Document(dataset=data.id, recipe=recipe.to_data(), ran=recipe.to_data())
    shared.workspaces.save(identifier, document.model_dump(mode="json"), 0)
    app = open_export(identifier, ticked=[0])
    box = app.radio(key="export_format")
    assert "Images, a folder per cluster" in box.options
    said = {}
    for form in FORMATS:
        app.radio(key="export_format").set_value(form).run()
        assert not app.exception
        said[form] = any("pixels is left out" in caption.value for caption in app.caption)
    assert said == {"csv": True, "csv_exact": True, "parquet": False, "jsonl": False,
                    "images": True}
