"""Rows and columns as CSV, Parquet or JSONL, each with its manifest beside it; bundles of files."""

from __future__ import annotations

import json
import shutil
import zipfile
from collections.abc import Iterable
from dataclasses import dataclass
from itertools import pairwise
from pathlib import Path
from typing import Any, BinaryIO

from explorer.errors import ParameterError, Where
from explorer.escape import csv_cell
from explorer.export.atomic import to_json, write_json, writing
from explorer.export.cells import csv_texts, json_texts, quoted
from explorer.export.table import Export, OutColumn
from explorer.spec import Progress, silent

_EPOCH = (1980, 1, 1, 0, 0, 0)
_PACKED = {".zip", ".parquet", ".png", ".jpg", ".jpeg", ".gif", ".webp", ".gz", ".npz"}


@dataclass(frozen=True)
class Written:
    """A finished file, its manifest as data, and (None inside a zip) where the manifest stands."""

    path: Path
    manifest: dict[str, Any]
    manifest_path: Path | None


def write_csv(export: Export, path: Path, *, excel_safe: bool = True,
              progress: Progress = silent) -> Written:
    """CSV in UTF-8: row_id, the columns under their original headers, ours.

    `excel_safe`: byte order mark, CRLF, and texts that a spreadsheet would compute start with `'`
    (`escape.uncsv_cell` takes it away). Otherwise no mark, LF, and every cell exactly as uploaded.
    A missing value is an empty field, an empty text `""`. Columns of vectors from matrix files are
    left out, the manifest says so. Raises DataError, ParameterError (`Export.verify`), StoreError.
    """
    export.verify()
    with writing(path) as file:
        stream_csv(export, file, excel_safe=excel_safe, progress=progress)
    return _sealed(export, path, csv_manifest(export, path.name, excel_safe=excel_safe))


def stream_csv(export: Export, file: BinaryIO | Any, *, excel_safe: bool,
               progress: Progress = silent) -> None:
    """The bytes of `write_csv` into an open file."""
    columns = csv_columns(export)
    end = "\r\n" if excel_safe else "\n"
    headers = [csv_cell(column.header) if excel_safe else column.header for column in columns]
    file.write((("\ufeff" if excel_safe else "") + ",".join(map(quoted, headers)) + end).encode())
    done = 0
    for block in export.blocks(columns):
        cells = [csv_texts(values, excel_safe=excel_safe) for values in block.itercolumns()]
        lines = [",".join(line) for line in zip(*cells, strict=True)]
        file.write((end.join(lines) + end).encode())
        done += block.num_rows
        progress(done / len(export.rows), f"{done:,} of {len(export.rows):,} rows")


def csv_columns(export: Export) -> tuple[OutColumn, ...]:
    """The columns a CSV file can hold."""
    return tuple(column for column in export.columns if column.place != "matrix")


def csv_manifest(export: Export, name: str, *, excel_safe: bool) -> dict[str, Any]:
    """The manifest of `write_csv`."""
    notes = ["A missing value is an empty field, an empty text is \"\"."]
    if excel_safe:
        notes.append("Safe for Excel: texts that would be formulas start with an extra ' "
                     "(and so do texts that already started with ' before one).")
    return file_manifest(export, name, "csv, safe for Excel" if excel_safe else "csv, exact",
                         csv_columns(export), headers=True, notes=notes)


def write_parquet(export: Export, path: Path, *, progress: Progress = silent) -> Written:
    """Parquet (zstd, page checksums) with the columns' own types, vectors as lists, and the
    manifest in the schema metadata under 'embedding_explorer'. Raises as `write_csv`."""
    import pyarrow.parquet as pq

    export.verify()
    manifest = file_manifest(export, path.name, "parquet", export.columns)
    with writing(path) as file:
        writer = None
        done = 0
        try:
            for block in export.blocks(export.columns):
                if writer is None:
                    schema = block.schema.with_metadata({"embedding_explorer": to_json(manifest)})
                    writer = pq.ParquetWriter(file, schema, compression="zstd",
                                              write_page_checksum=True)
                writer.write_table(block.cast(writer.schema))
                done += block.num_rows
                progress(done / len(export.rows), f"{done:,} of {len(export.rows):,} rows")
        finally:
            if writer is not None:
                writer.close()
    return _sealed(export, path, manifest)


