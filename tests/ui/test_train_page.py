"""The page that trains an encoder, without a browser; the engine's part is done by the test."""

import json
from pathlib import Path

import pytest

from explorer.encode import encoders
from explorer.encode.trained import TrainedEncoder
from explorer.errors import Cancelled, DataError
from explorer.escape import esc_md
from explorer.load import load_sample
from explorer.plan import make_plan
from explorer.project import projectors
from explorer.propose import propose
from explorer.recipe import Recipe
from explorer.run import run
from explorer.spec import silent
from explorer.steps import execute
from tests.ui.opened import open_page

TRAIN = "pages/lab/train.py"


@pytest.fixture(scope="module")
def data(shared):
    return load_sample("wine", shared.store, silent)


@pytest.fixture(scope="module")
def plain(shared, data):
    """A recipe with PCA, computed whole."""
    recipe = propose(data).recipe.using(projector=projectors().create("pca"))
    run(recipe, data, shared.store)
    return recipe


@pytest.fixture
def opened(shared, data, plain):
    """A workspace whose map is there; its recipe's encoder is none that is trained."""
    return workspace(shared, dataset=data.id, recipe=plain.to_data(), ran=plain.to_data())


def workspace(shared, **fields):
    from explorer.ui.state import Document

    identifier = shared.workspaces.create("wine")
    shared.workspaces.save(identifier, Document(**fields).model_dump(mode="json"), 0)
    return identifier


def saved(shared, workspace):
    return shared.workspaces.open(workspace).document


def encoder_of(shared, workspace, recipe="ran"):
    return Recipe.model_validate(saved(shared, workspace)[recipe]).encoding


def words(app):
    said = [str(part.value) for kind in (app.markdown, app.caption, app.info, app.error)
            for part in kind]
    return "\n".join([*said, *(bar.proto.text for bar in app.get("progress"))])


def labels(app):
    return [button.label for button in app.button]


def ask(app, method="autoencoder", **parameters):
    """Choose, set, press."""
    app.radio("train.method").set_value(method).run()
    for name, value in parameters.items():
        app.number_input(f"train.{method}.{name}").set_value(value).run()
    app.button("train_start").click().run()
    assert not app.exception
    return app


def train_until(shared, data, recipe, last):
    """What a worker does that is cancelled in the epoch after `last`."""
    def progress(fraction, text):
        if text.startswith(f"epoch {last + 1} of"):
            raise Cancelled

    for step in make_plan(recipe, data, shared.store).missing(shared.store):
        execute(step.payload, str(shared.store.root), progress if step.kind == "model" else silent)
        if step.kind == "model":
            pytest.fail("it was not cancelled")


def cut_off(shared, data, workspace, last):
    """A training asked for on the page, cut off after an epoch."""
    recipe = Recipe.model_validate(saved(shared, workspace)["ran"])
    with pytest.raises(Cancelled):
        train_until(shared, data, recipe, last)
    return recipe


def test_every_trained_encoder_is_a_choice_and_pca_stands_beside(shared, data):
    """With data but without a run, and without data."""
    app = open_page(TRAIN)
    assert "Bring data" in labels(app)
    app = open_page(TRAIN, workspace(shared, dataset=data.id))
    learners = {method.key: method.title for method in encoders()
                if issubclass(method, TrainedEncoder)}
    assert set(learners.values()) == set(app.radio("train.method").options)
    assert esc_md(encoders().get("principal_components").title) in words(app)
    for key in learners:
        app.radio("train.method").set_value(key).run()
        assert not app.exception
        assert "178 rows" in words(app)
        assert app.button("train_start").label == "Train"
        assert not any("stop_after" in str(box.key) for box in app.number_input), \
            "that is for the button that stops"


def test_asked_for_it_is_the_recipes_encoder_and_the_map_before_is_a_click_away(
        shared, data, plain, opened):
    app = ask(open_page(TRAIN, opened), epochs=7)
    assert encoder_of(shared, opened).epochs == 7
    assert encoder_of(shared, opened, "recipe").key == "autoencoder"
    titles = {view.kind: view.state for view in shared.jobs.owned(opened)}
    assert titles["model"] == titles["cluster"] == "queued", "map and clusters follow"
    assert "is being trained" in words(app)
    app.button("train_cancel").click().run()
    assert {view.state for view in shared.jobs.owned(opened)} == {"cancelled"}
    assert "is not trained yet" in words(app)
    app.button("train_back").click().run()
    assert Recipe.model_validate(saved(shared, opened)["ran"]) == plain
    assert app.session_state["run"].complete
    assert "not trained" in words(app), "the list still has it"
    app.button("train_forget.0").click().run()
    assert saved(shared, opened)["trained"] == []


