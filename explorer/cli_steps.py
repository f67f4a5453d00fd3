"""Single steps as commands: encode, neighbors, project, cluster, judge."""

from __future__ import annotations

import argparse
import csv
import io
import json
from dataclasses import asdict
from pathlib import Path
from typing import Any

import numpy as np

from explorer import single
from explorer.cli_data import add_data_flags, open_arguments, opened_store
from explorer.cli_flags import FAMILIES, Parser, add_flags, given
from explorer.cli_train import from_file
from explorer.cli_write import Meter, remark, say, score_table
from explorer.errors import InputError, Where
from explorer.export.atomic import writing
from explorer.spec import Method

_SUMMARIES = {
    "encode": "rows of a file -> vectors (.npy, with the rows they belong to beside it)",
    "neighbors": "vectors -> the nearest rows of every row (.npz)",
    "project": "vectors -> points on a plane or in space (.npy)",
    "cluster": "vectors -> labels (.csv or .npy; -1 is noise)",
    "judge": "vectors and labels -> scores",
}


def add_commands(commands: argparse._SubParsersAction[Parser]) -> None:
    """`explorer FAMILY METHOD` for every method there is."""
    for family, registry in FAMILIES.items():
        parser = commands.add_parser(family, help=_SUMMARIES[family],
                                     description=_SUMMARIES[family])
        methods = parser.add_subparsers(metavar="METHOD", required=True, parser_class=Parser)
        for method in registry():
            inner = methods.add_parser(method.key, help=method.title,
                                       description=method.describe())
            _add_files(inner, family, method)
            add_flags(inner, method)
            inner.set_defaults(run=_COMMANDS[family], method=method)


def _add_files(parser: argparse.ArgumentParser, family: str, method: type[Method]) -> None:
    if family == "encode" or _reads_dataset(method):
        add_data_flags(parser)
    else:
        parser.add_argument("--vectors", type=Path, required=True, metavar="FILE.npy",
                            help="n x d numbers")
    if family == "judge":
        parser.add_argument("--labels", type=Path, required=True, metavar="FILE",
                            help="n labels: .npy, or .csv with a column 'cluster'; -1 is noise")
        parser.add_argument("--metric", choices=("euclidean", "cosine"), default="euclidean",
                            help="the distance the clustering was made with [default: euclidean]")
        parser.add_argument("--space", default="", metavar="TEXT",
                            help="what to call the space of the vectors")
        parser.add_argument("--json", action="store_true", help="print JSON")
    else:
        parser.add_argument("--out", type=Path, required=True, metavar="FILE",
                            help="where to write the result")


def _encode(arguments: argparse.Namespace) -> None:
    store, meter = opened_store(arguments), Meter()
    method: Any = from_file(given(arguments, arguments.method), store)
    dataset = open_arguments(arguments, store, meter)
    embedding = single.encode(method, dataset, store, meter)
    meter.close()
    _save_array(arguments.out, embedding.vectors)
    names = dataset.row_ids
    beside = arguments.out.with_suffix(".rows.csv")
    _save_csv(beside, ("row", "row_id"), ((row + 1, names[row]) for row in embedding.rows))
    _tell(embedding.notes)
    n, d = embedding.vectors.shape
    say(f"{n:,} x {d} vectors ({embedding.title}) of {dataset.n:,} rows -> {arguments.out}, "
        f"rows -> {beside}")


def _neighbors(arguments: argparse.Namespace) -> None:
    method: Any = given(arguments, arguments.method)
    meter = Meter()
    graph = single.find_neighbors(method, read_vectors(arguments.vectors),
                                  opened_store(arguments), meter)
    meter.close()
    with writing(arguments.out) as file:
        np.savez(file, indices=graph.indices, distances=graph.distances)
    how = "exact" if graph.exact else f"recall {graph.recall:.4f} on {graph.recall_rows} rows"
    say(f"{graph.indices.shape[0]:,} x {graph.indices.shape[1]} neighbours ({graph.metric}, {how})"
        f" -> {arguments.out}")


