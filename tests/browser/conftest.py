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
def app_url(tmp_path_factory):
    """The address of a freshly started app with an empty store."""
    home = tmp_path_factory.mktemp("home")
    with serving(ROOT / "app.py", home, EXPLORER_HOME=str(home)) as address:
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
