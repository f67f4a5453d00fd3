"""The four edges: what a renderer, a file system, a spreadsheet makes of an escaped text."""

from __future__ import annotations

import html
import re
import unicodedata
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st
from markdown_it import MarkdownIt

from explorer.escape import (
    ZERO_WIDTH,
    csv_cell,
    esc_md,
    esc_plotly,
    log_line,
    safe_filename,
    shown,
    uncsv_cell,
)

MARKUP_SIGNS = list("*_`~[]()<>#+-.!|$:&\"'=^@/\\{}%;, \n\t1aw→é\u202e")
MARKUP = st.text(alphabet=st.sampled_from(MARKUP_SIGNS),
                 max_size=40)
ANY = st.text(max_size=60) | MARKUP | st.lists(st.sampled_from([
    "**b**", "[l](javascript:alert(1))", "![i](https://evil/x.png)", "<b>", "</b>", "<br>", "&lt;",
    "&#60;", "<img src=x onerror=alert(1)>", ":red[x]", ":material/home:", ":smile:", "$x$", "$$",
    "# h", "1. a", "- [ ] b", "> q", "| a | b |", "```", "https://evil.example", "www.evil.example",
    "a@b.example", "%{customdata}", "%{x:.2f}", "<a href='https://evil'>", "->", "--", " ", "\n",
    "<!-- c -->", "[^1]", "~~s~~", "\\", "&constructor;", "#000001", "=1+1", "'", "\u05d0",
]), max_size=8).map("".join)


# --- Markdown ---------------------------------------------------------------------------------

def literal(text: str) -> str:
    """What a page may show of a text: invisible signs replaced, blanks as HTML folds them."""
    text = re.sub("[\x00-\x08\x0e-\x1f\x7f-\x84\x86-\x9f\u202a-\u202e\u2066-\u2069\ud800-\udfff"
                  "\ufffe\uffff]", "\ufffd", re.sub("\r\n|[\x0b\x0c\x85\u2028\u2029]", " ", text))
    return " ".join(text.split())


def as_read(rendered: str) -> str:
    return " ".join(re.sub(f"[{ZERO_WIDTH}\u2068\u2069]", "", html.unescape(rendered)).split())


@given(ANY)
def test_markdown_shows_the_text_itself_and_no_markup(text: str) -> None:
    rendered = MarkdownIt("commonmark").enable(["table", "strikethrough"]).render(esc_md(text))
    inside = re.fullmatch(r"(?:<p>([^<>]*)</p>\n)?", rendered)
    assert inside, rendered
    assert as_read(inside[1] or "") == as_read(html.escape(literal(text)))


# What Streamlit 1.67's StreamlitMarkdown replaces in text AFTER parsing, from its bundle.
REPLACED_LATER = [
    r":material_(\w+):", r":material/", r":streamlit:", r":\+1:|:-1:|:[\w-]+:",
    r"(https?://|www(?=\.))([-.\w]+)", r"([-.\w+]+)@([-\w]+(?:\.[-\w]+)+)",
    r"(^|\s)(<->|->|<-|--|>=|<=|~=)(\s|$)",
]


@given(ANY)
def test_markdown_leaves_streamlit_nothing_to_replace(text: str) -> None:
    rendered = html.unescape(MarkdownIt("commonmark").renderInline(esc_md(text)))
    for pattern in REPLACED_LATER:
        assert not re.search(pattern, rendered, re.ASCII | re.IGNORECASE), (pattern, rendered)


@given(ANY, ANY)
def test_markdown_stays_literal_inside_markup_of_ours(left: str, right: str) -> None:
    source = f"**x{esc_md(left)}x** and x{esc_md(right)}x"
    rendered = MarkdownIt("commonmark").enable(["strikethrough"]).render(source)
    tags = re.findall("<[^<>]*>", rendered)
    assert tags == ["<p>", "<strong>", "</strong>", "</p>"]


def test_right_to_left_text_is_isolated_and_overrides_are_shown() -> None:
    assert esc_md("\u05d0\u05d1") == "\u2068\u05d0\u05d1\u2069"
    assert "\u202e" not in esc_md("a\u202egpj.exe")
    assert esc_plotly("\u05d0<", wrap=60) == "\u2068\u05d0&lt;\u2069"


@given(ANY)
def test_t06_t07_shown_as_it_stands_but_for_what_cannot_be_seen(text: str) -> None:
    assert re.sub("[\u2068\u2069]", "", shown(text)) == cleaned(text)
    assert not re.search("[\x00-\x08\x0e-\x1f\x7f\u202a-\u202e\u2066\u2067]", shown(text))
    assert shown("\u05d0 b") == "\u2068\u05d0 b\u2069"  # what stands beside it stays in its place


@given(st.text(max_size=80))
def test_t07_a_line_of_a_log_is_one_line_without_commands(text: str) -> None:
    line = log_line(text)
    assert len(line.splitlines()) <= 1
    assert not any(unicodedata.category(sign) in {"Cc", "Cs"} for sign in line)
    assert "\x1b" not in line


# --- Plotly -----------------------------------------------------------------------------------

