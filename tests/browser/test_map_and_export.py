"""Choosing on the map and on the silhouette bars by mouse, and taking the chosen rows and the
picture away."""

import io
import json
import re
import zipfile

import numpy as np
import pyarrow.parquet as pq
import pytest
from PIL import Image
from playwright.sync_api import expect

from explorer.map_files import draw_html, look_at
from tests.browser.conftest import drawn, lasso, lonely, run_behind, settle, spots_of
from tests.browser.test_main_path import LONG, make_map, open_page, prepared, take_sample


def make_workspace(chromium, app_url, sample):
    """The address of the map of a sample, made in a tab of its own."""
    context = chromium.new_context(viewport={"width": 1366, "height": 768})
    tab = context.new_page()
    tab.set_default_timeout(90_000)
    tab.goto(app_url)
    settle(tab)
    take_sample(tab, sample)
    make_map(tab)
    address = tab.url
    context.close()
    return address


@pytest.fixture(scope="module")
def wine(chromium, app_url):
    return make_workspace(chromium, app_url, "Wine")


@pytest.fixture(scope="module")
def shapes(chromium, app_url):
    return make_workspace(chromium, app_url, "shapes")


def open_map(page, address):
    page.goto(address)
    drawn(page)


def says_chosen(page, number):
    """The page counts so many selected rows, and so do both views."""
    expect(page.locator(".st-key-selection_bar")).to_contain_text(
        re.compile(rf"\b{number:,} of [\d,]+ rows selected"))
    settle(page)


def color_by(page, name):
    page.get_by_role("combobox", name="Colour by").first.click()
    page.get_by_role("option", name=f"Colour: {name}", exact=True).click()
    expect(page.locator(".map-view .legend .heading").first).to_contain_text(name.lower())
    settle(page)


def left_half(spots):
    """A polygon around the points left of the widest gap near the middle, and their places."""
    across = np.sort(spots[:, 0])
    middle = slice(len(across) // 3, 2 * len(across) // 3)
    at = middle.start + int(np.argmax(np.diff(across[middle])))
    edge = across[at:at + 2].mean()
    edge = float(edge)
    (left, top), bottom = (spots.min(axis=0) - 4).tolist(), float(spots[:, 1].max() + 4)
    return ([(left, top), (edge, top), (edge, bottom), (left, bottom)],
            np.flatnonzero(spots[:, 0] < edge))


def test_a_lasso_around_known_rows_is_those_rows_recoloured_and_exported(
        page, wine, app_home, chromium):
    open_map(page, wine)
    run = run_behind(app_home, page)
    around, rows = left_half(spots_of(page, run))
    assert 20 < len(rows) < 158
    page.mouse.move(*np.mean(around, axis=0).tolist())
    page.mouse.wheel(0, -20)  # a little nearer: the lasso goes by what is on screen
    page.wait_for_timeout(300)
    around, rows = left_half(spots_of(page, run))
    stood = page.locator(".map-view").first.get_attribute("data-viewport")
    lasso(page, around)
    says_chosen(page, len(rows))
    color_by(page, "Silhouette")
    view = page.locator(".map-view").first
    assert view.get_attribute("data-viewport") == stood
    expect(view).to_contain_text(f"{len(rows)} of 178 selected")
    other = chromium.new_context().new_page()
    other.goto(wine)
    expect(other.locator(".st-key-selection_bar")).to_contain_text("0 of 178", timeout=LONG)
    other.context.close()
    page.locator(".st-key-selection_bar").get_by_role("button", name="Export").click()
    page.get_by_text("Parquet", exact=True).click()
    settle(page)
    members = prepared(page)
    table = pq.read_table(io.BytesIO(members["rows.parquet"]))
    assert table["row_id"].to_pylist() == [run.dataset.row_ids[run.rows[row]] for row in rows]
    manifest = json.loads(members["manifest.json"])
    assert manifest["space"].startswith("standardised columns")
    assert all(column["meaning"] for column in manifest["file"]["columns"]
               if column["from"] == "explorer")


def test_a_click_shows_the_row_and_outlives_other_pages(page, wine, app_home):
    open_map(page, wine)
    run = run_behind(app_home, page)
    spots = spots_of(page, run)
    at = lonely(spots, page)
    page.mouse.click(*spots[at].tolist())
    card = page.locator(".map-view .card").first
    expect(card).to_contain_text(f"Row {run.dataset.row_ids[at]}")
    expect(card).to_contain_text(f"Cluster {run.clustering.labels[at]}")
    says_chosen(page, 1)
    open_page(page, "Clusters")
    open_page(page, "Map")
    drawn(page)
    says_chosen(page, 1)
    expect(page.locator(".map-view").first).to_contain_text("1 of 178 selected")


def test_bars_choose_their_cluster_and_a_second_choice_replaces_the_first(page, wine, app_home):
    open_map(page, wine)
    counts = np.bincount(run_behind(app_home, page).clustering.labels)
    box = page.locator(".bars-view .stage").first.bounding_box()
    page.mouse.click(box["x"] + 60, box["y"] + 60)  # the name of the first cluster
    says_chosen(page, counts[0])
    page.mouse.click(box["x"] + 60, box["y"] + box["height"] - 70)  # and of the last
    says_chosen(page, counts[-1])


def test_the_picture_is_taken_as_it_is_on_screen(page, wine, app_home, tmp_path, chromium):
    open_map(page, wine)
    page.locator(".st-key-picture_menu button:visible").first.click()
    with page.expect_download() as download:
        page.get_by_test_id("stDownloadButton").filter(has_text="PNG").locator(
            "button:visible").first.click()
    assert download.value.suggested_filename == "Wines map.png"
    with Image.open(download.value.path()) as image:
        assert image.size == (2400, 1640)
    run = run_behind(app_home, page)
    hostile = "</script><script>window.canary=1</script><img src=x onerror='window.canary=2'>"
    file = tmp_path / "map.html"
    file.write_bytes(draw_html(run, look_at(run, "cluster", {0: hostile})))
    tab = chromium.new_context().new_page()
    asked = []
    tab.on("request", lambda request: asked.append(request.url))
    tab.goto(file.as_uri())
    expect(tab.locator(".legendtext").first).to_contain_text("</script><script>window")
    assert tab.evaluate("window.canary") is None
    assert [url for url in asked if not url.startswith(("file:", "data:", "blob:"))] == []
    tab.context.close()


def test_images_of_all_rows_leave_in_a_folder_per_cluster(page, shapes, app_home):
    open_map(page, shapes)
    spots = spots_of(page, run_behind(app_home, page))
    page.mouse.move(*spots[lonely(spots, page)].tolist())
    page.wait_for_function("() => { const image = document.querySelector('.st-key-map')"
                           "?.querySelector('[data-testid=stBidiComponentIsolated]')"
                           "?.shadowRoot?.querySelector('.card img');"
                           " return image?.complete && image.naturalWidth > 0; }")
    open_page(page, "Export")
    page.get_by_text("All rows", exact=True).click()
    page.get_by_text("Images, a folder per cluster").click()
    settle(page)
    with zipfile.ZipFile(io.BytesIO(prepared(page)["images.zip"])) as archive:
        names = [name for name in archive.namelist() if "/" in name]
        said = json.loads(archive.read("manifest.json"))
    assert len(names) == said["images"]["images"] == said["data"]["rows"]
    assert len({name.split("/")[0] for name in names}) == (
        said["recipe"]["clusterer"]["parameters"]["clusters"])
