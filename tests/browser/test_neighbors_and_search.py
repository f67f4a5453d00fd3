"""Searching texts and going from neighbour to neighbour, by mouse and keyboard in the real app."""

import re

import numpy as np
import pytest
from playwright.sync_api import expect
from sklearn.neighbors import NearestNeighbors

from tests.browser.conftest import drawn, run_behind, settle


@pytest.fixture(scope="module")
def texts(app_home, app_url):
    """The address of a map of the sample of texts, placed by their words."""
    from explorer.cluster import clusterers
    from explorer.encode import encoders
    from explorer.load import load_sample
    from explorer.project import projectors
    from explorer.recipe import Recipe
    from explorer.run import run
    from explorer.spec import silent
    from explorer.store import Store
    from explorer.ui.state import Document
    from explorer.workspace import Workspaces

    store = Store(app_home)
    data = load_sample("everyday_texts", store, silent)
    recipe = Recipe.of(encoders().create("tfidf", {"dimensions": 20}), projectors().create("pca"),
                       clusterers().create("kmeans", {"clusters": 6}))
    run(recipe, data, store)
    shelf = Workspaces(app_home)
    name = shelf.create("texts")
    document = Document(dataset=data.id, recipe=recipe.to_data(), ran=recipe.to_data())
    shelf.save(name, document.model_dump(mode="json"), 0)
    return f"{app_url}/map?w={name}"


def open_panel(page, name):
    page.get_by_text(name, exact=True).click()
    settle(page)


def say(page, typed, hint="a phrase"):
    page.get_by_placeholder(hint).fill(typed)  # not any search box: one takes another's place
    page.keyboard.press("Enter")


def in_list(page, line):
    """Click into a line of the panel's list; the first is 0."""
    settle(page)
    table = page.get_by_test_id("stDataFrame").last
    table.scroll_into_view_if_needed()
    page.wait_for_timeout(500)  # the table draws itself on a canvas, a moment later
    box = table.bounding_box()
    spot = box["x"] + 30, box["y"] + 36 + 33 * line + 16
    page.mouse.move(*spot)
    page.wait_for_timeout(300)  # it takes a click only where it has seen the mouse come
    page.mouse.click(*spot, delay=60)


def test_hits_are_selected_on_the_map_and_neighbours_followed(page, texts, app_home):
    page.goto(texts)
    drawn(page)
    current = run_behind(app_home, page)
    cells = current.dataset.texts(current.dataset.with_role("text")[0].name)
    word = max({"garden", "train", "bread", "music"}, key=lambda one: sum(
        one in cell.lower() for cell in cells))
    hits = [row for row, cell in enumerate(cells) if word in cell.lower()]
    assert len(hits) > 2
    open_panel(page, "Search")
    say(page, word.upper())
    page.get_by_role("button", name=f"Select all {len(hits)}").click()
    expect(page.locator(".map-view .count").first).to_have_text(
        re.compile(rf"^{len(hits)} of {len(cells)} selected"))
    in_list(page, 1)
    expect(page.locator(".map-view .count").first).to_have_text(re.compile("^1 of "))
    open_panel(page, "Neighbours")
    names = current.dataset.row_ids
    expect(page.get_by_text(f"Nearest to row {names[hits[1]]} ")).to_be_visible()
    row = nearest(current, hits[1])
    in_list(page, 0)
    expect(page.get_by_text(f"Nearest to row {names[row]} ")).to_be_visible()
    page.get_by_role("button", name="Back").click()
    expect(page.get_by_text(f"Nearest to row {names[hits[1]]} ")).to_be_visible()


def nearest(current, row):
    vectors = current.embedding.vectors.astype(np.float64)
    place = int(np.searchsorted(current.rows, row))
    search = NearestNeighbors(n_neighbors=5, algorithm="brute").fit(vectors)
    near = [int(at) for at in search.kneighbors(vectors[[place]])[1][0] if at != place]
    return int(current.rows[near[0]])


def test_a_sentence_finds_rows_by_meaning(page, texts, app_home):
    page.goto(texts)
    drawn(page)
    current = run_behind(app_home, page)
    open_panel(page, "Search")
    open_panel(page, "Meaning")
    say(page, "qqq xyzzy", "what the rows should be about")
    expect(page.get_by_text("no word of it is in the vocabulary")).to_be_visible()
    cells = current.dataset.texts(current.dataset.with_role("text")[0].name)
    say(page, cells[int(current.rows[7])], "what the rows should be about")
    page.get_by_role("button", name="Select these 20").click()
    expect(page.locator(".map-view .count").first).to_have_text(re.compile("^20 of "))
    in_list(page, 0)
    expect(page.locator(".map-view .count").first).to_have_text(re.compile("^1 of "))