def test_a_training_under_way_is_seen_stopped_and_kept(shared, data, opened):
    """Stopped after the epoch under way, the recipe says so, and gives what it promises."""
    app = ask(open_page(TRAIN, opened), method="vae", epochs=40)
    cut_off(shared, data, opened, last=3)  # its job still waits: the page takes it for running
    app.run()
    assert "Epoch **3** of 40" in words(app)
    assert "18 rows held back" in words(app)
    chart = json.loads(app.get("plotly_chart")[0].proto.spec)
    names = [note["text"] for note in chart["layout"]["annotations"]]
    assert names == ["<b>loss</b>", "<b>KL</b>", "<b>reconstruction</b>"]
    assert list(chart["layout"]["xaxis"]["range"]) == [0.5, 3.5]
    reloaded = open_page(TRAIN, opened)
    assert "Epoch **3** of 40" in words(reloaded), "another tab shows the same training"
    app.button("train_stop").click().run()
    stopped = encoder_of(shared, opened)
    assert (stopped.epochs, stopped.stop_after) == (40, 4)
    assert "up to epoch 4" in words(app)
    states = {view.key: view.state for view in shared.jobs.owned(opened)
              if view.kind == "model"}
    assert sorted(states.values()) == ["cancelled", "queued"], "the first one is let go"
    done = run(Recipe.model_validate(saved(shared, opened)["ran"]), data, shared.store)
    app = open_page(TRAIN, opened)
    assert "it was stopped by hand" in words(app)
    assert f"epoch **{done.model.best_epoch}**" in words(app)
    assert done.model.epochs == 4
    assert len(saved(shared, opened)["trained"]) == 1, "it took the place of the unfinished one"
    assert {"Map", "Reconstruction", "Latent space", "Export", "Train it to the end"} <= set(
        labels(app))
    assert app.select_slider[0].value == done.model.best_epoch
    app.button("train_longer").click().run()
    assert app.number_input("train.vae.epochs").value == 80
    assert encoder_of(shared, opened).epochs == 40, "nothing is asked for before the button"


def test_what_was_cut_off_says_so_and_goes_on(shared, data, plain, opened):
    app = ask(open_page(TRAIN, opened), epochs=9)
    recipe = cut_off(shared, data, opened, last=5)
    app.button("train_cancel").click().run()
    assert "stands at epoch 5 of 9" in words(app)
    assert "Go on from epoch 6" in labels(app)
    assert app.get("plotly_chart"), "its curves so far"
    app.button("train_back").click().run()
    assert app.radio("train.method").value == "autoencoder"
    assert "unfinished, stands at epoch 5" in words(app)
    app.button("train_use.0").click().run()
    assert "is being trained" in words(app)
    run(recipe, data, shared.store)
    app = open_page(TRAIN, opened)
    assert "9 of 9 epochs" in words(app)
    assert "all epochs were trained" in words(app)
    whole = recipe.encoding
    assert not Path(shared.store.root, "training").exists() or not any(
        Path(shared.store.root, "training").iterdir())
    other = ask(app, method="contrastive", epochs=2)
    run(Recipe.model_validate(saved(shared, opened)["ran"]), data, shared.store)
    other = open_page(TRAIN, opened)
    assert "Contrastive encoder" in words(other)
    assert "Reconstruction" not in labels(other), "it rebuilds nothing"
    other.button("train_use.1").click().run()
    assert encoder_of(shared, opened) == whole, "the way back to a network is one click"
    assert other.session_state["run"].complete


def test_a_training_that_fails_says_why_and_what_next(shared, data, plain, opened):
    app = ask(open_page(TRAIN, opened), epochs=3)
    refused = DataError("NOT_FINITE", "The loss must be a finite number, got another in epoch 1.",
                        hint="Use a smaller learning rate, or scale the columns.")
    with shared.jobs._database.transaction() as connection:  # as the engine notes it
        connection.execute("UPDATE jobs SET state = 'failed', error = ? WHERE kind = 'model'",
                           (json.dumps(refused.to_dict()),))
        connection.execute("UPDATE jobs SET state = 'cancelled' WHERE state = 'queued'")
    app.run()
    assert "finite number" in words(app)
    assert "smaller learning rate" in words(app)
    assert "Try it again" in labels(app)
    app.button("train_back").click().run()
    assert Recipe.model_validate(saved(shared, opened)["ran"]) == plain


def test_what_cannot_be_trained_is_refused_at_the_form(shared, data, opened):
    app = open_page(TRAIN, opened)
    app.radio("train.method").set_value("autoencoder").run()
    app.selectbox("train.autoencoder.reads").set_value("images").run()
    assert "must have images" in words(app)
    assert "train_start" not in [button.key for button in app.button]
    app.selectbox("train.autoencoder.reads").set_value("columns").run()
    app.number_input("train.autoencoder.epochs").set_value(0).run()
    assert "Epochs must be" in words(app)
