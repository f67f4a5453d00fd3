"""The pages 'Stability' and 'Real structure?': the answers in words, what a click selects."""

import numpy as np
import pytest

from explorer import steps
from explorer.load import load_sample
from explorer.project import projectors
from explorer.propose import propose
from explorer.recipe import Call
from explorer.run import run
from explorer.spec import silent
from explorer.study import studies
from explorer.study.step import study_step
from explorer.ui.state import Document
from tests.ui.opened import open_page

SMALL = {"stability": {"runs": 6}, "map_stability": {"seeds": 1, "subsamples": 1},
         "stability_by_k": {"highest": 4, "splits": 1}, "null_models": {"runs": 4},
         "hopkins": {"runs": 4, "rounds": 2}, "gap": {"highest": 4, "references": 2}}
PARTS = [("stability", "Clusters", "repeats: "), ("stability", "Map", "neighbours on the map"),
         ("stability", "Number of clusters", "both halves"),
         ("structure", "Against noise", "As good as yours"),
         ("structure", "Hopkins statistic", "Hopkins statistic **"),
         ("structure", "Gap statistic", "gap statistic chooses")]


@pytest.fixture(scope="module")
def studied(shared):
    """A workspace on the wine sample with all of these studies computed, small."""
    data = load_sample("wine", shared.store, silent)
    recipe = propose(data).recipe.using(projector=projectors().create("pca"))
    result = run(recipe, data, shared.store)
    asked = [studies().create(key, given) for key, given in SMALL.items()]
    for study in asked:
        steps.execute(study_step(result.plan, study).payload, str(shared.store.root), silent)
    identifier = shared.workspaces.create("studied")
    calls = tuple(Call.of(study).model_dump(mode="json") for study in asked)
    document = Document(dataset=data.id, recipe=recipe.to_data(), ran=recipe.to_data(),
                        studies=calls)
    shared.workspaces.save(identifier, document.model_dump(mode="json"), 0)
    return identifier, result


def text_of(app):
    kinds = ("markdown", "success", "info", "warning", "caption")
    return " ".join(str(item.value) for kind in kinds for item in app.get(kind))


@pytest.mark.parametrize(("page", "part", "words"), PARTS)
def test_every_part_answers_in_words(studied, page, part, words):
    app = open_page(f"pages/judge/{page}.py", studied[0])
    app.session_state[f"section.{page}"] = part
    app.run()
    assert not app.exception, app.exception
    assert words in text_of(app)
    assert len(app.get("plotly_chart")) >= 1
    assert not [button for button in app.button if button.label.startswith("Compute")]


def test_rows_of_weak_clusters_are_selected_by_one_click(studied):
    identifier, result = studied
    app = open_page("pages/judge/stability.py", identifier)
    found = result.finding(studies().create("stability", SMALL["stability"]))
    loose = result.rows[np.flatnonzero(found.per_row["again"] < 0.5)]
    button = app.button(key="stability.loose")
    assert f"{len(loose)} rows" in button.label
    if len(loose):
        button.click().run()
        np.testing.assert_array_equal(app.session_state["selection"].rows, loose)


def test_a_bar_selects_its_cluster(studied, monkeypatch):
    from explorer.ui import stability_view

    _, result = studied
    chosen = []
    monkeypatch.setattr(stability_view.state, "select", lambda rows, origin: chosen.append(rows))
    monkeypatch.setattr(stability_view.st, "session_state", {
        "stability.bars": {"selection": {"points": [{"customdata": 1}]}}})
    stability_view._choose(result, "stability.bars")
    np.testing.assert_array_equal(chosen[0],
                                  result.rows[np.flatnonzero(result.original.labels == 1)])


@pytest.mark.parametrize("page", ["stability", "structure"])
def test_without_results_the_pages_offer_to_compute_them(wine, page):
    app = open_page(f"pages/judge/{page}.py", wine)
    assert [button for button in app.button if button.label.startswith("Compute (")]
