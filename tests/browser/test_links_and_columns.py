"""A link to a view, filters and columns, by mouse in the real app."""

import re
from urllib.parse import parse_qs, urlsplit

import numpy as np
import pytest
from playwright.sync_api import expect

from tests.browser.conftest import drawn, lasso, run_behind, settle, spots_of


@pytest.fixture(scope="module")
def wine(app_home, app_url):
    """The address of a map of the wines."""
    from explorer.load import load_sample
    from explorer.project import projectors
    from explorer.propose import propose
    from explorer.run import run
    from explorer.spec import silent
    from explorer.store import Store
    from explorer.ui.state import Document
    from explorer.workspace import Workspaces

    store = Store(app_home)
    data = load_sample("wine", store, silent)
    recipe = propose(data).recipe.using(projector=projectors().create("pca"))
    run(recipe, data, store)
    shelf = Workspaces(app_home)
    name = shelf.create("wine")
    document = Document(dataset=data.id, recipe=recipe.to_data(), ran=recipe.to_data())
    shelf.save(name, document.model_dump(mode="json"), 0)
    return f"{app_url}/map?w={name}"


def box_around(page, share):
    box = page.locator(".map-view .stage").first.bounding_box()
    left, top, right, bottom = share
    xs = [box["x"] + box["width"] * one for one in (left, right, right, left)]
    ys = [box["y"] + box["height"] * one for one in (top, top, bottom, bottom)]
    return list(zip(xs, ys, strict=True))


def selected(page, count):
    expect(page.locator(".st-key-selection_bar p").first).to_have_text(
        f"{count} of 178 rows selected")


def test_a_link_shows_filter_selection_columns_and_place_to_another(page, wine, app_home,
                                                                   chromium):
    page.goto(wine)
    drawn(page)
    current = run_behind(app_home, page)
    silhouettes = np.asarray(current.silhouette.per_row["silhouette"])

    # A filter on the form hides rows; a lasso then takes those shown only.
    page.get_by_text("Search", exact=True).click()
    page.get_by_role("button", name="Add a condition").click()
    page.get_by_role("combobox", name="Column", exact=True).last.click()
    page.get_by_role("option", name="Silhouette").click()
    page.get_by_label("From", exact=True).fill("0.2")
    page.keyboard.press("Enter")
    passing = silhouettes >= 0.2
    expect(page.locator(".st-key-filter_line p").first).to_contain_text(
        f"{passing.sum()} of 178 rows shown (Silhouette at least 0.2)")
    settle(page)
    page.get_by_test_id("stMain").evaluate("place => place.scrollTo(0, 0)")
    corners = box_around(page, (0.05, 0.05, 0.6, 0.95))
    spots = spots_of(page, current)
    (left, top), (right, bottom) = corners[0], corners[2]
    inside = (spots > (left, top)).all(axis=1) & (spots < (right, bottom)).all(axis=1) & passing
    assert 0 < inside.sum() < passing.sum()
    lasso(page, corners)
    selected(page, inside.sum())

    # Columns follow, and a bar narrows the selection to the rows of one cluster.
    page.get_by_text("Columns", exact=True).click()
    labels = current.clustering.labels
    biggest = int(np.bincount(labels[inside]).argmax())
    bar = page.locator(".columns-view .chart").first.locator(".bar").filter(
        has_text=f"Cluster {biggest}")
    expect(bar).to_have_attribute("data-part", str((inside & (labels == biggest)).sum()))
    expect(bar).to_have_attribute("data-every", str((passing & (labels == biggest)).sum()))
    page.get_by_role("radio", name="narrows").click()
    bar.click()
    narrowed = inside & (labels == biggest)
    selected(page, narrowed.sum())
    page.locator(".st-key-selection_bar").get_by_role("button", name="Undo").click()
    selected(page, inside.sum())
    expect(bar).to_have_attribute("data-part", str(narrowed.sum()))
    page.locator(".st-key-selection_bar").get_by_role("button", name="Redo").click()
    selected(page, narrowed.sum())

    # The address opens the same in a session of its own.
    for _ in range(2):
        page.locator(".map-view .in").first.click()
    page.locator(".map-view .link").first.click()
    address = page.get_by_role("dialog").locator("code").inner_text()
    place = page.locator(".map-view").first.get_attribute("data-viewport")
    context = chromium.new_context(viewport={"width": 1366, "height": 768})
    other = context.new_page()
    other.goto(address)
    drawn(other)
    selected(other, narrowed.sum())
    expect(other.locator(".map-view .count").first).to_have_text(
        re.compile(f"{narrowed.sum()} of 178 selected"))
    seen, meant = [np.array(one.split(","), dtype=float) for one in (
        other.locator(".map-view").first.get_attribute("data-viewport"), place)]
    assert np.allclose(seen[:2], meant[:2], atol=1e-4)
    assert seen[2] == pytest.approx(meant[2], rel=0.02)
    expect(other.locator(".columns-view .bar").first).to_be_visible()
    assert parse_qs(urlsplit(other.url).query) == parse_qs(urlsplit(address).query)

    # What one chooses, the other does not see.
    other.locator(".st-key-selection_bar").get_by_role("button", name="Clear", exact=True).click()
    selected(other, 0)
    page.keyboard.press("Escape")
    page.get_by_role("radio", name="Counts").click()
    selected(page, narrowed.sum())
    context.close()
