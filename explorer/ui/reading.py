"""How files are to be read: only the choices that fit them, and reading them again otherwise."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import asdict, replace
from pathlib import Path
from typing import Any, get_args

import streamlit as st

from explorer.dataset import Dataset
from explorer.errors import ExplorerError
from explorer.escape import esc_md
from explorer.imports import Kept, imported, kept_step, offered, read_options
from explorer.jobs import Step
from explorer.load import ReadOptions
from explorer.load.options import Delimiter, Header
from explorer.ui import state
from explorer.ui.backend import backend
from explorer.ui.job_panel import submit
from explorer.ui.problem import show_problem

_TEXT = {"csv", "tsv", "tab", "txt", "json", "jsonl", "ndjson", ""}
_TABLE = {"csv", "tsv", "tab", "txt", "", "xlsx"}
_NAMED_PARTS = {"npz": "Array", "xlsx": "Sheet"}
_PICTURES = {"png", "jpg", "jpeg", "gif", "bmp", "webp", "tif", "tiff"}
_HEADERS = {"auto": "Find out", "yes": "Yes", "no": "No, it is data"}
_DELIMITERS = {"auto": "Find out", ",": "Comma", ";": "Semicolon", "tab": "Tab", "|": "Bar"}
_ENCODINGS = {"auto": "Find out", "utf-8": "UTF-8", "cp1252": "Windows (cp1252)",
              "latin-1": "Latin-1", "utf-16": "UTF-16"}
_ORDER = ""
_SKIPPABLE = {"ROW_LENGTH": "rows with too many cells", "JSON_LINE": "lines that are not right"}


def remember(files: Sequence[Kept], options: ReadOptions,
             parts: Sequence[str] = ()) -> dict[str, Any]:
    """What the workspace keeps of an upload, so that a reload can read it again."""
    return {"files": [asdict(file) for file in files], "options": asdict(options),
            "parts": list(parts)}


def kept_files() -> list[Kept]:
    """The files of the import under way, else of the open data; none for a sample."""
    return [Kept(**file) for file in _upload().get("files", ())]


def kept_options() -> ReadOptions:
    """How those files were asked to be read."""
    return read_options(_upload().get("options", {}))


def ask_options(names: Sequence[str], key: str, given: ReadOptions | None = None,
                parts: Sequence[str] = (), columns: Sequence[str] = ()) -> ReadOptions:
    """Widgets for what matters for files of these names. `parts`: the arrays or sheets to choose
    from, `columns`: those the files could be joined by, as far as they are known."""
    options = given or ReadOptions()
    endings = {Path(name).suffix.lower().removeprefix(".") for name in names}
    changes: dict[str, Any] = {}
    cells = iter(_cells())
    kind = _part_kind(names)
    if kind and parts:
        changes["array"] = next(cells).selectbox(
            kind, parts, key=f"{key}.array",
            index=parts.index(options.array) if options.array in parts else 0)
    if endings & _TABLE:
        changes["header"] = _choice(next(cells), "First line is a header", get_args(Header),
                                    _HEADERS, options.header, f"{key}.header")
    if endings & (_TABLE - {"xlsx"}):
        changes["delimiter"] = _choice(next(cells), "Separator", get_args(Delimiter), _DELIMITERS,
                                       options.delimiter, f"{key}.delimiter")
    if endings & _TEXT:
        changes["encoding"] = _choice(next(cells), "Encoding", tuple(_ENCODINGS), _ENCODINGS,
                                      options.encoding, f"{key}.encoding")
    if len(names) > 1 and not endings <= _PICTURES:
        chosen = options.join or _ORDER
        joins = list(dict.fromkeys([_ORDER, *columns, chosen]))
        changes["join"] = next(cells).selectbox(
            "Put files together by", joins, joins.index(chosen), accept_new_options=True,
            format_func=lambda name: name or "Row order", key=f"{key}.join",
            help="By row order, or by an id column that all files have: choose it, or type its "
                 "name.") or None
    if endings & (_TABLE | _TEXT) - {"xlsx"}:
        changes["skip_bad_rows"] = st.checkbox(
            "Leave out broken rows", options.skip_bad_rows, key=f"{key}.skip",
            help="Rows with too many cells, and lines that are no JSON. They are listed in the "
                 "import report.")
    return replace(options, **changes)


def has_choices(names: Sequence[str], parts: Sequence[str] = ()) -> bool:
    """Whether such files can be read in more than one way."""
    endings = {Path(name).suffix.lower().removeprefix(".") for name in names}
    return bool(endings & (_TEXT | _TABLE) or (parts and _part_kind(names))
                or (len(names) > 1 and not endings <= _PICTURES))


def offer_retry(error: ExplorerError) -> None:
    """After a refusal: the one thing that helps first, every other choice below it."""
    files = kept_files()
    names, options = [file.name for file in files], kept_options()
    parts = offered(error)
    if error.code in _SKIPPABLE and not options.skip_bad_rows:
        if st.button(f"Read again, leaving out {_SKIPPABLE[error.code]}", type="primary"):
            read_again(files, replace(options, skip_bad_rows=True))
    elif _part_kind(names) and parts and error.code != "NO_JOIN_COLUMN":
        kind = str(_part_kind(names))
        left, _ = st.columns([1, 2])
        chosen = left.selectbox(f"{kind} to read", parts, key="retry.part",
                                index=1 if options.array is None and error.code == "NO_ROWS"
                                and len(parts) > 1 else 0)
        if st.button(f"Read this {kind.lower()}", type="primary"):
            read_again(files, replace(options, array=chosen), parts)
    elif has_choices(names):
        columns = parts if error.code == "NO_JOIN_COLUMN" else ()
        _read_otherwise("retry", files, options, (), columns)


def offer_other_reading(data: Dataset) -> None:
    """After an import: another sheet, header, separator, encoding or way to join."""
    files = kept_files()
    names = [file.name for file in files]
    parts = _parts(data)
    if not files or not has_choices(names, parts):
        return
    guessed = any(issue.code == "ENCODING_GUESSED" for issue in data.report)
    shared = shared_columns(data)
    with st.expander("Read it in another way", expanded=bool(guessed or shared)):
        options = replace(kept_options(), array=data.options.get("array"))
        _read_otherwise("other", files, options, parts, shared)


def shared_columns(data: Dataset) -> list[str]:
    """Columns that several files brought under one name."""
    if len(kept_files()) < 2:
        return []
    counts: dict[str, int] = {}
    for column in data.columns:
        counts[column.original] = counts.get(column.original, 0) + 1
    return [name for name, count in counts.items() if count > 1 and name.strip()]


def start(step: Step, reading: dict[str, Any]) -> None:
    """Submit an import and show it; `reading` as of `remember`."""
    if imported(backend().store, step.key) is None:
        submit([step])
    state.change(importing=step.key, reading=reading)
    st.rerun()


def read_again(files: Sequence[Kept], options: ReadOptions, parts: Sequence[str] = ()) -> None:
    """Start the import of kept files in another way; a card when they are gone."""
    try:
        step = kept_step(files, options, backend().folder)
    except ExplorerError as error:
        show_problem(error)
        return
    start(step, remember(files, options, parts or _upload().get("parts", ())))


def _read_otherwise(key: str, files: Sequence[Kept], options: ReadOptions, parts: Sequence[str],
                    columns: Sequence[str]) -> None:
    changed = ask_options([file.name for file in files], key, options, parts, columns)
    if st.button("Read again", key=f"{key}.again", disabled=changed == options,
                 help="Change something first." if changed == options else None):
        read_again(files, changed)


def _upload() -> dict[str, Any]:
    opened = state.document()
    return opened.reading if opened.importing else opened.upload


def _cells() -> list[Any]:
    return [*st.columns(3), *st.columns(3)]


def _choice(cell: Any, label: str, choices: Sequence[str], words: Mapping[str, str], value: str,
            key: str) -> Any:
    known = list(choices) if value in choices else [*choices, value]
    return cell.selectbox(label, known, known.index(value), key=key,
                          format_func=lambda choice: esc_md(words.get(choice, choice)))


def _part_kind(names: Sequence[str]) -> str | None:
    """'Array' or 'Sheet' when one of the files has several."""
    for name in names:
        kind = _NAMED_PARTS.get(Path(name).suffix.lower().removeprefix("."))
        if kind:
            return kind
    return None


def _parts(data: Dataset) -> list[str]:
    """The arrays or sheets of the file: the one that was read and the others."""
    known = _upload().get("parts", [])
    if known:
        return list(known)
    others = [entry for issue in data.report if issue.code == "OTHER_SHEETS"
              for entry in issue.entries]
    return [str(data.options["array"]), *others] if others else []
