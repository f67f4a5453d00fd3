"""The errors of the trade in the real app: named, with a way on, and nothing lost."""

import io
import zipfile

import numpy as np
from playwright.sync_api import expect

from tests.browser.conftest import settle
from tests.browser.test_main_path import LONG, upload


def array(values, *, pickled=False):
    file = io.BytesIO()
    np.save(file, values, allow_pickle=pickled)
    return file.getvalue()


def archive(**members):
    file = io.BytesIO()
    with zipfile.ZipFile(file, "w") as out:
        for name, data in members.items():
            out.writestr(name, data)
    return file.getvalue()


def write(folder, name, data):
    path = folder / name
    path.write_bytes(data if isinstance(data, bytes) else data.encode())
    return path


def proposal(page):
    page.get_by_role("button", name="Make the map").wait_for(timeout=LONG)
    settle(page)


REFUSED = [
    ("EMPTY_FILE", {"empty.csv": b""}, "empty.csv must hold data"),
    ("PICKLED_ARRAY", {"objects.npy": array(np.array([{}, []], dtype=object), pickled=True)},
     "must hold plain numbers"),
    ("NO_IMAGES", {"broken.zip": archive(**{"a.png": b"\x89PNG\r\n\x1a\n", "b.txt": b"x"})},
     "a.png"),
    ("ROW_COUNT", {"table.csv": "a,b\n" + "1,2\n3,4\n" * 5, "vectors.npy": array(np.eye(4))},
     "must have the 10 rows of table.csv, got 4"),
]


def test_every_refusal_names_the_file_and_leads_back(page, tmp_path):
    for code, files, words in REFUSED:
        upload(page, *[write(tmp_path, name, data) for name, data in files.items()])
        page.get_by_text(code).wait_for(timeout=LONG)
        settle(page)
        said = page.get_by_test_id("stAlert").inner_text()
        assert words in said, code
        assert list(files)[-1] in said, code
        assert "Traceback" not in page.content(), code
        page.get_by_role("button", name="Choose other data").click()
        page.get_by_text("or take a sample").wait_for()
        settle(page)


def test_one_of_several_arrays_is_chosen_from_a_list_even_after_a_reload(page, tmp_path):
    random = np.random.default_rng(0)
    path = tmp_path / "many.npz"
    np.savez(path, train=random.normal(size=(40, 3)), labels=np.arange(40))
    upload(page, path)
    page.get_by_role("button", name="Read this array").wait_for(timeout=LONG)
    page.reload()
    page.get_by_role("button", name="Read this array").click()
    proposal(page)
    expect(page.get_by_text("Vectors as uploaded").first).to_be_visible()


def test_an_import_can_be_cancelled_after_a_reload_and_taken_up_again(page, tmp_path):
    lines = "".join(f"{row},{row * 7 % 1003},{row * row % 997}\n" for row in range(200_000))
    upload(page, write(tmp_path, "long.csv", "a,b,c\n" + lines))
    page.get_by_role("button", name="Cancel").wait_for(timeout=LONG)
    page.reload()
    page.get_by_role("button", name="Cancel").click()
    again = page.get_by_role("button", name="Read it again")
    again.wait_for(timeout=LONG)
    again.click()
    proposal(page)
    expect(page.get_by_text("200,000 rows").first).to_be_visible()


def test_a_run_that_cannot_work_says_why_and_keeps_the_data(page, tmp_path):
    upload(page, write(tmp_path, "same.npy", array(np.ones((40, 3), dtype=np.float32))))
    proposal(page)
    page.get_by_role("button", name="Make the map").click()
    page.get_by_text("IDENTICAL_ROWS").first.wait_for(timeout=LONG)
    settle(page)
    expect(page.get_by_test_id("stAlert").first).to_contain_text("got 1 among 40")
    page.get_by_role("button", name="Change the recipe").click()
    page.get_by_role("heading", name="Recipe").wait_for()
    expect(page.get_by_test_id("stSidebar")).to_contain_text("40 rows")


def test_what_was_odd_is_said_with_its_line_and_can_be_read_otherwise(page, tmp_path):
    lines = "".join(f"Müller {row},{row * row % 13}\n" for row in range(40))
    upload(page, write(tmp_path, "latin.csv", b"name,size\n" + lines.encode("cp1252")))
    proposal(page)
    expect(page.get_by_test_id("stAlert").first).to_contain_text("not UTF-8 from line 2")
    expect(page.get_by_role("button", name="Read again").first).to_be_visible()
