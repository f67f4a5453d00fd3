"""`explorer study`: a question about the run of a recipe."""

from __future__ import annotations

import argparse
import json
from dataclasses import asdict
from pathlib import Path
from typing import Any

import numpy as np

from explorer.cli_data import add_data_flags, open_arguments, opened_store
from explorer.cli_flags import Parser, add_flags, given
from explorer.cli_recipes import for_this_data
from explorer.cli_write import Meter, remark, say, score_table, table, write_folder
from explorer.recipe import Call, read_recipe
from explorer.run import run
from explorer.study import studies
from explorer.values import Finding

_SUMMARY = "recipe and data -> the answer to a question about its run"


def add_commands(commands: argparse._SubParsersAction[Parser]) -> None:
    """`explorer study KEY` for every study there is."""
    parser = commands.add_parser("study", help=_SUMMARY, description=_SUMMARY)
    kinds = parser.add_subparsers(metavar="STUDY", required=True, parser_class=Parser)
    for study in studies():
        inner = kinds.add_parser(study.key, help=study.question, description=study.describe())
        inner.add_argument("recipe", type=Path, metavar="RECIPE.yaml")
        add_data_flags(inner)
        inner.add_argument("--other-data", action="store_true",
                           help="go on when the data is not the data of the recipe")
        inner.add_argument("--json", action="store_true", help="print JSON")
        inner.add_argument("--out", type=Path, metavar="DIR",
                           help="a folder for rows.csv, clusters.csv and finding.json")
        add_flags(inner, study)
        inner.set_defaults(run=_study, study=study)


def _study(arguments: argparse.Namespace) -> None:
    study: Any = given(arguments, arguments.study)
    recipe = read_recipe(arguments.recipe)
    store, meter = opened_store(arguments), Meter()
    dataset = open_arguments(arguments, store, meter, read=recipe.read)
    recipe = for_this_data(recipe, dataset, arguments).using(studies=(Call.of(study),))
    result = run(recipe, dataset, store, meter)
    meter.close()
    found = result.finding(study)
    assert found is not None
    if arguments.json:
        say(json.dumps(_plain(found), indent=1, ensure_ascii=False))
    else:
        _tell(found)
    if arguments.out is not None:
        names = dataset.row_ids
        files = write_folder(arguments.out, lambda folder: _write(
            folder, found, result.rows, [names[row] for row in result.rows]))
        say()
        say("Wrote " + ", ".join(map(str, files)))


def _tell(found: Finding) -> None:
    if found.scores:
        say(score_table(found.scores))
    for name, records in found.tables.items():
        if records:
            say()
            say(f"{name.replace('_', ' ')}:")
            heads = tuple(records[0])
            say(table(heads, [tuple(record.get(head, "") for head in heads)
                              for record in records]))
    for note in found.notes:
        remark(f"note: {note}")


def _plain(found: Finding) -> dict[str, Any]:
    return {"scores": [asdict(score) for score in found.scores], "tables": found.tables,
            "clusters": {name: _numbers(values) for name, values in found.per_cluster.items()},
            "notes": list(found.notes)}


def _numbers(values: np.ndarray) -> list[Any]:
    """NaN is None: JSON has no other word for 'not defined'."""
    if values.dtype.kind != "f":
        return list(values.tolist())
    return [None if np.isnan(value) else value for value in values.tolist()]


def _write(folder: Path, found: Finding, rows: np.ndarray, names: list[str]) -> list[Path]:
    import pyarrow as pa
    from pyarrow import csv

    files = [folder / "finding.json"]
    files[0].write_text(json.dumps(_plain(found), indent=1, ensure_ascii=False), encoding="utf-8")
    if found.per_row:
        values = {name: pa.array(array, from_pandas=True) for name, array in found.per_row.items()}
        made = pa.table({"row": rows + 1, "row_id": names, **values})
        files.append(folder / "rows.csv")
        csv.write_csv(made, files[-1])
    if found.per_cluster:
        made = pa.table({"cluster": np.arange(max(map(len, found.per_cluster.values())))})
        for name, array in found.per_cluster.items():
            padded = np.full(len(made), np.nan)
            padded[:len(array)] = array
            made = made.append_column(name, pa.array(padded, from_pandas=True))
        files.append(folder / "clusters.csv")
        csv.write_csv(made, files[-1])
    return files
