"""Escaped texts in the real renderers: Streamlit's Markdown and plotly.js, in Chromium."""

from __future__ import annotations

import json
import re
import socket
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path

import pytest

CHROMIUM = Path("/usr/bin/chromium")
ROOT = Path(__file__).resolve().parent.parent
ARGUMENTS = ["--headless", "--no-sandbox", "--use-gl=angle", "--use-angle=swiftshader",
             "--enable-unsafe-swiftshader", "--disable-quic", "--no-first-run",
             "--disable-background-networking", "--disable-component-update", "--disable-sync"]
TEXTS = [
    "**b** _i_ ~~s~~ `c`", "[l](javascript:alert(1))", "![i](https://evil.example/x.png)", "# big",
    "<b>x</b> a<br>b &lt;b&gt;", "<img src=x onerror=alert(1)>", ":red[x] :blue-badge[y]",
    ":small[x]", ":material/home: :streamlit: :smile: :+1:", "$\\href{javascript:1}{x}$ $$y$$",
    "1. one", "- [ ] task", "> quote", "| a | b |", "https://evil.example", "www.evil.example",
    "mail me@evil.example", "a -> b <- c -- d <-> e >= f", "[^1] [x][y] &amp; &constructor;",
    "%{customdata} %{x}", "<a href='https://evil.example'>x</a>", "#000001 #000032",
    "back\\slash \\* \\[", "---", "===", "10:30 a:b", "<!-- c -->", "\u05d0\u05d1 :red[\u05d2]",
]
PAGE = """
import json, plotly.graph_objects as go, streamlit as st
from explorer.escape import esc_md, esc_plotly
texts = json.loads({texts!r})
for text in texts:
    st.markdown(esc_md(text))
st.button(esc_md(texts[0]))
st.plotly_chart(go.Figure([go.Scatter(x=[0], y=[0], name=esc_plotly(text)) for text in texts],
                          layout=go.Layout(height=900, showlegend=True)))
"""


@pytest.fixture(scope="module")
def address(tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    folder = tmp_path_factory.mktemp("page")
    (folder / "page.py").write_text(PAGE.format(texts=json.dumps(TEXTS)))
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    server = subprocess.Popen(
        [sys.executable, "-m", "streamlit", "run", "page.py", "--server.headless=true",
         f"--server.port={port}", "--server.address=127.0.0.1", "--server.fileWatcherType=none",
         "--browser.gatherUsageStats=false"],
        cwd=folder, env={"PYTHONPATH": str(ROOT), "PATH": "/usr/bin:/bin", "HOME": str(folder)},
        stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
    try:
        for _ in range(300):
            with socket.socket() as probe:
                if probe.connect_ex(("127.0.0.1", port)) == 0:
                    break
            time.sleep(0.1)
        yield f"http://127.0.0.1:{port}"
    finally:
        server.terminate()
        server.wait(10)


def plain(text: str) -> str:
    return " ".join(re.sub("[\u200b\u2068\u2069]", "", text).split())


@pytest.mark.browser
@pytest.mark.skipif(not CHROMIUM.exists(), reason="needs Debian's chromium")
def test_streamlit_and_plotly_show_every_text_itself(address: str) -> None:
    from playwright.sync_api import sync_playwright

    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=CHROMIUM, args=ARGUMENTS)
        page = browser.new_page()
        foreign: list[str] = []
        page.on("request", lambda request: foreign.append(request.url)
                if not request.url.startswith((address, "data:", "blob:")) else None)
        page.goto(address)
        page.locator(".js-plotly-plot .legendtext").nth(len(TEXTS) - 1).wait_for(timeout=60_000)
        texts = page.locator("[data-testid=stMarkdownContainer]").all_text_contents()
        inside = page.locator("[data-testid=stMarkdownContainer]").evaluate_all(
            "nodes => nodes.map(node => [...node.querySelectorAll('*')].map(e => e.tagName))")
        legend = page.locator(".js-plotly-plot .legendtext").all_text_contents()
        links = page.locator(".js-plotly-plot svg a[*|href]").count()
        browser.close()
    assert [plain(text) for text in texts] == [plain(text) for text in [*TEXTS, TEXTS[0]]]
    assert {tag for tags in inside for tag in tags} == {"P"}
    assert [plain(text) for text in legend] == [plain(text) for text in TEXTS]
    assert links == 0
    assert [url for url in foreign if "evil" in url] == []
