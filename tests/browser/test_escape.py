"""Escaped texts in the real renderers: Streamlit's Markdown and plotly.js, in Chromium."""

import json
import re

import pytest

from tests.browser.conftest import ROOT, serving

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
def address(tmp_path_factory):
    folder = tmp_path_factory.mktemp("page")
    script = folder / "page.py"
    script.write_text(PAGE.format(texts=json.dumps(TEXTS)))
    with serving(script, folder, PYTHONPATH=str(ROOT), HOME=str(folder)) as found:
        yield found


def plain(text: str) -> str:
    return " ".join(re.sub("[\u200b\u2068\u2069]", "", text).split())


def test_streamlit_and_plotly_show_every_text_itself(chromium, address):
    page = chromium.new_page()
    foreign = []
    page.on("request", lambda request: foreign.append(request.url)
            if not request.url.startswith((address, "data:", "blob:")) else None)
    page.goto(address)
    page.locator(".js-plotly-plot .legendtext").nth(len(TEXTS) - 1).wait_for(timeout=60_000)
    texts = page.locator("[data-testid=stMarkdownContainer]").all_text_contents()
    inside = page.locator("[data-testid=stMarkdownContainer]").evaluate_all(
        "nodes => nodes.map(node => [...node.querySelectorAll('*')].map(e => e.tagName))")
    legend = page.locator(".js-plotly-plot .legendtext").all_text_contents()
    links = page.locator(".js-plotly-plot svg a[*|href]").count()
    page.close()
    assert [plain(text) for text in texts] == [plain(text) for text in [*TEXTS, TEXTS[0]]]
    assert {tag for tags in inside for tag in tags} == {"P"}
    assert [plain(text) for text in legend] == [plain(text) for text in TEXTS]
    assert links == 0
    assert [url for url in foreign if "evil" in url] == []
