"""Words find images, images find images: the panel Search without a browser."""

import io
import json
import os
import zlib
from dataclasses import dataclass

import numpy as np
import pytest
from huggingface_hub import constants
from PIL import Image

from explorer import queries, values
from explorer.cluster import clusterers
from explorer.encode import encoders
from explorer.errors import DataError, InputError
from explorer.project import projectors
from explorer.recipe import Recipe
from explorer.run import Run, run
from explorer.spec import silent
from explorer.uploads import keep_upload
from tests.builders import build_dataset, png
from tests.encode.tiny_images import pictures, save_image_model
from tests.ui.opened import open_page

MAP = "pages/explore/map.py"
FILES = pictures(12)


@dataclass(frozen=True)
class Opened:
    address: str
    run: Run


@pytest.fixture(scope="module")
def workspaces(shared, tmp_path_factory):
    """Encoder -> a workspace whose images it placed: its address, and what was computed."""
    from explorer.ui.state import Document

    root = tmp_path_factory.mktemp("models")
    save_image_model(root / "clip", "clip")
    before = constants.HF_HUB_CACHE
    os.environ["EXPLORER_MODEL_ROOTS"] = str(root)
    constants.HF_HUB_CACHE = str(root / "hub")
    data = build_dataset(shared.store, {"n": list(range(12)), "m": [3.5, 1] * 6}, images=FILES)
    made = {}
    for key, given in (("image_model", {"model": "clip"}), ("pixels", {"dimensions": 5}),
                       ("autoencoder", {"epochs": 2, "dimensions": 3, "reads": "images"}),
                       ("features", {})):
        recipe = Recipe.of(encoders().create(key, given), projectors().create("pca"),
                           clusterers().create("kmeans", {"clusters": 2}))
        done = run(recipe, data, shared.store)
        identifier = shared.workspaces.create(key)
        document = Document(dataset=data.id, recipe=recipe.to_data(), ran=recipe.to_data())
        shared.workspaces.save(identifier, document.model_dump(mode="json"), 0)
        made[key] = Opened(identifier, done)
    yield made
    constants.HF_HUB_CACHE = before
    del os.environ["EXPLORER_MODEL_ROOTS"]


def open_search(workspace, how):
    app = open_page(MAP, workspace)
    app.session_state["panel"] = "Search"
    app.run()
    app.segmented_control(key="search.how").set_value(how)
    return rerun(app)


def rerun(app):
    app.run()
    assert not app.exception, app.exception
    return app


def said(app):
    return "\n".join(block.value for block in [*app.markdown, *app.caption, *app.error])


def listed(app):
    return [int(text) - 1 for text in app.dataframe[-1].value["row"].tolist()]


def bring(shared, app, name, content):
    """Upload an image in the panel; the job that it queued is done by hand."""
    app.file_uploader(key="search.file.0").upload(name, content, "image/png")
    rerun(app)
    step = queries.image_step(app.session_state["run"], app.session_state["search.image"])
    assert shared.jobs.view(step.key).state == "queued"
    try:
        queries.execute(step.payload, str(shared.store.root), silent)
    finally:
        shared.jobs.cancel([step.key], app.query_params["w"][0])
    return rerun(app)


def nearest(current, row):
    vectors = current.embedding.vectors.astype(np.float64)
    return np.argsort(np.linalg.norm(vectors - vectors[row], axis=1), kind="stable").tolist()


@pytest.mark.parametrize("key", ["image_model", "pixels", "autoencoder"])
def test_an_image_finds_itself_first_whatever_placed_the_rows(shared, workspaces, key):
    current = workspaces[key].run
    for row in (4, 5):
        kept = keep_upload("mine.png", FILES[row], shared.store.root)
        step = queries.image_step(current, kept)
        queries.execute(json.loads(json.dumps(step.payload)), str(shared.store.root), silent)
        found = values.read(queries.Answer, shared.store.get(step.key))
        assert found.places.tolist() == nearest(current, row)
        assert found.distances[0] == pytest.approx(0, abs=1e-3)
        assert found.metric == "euclidean"
        with Image.open(io.BytesIO(found.asked.tobytes())) as small:
            assert max(small.size) <= 96


def test_an_image_is_brought_in_the_panel_and_another_one(shared, workspaces):
    app = open_search(workspaces["image_model"].address, "Image")
    app = bring(shared, app, "mine.png", FILES[7])
    assert listed(app) == nearest(app.session_state["run"], 7)
    assert app.dataframe[-1].value["place"].tolist() == list(range(1, 13))
    assert "Euclidean distance in" in said(app)
    assert "mine\\.png" in said(app)
    labels = [button.label for button in app.button]
    app.button[labels.index("Another image")].click()
    rerun(app)
    assert "search.image" not in app.session_state
    assert "Bring an image" in said(app)