def plotly_shows(text: str) -> tuple[list[str], set[str]]:
    """The lines and tags plotly.js 3 makes of a text: svg_text_utils' split and entities."""
    lines, tags = [""], set()
    known = {"mu": "μ", "amp": "&", "lt": "<", "gt": ">", "nbsp": "\xa0", "times": "×",
             "plusmn": "±", "deg": "°"}

    def entity(found: re.Match[str]) -> str:
        name = found[1]
        if name.startswith("#x"):
            return chr(int(name[2:], 16))
        return chr(int(name[1:])) if name.startswith("#") else known.get(name, found[0])

    for part in re.split(r"(<[^<>]*>)", re.sub(r"\r\n?|\n", " ", text)):
        tag = re.search(r"<(/?)([^ >]*)(\s+(.*))?>", part)
        if tag and tag[2].lower() == "br":
            lines.append("")
        elif tag and tag[2].lower() in {"sup", "sub", "s", "u", "b", "i", "a", "span", "em"}:
            tags.add(tag[2])
        else:
            lines[-1] += re.sub(r"&(#\d+|#x[\da-fA-F]+|[a-z]+);", entity, part)
    return lines, tags


def cleaned(text: str) -> str:
    return re.sub("[\x00-\x08\x0e-\x1f\x7f-\x84\x86-\x9f\u202a-\u202e\u2066-\u2069\ud800-\udfff"
                  "\ufffe\uffff]", "\ufffd", text)


@given(ANY)
def test_plotly_shows_the_text_character_by_character(text: str) -> None:
    escaped = esc_plotly(text, limit=1000)
    lines, tags = plotly_shows(escaped)
    assert not tags
    one_line = re.sub("\r\n|[\n\r\x0b\x0c\x85\u2028\u2029]", " ", text)
    assert [line.replace("\u2068", "").replace("\u2069", "") for line in lines] == [
        cleaned(one_line)]
    assert "%{" not in escaped
    assert "$" not in escaped
    assert "#0000" not in escaped


@given(ANY, st.integers(5, 80))
def test_plotly_wrapping_keeps_every_word_and_the_width(text: str, width: int) -> None:
    lines, tags = plotly_shows(esc_plotly(text, limit=1000, wrap=width))
    lines = [re.sub("[\u2068\u2069]", "", line) for line in lines]
    assert not tags
    assert all(len(line) <= width for line in lines)
    whole = re.sub("\r\n|[\n\r\x0b\x0c\x85\u2028\u2029]", "", text)
    assert "".join(lines).replace(" ", "") == cleaned(whole).replace(" ", "")


def test_plotly_cuts_long_texts_before_escaping() -> None:
    shown_text = plotly_shows(esc_plotly("<" * 20_000))[0][0]
    assert shown_text == "<" * 299 + "…"
    assert plotly_shows(esc_plotly("&" * 300))[0][0] == "&" * 300


# --- file names -------------------------------------------------------------------------------

NAMES = ANY | st.sampled_from([
    "CON", "con.txt", "LPT1", "COM¹", "NUL .csv", "..", ".", "", " ", "a/b", "..\\..\\x", "C:\\x",
    'x"; filename*=utf-8\'\'y', "a\r\nSet-Cookie: b", ".hidden", "x" * 300, "é" * 300 + ".csv",
    "name.", "name ", "a\x00b", "\u202egpj.exe", "AUX.tar.gz", "e\u0301"])


@given(NAMES)
def test_file_names_are_one_safe_component(text: str) -> None:
    name = safe_filename(text)
    assert 1 <= len(name.encode()) <= 121
    assert Path("/root", name).resolve().parent == Path("/root")
    assert not re.search(r'[<>:"/\\|?*;%\r\n\x00-\x1f]', name)
    assert name.strip(" .") == name
    assert not re.fullmatch(r"(?i)(con|prn|aux|nul|com[0-9¹²³]|lpt[0-9¹²³]) *(\..*)?", name)
    assert all(unicodedata.category(sign) not in {"Cc", "Cs"} for sign in name)
    assert safe_filename(name) == name


def test_file_names_keep_what_is_harmless() -> None:
    assert safe_filename("Café 12 – dogs (best).csv") == "Café 12 – dogs (best).csv"
    assert safe_filename("日" * 200 + ".jpeg").endswith("日.jpeg")
    assert safe_filename("///") == "_"
    assert safe_filename("  ") == "unnamed"


# --- spreadsheet cells ------------------------------------------------------------------------

FORMULAS = st.builds("".join, st.tuples(
    st.text(alphabet="' \t\u00a0\ufeff", max_size=4),
    st.sampled_from(list("=+-@\t\r\n＝＋－＠﹦")), st.text(max_size=10)))


@given(ANY | FORMULAS)
def test_cells_come_back_and_never_start_a_formula(text: str) -> None:
    cell = csv_cell(text)
    assert uncsv_cell(cell) == text
    start = unicodedata.normalize("NFKC", cell.lstrip(" \u00a0\ufeff\u200b\t\r\n"))
    assert not start.startswith(("=", "+", "-", "@"))
    assert not cell.startswith(("\t", "\r", "\n"))


@given(ANY | FORMULAS)
def test_cells_are_touched_only_when_needed(text: str) -> None:
    assert csv_cell(text) in {text, "'" + text}
    first = unicodedata.normalize("NFKC", text.strip("' \t\r\n\u00a0\ufeff"))[:1]
    if first.isalnum() and not re.search(r"[\t\r\n]", text):
        assert csv_cell(text) == text


@pytest.mark.parametrize(("text", "cell"), [
    ("=cmd|' /C calc'!A0", "'=cmd|' /C calc'!A0"), ("  =1", "'  =1"), ("＝1", "'＝1"),
    ("'=1", "''=1"), ("it's", "it's"), ("'quoted'", "'quoted'"), ("", ""), ("a=b", "a=b"),
])
def test_cells_known(text: str, cell: str) -> None:
    assert csv_cell(text) == cell
    assert uncsv_cell(cell) == text
