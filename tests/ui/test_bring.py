"""The import page without a browser: reading kept files again, and what can be chosen where."""

import io
import os
import time
import zipfile
from pathlib import Path

import numpy as np
import pytest
from streamlit.testing.v1 import AppTest

from explorer.errors import InputError
from explorer.imports import execute, imported, keep_upload, kept_step, offered
from explorer.load import ReadOptions, Upload
from explorer.load.child import read
from explorer.spec import silent
from explorer.store import Store

ROOT = Path(__file__).parents[2]
TABLE = "id,size,weight\n" + "".join(f"r{row},{row * 7 % 13},{row * row % 11}\n"
                                     for row in range(40))


@pytest.fixture(scope="module")
def home(tmp_path_factory):
    """A home of its own, with one engine and one store."""
    from explorer.ui.backend import backend

    folder = tmp_path_factory.mktemp("home")
    before = os.environ.get("EXPLORER_HOME")
    os.environ["EXPLORER_HOME"] = str(folder)
    backend.clear()
    shared = backend()  # now, while the variable names this folder
    yield shared.folder
    shared.engine.stop()
    backend.clear()
    if before is None:
        del os.environ["EXPLORER_HOME"]
    else:
        os.environ["EXPLORER_HOME"] = before


def arrays(**named):
    file = io.BytesIO()
    np.savez(file, **named)
    return file.getvalue()


def book(**sheets):
    import openpyxl

    made = openpyxl.Workbook()
    made.remove(made.active)
    for title, rows in sheets.items():
        sheet = made.create_sheet(title)
        for row in rows:
            sheet.append(row)
    file = io.BytesIO()
    made.save(file)
    return file.getvalue()


def refusal(folder, files, options=ReadOptions()):  # noqa: B008 - frozen
    """What the reader's own code says of these files."""
    uploads = []
    for name, data in files.items():
        uploads.append(Upload(name, folder / f"upload-{len(uploads)}"))
        uploads[-1].path.write_bytes(data)
    with pytest.raises(InputError) as refused:
        read(uploads, options, folder, silent)
    return refused.value


def page_of(home, files, options=ReadOptions()):  # noqa: B008 - frozen
    """The import page with that import asked for, once it has ended."""
    from explorer.ui.backend import backend
    from explorer.ui.reading import remember
    from explorer.ui.state import Document

    shared = backend()
    kept = [keep_upload(name, data, home) for name, data in files.items()]
    step = kept_step(kept, options, home)
    identifier = shared.workspaces.create("bring")
    shared.jobs.submit([step], identifier)
    document = Document(importing=step.key, reading=remember(kept, options))
    shared.workspaces.save(identifier, document.model_dump(mode="json"),
                           shared.workspaces.open(identifier).version)
    return settled(home, identifier)


def settled(home, identifier):
    """The app in a new session, as after a reload, when nothing is being read any more."""
    from explorer.ui.backend import backend

    shared = backend()
    deadline = time.monotonic() + 60
    while True:
        key = shared.workspaces.open(identifier).document["importing"]
        view = shared.jobs.view(key)
        if view is None or view.state not in ("queued", "running"):
            break
        assert time.monotonic() < deadline, view
        time.sleep(0.1)
    app = AppTest.from_file(str(ROOT / "app.py"), default_timeout=60)
    app.query_params["w"] = identifier
    app.run()
    assert not app.exception, app.exception
    return app


def press(app, home, label):
    """Press a button that starts an import; the page once that has ended."""
    identifier = app.query_params["w"]
    next(button for button in app.button if button.label == label).click().run()
    assert not app.exception, app.exception
    return settled(home, identifier[0] if isinstance(identifier, list) else identifier)


def labels(elements):
    return [element.label for element in elements]


def words(app):
    return "\n".join(str(element.value) for kind in (app.markdown, app.caption, app.warning,
                                                     app.error, app.info)
                     for element in kind).replace("\\", "")