def test_words_find_images_in_the_space_they_share(shared, workspaces):
    app = open_search(workspaces["image_model"].address, "Meaning")
    app.text_input(key="search.meaning").set_value("red cat")
    rerun(app)
    current = app.session_state["run"]
    step = queries.meaning_step(current, "a photo of red cat")
    assert shared.jobs.view(step.key).state == "queued"
    queries.execute(step.payload, str(shared.store.root), silent)
    shared.jobs.cancel([step.key], app.query_params["w"][0])
    rerun(app)
    asked = current.recipe.encoding.place("a photo of red cat", {}).vector.astype(np.float64)
    vectors = current.embedding.vectors.astype(np.float64)
    cosines = vectors @ asked / np.linalg.norm(vectors, axis=1) / np.linalg.norm(asked)
    assert listed(app) == np.argsort(-cosines, kind="stable").tolist()
    np.testing.assert_allclose(app.dataframe[-1].value["similarity"], np.sort(cosines)[::-1],
                               atol=1e-6)
    assert "the order of the rows counts" in said(app)
    app.text_input(key="search.sentence").set_value("as it is")
    rerun(app)
    bare = queries.meaning_step(current, "red cat")
    assert shared.jobs.view(bare.key).state == "queued"
    shared.jobs.cancel([bare.key], app.query_params["w"][0])


def test_encoders_that_see_no_images_say_so(shared, workspaces):
    app = open_search(workspaces["features"].address, "Image")
    assert "does not look at their images" in said(app)
    assert not app.file_uploader
    app.segmented_control(key="search.how").set_value("Meaning")
    rerun(app)
    assert "cannot place a typed text" in said(app)


def test_uploads_switched_off(workspaces, monkeypatch):
    monkeypatch.setenv("EXPLORER_DEMO", "1")
    app = open_search(workspaces["pixels"].address, "Image")
    assert "Uploads are switched off" in said(app)
    assert not app.file_uploader


def half_a_photo():
    buffer = io.BytesIO()
    draws = np.random.default_rng(0).integers(0, 256, (60, 60, 3), dtype=np.uint8)
    Image.fromarray(draws).save(buffer, "JPEG")
    return buffer.getvalue()[:900]


def announced(side):
    data = bytearray(png(np.zeros((8, 8), dtype=np.uint8)))
    data[16:24] = side.to_bytes(4, "big") * 2
    data[29:33] = zlib.crc32(data[12:29]).to_bytes(4, "big")
    return bytes(data)


@pytest.mark.parametrize("key", ["image_model", "pixels"])
def test_hostile_images_are_refused_in_words(shared, workspaces, key):
    current = workspaces[key].run
    for name, content, words in (
            ("a.png", b"", "0 bytes"), ("a.png", b"hello", "no PNG"),
            ("a.jpg", half_a_photo(), "truncated"), ("a.png", announced(50_000), "exceeds"),
            ("a.png", announced(8_000), "at most"),
            ("a.heic", b"\0\0\0\x18ftypheic", "HEIC is not supported"),
            ("a.svg", b"<svg onload='alert(1)'/>", "SVG is not supported")):
        step = queries.image_step(current, keep_upload(name, content, shared.store.root))
        with pytest.raises(DataError) as caught:
            queries.execute(step.payload, str(shared.store.root), silent)
        assert caught.value.code == "BAD_IMAGE"
        assert words in caught.value.message
        assert caught.value.hint
    long = png(np.arange(20_000, dtype=np.uint8)[None] % 251)
    for good in (png(np.zeros((1, 1), dtype=np.uint8)), long):
        step = queries.image_step(current, keep_upload("a.png", good, shared.store.root))
        queries.execute(step.payload, str(shared.store.root), silent)
        assert shared.store.find(step.key) is not None


def test_a_question_is_named_by_its_image_and_gone_uploads_are_said(shared, workspaces):
    current = workspaces["pixels"].run
    one, two = (keep_upload("a.png", content, shared.store.root) for content in FILES[:2])
    assert queries.image_step(current, one).key != queries.image_step(current, two).key
    again = keep_upload("other name.png", FILES[0], shared.store.root)
    assert queries.image_step(current, one).key == queries.image_step(current, again).key
    (shared.store.root / "uploads" / one.sha256).unlink()
    with pytest.raises(InputError) as caught:
        queries.execute(queries.image_step(current, one).payload, str(shared.store.root), silent)
    assert caught.value.code == "UPLOAD_GONE"
