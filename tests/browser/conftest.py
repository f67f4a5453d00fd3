"""The real app in a process of its own, and Chromium in front of it."""

import os
import shutil
import socket
import subprocess
import sys
import time
import urllib.request
from contextlib import contextmanager
from pathlib import Path
from urllib.parse import parse_qs, urlsplit

import numpy as np
import pytest

ROOT = Path(__file__).resolve().parents[2]
CHROMIUM = os.environ.get("EXPLORER_CHROMIUM") or shutil.which("chromium") or "/usr/bin/chromium"
FLAGS = ["--headless", "--no-sandbox", "--use-gl=angle", "--use-angle=swiftshader",
         "--enable-unsafe-swiftshader", "--disable-quic", "--no-first-run",
         "--disable-background-networking", "--disable-component-update", "--disable-sync"]


def pytest_collection_modifyitems(items):
    for item in items:
        if "browser" in str(item.fspath):
            item.add_marker(pytest.mark.browser)


@contextmanager
def serving(script, folder, **environment):
    """The address of `streamlit run script`, which works in the folder of the script and logs into
    `folder`."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port = probe.getsockname()[1]
    with open(folder / "server.log", "wb") as log:
        server = subprocess.Popen(
            [sys.executable, "-m", "streamlit", "run", script.name, "--server.port", str(port),
             "--server.headless", "true", "--server.address", "127.0.0.1",
             "--server.fileWatcherType", "none", "--browser.gatherUsageStats", "false"],
            cwd=script.parent, env={**os.environ, **environment}, stdin=subprocess.DEVNULL,
            stdout=log, stderr=log)
    address = f"http://127.0.0.1:{port}"
    deadline = time.monotonic() + 60
    try:
        while True:
            try:
                urllib.request.urlopen(f"{address}/_stcore/health", timeout=1)
                break
            except OSError:
                if server.poll() is not None or time.monotonic() > deadline:
                    raise RuntimeError((folder / "server.log").read_text()) from None
                time.sleep(0.2)
        yield address
    finally:
        server.terminate()
        server.wait(20)


@pytest.fixture(scope="package")
def app_home(tmp_path_factory):
    """The folder in which the app keeps everything."""
    return tmp_path_factory.mktemp("home")


@pytest.fixture(scope="package")
def app_url(app_home):
    """The address of a freshly started app with an empty store."""
    with serving(ROOT / "app.py", app_home, EXPLORER_HOME=str(app_home)) as address:
        yield address


# Not for the whole session: while Playwright runs, the main thread has an asyncio loop.
@pytest.fixture(scope="package")
def chromium():
    if not Path(CHROMIUM).exists():
        if os.environ.get("EXPLORER_BROWSER_REQUIRED"):
            pytest.fail(f"Chromium is required here, but there is none at {CHROMIUM}")
        pytest.skip("browser tests need Chromium (Debian: apt install chromium)")
    from playwright.sync_api import expect, sync_playwright

    expect.set_options(timeout=60_000)

    with sync_playwright() as driver:
        browser = driver.chromium.launch(executable_path=CHROMIUM, args=FLAGS)
        yield browser
        browser.close()


@pytest.fixture
def page(chromium, app_url, request, tmp_path):
    """A tab of its own on the app's first page; requests to other hosts fail the test."""
    context = chromium.new_context(viewport={"width": 1366, "height": 768},
                                   accept_downloads=True)
    tab = context.new_page()
    strangers = []
    tab.on("request", lambda request: strangers.append(request.url)
           if not request.url.startswith((app_url, app_url.replace("http", "ws"), "data:", "blob:"))
           else None)
    tab.set_default_timeout(90_000)
    tab.goto(app_url)
    settle(tab)
    yield tab
    if getattr(request.node, "failed", False):
        tab.screenshot(path=tmp_path / "failed.png")
        print("screenshot:", tmp_path / "failed.png")
    context.close()
    assert not strangers, f"the page asked other hosts: {strangers}"


@pytest.hookimpl(hookwrapper=True)
def pytest_runtest_makereport(item, call):
    outcome = yield
    item.failed = outcome.get_result().failed


def settle(tab):
    """Wait until the script has run and nothing is stale."""
    tab.wait_for_selector('[data-testid="stApp"][data-test-script-state="notRunning"]',
                          timeout=120_000)


def drawn(tab, timeout=300_000):
    """Wait until the map and the silhouette bars are drawn, and the script has run."""
    for view in (".map-view", ".bars-view"):
        tab.locator(f"{view}[data-frames]").first.wait_for(timeout=timeout)
    settle(tab)


def run_behind(home, tab):
    """The results that the tab's workspace shows, read from the store itself."""
    from explorer.dataset import open_dataset
    from explorer.plan import make_plan
    from explorer.recipe import open_recipe
    from explorer.run import Run
    from explorer.store import Store
    from explorer.workspace import Workspaces

    name = parse_qs(urlsplit(tab.url).query)["w"][0]
    document = Workspaces(home).open(name).document
    store = Store(home)
    data = open_dataset(store, document["dataset"]).with_roles(document["roles"])
    return Run(make_plan(open_recipe(document["ran"]).recipe, data, store), store)


def spots_of(tab, run):
    """Where the points of the map lie on the screen now: n x 2 pixels of the page."""
    from explorer.plot.points import place_points

    places = place_points(run.projection.points,
                          same_units=run.recipe.projecting.reads != "coordinates")
    view = tab.locator(".map-view[data-viewport]").first  # Streamlit may just have put a new one
    x, y, unit = map(float, view.get_attribute("data-viewport").split(","))
    box = view.locator(".stage").bounding_box()
    at = np.frombuffer(places.data, dtype="<f4").reshape(-1, 2)
    return np.column_stack([box["x"] + box["width"] / 2 + (at[:, 0] - x) * unit,
                            box["y"] + box["height"] / 2 - (at[:, 1] - y) * unit])


def lasso(tab, corners, view=0):
    """Draw around corners (pixels of the page) on a map."""
    tab.locator(".map-view").nth(view).locator(".tool-lasso").click()
    tab.mouse.move(*corners[0])
    tab.mouse.down()
    for corner in [*corners[1:], corners[0]]:
        tab.mouse.move(*corner, steps=3)
    tab.mouse.up()


def lonely(spots, tab):
    """The place of a point that no other lies near, inside the map."""
    box = tab.locator(".map-view .stage").first.bounding_box()
    apart = np.hypot(*(spots[:, None] - spots[None]).transpose(2, 0, 1))
    np.fill_diagonal(apart, np.inf)
    inside = ((spots > (box["x"] + 12, box["y"] + 12)).all(axis=1)
              & (spots < (box["x"] + box["width"] - 12, box["y"] + box["height"] - 60)).all(axis=1))
    return int(np.argmax(np.where(inside, apart.min(axis=1), 0)))