def test_names_offered_are_those_in_the_file(tmp_path):
    wide = np.ones((9, 3))
    choose = refusal(tmp_path, {"a.npz": arrays(train=wide, **{"test set": wide, "one": wide[0]})})
    assert (choose.code, offered(choose)) == ("CHOOSE_ARRAY", ("train", "test set", "one"))
    other = refusal(tmp_path, {"a.npz": arrays(train=wide, test=wide)}, ReadOptions(array="x"))
    assert (other.code, offered(other)) == ("NO_ARRAY", ("train", "test"))
    empty = refusal(tmp_path, {"b.xlsx": book(First=[], Second=[["a"], [1]])})
    assert (empty.code, offered(empty)) == ("NO_ROWS", ("First", "Second"))
    absent = refusal(tmp_path, {"b.xlsx": book(First=[["a"], [1]])}, ReadOptions(array="x"))
    assert (absent.code, offered(absent)) == ("NO_SHEET", ("First",))
    joined = refusal(tmp_path, {"t.csv": b"key,size\na,1\nb,2\n", "u.csv": b"key,w\na,1\nb,2\n"},
                     ReadOptions(join="id"))
    assert (joined.code, offered(joined)) == ("NO_JOIN_COLUMN", ("key",))
    assert offered(refusal(tmp_path, {"c.csv": b"a,b\n"})) == ()


def test_uploads_are_kept_once_and_removed_after_a_day(tmp_path):
    first = keep_upload("a.csv", b"a\n1\n", tmp_path)
    second = keep_upload("b.csv", memoryview(b"a\n1\n"), tmp_path)
    assert first.sha256 == second.sha256
    path = tmp_path / "uploads" / first.sha256
    assert path.read_bytes() == b"a\n1\n"
    assert kept_step([first], ReadOptions(), tmp_path).key != kept_step(
        [second], ReadOptions(), tmp_path).key
    os.utime(path, (0, 0))
    keep_upload("c.csv", b"other", tmp_path)
    assert [file.name for file in (tmp_path / "uploads").iterdir()] != [first.sha256]
    with pytest.raises(InputError) as refused:
        kept_step([first], ReadOptions(), tmp_path)
    assert (refused.value.code, refused.value.where.file) == ("UPLOAD_GONE", "a.csv")


def test_the_same_pictures_with_a_broken_one_keep_their_own_report(home):
    from explorer.ui.backend import backend
    from tests.builders import png

    pictures = {f"red/{i}.png": png(np.full((8, 8), 20 * i, np.uint8)) for i in range(5)}
    reports = []
    for name, more in (("whole.zip", {}), ("broken.zip", {"red/cut.png": b"\x89PNG\r\n\x1a\n"})):
        file = io.BytesIO()
        with zipfile.ZipFile(file, "w") as archive:
            for path, data in (pictures | more).items():
                archive.writestr(path, data)
        step = kept_step([keep_upload(name, file.getvalue(), home)], ReadOptions(), home)
        execute(step.payload, str(home), silent)
        data = imported(backend().store, step.key)
        reports.append((data.name, [issue.code for issue in data.report], data.id))
    assert [report[0] for report in reports] == ["whole.zip", "broken.zip"]
    assert reports[0][1] == []
    assert reports[1][1] != []
    assert reports[0][2] == reports[1][2]


def test_an_array_is_chosen_from_a_list_and_another_one_afterwards(home):
    random = np.random.default_rng(0)
    app = page_of(home, {"many.npz": arrays(train=random.normal(size=(30, 3)),
                                            test=random.normal(size=(20, 3)))})
    assert not app.text_input
    box = next(box for box in app.selectbox if box.label == "Array to read")
    assert box.options == ["train", "test"]
    box.select("test")
    app = press(app, home, "Read this array")
    assert "20 rows" in words(app)
    box = next(box for box in app.selectbox if box.label == "Array")
    assert (box.options, box.value) == (["train", "test"], "test")


def test_a_refused_file_is_read_in_another_way_after_a_reload(home):
    app = page_of(home, {"bad.csv": b"a;b,c\n1;2,3\n4;5,6,7\n8;9,1\n2;2,2\n"},
                  ReadOptions(delimiter=","))
    assert "ROW_LENGTH" in words(app)
    assert {"Choose other data", "Read again, leaving out rows with too many cells"} <= set(
        labels(app.button))
    app = press(app, home, "Read again, leaving out rows with too many cells")
    assert "(line 3)" in words(app) or "(lines 3)" in words(app)
    assert "3 rows" in words(app)


