"""From a sample or a file to exported clusters, as a person does it."""

import csv
import io
import json
import zipfile

import pytest
from playwright.sync_api import expect

from tests.browser.conftest import drawn, settle

LONG = 300_000


def make_map(page):
    """From the proposal to a drawn map."""
    page.get_by_role("button", name="Make the map").click()
    drawn(page, LONG)


def take_sample(page, name):
    page.get_by_role("button", name=name).click()
    page.get_by_role("button", name="Make the map").wait_for(timeout=LONG)
    settle(page)


def upload(page, *files):
    page.locator('input[type="file"]').first.set_input_files(list(files))
    page.get_by_role("button", name="Read", exact=True).click()


def open_page(page, name):
    page.get_by_role("link", name=name, exact=True).click()
    settle(page)


def export_all(page, form):
    """The rows of 'All rows' in a format: the members of the downloaded zip."""
    open_page(page, "Export")
    page.get_by_role("radio", name="All rows").or_(
        page.get_by_role("button", name="All rows")).first.click()
    settle(page)
    page.get_by_text(form, exact=True).click()
    return prepared(page)


def prepared(page):
    """Press Prepare and download the zip: its members."""
    page.get_by_role("button", name="Prepare").click()
    offer = page.get_by_role("link", name="Download with manifest")
    offer.wait_for(timeout=LONG)
    settle(page)
    with page.expect_download() as download:
        offer.click()
    with zipfile.ZipFile(download.value.path()) as archive:
        return {name: archive.read(name) for name in archive.namelist()}


def test_digits_from_sample_to_export(page):
    take_sample(page, "Handwritten digits")
    make_map(page)
    open_page(page, "Clusters")
    page.get_by_test_id("stDataFrame").wait_for()
    members = export_all(page, "CSV, exact")
    rows = list(csv.DictReader(io.StringIO(members["rows.csv"].decode())))
    manifest = json.loads(members["manifest.json"])
    assert len(rows) == 1797
    assert {"row_id", "label", "cluster", "cluster_name", "silhouette", "x", "y"} <= set(rows[0])
    assert manifest["recipe"]["clusterer"]["parameters"]["clusters"] == 10
    from sklearn.cluster import KMeans
    from sklearn.datasets import load_digits
    from sklearn.metrics import adjusted_rand_score

    labels = KMeans(10, n_init=10, random_state=0).fit_predict(
        load_digits().data.astype("float32"))
    assert adjusted_rand_score(labels, [row["cluster"] for row in rows]) == pytest.approx(1.0)
    assert "recipe.yaml" in members


def test_reload_during_a_job_shows_the_same_job_and_the_result(page):
    take_sample(page, "Wine")
    page.get_by_role("button", name="Make the map").click()
    page.wait_for_url("**/map?w=*")
    address = page.url
    page.reload()
    drawn(page, LONG)
    assert page.url == address
    expect(page.get_by_text("178 of 178 rows").first).to_be_visible()


def test_bad_file_says_line_and_loses_nothing(page, tmp_path):
    bad = tmp_path / "ragged.csv"
    bad.write_text("name,size\na,1\nb,2,3\nc,4\nd,5\ne,6\n")
    upload(page, bad)
    page.get_by_text("ROW_LENGTH").wait_for(timeout=LONG)
    text = page.get_by_test_id("stAlert").inner_text()
    assert "row 3" in text
    assert "ragged.csv" in text
    page.get_by_role("button", name="Read again, leaving out rows").click()
    page.get_by_role("button", name="Make the map").wait_for(timeout=LONG)


def test_hostile_words_stay_words(page, tmp_path):
    payload = "<img src=x onerror=alert(1)> ![p](http://evil.example/p.png) :red[x] $a$"
    file = tmp_path / "hostile.csv"
    with open(file, "w", newline="", encoding="utf-8") as out:
        writer = csv.writer(out)
        writer.writerow(["id", payload, "value", "size"])
        for i in range(60):
            writer.writerow([f"r{i}", payload, i * 1.5, (i * 7) % 13])
    dialogs = []
    page.on("dialog", lambda dialog: (dialogs.append(dialog.message), dialog.dismiss()))
    upload(page, file)
    page.get_by_role("button", name="Make the map").wait_for(timeout=LONG)
    make_map(page)
    for name in ("Clusters", "Export", "Recipe", "Jobs"):
        open_page(page, name)
    assert not dialogs
