"""No text of a stranger reaches a call that renders Markdown without esc_md; the check can fail."""

from __future__ import annotations

import pytest

from tests.rendered_text import unescaped
from tests.test_architecture import ROOT, sources


def test_x06_every_text_that_is_rendered_as_markdown_is_escaped() -> None:
    read = {path.relative_to(ROOT).with_suffix("").as_posix().replace("/", "."):
            path.read_text(encoding="utf-8") for path in sources()}
    found = unescaped(read)
    assert not found, "\n".join(found)


HEAD = "import streamlit as st\nfrom explorer.escape import esc_md\n"


@pytest.mark.parametrize("source", [
    "def f(data):\n    st.markdown(f'{data.name}')",
    "def f(data):\n    st.error(data.name)",
    "def f(data):\n    st.caption('a' + data.name)",
    "def f(data):\n    st.caption('%s' % data.name)",
    "def f(data):\n    st.write(1, data.name)",
    "def f(data):\n    st.sidebar.button(data.name)",
    "def f(left, data):\n    left.button(label=data.name)",
    "def f(data):\n    st.button('x', help=data.name)",
    "def f(data):\n    st.tabs(['x', data.name])",
    "def f(data):\n    st.tabs([column.name for column in data.columns])",
    "def f(data):\n    st.radio('x', data.names)",
    "def f(data):\n    st.radio('x', [0], format_func=lambda at: data.names[at])",
    "def f(data):\n    st.progress(0.5, text=data.name)",
    "def f(data):\n    st.image(data.image, caption=data.name)",
    "def f(data):\n    st.expander(f'{data.n} rows')",
    "def f(data):\n    st.markdown(', '.join(map(str, data.names)))",
    "def f(data):\n    st.html(data.name)",
    "def f(error):\n    st.exception(error)",
    "def f(data):\n    text = 'x'\n    text += data.name\n    st.caption(text)",
    "def f(data):\n    words = ['x']\n    words.append(data.name)\n    st.caption(' '.join(words))",
    "def f(data):\n    for name in data.names:\n        st.caption(name)",
    "def f(data):\n    st.caption(g(data))\ndef g(data):\n    return data.name",
    "def show(text: str):\n    st.caption(text)\ndef f(data):\n    show(data.name)",
    "def show(words: str):\n    inner(words)\ndef inner(text: str):\n    st.caption(text)\n"
    "def f(data):\n    show(words=data.name)",
    "def f(data):\n    a, b = g(data)\n    st.caption(a)\ndef g(data):\n    return data.a, 'b'",
    "def f(data):\n    st.caption(g(data.name))\ndef g(text: str):\n    return f'<{text}>'",
])
def test_what_is_not_escaped_is_found(source: str) -> None:
    assert unescaped({"explorer.ui.bad": HEAD + source})


@pytest.mark.parametrize("source", [
    "def f(data):\n    st.markdown(f'**{esc_md(data.name)}** {data.n:,} {data.mean:.3f}')",
    "ICONS = {'a': ':material/x:'}\ndef f(data):\n    st.caption(ICONS[data.kind])",
    "def f(data):\n    st.text(data.name)\n    st.code(data.name)\n    st.dataframe(data.table)",
    "def f(data):\n    st.caption(', '.join(esc_md(name) for name in data.names))",
    "def f(data):\n    st.caption(' '.join(map(esc_md, data.names)))",
    "def show(text: str):\n    st.caption(text)\ndef f(data):\n    show(esc_md(data.name))",
    "def f(n: int):\n    st.caption(f'{n} rows' if n else 'none')",
    "def f(data):\n    st.caption(counted(len(data.rows)))\n"
    "def counted(n: int, noun: str = 'row'):\n    return f'{n:,} {noun}s'",
    "def f(data):\n    st.radio('x', [0], format_func=lambda at: esc_md(data.names[at]))",
])
def test_and_what_is_escaped_passes(source: str) -> None:
    assert not unescaped({"explorer.ui.good": HEAD + source})
