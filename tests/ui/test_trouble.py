"""What people see when the workspace file is damaged, the folder read-only, full or gone, the data
set missing: a sentence, a way out, and their earlier work."""

import os
import shutil
from pathlib import Path

import pytest
from streamlit.testing.v1 import AppTest

from explorer.backups import back_up
from explorer.imports import execute, keep_upload, kept_step, sample_step
from explorer.load import ReadOptions, load_sample
from explorer.spec import silent
from explorer.store import Store
from explorer.workspace import Workspaces
from explorer.workspace_file import FILE_NAME
from tests.workspace.homes import fill, read_only, tiny_disk

ROOT = Path(__file__).parents[2]
PAGES = sorted(path.relative_to(ROOT).as_posix() for path in (ROOT / "pages").rglob("*.py"))


@pytest.fixture
def home(tmp_path, monkeypatch):
    from explorer.ui.backend import open_again

    folder = tmp_path / "server"
    monkeypatch.setenv("EXPLORER_HOME", str(folder))
    open_again()
    yield folder
    open_again()


def made(home, **document):
    """A workspace with that document."""
    shelf = Workspaces(home)
    identifier = shelf.create("x")
    shelf.save(identifier, document, 0)
    shelf._database.close()
    return identifier


def opened(workspace=None, page=None):
    app = AppTest.from_file(str(ROOT / "app.py"), default_timeout=60)
    if workspace:
        app.query_params["w"] = workspace
    app.run()
    if page and page != "pages/data/bring.py":
        app.switch_page(page).run()
    assert not app.exception, app.exception
    return app


def codes(app):
    return [caption.value.removeprefix("Code ").replace("\\", "") for caption in app.caption
            if caption.value.startswith("Code ")]


def words(app):
    return "\n".join(str(element.value) for kind in (app.title, app.markdown, app.caption,
                                                     app.warning, app.error, app.success)
                     for element in kind)


def button(app, label):
    return next(found for found in app.button if label in found.label)


def destroy(home):
    for ending in ("-wal", "-shm"):
        (home / f"{FILE_NAME}{ending}").unlink(missing_ok=True)
    data = bytearray((home / FILE_NAME).read_bytes())
    data[3000:12000] = os.urandom(9000)
    (home / FILE_NAME).write_bytes(data)


def test_w05_a_damaged_file_shows_the_backups_and_one_click_brings_it_back(home):
    Store(home)
    data = load_sample("wine", Store(home), silent)
    identifier = made(home, dataset=data.id)
    back_up(home)
    destroy(home)
    app = opened(identifier)
    assert codes(app) == ["DAMAGED"]
    assert "1 workspace," in words(app)
    app.button[0].click().run()
    assert not app.exception
    assert codes(app) == []
    assert "Brought back" in words(app)
    assert "178 rows" in words(app)
    aside, = home.glob("backups/replaced-*")
    assert (aside / FILE_NAME).exists()


def test_w05_without_a_backup_one_can_start_with_an_empty_file(home):
    made(home)
    destroy(home)
    app = opened()
    assert codes(app) == ["DAMAGED"]
    assert "no backup yet" in words(app)
    button(app, "empty workspace file").click().run()
    assert not app.exception
    assert codes(app) == []
    assert app.query_params["w"]
    assert list(home.glob("backups/replaced-*"))


def test_one_damaged_workspace_is_offered_alone(home):
    identifier, other = made(home, a=1), made(home, a=2)
    back_up(home)
    shelf = Workspaces(home)
    shelf.save(other, {"a": 3}, 1)
    with shelf._database.transaction() as connection:
        connection.execute("UPDATE workspaces SET document = '{}' WHERE id = ?", (identifier,))
    assert codes(opened(other)) == []
    app = opened(identifier)
    assert codes(app) == ["DAMAGED"]
    app.button[0].click().run()
    assert codes(app) == []
    assert (shelf.open(identifier).document["a"], shelf.open(other).document["a"]) == (1, 3)


@pytest.fixture(scope="module")
def wine(tmp_path_factory):
    """A home with the wine sample and everything computed; the workspace's id."""
    from explorer.propose import propose
    from explorer.run import run
    from explorer.ui.state import Document

    home = tmp_path_factory.mktemp("wine")
    store = Store(home)
    data = load_sample("wine", store, silent)
    recipe = propose(data).recipe
    run(recipe, data, store)
    document = Document(dataset=data.id, recipe=recipe.to_data(), ran=recipe.to_data())
    return home, made(home, **document.model_dump(mode="json"))


