"""The page 'Models': what is here and why not, and a download asked for by hand."""

from __future__ import annotations

import json
import shutil

import pytest

from explorer.encode import fetch
from explorer.spec import silent
from tests.encode.hub_server import serving
from tests.encode.tiny import fake_model
from tests.ui.opened import open_page

PAGE = "pages/lab/models.py"


@pytest.fixture
def root(tmp_path, monkeypatch):
    """A folder for models: a good one, a half copied one."""
    from huggingface_hub import constants

    root = tmp_path / "models"
    fake_model(root / "good")
    (root / "good" / "README.md").write_text("---\nlicense: cc-by-4.0\n---\n")
    fake_model(root / "half")
    (root / "half" / "model.safetensors").unlink()
    monkeypatch.setenv("EXPLORER_MODEL_ROOTS", str(root))
    monkeypatch.delenv("HF_HUB_OFFLINE", raising=False)
    monkeypatch.setattr(constants, "HF_HUB_CACHE", str(tmp_path / "cache"))
    return root


def said(app):
    return "\n".join(str(one.value) for kind in (app.markdown, app.caption, app.info, app.error,
                                                 app.success) for one in kind)


def test_models_are_listed_with_reasons(shared, root):
    app = open_page(PAGE)
    rows = app.dataframe[0].value.set_index("model")
    assert rows.loc["good", ["usable", "licence", "reads"]].tolist() == ["yes", "cc-by-4.0",
                                                                         "texts"]
    assert rows.loc["half", "usable"] == "no"
    assert rows.loc["all-MiniLM-L6-v2", ["dimension", "tokens"]].tolist() == ["384", "256"]
    assert "2 of 3 can be used" in said(app)
    assert "A model folder must have model\\.safetensors" in said(app)


def test_look_up_shows_what_would_come_and_the_button_asks_for_it(shared, root, tmp_path,
                                                                   monkeypatch):
    shutil.copytree(root / "good", tmp_path / "hub" / "owner" / "fine")
    with serving(tmp_path / "hub") as hub:
        monkeypatch.setenv("HF_ENDPOINT", hub.address)
        app = open_page(PAGE)
        assert hub.requests == []
        app.text_input(key="models.id").input("owner/fine")
        [press] = [button for button in app.button if button.label == "Look it up"]
        press.click().run()
        assert [path for path, _ in hub.requests] == ["/api/models/owner/fine?blobs=true"]
        assert "**owner/fine**" in said(app).replace("\\", "")
        assert "Licence: mit" in said(app)
        app.button(key="models.fetch").click().run()
        owner = app.session_state["opened"].id
        [view] = shared.jobs.owned(owner)
        assert (view.kind, view.state) == ("download", "queued")
        with shared.jobs._database.reading() as connection:
            row = connection.execute("SELECT payload FROM jobs WHERE key = ?",
                                     (view.key,)).fetchone()
        fetch.execute(json.loads(row["payload"]), str(shared.folder), silent)
        app.run()
        assert "It is on this machine" in said(app)
        assert "owner/fine" in app.dataframe[0].value["model"].tolist()
        shared.jobs.cancel([view.key], owner)


def test_offline_is_said_in_words(shared, root, monkeypatch):
    monkeypatch.setenv("EXPLORER_OFFLINE", "1")
    app = open_page(PAGE)
    assert "nothing is downloaded" in said(app)
    assert "TF-IDF" in said(app)
    assert "models.id" not in [one.key for one in app.text_input]


def test_nobody_answers(shared, root, monkeypatch):
    monkeypatch.setenv("HF_ENDPOINT", "http://127.0.0.1:9")
    app = open_page(PAGE)
    app.text_input(key="models.id").input("owner/fine")
    [press] = [button for button in app.button if button.label == "Look it up"]
    press.click().run()
    assert "got no answer" in said(app)
