"""Choosing on the map and on the silhouette plot by mouse, and taking the chosen rows away."""

import io
import json
import zipfile

import pyarrow.parquet as pq
import pytest
from playwright.sync_api import expect

from tests.browser.conftest import settle
from tests.browser.test_main_path import LONG, make_map, open_page, prepared, take_sample

MARKED = """figure => {
    const traces = document.querySelectorAll('.js-plotly-plot')[figure]._fullData
        .filter(trace => trace.customdata);
    const own = traces[0].selectedpoints;  // what the browser itself has chosen
    const rows = own ? own.map(at => traces[0].customdata[at])
                     : traces.length > 1 ? Array.from(traces[1].customdata) : [];
    return rows.sort((a, b) => a - b);
}"""
PLACE = """([figure, at]) => {
    const plot = document.querySelectorAll('.js-plotly-plot')[figure];
    const area = plot.querySelector('.nsewdrag').getBoundingClientRect();
    const trace = plot._fullData.find(trace => trace.customdata);
    return [area.x + plot._fullLayout.xaxis.d2p(trace.x[at]),
            area.y + plot._fullLayout.yaxis.d2p(trace.y[at]), trace.customdata[at]];
}"""


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


def drawn(page):
    """Both figures are on the page and carry their rows."""
    page.locator(".js-plotly-plot").nth(1).wait_for(timeout=LONG)
    page.wait_for_function("() => [...document.querySelectorAll('.js-plotly-plot')].every("
                           "plot => plot._fullData && plot._fullData.some(one => one.customdata))")
    settle(page)


def take_tool(page, name):
    drag = {"Click": "pan", "Lasso": "lasso", "Box": "select"}[name]
    page.get_by_text(name, exact=True).click()
    page.wait_for_function("mode => document.querySelector('.js-plotly-plot')?._fullLayout"
                           "?.dragmode == mode", arg=drag)
    drawn(page)


def click_on(page, figure, at):
    """Click the end of the at-th mark of a figure; its dataset position."""
    x, y, row = page.evaluate(PLACE, [figure, at])
    if figure:
        x -= 6  # on the bar, not beside its end
    page.mouse.move(x - 1, y)
    page.mouse.move(x, y)
    page.wait_for_selector(".hoverlayer .hovertext")
    page.mouse.click(x, y)
    return row


def drag_over(page, figure, corners):
    box = page.locator(".js-plotly-plot").nth(figure).locator(".nsewdrag").first.bounding_box()
    places = [(box["x"] + box["width"] * x, box["y"] + box["height"] * y) for x, y in corners]
    page.mouse.move(*places[0])
    page.mouse.down()
    for place in places[1:]:
        page.mouse.move(*place, steps=4)
    page.mouse.up()


def test_a_click_shows_the_row_and_survives_recolouring_and_pages(page, wine):
    open_map(page, wine)
    row = click_on(page, 0, 20)
    page.get_by_text("1 row selected").wait_for()
    page.get_by_text(f"Row {row + 1}", exact=True).wait_for()
    page.get_by_role("combobox").first.click()
    page.get_by_text("Colour: Silhouette", exact=True).click()
    page.wait_for_function(f"() => ({MARKED})(0).join() == '{row}'")
    open_page(page, "Clusters")
    open_page(page, "Map")
    drawn(page)
    assert page.evaluate(MARKED, 0) == [row]
    expect(page.get_by_text("1 row selected")).to_be_visible()


def test_bars_choose_rows_on_the_map_and_other_people_see_nothing_of_it(page, wine, chromium):
    open_map(page, wine)
    row = click_on(page, 1, 10)
    page.get_by_text("1 row selected").wait_for()
    page.wait_for_function(f"() => ({MARKED})(0).join() == '{row}'")
    take_tool(page, "Box")
    drag_over(page, 1, [(0.001, 0.001), (0.999, 0.4)])
    page.get_by_text("rows selected").wait_for()
    chosen = int(page.get_by_text("rows selected").inner_text().split()[0])
    page.wait_for_function(f"() => ({MARKED})(0).length == {chosen}")
    assert 20 < chosen < 120
    other = chromium.new_context().new_page()
    other.goto(wine)
    other.get_by_text("Nothing selected").wait_for(timeout=LONG)
    other.context.close()


def test_a_second_lasso_replaces_the_first(page, wine):
    open_map(page, wine)
    take_tool(page, "Lasso")
    # From the bottom: in the upper right corner stands the mode bar.
    left = [(0.005, 0.995), (0.005, 0.005), (0.5, 0.005), (0.5, 0.995), (0.01, 0.995)]
    drag_over(page, 0, left)
    page.get_by_text("rows selected").wait_for()
    settle(page)
    first = page.evaluate(MARKED, 0)
    drag_over(page, 0, [(1 - x, y) for x, y in left])
    page.wait_for_function(f"() => {{const rows = ({MARKED})(0); "
                           f"return rows.length && rows.join() != '{','.join(map(str, first))}'}}")
    second = page.evaluate(MARKED, 0)
    assert not set(first) & set(second)
    assert len(first) + len(second) >= 176  # 178 rows; one may lie on the middle line
    page.get_by_text(f"{len(second)} rows selected").wait_for()


def test_the_selection_leaves_as_parquet(page, wine):
    open_map(page, wine)
    page.get_by_role("button", name="negative silhouettes").click()
    page.get_by_text("rows selected").wait_for()
    settle(page)
    rows = page.evaluate(MARKED, 0)
    page.get_by_role("button", name="Export").click()
    page.get_by_text("Parquet", exact=True).click()
    settle(page)
    members = prepared(page)
    table = pq.read_table(io.BytesIO(members["rows.parquet"]))
    assert table["row_id"].to_pylist() == [str(row + 1) for row in rows]
    assert max(table["silhouette"].to_pylist()) < 0
    manifest = json.loads(members["manifest.json"])
    assert manifest["space"].startswith("standardised columns")
    assert all(column["meaning"] for column in manifest["file"]["columns"]
               if column["from"] == "explorer")


def test_images_of_all_rows_leave_in_a_folder_per_cluster(page, shapes):
    open_map(page, shapes)
    click_on(page, 0, 5)
    page.locator("img").first.wait_for()  # the row's picture
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
