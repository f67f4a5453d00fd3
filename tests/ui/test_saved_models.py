"""Kept networks on the page that trains."""

from __future__ import annotations

import pytest

from explorer import single
from explorer.dataset import open_dataset
from explorer.encode import encoders
from explorer.encode.network_file import keep_model, list_networks, write_model
from explorer.run import run
from explorer.spec import silent
from tests.ui.opened import open_page

PAGE = "pages/lab/train.py"


@pytest.fixture(scope="module")
def trained(shared, wine):
    """The wine workspace with a network of two epochs, everything computed."""
    from explorer.recipe import Recipe

    held = shared.workspaces.open(wine)
    data = open_dataset(shared.store, held.document["dataset"])
    recipe = Recipe.model_validate(held.document["recipe"]).using(encoder=encoders().create(
        "autoencoder", {"epochs": 2, "reads": "columns", "dimensions": 3, "layers": 0}))
    run(recipe, data, shared.store, silent)
    other = shared.workspaces.create("network")
    shared.workspaces.save(other, {**held.document, "recipe": recipe.to_data(),
                                   "ran": recipe.to_data()}, 0)
    return other, recipe, data


def test_keep_it_and_use_it(shared, trained, monkeypatch):
    monkeypatch.setenv("EXPLORER_HOME", str(shared.store.root))
    workspace, recipe, data = trained
    app = open_page(PAGE, workspace)
    name = next(box for box in app.text_input if box.label == "Name")
    assert name.value == "Autoencoder 3-d seed 0"
    name.set_value("../evil").run()
    app.button("keep_network").click().run()
    assert any("must be one that a file can have" in str(error.value) for error in app.error)
    assert list_networks() == ()
    next(box for box in app.text_input if box.label == "Name").set_value("my _net_").run()
    app.button("keep_network").click().run()
    assert not app.exception
    assert any("my \\_net\\_" in str(done.value) for done in app.success)
    kept = list_networks()
    assert kept == ("my _net_",)
    model = single.train(recipe.encoding, data, shared.store)
    keep_model(shared.store.root, kept[0], write_model(model))  # the same: nothing is refused
    app.button("kept_use.0").click().run()
    chosen = shared.workspaces.open(workspace).document["recipe"]["encoder"]
    assert chosen["method"] == "saved_model"
    assert chosen["parameters"]["network"] == kept[0]
    assert not app.exception