def test_only_choices_that_fit_the_file_are_shown(home):
    app = page_of(home, {"t.csv": TABLE.encode()})
    assert labels(app.selectbox) == ["First line is a header", "Separator", "Encoding"]
    app = page_of(home, {"b.xlsx": book(First=[["a", "b"], *([i, i * i % 7] for i in range(9))],
                                        Second=[["c"], [1]])})
    assert labels(app.selectbox) == ["Sheet", "First line is a header"]
    app = page_of(home, {"t.csv": TABLE.encode(), "v.csv": TABLE.encode().replace(b"size", b"s")})
    assert "Put files together by" in labels(app.selectbox)


def test_files_put_together_by_row_order_are_questioned_when_their_ids_differ(home):
    head, *rows = TABLE.splitlines()
    turned = "\n".join([head.replace("size", "s").replace("weight", "w"), *reversed(rows)])
    app = page_of(home, {"t.csv": TABLE.encode(), "v.csv": turned.encode()})
    assert "both have the column 'id'" in words(app)
    app = press(app, home, "Put them together by id")
    assert "both have the column" not in words(app)
    assert "joined to" in words(app)


@pytest.mark.parametrize(("name", "content", "code", "hint"), [
    ("one.csv", "a,b\n1.5,2\n", "TOO_FEW_ROWS", "more rows"),
    ("same.csv", "a,b\n" + "1.5,2\n" * 30, "NO_FEATURES", "role"),
    ("blank.csv", "id,text\n" + "".join(f"{i},\n" for i in range(30)), "NO_FEATURES", "role"),
])
def test_no_proposal_says_why_and_shows_the_columns(home, name, content, code, hint):
    app = page_of(home, {name: content.encode()})
    assert code in words(app)
    assert hint in words(app)
    assert "Make the map" not in labels(app.button)
    headings = [heading.value for heading in app.subheader]
    assert headings.index("Columns") < headings.index("Preview")


def test_an_impossible_role_is_refused_in_words(home):
    from explorer.ui.backend import backend
    from explorer.ui.preview import _impossible

    step = kept_step([keep_upload("t.csv", TABLE.encode(), home)], ReadOptions(), home)
    execute(step.payload, str(home), silent)
    data = imported(backend().store, step.key)
    assert "holds no numbers" in _impossible(data, data.column("id"), "number")
    assert "holds no pictures" in _impossible(data, data.column("size"), "image")
    assert "holds no vectors" in _impossible(data, data.column("size"), "vector")
    assert not _impossible(data, data.column("size"), "category")


def test_s16_an_upload_beyond_the_quota_is_a_card_and_nothing_is_imported(home, monkeypatch):
    monkeypatch.setenv("EXPLORER_UPLOADS_BYTES", "1")
    app = AppTest.from_file(str(ROOT / "app.py"), default_timeout=60).run()
    content = TABLE + "nobody kept this before,1,2\n"
    app.file_uploader[0].upload("table.csv", content.encode(), "text/csv").run()
    next(button for button in app.button if button.label == "Read").click().run()
    assert not app.exception
    assert any("UPLOAD" in caption.value for caption in app.caption)
    assert "table" in app.error[0].value
    assert any(button.label == "Read" for button in app.button)  # on from here


def test_s16_the_same_file_twice_is_kept_once_and_refused_by_name(home):
    kept = [keep_upload("same.csv", TABLE.encode(), home) for _ in range(2)]
    assert kept[0] == kept[1]
    step = kept_step(kept, ReadOptions(), home)
    with pytest.raises(InputError) as caught:
        execute(step.payload, str(home), silent)
    assert caught.value.where.file == "same.csv"
    assert imported(Store(home), step.key) is None


def test_a_demo_says_that_uploads_are_off(home, monkeypatch):
    monkeypatch.setenv("EXPLORER_DEMO", "1")
    app = AppTest.from_file(str(ROOT / "app.py"), default_timeout=60).run()
    assert any("switched off" in info.value for info in app.info)
    assert not app.file_uploader
    assert any("Wine" in button.label for button in app.button)