def _project(arguments: argparse.Namespace) -> None:
    method: Any = given(arguments, arguments.method)
    store, meter = opened_store(arguments), Meter()
    if _reads_dataset(arguments.method):
        projection = single.place(method, open_arguments(arguments, store, meter), store, meter)
    else:
        projection = single.project(method, read_vectors(arguments.vectors), store, meter)
    meter.close()
    _save_array(arguments.out, projection.points)
    _tell(projection.notes)
    n, d = projection.points.shape
    say(f"{n:,} x {d} points ({', '.join(projection.axes)}) -> {arguments.out}")


def _cluster(arguments: argparse.Namespace) -> None:
    method: Any = given(arguments, arguments.method)
    meter = Meter()
    clustering = single.cluster(method, read_vectors(arguments.vectors), opened_store(arguments),
                                meter)
    meter.close()
    if arguments.out.suffix == ".npy":
        _save_array(arguments.out, clustering.labels)
    elif clustering.strengths is None:
        _save_csv(arguments.out, ("row", "cluster"),
                  ((row + 1, label) for row, label in enumerate(clustering.labels)))
    else:
        _save_csv(arguments.out, ("row", "cluster", "strength"),
                  zip(range(1, len(clustering.labels) + 1), clustering.labels,
                      clustering.strengths, strict=True))
    _tell(clustering.notes)
    say(f"{clustering.count} clusters, {clustering.noise:,} of {len(clustering.labels):,} rows "
        f"noise ({clustering.metric}) -> {arguments.out}")


def _judge(arguments: argparse.Namespace) -> None:
    method: Any = given(arguments, arguments.method)
    meter = Meter()
    judgement = single.judge(method, read_vectors(arguments.vectors),
                             read_labels(arguments.labels), arguments.metric,
                             opened_store(arguments), meter, arguments.space)
    meter.close()
    _tell(judgement.notes)
    if arguments.json:
        say(json.dumps([asdict(score) for score in judgement.scores], indent=1))
    else:
        say(score_table(judgement.scores))


def read_vectors(path: Path) -> np.ndarray:
    """The array of a .npy file. Raises InputError NO_FILE or NOT_NPY."""
    if not path.is_file():
        raise InputError("NO_FILE", f"There is no file {path.name!r}.", Where(file=path.name))
    try:
        return np.lib.format.open_memmap(path, mode="r")  # refuses Python objects
    except (ValueError, EOFError, OSError) as error:
        raise InputError("NOT_NPY", f"A file of vectors must be a .npy array of numbers, got one "
                                    f"numpy cannot read ({str(error)[:120]}).",
                         Where(file=path.name)) from None


def read_labels(path: Path) -> np.ndarray:
    """n int64 labels of a .npy file or of the column 'cluster' of a CSV. Raises InputError."""
    if path.suffix == ".npy":
        return read_vectors(path)
    if not path.is_file():
        raise InputError("NO_FILE", f"There is no file {path.name!r}.", Where(file=path.name))
    labels: list[int] = []
    try:
        with open(path, encoding="utf-8-sig", newline="") as file:
            labels.extend(int(row["cluster"]) for row in csv.DictReader(file))
    except (KeyError, TypeError, ValueError, csv.Error):
        raise InputError("BAD_LABELS", "A file of labels must have a whole number in its column "
                                       "'cluster' on every line.",
                         Where(file=path.name, row=len(labels) + 2)) from None
    return np.array(labels, dtype=np.int64)


def _reads_dataset(method: type[Method]) -> bool:
    return getattr(method, "reads", "embedding") == "coordinates"


def _save_array(path: Path, array: np.ndarray) -> None:
    with writing(path) as file:
        np.save(file, array, allow_pickle=False)


def _save_csv(path: Path, head: tuple[str, ...], rows: Any) -> None:
    with writing(path) as file:
        text = io.TextIOWrapper(file, encoding="utf-8", newline="")
        writer = csv.writer(text)
        writer.writerow(head)
        writer.writerows(rows)
        text.detach()  # flushes; `writing` syncs and names the file


def _tell(notes: tuple[str, ...]) -> None:
    for note in notes:
        remark(f"note: {note}")


_COMMANDS = {"encode": _encode, "neighbors": _neighbors, "project": _project,
             "cluster": _cluster, "judge": _judge}
