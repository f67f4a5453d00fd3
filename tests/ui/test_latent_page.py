"""The page 'Latent space': what the browser is given, without torch in this process."""

import json
import sys

import numpy as np
import pytest

from explorer.ui.served import shelf
from tests.train.test_layers import evaluated, unpacked
from tests.ui.opened import open_page

LATENT = "pages/lab/latent.py"


def said(app):
    blocks = [*app.markdown, *app.caption, *app.info]
    return "\n".join(block.value for block in blocks).replace("\\", "")


def told(app):
    """What the front end was given; None where it is not shown."""
    found = [json.loads(view.proto.json or view.proto.mixed.json)
             for view in app.get("bidi_component")]
    return found[0] if found else None


def fetched(address, kind):
    return np.frombuffer(shelf.bytes_of(address.rsplit("/", 1)[1]), dtype=kind)


def made(shared, encoder, **parameters):
    """A workspace on a run of a small network of the wine sample, and the run."""
    from explorer.cluster import clusterers
    from explorer.encode import encoders
    from explorer.load import load_sample
    from explorer.project import projectors
    from explorer.recipe import Recipe
    from explorer.run import run
    from explorer.spec import silent
    from explorer.ui.state import Document

    data = load_sample("wine", shared.store, silent)
    recipe = Recipe.of(encoders().create(encoder, {"epochs": 2, "dimensions": 3, **parameters}),
                       projectors().create("pca"), clusterers().create("kmeans", {"clusters": 3}))
    result = run(recipe, data, shared.store)
    identifier = shared.workspaces.create(encoder)
    document = Document(dataset=data.id, recipe=recipe.to_data(), ran=recipe.to_data())
    shared.workspaces.save(identifier, document.model_dump(mode="json"), 0)
    return identifier, result


@pytest.fixture(scope="module")
def vae(shared):
    return made(shared, "vae")


def test_the_browser_has_all_it_needs_to_decode_in_the_columns_units(vae):
    identifier, result = vae
    torch_before = "torch" in sys.modules
    app = open_page(LATENT, identifier)
    assert ("torch" in sys.modules) == torch_before
    data = told(app)
    codes = result.embedding.vectors
    assert (data["n"], data["total"], data["gaussian"]) == (178, 178, True)
    assert np.array_equal(fetched(data["rows"], "<u4"), result.embedding.rows)
    assert np.array_equal(fetched(data["codes"], "<f4").reshape(-1, 3), codes)
    low, high = np.percentile(codes, [0.5, 99.5], axis=0)
    np.testing.assert_allclose([data["low"], data["high"], data["mean"]],
                               [low, high, codes.mean(axis=0)], rtol=1e-5, atol=1e-6)
    assert data["order"] == np.argsort(-codes.var(axis=0)).tolist()
    # Decoded with numpy and brought to the columns' units, rows are what torch remakes of them.
    header, weights = unpacked(shelf.bytes_of(data["decoder"]["url"].rsplit("/", 1)[1]))
    raw = evaluated(header["layers"], weights, codes[:5])
    rows = raw * header["spread"] + header["center"]
    found = np.array(header["middle"]) + np.array(header["unit"]) * rows
    numbers = np.column_stack([result.dataset.numbers(name) for name in header["names"]])
    expected = result.recipe.encoding.decoded(codes[:5], (13,), result.model.weights)
    scaled = expected * result.model.spread + result.model.center
    np.testing.assert_allclose(
        found, numbers.mean(axis=0) + scaled * numbers.std(axis=0), rtol=1e-4, atol=1e-5)
    ends = np.array([header["low"], header["high"]]) * header["unit"] + header["middle"]
    np.testing.assert_allclose(ends, [numbers.min(axis=0), numbers.max(axis=0)], rtol=1e-5)


def test_the_selection_comes_with_its_codes(vae):
    from explorer.ui.state import Selection

    identifier, result = vae
    app = open_page(LATENT, identifier)
    assert told(app)["chosen"] == {"count": 0, "rows": []}
    app.session_state["selection"] = Selection(np.array([4, 30, 177]), "elsewhere")
    app.run()
    chosen = told(app)["chosen"]
    assert chosen["count"] == 3
    assert [one["row"] for one in chosen["rows"]] == [4, 177]
    np.testing.assert_allclose([one["code"] for one in chosen["rows"]],
                               result.embedding.vectors[[4, 177]], rtol=1e-5)


def test_more_rows_than_a_browser_searches_are_drawn_evenly(vae, monkeypatch):
    from explorer.ui import latent_data

    identifier, result = vae
    monkeypatch.setattr(latent_data, "MOST_NUMBERS", 3 * 20)
    latent_data._codes.clear()
    data = told(open_page(LATENT, identifier))
    latent_data._codes.clear()
    assert (data["n"], data["total"]) == (20, 178)
    rows = fetched(data["rows"], "<u4")
    assert rows[[0, -1]].tolist() == [0, 177]
    assert len(rows) == 20
    assert np.array_equal(fetched(data["codes"], "<f4").reshape(-1, 3),
                          result.embedding.vectors[rows])


def test_of_vectors_at_length_one_the_codes_before_come_with_the_study(shared):
    from explorer import steps
    from explorer.spec import silent
    from explorer.study.latent_units import LatentUnits
    from explorer.study.step import study_step

    identifier, result = made(shared, "vae", normalize=True)
    app = open_page(LATENT, identifier)
    assert told(app) is None
    assert "length 1" in said(app)
    steps.execute(study_step(result.plan, LatentUnits.create()).payload, str(shared.store.root),
                  silent)
    app = open_page(LATENT, identifier)
    data = told(app)
    codes = fetched(data["codes"], "<f4").reshape(-1, 3)
    lengths = np.linalg.norm(codes, axis=1)
    assert lengths.std() > 0
    np.testing.assert_allclose(codes / lengths[:, None], result.embedding.vectors, atol=1e-6)
    assert data["worth"]["title"] == "KL"
    assert "Active units" in said(app)


def test_what_has_no_decoder_leads_to_the_page_that_trains(shared):
    identifier, _ = made(shared, "contrastive", epochs=1)
    app = open_page(LATENT, identifier)
    assert told(app) is None
    assert "rebuilds nothing" in said(app)
    assert [button.label for button in app.button if button.key == "lead.train"]