def test_w13_a_read_only_folder_opens_every_page_and_says_so(home, wine):
    shutil.copytree(wine[0], home)
    before = sorted(path.relative_to(home) for path in home.rglob("*"))
    with read_only(home):
        for page in PAGES:
            app = opened(wine[1], page)
            assert codes(app) == [], page
            assert "nothing can be computed or saved" in words(app), page
        assert codes(opened()) == ["READ_ONLY"]
        from explorer.ui.backend import backend

        assert backend().read_only
        assert backend().engine.pid is None
    assert sorted(path.relative_to(home) for path in home.rglob("*")) == before
    app = opened(wine[1])  # the same server, when it can be written again
    assert "nothing can be" not in words(app)
    assert not backend().read_only


def test_w15_a_folder_that_is_gone_is_a_card_until_it_is_back(home, wine):
    shutil.copytree(wine[0], home)
    app = opened(wine[1])
    home.rename(home.with_name("elsewhere"))
    for page in PAGES:
        if page != "pages/data/bring.py":
            app.switch_page(page)
        app.run()
        assert not app.exception
        assert codes(app) == ["HOME_GONE"], page
    assert not home.exists()
    home.with_name("elsewhere").rename(home)
    app.run()
    assert codes(app) == []


def test_w10_on_a_full_disk_one_reads_on_and_it_recovers(home, wine):
    with tiny_disk(home, "40m"):
        shutil.copytree(wine[0], home, dirs_exist_ok=True)
        app = opened(wine[1], "pages/explore/clusters.py")
        filler = fill(home)
        for page in ("pages/explore/map.py", "pages/explore/clusters.py"):
            app.switch_page(page).run()
            assert not app.exception
            assert codes(app) == []
        assert codes(opened()) in (["DISK_FULL"], [])  # a new workspace needs a page of its own
        app = opened(wine[1], "pages/explore/recipe.py")
        from explorer.errors import StoreError
        from explorer.ui.backend import backend

        with pytest.raises(StoreError) as caught:
            backend().workspaces.log(wine[1], "rename", {"x": "y" * 300_000})
        assert caught.value.code == "DISK_FULL"
        filler.unlink()
        backend().workspaces.log(wine[1], "rename", {"clustering": "", "cluster": 0, "name": "b"})
        assert codes(opened(wine[1])) == []
        from explorer.ui.backend import open_again

        open_again()


def finish_import(home, app):
    """What the engine, which these tests do not wait for, does."""
    from explorer.ui.backend import backend

    owner = app.query_params["w"]
    owner = owner[0] if isinstance(owner, list) else owner
    for view in backend().jobs.owned(owner):
        with backend().jobs._database.reading() as connection:
            import json

            payload = connection.execute("SELECT payload FROM jobs WHERE key = ?",
                                         (view.key,)).fetchone()[0]
        execute(json.loads(payload), str(home), silent)


@pytest.mark.parametrize("kind", ["upload", "sample"])
def test_w07_a_missing_data_set_is_read_again_from_what_is_there(home, kind):
    store = Store(home)
    if kind == "upload":
        kept = keep_upload("t.csv", b"id,size,w\n" + b"".join(
            b"r%d,%d,%d\n" % (row, row * 7 % 13, row % 5) for row in range(40)), home)
        step = kept_step([kept], ReadOptions(), home)
        document = {"upload": {"files": [{"name": "t.csv", "sha256": kept.sha256}],
                               "options": {}, "parts": []}}
    else:
        step, document = sample_step("wine", "Wine"), {}
    execute(step.payload, str(home), silent)
    data = store.get(step.key).meta["dataset"]
    identifier = made(home, dataset=data, source=step.key, roles={}, **document)
    shutil.rmtree(store.get(data).folder)
    app = opened(identifier)
    assert codes(app) == ["NO_DATASET"]
    button(app, "Read it again").click().run()
    assert not app.exception
    finish_import(home, app)
    app.run()
    app.run()
    assert not app.exception
    assert codes(app) == []
    assert store.has(data)
    assert ("40 rows" if kind == "upload" else "178 rows") in words(app)
    if kind == "upload":
        shutil.rmtree(store.get(data).folder)
        shutil.rmtree(home / "uploads")
        app = opened(identifier)
        assert codes(app) == ["NO_DATASET"]
        assert not [found for found in app.button if "Read it again" in found.label]
