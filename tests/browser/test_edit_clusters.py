"""A cluster split, its parts named, taken away, and the step taken back, by mouse."""

import csv
import io
import json
from collections import Counter

import yaml
from playwright.sync_api import expect

from tests.browser.conftest import settle
from tests.browser.test_main_path import LONG, export_all, open_page, take_sample


def press(page, name):
    page.get_by_role("button", name=name).click()
    settle(page)


def choose(page, name):
    page.get_by_text(name, exact=True).first.click()
    settle(page)


def test_split_name_export_undo(page):
    take_sample(page, "Wine")
    page.get_by_role("button", name="Make the map").click()
    page.get_by_text("Edit clusters", exact=True).wait_for(timeout=LONG)
    settle(page)
    choose(page, "Edit clusters")
    choose(page, "Split")
    press(page, "Split 65 rows")
    expect(page.get_by_text("Edited: 1 step")).to_be_visible(timeout=LONG)
    expect(page.get_by_text("being computed")).to_have_count(0, timeout=LONG)
    settle(page)
    choose(page, "Name, note, lock")
    page.get_by_label("Name", exact=True).fill("light <i>wines</i>")
    page.get_by_label("Note", exact=True).fill("ask the grower")
    page.get_by_label("Note", exact=True).blur()
    settle(page)
    press(page, "Save name and note")
    expect(page.get_by_text("Undo: note on")).to_be_visible()
    members = export_all(page, "CSV, exact")
    rows = list(csv.DictReader(io.StringIO(members["rows.csv"].decode())))
    manifest = json.loads(members["manifest.json"])
    counts = Counter(row["cluster"] for row in rows)
    assert set(counts) == {"1", "2", "3", "4"}
    assert counts["3"] + counts["4"] == 65
    assert all(row["original_cluster"] == "0" for row in rows if row["cluster"] in "34")
    assert {row["cluster_name"] for row in rows if row["cluster"] == "3"} == {"light <i>wines</i>"}
    assert manifest["cluster_notes"] == {"3": "ask the grower"}
    assert yaml.safe_load(members["recipe.yaml"])["edits"][0]["method"] == "split"
    open_page(page, "Map")
    choose(page, "Edit clusters")
    for undone in ("note on", "name of", "split of"):
        press(page, f"Undo: {undone}")
        expect(page.get_by_role("button", name=f"Redo: {undone}")).to_be_visible()
    expect(page.get_by_text("no row was moved")).to_be_visible()
