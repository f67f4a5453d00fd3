"""Encoders trained on the same rows at the same sizes of latent space, beside PCA: what a probe
reads off their vectors, how well they rebuild rows, how long they learn.

Every training in a fresh process; what is trained is kept under the home of the results, so that a
benchmark that was stopped goes on where it was.
"""

from __future__ import annotations

import argparse
import json
import os
import subprocess
import sys
import time
from collections.abc import Sequence
from dataclasses import asdict, dataclass, replace
from pathlib import Path
from typing import Any

import numpy as np

from explorer import single
from explorer.cli_write import say, table, table_row
from explorer.dataset import Dataset
from explorer.encode import encoders
from explorer.encode.autoencoder import Autoencoder
from explorer.encode.material import Material, scaled
from explorer.encode.trained import TrainedEncoder
from explorer.errors import DataError, ParameterError, Where
from explorer.imports import open_data
from explorer.judge.probe import (
    accuracies,
    draw_folds,
    linear_classes,
    nearest_outside,
    same_vectors,
    vote,
)
from explorer.judge.rebuilding import linear_baseline, squared_errors
from explorer.known_groups import groups_of
from explorer.spec import Progress, result_key, silent
from explorer.store import Store
from explorer.train.loop import split
from explorer.values import Embedding

PCA = "pca"
_FOLDS, _K, _C, _ROUNDS = 5, 10, 1.0, 300


@dataclass(frozen=True)
class Trial:
    """One encoder (by key, or PCA) of so many dimensions on one data set."""

    files: tuple[str, ...]
    encoder: str
    dimensions: int
    epochs: int | None
    home: str | None
    rows: int | None = None


@dataclass(frozen=True)
class Outcome:
    """Accuracies of the two probes; mean squared errors of rows held back and of all rows (None
    where nothing is rebuilt); seconds of training and its epochs."""

    near: float
    linear: float
    held: float | None
    every: float | None
    seconds: float
    epochs: int | None


def add_flags(parser: argparse.ArgumentParser) -> None:
    """What --encoders measures."""
    group = parser.add_argument_group("encoders", "with --encoders")
    group.add_argument("--encoders", action="store_true",
                       help="instead of the steps: encoders trained here, beside PCA")
    group.add_argument("--data", nargs="+", action="append", default=[], metavar="FILE",
                       help="files that make one data set with labels; may be given again")
    group.add_argument("--dimensions", default="2,8,32", metavar="D,D,...",
                       help="sizes of the latent space [default: 2,8,32]")
    group.add_argument("--only", default="", metavar="ENCODER,...",
                       help=f"some of {', '.join(every_encoder())}")
    group.add_argument("--epochs", type=int, metavar="N",
                       help="at most so many epochs [default: each encoder's own]")
    group.add_argument("--sample", type=int, metavar="N",
                       help="N rows drawn with seed 0 [default: all]")
    group.add_argument("--keep", type=Path, metavar="FILE",
                       help="a file of results: those in it are not measured again")


def every_encoder() -> list[str]:
    """PCA and whatever is trained here and has a size to choose."""
    return [PCA, *(method.key for method in encoders() if issubclass(method, TrainedEncoder)
                   and "dimensions" in method.model_fields)]


def compare_encoders(arguments: argparse.Namespace, sizes: Sequence[int],
                     progress: Progress) -> None:
    """Measure and print a Markdown table, row by row."""
    chosen = [word for word in arguments.only.split(",") if word] or every_encoder()
    for key in chosen:
        if key not in every_encoder():
            raise ParameterError("UNKNOWN_METHOD", f"only must name some of "
                                 f"{', '.join(every_encoder())}, got {key!r}.",
                                 Where(parameter="only"))
    if not arguments.data:
        raise ParameterError("NO_DATA", "--encoders must have a data set, got none.",
                             Where(parameter="data"), "Name its files with --data.")
    home = getattr(arguments, "home", None)
    trials = [Trial(tuple(files), key, size, arguments.epochs, home and str(home), arguments.sample)
              for files in arguments.data for size in sizes for key in chosen]
    known = _known(arguments.keep)
    say(_header(arguments))
    say()
    say(table(("data", "dimensions", "encoder", "kNN probe", "linear probe", "error, held back",
               "error, all rows", "training", "epochs"), ()))
    for index, trial in enumerate(trials):
        name = ", ".join(Path(file).name for file in trial.files)
        progress(index / len(trials), f"{name}: {trial.encoder}, {trial.dimensions} dimensions")
        found = known.get(_name(trial)) or measure_apart(trial, arguments.limit)
        if isinstance(found, Outcome) and arguments.keep is not None:
            with open(arguments.keep, "a", encoding="utf-8") as file:
                file.write(json.dumps([_name(trial), asdict(found)]) + "\n")
        say(table_row((name, trial.dimensions, trial.encoder, *_shown(found))))
    progress(1.0, "done")


def measure(trial: Trial) -> Outcome:
    """Train, or take what was trained, and measure."""
    store = Store(trial.home)
    data = open_data(list(trial.files), store)
    codes = _labels(data)
    if trial.encoder == PCA:
        return _measure_pca(trial, data, codes, store)
    parameters: dict[str, Any] = {"dimensions": trial.dimensions}
    if trial.epochs is not None:
        parameters["epochs"] = trial.epochs
    method: Any = encoders().create(trial.encoder, parameters)
    reader = method.reader(data)
    read = _drawn(single.encode(reader, data, store), trial.rows)
    if trial.rows is None:
        model = single.train(method, data, store)
    else:
        name = result_key("training", method.identity(), data.id, trial.rows)
        model = method.model(reader, read, Path(store.root), name, silent)
    material = scaled(reader, read)
    near, linear = _probe(method.codes(material.values, model.weights, silent), codes[read.rows])
    held = every = None
    if method.rebuilds:
        made = method.reconstructions(material.values, model.weights, silent)
        held, every = _errors(material, made, np.isin(read.rows, model.held))
    return Outcome(near, linear, held, every, model.seconds, model.epochs)


