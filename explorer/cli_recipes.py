"""Whole recipes as commands: run, propose, import, methods, benchmark."""

from __future__ import annotations

import argparse
import json
from pathlib import Path
from typing import Any

import numpy as np

from explorer import benchmark
from explorer.cli_data import (
    add_data_flags,
    add_reading_flags,
    open_arguments,
    opened_store,
    role_flags,
)
from explorer.cli_flags import DECLARED, Parser, bounds_of, default_of, flag_of
from explorer.cli_write import Meter, remark, say, score_table, table, write_folder
from explorer.dataset import Dataset
from explorer.errors import DataError, Where
from explorer.exports import FORMATS, make_export, write_files
from explorer.propose import propose
from explorer.recipe import Recipe, read_recipe
from explorer.run import Run, run
from explorer.spec import Method


def add_commands(commands: argparse._SubParsersAction[Parser]) -> None:
    """run, propose, import, methods, benchmark."""
    _add_run(commands.add_parser("run", help="recipe and data -> labels, points, scores",
                                 description="Replays a recipe as the app would: same labels."))
    parser = commands.add_parser("propose", help="data -> a recipe that fits it, on stdout",
                                 description="Prints the recipe the app would start with.")
    add_data_flags(parser)
    parser.set_defaults(run=_propose)
    parser = commands.add_parser("import", help="files -> what is in them and what was odd",
                                 description="Reads files as the app would and prints the report.")
    parser.add_argument("data", nargs="+", metavar="FILE", help="files that make one data set")
    parser.add_argument("--json", action="store_true", help="print JSON")
    add_reading_flags(parser)
    parser.set_defaults(run=_import)
    parser = commands.add_parser("methods", help="every method with its parameters, as Markdown",
                                 description="The declarations, as people read them.")
    parser.add_argument("--json", action="store_true", help="print JSON")
    parser.set_defaults(run=_methods)
    parser = commands.add_parser("benchmark", help="seconds and memory of every step, by size",
                                 description=benchmark.__doc__)
    benchmark.add_flags(parser)
    parser.set_defaults(run=lambda arguments: benchmark.run_benchmark(arguments, Meter()))


def _add_run(parser: Parser) -> None:
    parser.add_argument("recipe", type=Path, metavar="RECIPE.yaml")
    add_data_flags(parser)
    parser.add_argument("--out", type=Path, required=True, metavar="DIR",
                        help="the folder for the table, manifest.json and recipe.yaml")
    parser.add_argument("--format", choices=tuple(FORMATS), default="csv",
                        help="; ".join(f"{key}: {form.title}" for key, form in FORMATS.items()))
    parser.add_argument("--exact", action="store_true",
                        help="CSV cells exactly as uploaded, not made safe for Excel")
    parser.add_argument("--other-data", action="store_true",
                        help="go on when the data is not the data of the recipe")
    parser.set_defaults(run=_run)


def _run(arguments: argparse.Namespace) -> None:
    recipe = read_recipe(arguments.recipe)
    store, meter = opened_store(arguments), Meter()
    dataset = open_arguments(arguments, store, meter, read=recipe.read)
    recipe = for_this_data(recipe, dataset, arguments)
    result = run(recipe, dataset, store, meter)
    meter.close()
    export = make_export(result, np.arange(dataset.n), {})
    form = "csv_exact" if arguments.exact and arguments.format == "csv" else arguments.format
    files = write_folder(arguments.out, lambda folder: write_files(export, folder, form))
    _summary(result)
    say()
    say("Wrote " + ", ".join(map(str, files)))


def for_this_data(recipe: Recipe, dataset: Dataset, arguments: argparse.Namespace) -> Recipe:
    """The recipe with the roles given as flags, after a look at whether the data is its own."""
    roles = {**recipe.roles, **role_flags(arguments)}
    if recipe.dataset and recipe.dataset != dataset.id:
        names = (f"made with {recipe.dataset_name or 'data'} (id {recipe.dataset}), "
                 f"got {dataset.name} (id {dataset.id})")
        if not arguments.other_data:
            raise DataError("OTHER_DATA", f"The data must be that of the recipe, {names}.",
                            Where(file=dataset.name), "Give --other-data to run it on this one.")
        remark(f"warning: the recipe was {names}; its labels will be others.")
    return recipe.using(roles=roles, dataset=dataset.id, dataset_name=dataset.name,
                        read=dict(dataset.options))


def _summary(result: Run) -> None:
    clustering, embedding, projection = result.clustering, result.embedding, result.projection
    assert clustering is not None
    assert embedding is not None
    assert projection is not None
    say(f"{result.dataset.name}: {len(result.rows):,} of {result.dataset.n:,} rows, "
        f"{embedding.vectors.shape[1]} columns in {embedding.title}; {clustering.count} clusters, "
        f"{clustering.noise:,} rows noise; clustered in {result.space}.")
    if result.plan.edited:
        say(f"Edited by hand in {len(result.plan.edited):,} steps: {result.rows_edited:,} rows "
            "have another cluster than the method gave them.")
    say()
    say(score_table(result.scores))
    for notes in (embedding.notes, projection.notes, clustering.notes):
        for note in notes:
            remark(f"note: {note}")


def _propose(arguments: argparse.Namespace) -> None:
    meter = Meter()
    proposal = propose(open_arguments(arguments, opened_store(arguments), meter))
    meter.close()
    for reason in proposal.reasons:
        remark(reason)
    say(proposal.recipe.to_yaml().rstrip())


def _import(arguments: argparse.Namespace) -> None:
    meter = Meter()
    dataset = open_arguments(arguments, opened_store(arguments), meter)
    meter.close()
    if arguments.json:
        say(json.dumps({"id": dataset.id, "name": dataset.name, "rows": dataset.n,
                        "columns": [vars(column) for column in dataset.columns],
                        "report": [vars(issue) for issue in dataset.report],
                        "options": dict(dataset.options)}, indent=1, ensure_ascii=False))
        return
    say(f"{dataset.name}: {dataset.n:,} rows, {len(dataset.columns)} columns, id {dataset.id}")
    say()
    say(table(("column", "role", "missing", "different", "why"),
              [(column.original, column.role, column.missing,
                "not counted" if column.distinct is None else column.distinct, column.why)
               for column in dataset.columns]))
    say()
    for issue in dataset.report:
        places = [f"line {row}" for row in issue.rows] + list(issue.entries)
        say(f"- {issue.level}: {issue.message}" + (f" ({', '.join(places)})" if places else ""))
    if not dataset.report:
        say("Nothing odd was found.")


def _methods(arguments: argparse.Namespace) -> None:
    if arguments.json:
        say(json.dumps({family: [_plain(method) for method in registry()]
                        for family, registry in DECLARED.items()}, indent=1))
        return
    for family, registry in DECLARED.items():
        say(f"## explorer {family}")
        for method in registry():
            say()
            say(f"### {method.title} (`{method.key}`)")
            say()
            say(" ".join(method.describe().split()))
            parameters = method.parameters()
            if parameters:
                say()
                say(table(("flag", "values", "default", "what it does"),
                          [(f"`{flag_of(parameter)}`", bounds_of(parameter) or parameter.kind,
                            default_of(parameter), parameter.description)
                           for parameter in parameters]))
        say()


def _plain(method: type[Method]) -> dict[str, Any]:
    return {"key": method.key, "title": method.title, "description": method.describe(),
            "version": method.version,
            "parameters": [vars(parameter) for parameter in method.parameters()]}
