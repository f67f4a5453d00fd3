"""A network is trained on the page, watched, stopped, and its map looked at."""

import re

from playwright.sync_api import expect

from tests.browser.conftest import run_behind, settle
from tests.browser.test_main_path import LONG, open_page, take_sample


def test_train_watch_stop_and_see(page, app_home):
    take_sample(page, "Handwritten")
    open_page(page, "Train an encoder")
    page.get_by_text("Variational autoencoder", exact=True).first.click()
    expect(page.get_by_text("images as 8 x 8 pixels in grey")).to_be_visible()
    settle(page)
    page.get_by_role("button", name="Train", exact=True).click()
    page.get_by_text("is being trained").wait_for()
    page.get_by_text(re.compile("Best epoch")).wait_for(timeout=LONG)
    page.reload()
    page.get_by_text(re.compile("Best epoch")).wait_for(timeout=LONG)
    curves = page.locator(".js-plotly-plot")
    expect(curves.get_by_text("KL", exact=True)).to_be_visible()
    expect(page.locator('[data-testid="stImage"] img')).to_have_attribute(
        "src", re.compile("^data:image/png"))
    page.get_by_role("button", name="Stop and keep the best").click()
    page.get_by_text("it was stopped by hand").wait_for(timeout=LONG)
    found = run_behind(app_home, page)
    assert found.model.ended == "stopped"
    assert found.model.epochs == found.recipe.encoding.stop_after < found.recipe.encoding.epochs
    page.get_by_role("button", name="Map", exact=True).click(timeout=LONG)
    page.locator(".map-view[data-frames]").first.wait_for(timeout=LONG)
    assert run_behind(app_home, page).complete