def write_jsonl(export: Export, path: Path, *, progress: Progress = silent) -> Written:
    """One JSON object per row in UTF-8: numbers as numbers, vectors as lists, missing as null; NaN
    and infinities of the data stand as NaN and Infinity, as Python's json reads them. Raises as
    `write_csv`."""
    export.verify()
    keys = [json.dumps(column.name, ensure_ascii=False) for column in export.columns]
    with writing(path) as file:
        done = 0
        for block in export.blocks(export.columns):
            named = [[f"{key}: {text}" for text in json_texts(values)]
                     for key, values in zip(keys, block.itercolumns(), strict=True)]
            lines = ["{" + ", ".join(line) + "}\n" for line in zip(*named, strict=True)]
            file.write("".join(lines).encode())
            done += block.num_rows
            progress(done / len(export.rows), f"{done:,} of {len(export.rows):,} rows")
    return _sealed(export, path, file_manifest(
        export, path.name, "jsonl", export.columns,
        notes=["NaN and infinite numbers of the data are written as NaN and Infinity."]))


def file_manifest(export: Export, name: str, form: str, columns: tuple[OutColumn, ...], *,
                  headers: bool = False, notes: Iterable[str] = ()) -> dict[str, Any]:
    """The export's manifest plus what is in this one file: every column, where it is from, what it
    means, and what was left out. `headers`: the file carries the original headers."""
    meanings = export.manifest.get("meanings", {})
    uploaded = {column.key for column in export.columns if column.place in ("table", "matrix")}
    listed = []
    for column in columns:
        ours = column.place in ("row_id", "ours")
        entry = {"name": column.header if headers else column.name,
                 "from": "explorer" if ours else "data"}
        if ours:
            entry["meaning"] = meanings.get(column.key, "")
        elif not headers and column.header != column.name:
            entry["header"] = column.header
        listed.append(entry)
    left_out = [{"column": column.header, "why": "a vector does not fit into a CSV cell"}
                for column in export.columns if column not in columns]
    left_out += [{"column": column.original, "why": "images are in the zip of images only"}
                 for column in export.dataset.columns
                 if column.name not in uploaded and column.place == "images"]
    return {**export.manifest,
            "file": {"name": name, "format": form, "rows": len(export.rows), "columns": listed,
                     "left_out": left_out, "notes": list(notes)}}


def bundle(files: Iterable[Path], path: Path) -> Path:
    """A zip of finished files, flat, by name, without times: the same files, the same bytes.

    Raises ParameterError SAME_NAME for two files of one name, StoreError DISK.
    """
    ordered = sorted(files, key=lambda file: file.name)
    for first, second in pairwise(ordered):
        if first.name == second.name:
            raise ParameterError("SAME_NAME", "Files of a bundle must have different names, "
                                              f"got {first.name!r} twice.",
                                 Where(file=first.name))
    with writing(path) as target, zipfile.ZipFile(target, "w", allowZip64=True) as archive:
        for file in ordered:
            with open(file, "rb") as source, archive.open(zip_entry(file.name), "w",
                                                          force_zip64=True) as entry:
                shutil.copyfileobj(source, entry, 1 << 20)
    return path


def zip_entry(name: str) -> zipfile.ZipInfo:
    """A zip entry without time or owner, packed unless its kind already is."""
    entry = zipfile.ZipInfo(name, _EPOCH)
    entry.create_system = 3
    entry.external_attr = 0o644 << 16
    packed = Path(name).suffix.lower() in _PACKED
    entry.compress_type = zipfile.ZIP_STORED if packed else zipfile.ZIP_DEFLATED
    return entry


def _sealed(export: Export, path: Path, manifest: dict[str, Any]) -> Written:
    beside = path.with_name(f"{path.name}.manifest.json")
    write_json(beside, manifest)
    return Written(path, manifest, beside)