def measure_apart(trial: Trial, limit: float) -> Outcome | str:
    """The outcome in a fresh process, stopped after `limit` seconds, or why there is none."""
    command = [sys.executable, "-m", "explorer.benchmark_encoders", json.dumps(asdict(trial))]
    try:
        done = subprocess.run(command, capture_output=True, text=True, timeout=limit, check=False)
    except subprocess.TimeoutExpired:
        return f"stopped after {limit:g} s; goes on from there when asked again"
    if done.returncode:
        last = (done.stderr.strip().splitlines() or ["no message"])[-1]
        return f"failed ({done.returncode}): {last[:120]}"
    return Outcome(**json.loads(done.stdout.strip().splitlines()[-1]))


def _measure_pca(trial: Trial, data: Dataset, codes: np.ndarray, store: Store) -> Outcome:
    """Fitted on the rows a network would be trained on, of the same numbers."""
    reader = Autoencoder.create().reader(data)
    read = _drawn(single.encode(reader, data, store), trial.rows)
    material = scaled(reader, read)
    flat = material.values.reshape(len(material.values), -1)
    settings = Autoencoder.create().settings(len(flat))
    trained, left = split(len(flat), settings.validation, settings.seed)
    started = time.perf_counter()
    fitted = linear_baseline(flat, trained, trial.dimensions, 0, silent)
    seconds = time.perf_counter() - started
    near, linear = _probe(((flat - fitted.mean) @ fitted.axes).astype(np.float32),
                          codes[read.rows])
    made = fitted.rebuilt(flat).astype(np.float32).reshape(material.values.shape)
    held, every = _errors(material, made, np.isin(np.arange(len(flat)), left))
    return Outcome(near, linear, held, every, seconds, None)


def _probe(vectors: np.ndarray, codes: np.ndarray) -> tuple[float, float]:
    there = codes >= 0
    vectors, codes = vectors[there], codes[there]
    folds = draw_folds(same_vectors(vectors), codes, _FOLDS, 1, 0)
    near = vote(codes, nearest_outside(vectors, folds, _K, "euclidean", silent))
    linear = linear_classes(vectors, codes, folds, _C, _ROUNDS, silent)
    return (float(accuracies(codes, near, folds).mean()),
            float(accuracies(codes, linear, folds).mean()))


def _errors(material: Material, made: np.ndarray,
            held: np.ndarray) -> tuple[float | None, float]:
    """Of images in pixels from 0 to 1, else with every number brought to spread 1."""
    wanted = material.values
    if len(material.shape) == 3:
        made, wanted = material.restored(made), material.restored(wanted)
    errors = squared_errors(wanted, made)
    return (float(errors[held].mean()) if held.any() else None), float(errors.mean())


def _drawn(read: Embedding, rows: int | None) -> Embedding:
    if rows is None or rows >= len(read.rows):
        return read
    places = np.sort(np.random.default_rng(0).choice(len(read.rows), rows, replace=False))
    return replace(read, vectors=read.vectors[places], rows=read.rows[places])


def _labels(data: Dataset) -> np.ndarray:
    """The codes (0..) of the label column, else of the first category; -1 where it is empty."""
    for column in (*data.with_role("label"), *data.with_role("category")):
        return groups_of(data, column.name, np.arange(data.n)).codes
    raise DataError("NO_LABEL", "A data set to probe must have a column of labels, got none.",
                    hint="Bring a file of labels with it, or a folder for each class.")


def _name(trial: Trial) -> str:
    return json.dumps([*trial.files, trial.encoder, trial.dimensions, trial.epochs, trial.rows])


def _known(path: Path | None) -> dict[str, Outcome]:
    if path is None or not path.exists():
        return {}
    lines = path.read_text(encoding="utf-8").splitlines()
    return {name: Outcome(**found) for name, found in map(json.loads, lines)}


def _shown(found: Outcome | str) -> tuple[str, ...]:
    if isinstance(found, str):
        return (found, *["-"] * 5)
    held, every = ("-" if error is None else f"{error:.4f}" for error in (found.held, found.every))
    return (f"{found.near:.3f}", f"{found.linear:.3f}", held, every, f"{found.seconds:.1f} s",
            "-" if found.epochs is None else str(found.epochs))


def _header(arguments: argparse.Namespace) -> str:
    threads = os.environ.get("EXPLORER_THREADS", "not set")
    epochs = "each encoder's own" if arguments.epochs is None else f"at most {arguments.epochs}"
    return (f"Rows: {'all' if arguments.sample is None else f'{arguments.sample:,} drawn'}; "
            f"epochs: {epochs}; seed 0. Probes: share of right answers in {_FOLDS}-fold "
            f"cross-validation on all rows, {_K} nearest rows (Euclidean) and logistic regression "
            f"(C = {_C:g}). Error: mean squared difference to the row, images in pixels from 0 to "
            "1, else in spreads; a tenth of the rows was held back from training, of PCA too. "
            f"{os.cpu_count()} cores, EXPLORER_THREADS {threads}; limit {arguments.limit:g} s "
            "each.")


def main(words: Sequence[str]) -> None:
    """Measure the trial in words[0] and print its outcome as one line of JSON."""
    trial = Trial(**json.loads(words[0]))
    sys.stdout.write("\n" + json.dumps(asdict(measure(trial))) + "\n")


if __name__ == "__main__":
    main(sys.argv[1:])
