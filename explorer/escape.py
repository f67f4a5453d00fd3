"""Where text of strangers meets Markdown, Plotly, a file system or a spreadsheet.

Four edges, and nowhere else: inside the program a text stays as it was uploaded.
"""

from __future__ import annotations

import re
import unicodedata

ZERO_WIDTH = "\u200b"
_ISOLATE, _END_ISOLATE = "\u2068", "\u2069"

# Control characters, overrides of the writing direction and half characters: shown as U+FFFD.
_INVISIBLE = re.compile("[\x00-\x08\x0e-\x1f\x7f-\x84\x86-\x9f\u202a-\u202e\u2066-\u2069"
                        "\ud800-\udfff\ufffe\uffff]")
_LINE_BREAK = re.compile("\r\n|[\n\r\x0b\x0c\x85\u2028\u2029]")
_RIGHT_TO_LEFT = re.compile("[\u0590-\u08ff\u200f\ufb1d-\ufdff\ufe70-\ufefe"
                            "\U00010800-\U00010fff\U0001e800-\U0001efff]")


def _visible(text: str) -> str:
    return _INVISIBLE.sub("\ufffd", text)


def _isolated(text: str) -> str:
    """A text with right-to-left letters, kept from turning round what stands beside it."""
    return f"{_ISOLATE}{text}{_END_ISOLATE}" if _RIGHT_TO_LEFT.search(text) else text


def shown(text: str) -> str:
    """`text` for what shows it as it stands (a table cell, a list, `st.text`): control characters
    and overrides of the writing direction are seen as U+FFFD, right-to-left text is isolated."""
    return _isolated(_visible(str(text)))


def log_line(text: str) -> str:
    """`text` for a log or a terminal: one line, and nothing in it that a terminal would obey."""
    return _visible(_LINE_BREAK.sub(" ", str(text)).replace("\t", " "))


_MARKDOWN = re.compile(r"([!-/:-@\[-`{-~])")  # all of ASCII's punctuation
# Streamlit (1.67) changes these after parsing, where a backslash is gone: emoji shortcodes,
# :material/..:, :streamlit:, links and addresses without markup, arrows and dashes between blanks.
_AFTER_COLON = re.compile(r":")
_AFTER_AT = re.compile(r"@")
_WWW = re.compile(r"(www)(?=\.)", re.IGNORECASE)
_ARROWS = re.compile(r"(?<!\S)(<->|->|<-|--|>=|<=|~=)(?!\S)")


def esc_md(text: str) -> str:
    """`text` for any Streamlit call that renders Markdown: shown literally, on one line.

    Backslashes stand before all ASCII punctuation; a zero-width space breaks what Streamlit
    replaces after parsing. Control and direction characters show as U+FFFD. Blanks at both ends
    are dropped: Markdown would make them a code block.
    """
    text = _visible(_LINE_BREAK.sub(" ", str(text))).strip()
    text = _AFTER_COLON.sub(":" + ZERO_WIDTH, text)
    text = _AFTER_AT.sub("@" + ZERO_WIDTH, text)
    text = _WWW.sub(r"\1" + ZERO_WIDTH, text)
    text = _ARROWS.sub(lambda found: found[0][0] + ZERO_WIDTH + found[0][1:], text)
    return _isolated(_MARKDOWN.sub(r"\\\1", text))


# Plotly reads <tags>, &entities;, $TeX$ (where MathJax is loaded) and %{templates} in its texts;
# Streamlit replaces '#000001' to '#000040' anywhere in a figure by colours of its theme.
_PLOTLY = str.maketrans({"&": "&amp;", "<": "&lt;", ">": "&gt;", "$": "&#36;", "#": "&#35;"})


def esc_plotly(text: str, limit: int = 300, *, wrap: int = 0) -> str:
    """`text` for a hover label, legend entry, title or tick of Plotly: shown literally.

    Cut to `limit` characters with an ellipsis. `wrap` above 0 breaks lines (`<br>`) after at most
    that many characters and keeps the text's own line breaks; otherwise those become blanks.
    """
    text = str(text)
    text = _visible(_LINE_BREAK.sub("\n" if wrap else " ", text[:2 * limit + 2]))
    if len(text) > limit:
        text = text[:limit - 1] + "…"
    if not wrap:
        return _plotly_line(text)
    return "<br>".join(_plotly_line(line) for part in text.split("\n")
                       for line in _wrapped(part, wrap))


def _plotly_line(line: str) -> str:
    return _isolated(line.translate(_PLOTLY).replace("%{", "%&#123;"))


def _wrapped(line: str, width: int) -> list[str]:
    """The line in parts of at most `width`, broken at blanks (and those dropped) if there are."""
    if len(line) <= width:
        return [line]
    found = re.findall(rf".{{1,{width}}}(?: +|$)|.{{1,{width}}}", line)
    return [part.rstrip(" ") for part in found]


_RESERVED = re.compile(r"(con|prn|aux|nul|conin\$|conout\$|com[0-9¹²³]|lpt[0-9¹²³])", re.IGNORECASE)
_NOT_IN_NAMES = re.compile("[\x00-\x1f\x7f-\x9f\u200b-\u200f\u2028-\u202e\u2060-\u206f\ufeff"
                           "\ud800-\udfff\ufffe\uffff<>:\"/\\\\|?*;%]+")
_NAME_BYTES = 120


def safe_filename(text: str) -> str:
    """One file or folder name for every system: no separators, control or invisible characters,
    no Windows device name, no dot or blank at the ends, at most 120 bytes of UTF-8 (a short
    extension is kept); 'unnamed' when nothing is left. Two texts may give one name."""
    name = unicodedata.normalize("NFC", _NOT_IN_NAMES.sub("_", str(text)))
    name = re.sub(r"\s+", " ", name).strip(" .")
    name = _cut(name)
    if _RESERVED.fullmatch(name.split(".")[0].rstrip()):
        name = f"_{name}"
    return name or "unnamed"


def _cut(name: str) -> str:
    if len(name.encode()) <= _NAME_BYTES:
        return name
    stem, dot, extension = name.rpartition(".")
    if not dot or not re.fullmatch(r"[A-Za-z0-9]{1,8}", extension):
        stem, extension = name, ""
    ending = f".{extension}" if extension else ""
    room = _NAME_BYTES - len(ending)
    return stem.encode()[:room].decode(errors="ignore").strip(" .") + ending


# Excel, LibreOffice and Google Sheets take a cell for a formula when it starts so; the other forms
# are the full-width, small, raised and lowered ones that NFKC makes equal. Blanks may stand before.
_FORMULA = re.compile("'*[\\s\x00-\x20\u180e\u200b-\u200f\u2060\ufeff]*"
                      "[=+\\-@\t\r\n＝＋－＠﹦﹢﹣﹫⁺⁻⁼₊₋₌]")


def csv_cell(text: str) -> str:
    """A text cell that no spreadsheet takes for a formula: `'` is put before what would be one,
    and before what already has `'` in front of it, so that `uncsv_cell` always finds the text."""
    return f"'{text}" if _FORMULA.match(text) else text


def uncsv_cell(cell: str) -> str:
    """The inverse of `csv_cell`, for every text."""
    return cell[1:] if cell.startswith("'") and _FORMULA.match(cell[1:]) else cell
