"""The recipe's form, clusters named and swept, two tabs at once, a recipe replayed."""

import csv
import io
import re
import subprocess
import sys

import pytest
import yaml
from playwright.sync_api import expect

from tests.browser.conftest import ROOT, drawn, settle
from tests.browser.test_main_path import LONG, export_all, make_map, open_page, take_sample

ROW, HEADER = 64, 35


def choose(page, key, option):
    """A value of the form's select box with that key."""
    page.locator(f".st-key-{key.replace('.', '-')} [data-testid=stSelectbox]").click()
    page.keyboard.type(option)  # a long list shows only what is near the value it has
    page.get_by_role("option", name=option, exact=True).click()
    answer(page)


def answer(page):
    """Wait for the run of the script that a widget starts; it starts a moment after the click."""
    page.wait_for_timeout(300)
    settle(page)


def number(page, name):
    return page.get_by_role("spinbutton", name=name, exact=True)


def fill(page, name, value):
    number(page, name).fill(str(value))
    number(page, name).press("Enter")
    answer(page)


def compute(page):
    run = page.get_by_role("button", name="Run", exact=True)
    done = page.get_by_role("button", name="See the map")
    run.or_(done).wait_for()
    if run.is_visible():  # else another test computed it
        run.click()
    done.wait_for(timeout=LONG)
    settle(page)


def rename(page, row, name):
    """Type a name into the table of clusters, as a person does."""
    table = page.get_by_test_id("stDataFrame").first.locator("canvas").first
    table.wait_for()
    settle(page)
    box = table.bounding_box()
    page.mouse.dblclick(box["x"] + 130, box["y"] + HEADER + ROW // 2 + ROW * row)
    editor = page.locator(".gdg-input").first
    editor.fill(name)
    editor.press("Enter")
    # The table sends an edit a moment later, and is drawn anew when the name is saved.
    page.wait_for_function(
        "() => [...document.querySelectorAll('[class*=st-key-clusters-]')]"
        ".some(table => /st-key-clusters-[0-9a-f]+-1( |$)/.test(table.className))")
    settle(page)


@pytest.fixture
def texts(page):
    """The text sample with the quick methods, computed; the page shows the recipe."""
    take_sample(page, "Everyday texts")
    page.get_by_role("button", name="Change the steps").click()
    page.get_by_text("1 Encode").wait_for()
    choose(page, "encoder.method", "TF-IDF + SVD")
    choose(page, "projector.method", "PCA")
    compute(page)
    return page


def test_name_shows_everywhere_and_the_recipe_replays(texts, tmp_path):
    page = texts
    with page.expect_download() as download:
        page.get_by_role("button", name="Download recipe").click()
    recipe = tmp_path / "recipe.yaml"
    download.value.save_as(recipe)
    assert yaml.safe_load(recipe.read_text())["encoder"]["method"] == "tfidf"
    open_page(page, "Clusters")
    name = "Pots & <b>pans</b>"
    rename(page, 0, name)
    open_page(page, "Map")
    drawn(page)
    expect(page.locator(".map-view .legend")).to_contain_text(name)
    members = export_all(page, "CSV, exact")
    exported = list(csv.DictReader(io.StringIO(members["rows.csv"].decode())))
    assert {row["cluster_name"] for row in exported if row["cluster"] == "0"} == {name}
    out = tmp_path / "out"
    subprocess.run([sys.executable, "-m", "explorer", "run", recipe, "--data",
                    ROOT / "data" / "everyday_texts.csv", "--out", out, "--exact"],
                   check=True, cwd=ROOT, env={"EXPLORER_HOME": str(tmp_path / "home"),
                                              "PATH": "/usr/bin:/bin", "HOME": str(tmp_path)})
    replayed = list(csv.DictReader((out / "rows.csv").open(encoding="utf-8", newline="")))
    assert [row["cluster"] for row in replayed] == [row["cluster"] for row in exported]
    assert [row["x"] for row in replayed] == [row["x"] for row in exported]


def test_sweep_another_number_and_back(texts):
    page = texts
    open_page(page, "Number of clusters")
    page.get_by_role("button", name="Try them").click()
    page.locator(".st-key-sweep_count").wait_for(timeout=LONG)
    settle(page)
    choose(page, "sweep_count", "5")
    page.get_by_role("button", name="Use 5 clusters").click()
    expect(page.locator(".st-key-sweep_count input")).to_have_value(re.compile(r"5 \(now"),
                                                                    timeout=LONG)
    settle(page)
    open_page(page, "Recipe")
    expect(number(page, "Clusters")).to_have_value("5")
    fill(page, "Clusters", 9)
    expect(page.get_by_role("button", name="See the map")).to_be_visible()
    fill(page, "Clusters", 5000)
    page.get_by_text("Clusters must be").wait_for()
    expect(page.get_by_text("see step 3 Cluster")).to_be_visible()
    expect(page.get_by_role("button", name="Run", exact=True)).not_to_be_visible()


def test_two_tabs_show_the_conflict_and_a_way_out(page, chromium):
    take_sample(page, "Wine")
    make_map(page)
    open_page(page, "Recipe")
    other = page.context.new_page()
    other.goto(page.url)
    settle(other)
    fill(page, "Clusters", 5)
    fill(other, "Clusters", 7)
    other.get_by_text("changed elsewhere").wait_for()
    other.get_by_role("button", name="Show the other tab's state").click()
    other.get_by_text("changed elsewhere").wait_for(state="detached")
    settle(other)
    expect(number(other, "Clusters")).to_have_value("5")
    fill(other, "Clusters", 7)
    expect(other.get_by_text("changed elsewhere")).not_to_be_visible()
    fill(page, "Clusters", 6)
    page.get_by_text("changed elsewhere").wait_for()
    before = page.url
    page.get_by_role("button", name="Keep mine in a new workspace").click()
    page.wait_for_function("before => location.href !== before", arg=before)
    settle(page)
    expect(number(page, "Clusters")).to_have_value("6")


def test_cancel_says_so_and_offers_to_go_on(page):
    take_sample(page, "Everyday texts")
    page.get_by_role("button", name="Make the map").click()
    page.get_by_role("button", name="Cancel").click()
    page.get_by_text("Cancelled: MiniLM").wait_for(timeout=LONG)
    page.get_by_role("button", name="Change the recipe").wait_for()
    expect(page.get_by_role("button", name="Run (")).to_be_visible()


def test_all_noise_is_said_and_leads_on(page):
    take_sample(page, "Wine")
    page.get_by_role("button", name="Change the steps").click()
    page.get_by_text("1 Encode").wait_for()
    choose(page, "projector.method", "PCA")
    choose(page, "clusterer.method", "HDBSCAN")
    fill(page, "Minimum cluster size", 170)
    compute(page)
    open_page(page, "Clusters")
    page.get_by_text("every row is noise").wait_for()
    expect(page.get_by_text("not defined").first).to_be_visible()
    page.get_by_role("button", name="Change the recipe").click()
    page.get_by_text("3 Cluster").wait_for()
