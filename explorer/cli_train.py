"""`explorer train`: a network out of the rows of a file, kept as a file of its own."""

from __future__ import annotations

import argparse
from pathlib import Path
from typing import Any

from explorer import single
from explorer.cli_data import add_data_flags, open_arguments, opened_store
from explorer.cli_flags import Parser, add_flags, given
from explorer.cli_write import Meter, remark, say
from explorer.encode import encoders
from explorer.encode.network_file import SUFFIX, digest_of, keep_model, write_model
from explorer.encode.saved_model import SavedModel
from explorer.encode.trained import TrainedEncoder
from explorer.errors import Cancelled, InputError, Where
from explorer.export.atomic import writing
from explorer.keys import reading_keys
from explorer.spec import Method
from explorer.store import Store
from explorer.train.files import TrainingFiles

_SUMMARY = "rows of a file -> a network trained on them (.safetensors), for `encode saved_model`"


def add_commands(commands: argparse._SubParsersAction[Parser]) -> None:
    """`explorer train METHOD` for every encoder that is trained."""
    parser = commands.add_parser("train", help=_SUMMARY, description=_SUMMARY)
    methods = parser.add_subparsers(metavar="METHOD", required=True, parser_class=Parser)
    for method in encoders():
        if not issubclass(method, TrainedEncoder):
            continue
        inner = methods.add_parser(method.key, help=method.title, description=method.describe())
        add_data_flags(inner)
        inner.add_argument("--out", type=Path, required=True, metavar="FILE.safetensors",
                           help="where to write the network")
        add_flags(inner, method)
        inner.set_defaults(run=_train, method=method)


def from_file(method: Method, store: Store) -> Method:
    """An encoder that names the file of a network (`--network model.safetensors`) keeps it in the
    home first, so that its name stands in recipes; any other method as it is."""
    if not isinstance(method, SavedModel) or not method.network.endswith(SUFFIX):
        return method
    path = Path(method.network)
    if not path.is_file():
        raise InputError("NO_FILE", f"There is no file {path.name!r}.", Where(file=path.name))
    name = f"{path.stem[:60]}-{digest_of(path)[:8]}"
    return method.model_copy(update={"network": keep_model(store.root, name, path.read_bytes())})


def _train(arguments: argparse.Namespace) -> None:
    method: Any = given(arguments, arguments.method)
    store, meter = opened_store(arguments), Meter()
    dataset = open_arguments(arguments, store, meter)
    files = TrainingFiles(store.root, reading_keys(method, dataset).training)
    if reached := files.reached():
        remark(f"note: an earlier training goes on after epoch {reached:,} of {method.epochs:,}.")
    try:
        model = single.train(method, dataset, store, meter)
    except (KeyboardInterrupt, Cancelled):
        meter.close()
        if reached := files.reached():
            remark(f"explorer: kept the training after epoch {reached:,} of {method.epochs:,}: the "
                   "same command goes on from there.")
        raise
    meter.close()
    content = write_model(model)
    with writing(arguments.out) as file:
        file.write(content)
    for note in model.notes:
        remark(f"note: {note}")
    losses = model.history.get("validation.loss", model.history["train.loss"])
    say(f"{method.title} of {model.title}: {model.epochs:,} epochs in {model.seconds:.0f} s, best "
        f"epoch {model.best_epoch:,} with loss {losses[model.best_epoch - 1]:.4g} -> "
        f"{arguments.out}")
