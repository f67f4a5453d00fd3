"""A trained network as one file: its weights and what is needed to use them again; no rows.

A safetensors file: numbers only, nothing in it is ever run. Its metadata hold, as JSON, who built
the network and who reads its rows. The rows that a training shows stay out of it: a file may be
given away.
"""

from __future__ import annotations

import hashlib
import json
import math
import os
import uuid
from collections.abc import Mapping
from contextlib import suppress
from dataclasses import replace
from functools import lru_cache
from pathlib import Path
from typing import Any

import numpy as np

from explorer.disk import disk_error, sync_folder, write_synced
from explorer.encode import Encoder, encoders
from explorer.encode.models import model_roots
from explorer.encode.reading import ReadingEncoder
from explorer.encode.trained import TrainedEncoder
from explorer.encode.weights import check_weights
from explorer.errors import DataError, ParameterError, Where
from explorer.escape import safe_filename
from explorer.model import Model
from explorer.store import home

SUFFIX = ".safetensors"
LARGEST_FILE = 2_000_000_000
_MARK, _FORMAT = "embedding_explorer_network", 1
_PLAIN = ("shape", "method", "reader", "title", "best_epoch", "ended", "names", "notes", "seconds")
_SINGLE = ("center", "spread")
_MAPS = {"weights": np.float32, "history": np.float64, "extras": None}
_ENDED = ("all epochs", "no progress", "stopped", "not finite")
_MOST_TEXT, _MOST_NAMES, _MOST_NOTES, _MOST_PARTS = 1_000, 1_000_000, 100, 100


def without_rows(model: Model) -> Model:
    """The same network without what belongs to the rows it was trained on."""
    nothing = np.empty((0, *model.shape), dtype=np.float32)
    return replace(model, held=np.empty(0, dtype=np.int64), original=nothing,
                   remade=nothing[None][:0], shown=(), decoder=())


def write_model(model: Model) -> bytes:
    """The file of a network; the same network gives the same bytes."""
    from safetensors.numpy import save

    arrays = {name: np.asarray(getattr(model, name), order="C") for name in _SINGLE}
    for part in _MAPS:
        arrays |= {f"{part}.{name}": np.asarray(array, order="C")
                   for name, array in sorted(getattr(model, part).items())}
    told = {"format": _FORMAT, **{name: getattr(model, name) for name in _PLAIN}}
    return save(arrays, metadata={_MARK: json.dumps(told, sort_keys=True)})


def read_model_file(path: Path) -> Model:
    """The network in a file, without its rows and its decoder's layers.

    Raises DataError MODEL_DAMAGED (half a file, a header that lies), NOT_A_NETWORK (any other
    file), OTHER_VERSION (built by another version of its method), MODEL_TOO_LARGE; StoreError.
    """
    from safetensors import SafetensorError, safe_open

    told = told_by(path)
    try:
        with safe_open(path, framework="numpy") as file:
            arrays = {name: file.get_tensor(name) for name in file.keys()}  # noqa: SIM118
    except (SafetensorError, ValueError, TypeError) as error:
        raise _foreign(path, "numbers in safetensors format") from error
    except OSError as error:
        raise disk_error("read the network", path, error) from error
    return _checked(path, told, arrays)


def told_by(path: Path) -> dict[str, Any]:
    """What a file says of its network, without reading its numbers. Raises as `read_model_file`."""
    try:
        status = path.stat()
        return _told(path, status.st_size, status.st_mtime_ns, status.st_ino)
    except OSError as error:
        raise disk_error("read the network", path, error) from error


@lru_cache(maxsize=256)
def _told(path: Path, size: int, *_: int) -> dict[str, Any]:
    from safetensors import SafetensorError, safe_open

    if size > LARGEST_FILE:
        raise DataError("MODEL_TOO_LARGE", f"A network's file must have at most "
                                           f"{LARGEST_FILE:,} bytes, got {size:,}.", _at(path))
    check_weights(path.stem, path)
    try:
        with safe_open(path, framework="numpy") as file:
            told = json.loads((file.metadata() or {}).get(_MARK, "null"))
    except (SafetensorError, ValueError, TypeError, RecursionError) as error:
        raise _foreign(path, "the description of a network") from error
    if not isinstance(told, dict) or told.get("format") != _FORMAT:
        raise _foreign(path, "the description of a network")
    return told


def declared(model: Model) -> TrainedEncoder:
    """Who built a network. Raises ParameterError for a method or parameters there are none of."""
    method = encoders().create(model.method["method"], model.method["parameters"])
    if not isinstance(method, TrainedEncoder):
        raise ParameterError("UNKNOWN_METHOD", "A network must be built by an encoder that is "
                                               f"trained here, got {method.title}.")
    return method


def reader_of(path: Path) -> Encoder:
    """Who reads the rows of the network in a file. Raises as `told_by`."""
    try:
        told = told_by(path)["reader"]
        reader = encoders().create(told["method"], told["parameters"])
    except (KeyError, TypeError, ParameterError) as error:
        raise _foreign(path, "a reader there is here") from error
    if isinstance(reader, ReadingEncoder):  # one that reads itself would be read for ever
        raise _foreign(path, "a reader that reads rows itself")
    return reader


def network_folders() -> tuple[Path, ...]:
    """Where files of networks may be: `models` in the home, and the folders for models."""
    return tuple(dict.fromkeys((home() / "models", *model_roots())))


def list_networks() -> tuple[str, ...]:
    """The names of all files that say they are a network, without reading their numbers."""
    found: set[str] = set()
    for folder in network_folders():
        for path in folder.glob(f"*{SUFFIX}"):
            if safe_filename(path.stem) == path.stem and _says_so(path):
                found.add(path.stem)
    return tuple(sorted(found))


def find_network(name: str) -> Path:
    """The file of that name. Raises ParameterError NO_MODEL (none given) or BAD_MODEL_NAME, before
    any file is touched; DataError NO_MODEL when there is none."""
    there = ", ".join(list_networks()[:20])
    if not name:
        hint = (f"Choose one of {there}." if there else
                "There is none yet: train one and keep it as an encoder, or add its file.")
        raise ParameterError("NO_MODEL", "network must be the name of a kept network, got none.",
                             Where(parameter="network"), hint)
    if safe_filename(name) != name or "/" in name or "\\" in name:
        raise ParameterError("BAD_MODEL_NAME", "network must be the name of a kept network, got "
                             f"{name[:80]!r}.", Where(parameter="network"),
                             "Names are plain: no folders, no signs that file names may not have.")
    for folder in network_folders():
        path = folder / f"{name}{SUFFIX}"
        if path.is_file() and path.resolve().is_relative_to(folder.resolve()):
            return path
    raise DataError("NO_MODEL", f"The network must be on this machine, got {name!r}; there are: "
                                f"{there or 'none'}.", Where(parameter="network"),
                    "Add its file on the page 'Train an encoder', or keep a network under that "
                    "name.")


def keep_model(folder: Path, name: str, content: bytes) -> str:
    """Put the file of a network (checked first) into `models` of the home `folder`; returns its
    name. The same network again is the same file; another under the name is refused.

    Raises ParameterError BAD_MODEL_NAME or NAME_TAKEN, what `read_model_file` raises, StoreError.
    """
    name = name.strip()
    if not name or safe_filename(name) != name:
        raise ParameterError("BAD_MODEL_NAME", "The name must be one that a file can have, got "
                             f"{name[:80]!r}.", Where(parameter="name"),
                             f"For example {safe_filename(name)!r}.")
    models = folder / "models"
    path, coming = models / f"{name}{SUFFIX}", models / f".{uuid.uuid4().hex}{SUFFIX}"
    try:
        models.mkdir(exist_ok=True, mode=0o700)
        write_synced(coming, lambda file: file.write(content), len(content))
        read_model_file(coming)
        with suppress(FileExistsError):
            if not any((other / path.name).exists() for other in network_folders()):
                os.link(coming, path)  # unlike a rename, never over another
        taken = next(other / path.name for other in (models, *network_folders())
                     if (other / path.name).exists())
        if digest_of(taken) != hashlib.sha256(content).hexdigest():
            raise ParameterError("NAME_TAKEN", "The name must be new, got one that another "
                                 f"network has: {name!r}.", Where(parameter="name"),
                                 "Recipes name networks: kept ones never change. Choose "
                                 "another name.")
        sync_folder(models)
    except OSError as error:
        raise disk_error("keep the network", models, error, len(content)) from error
    except DataError as error:  # about the name people know, not the file on its way
        raise DataError(error.code, error.message, Where(file=name), error.hint) from error
    finally:
        with suppress(OSError):
            coming.unlink(missing_ok=True)
    return name


def digest_of(path: Path) -> str:
    """sha256 of a file; read again only when its size or time changes."""
    status = path.stat()
    return _digest(path, status.st_size, status.st_mtime_ns, status.st_ino)


@lru_cache(maxsize=64)
def _digest(path: Path, *_: int) -> str:
    with open(path, "rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()


def _says_so(path: Path) -> bool:
    try:
        status = path.stat()
        return _marked(path, status.st_size, status.st_mtime_ns)
    except OSError:
        return False  # a link to nothing, or just removed


@lru_cache(maxsize=512)
def _marked(path: Path, *_: int) -> bool:
    from safetensors import SafetensorError, safe_open

    try:
        with safe_open(path, framework="numpy") as file:
            return _MARK in (file.metadata() or {})
    except SafetensorError:
        return False  # other people's files lie there too


def _checked(path: Path, told: Mapping[str, Any], arrays: Mapping[str, np.ndarray]) -> Model:
    parts: dict[str, dict[str, np.ndarray]] = {part: {} for part in _MAPS}
    for name, array in arrays.items():
        part, _, rest = name.partition(".")
        if name in _SINGLE:
            continue
        kind = _MAPS.get(part)
        if part not in _MAPS or not rest or (kind is not None and array.dtype != kind):
            raise _foreign(path, "weights in single precision and nothing else")
        parts[part][rest] = array
    try:
        shape = tuple(told["shape"])
        texts = [told["title"], *told["names"], *told["notes"]]
        scaled = (shape,) * 2 if len(shape) == 1 else ((shape[0], 1, 1), (1, 1, 1))
        good = (
            len(shape) in (1, 3) and all(type(size) is int and size > 0 for size in shape)
            and math.prod(shape) <= sum(array.size for array in parts["weights"].values())
            and tuple(arrays[name].shape for name in _SINGLE) == scaled
            and all(arrays[name].dtype == np.float32 for name in _SINGLE)
            and len(parts["history"]) <= _MOST_PARTS and told["ended"] in _ENDED
            and len({array.shape for array in parts["history"].values()}) == 1
            and all(array.ndim == 1 for array in parts["history"].values())
            and type(told["best_epoch"]) is int and math.isfinite(told["seconds"])
            and 0 < told["best_epoch"] <= len(next(iter(parts["history"].values())))
            and isinstance(told["names"], list) and isinstance(told["notes"], list)
            and len(told["names"]) <= _MOST_NAMES and len(told["notes"]) <= _MOST_NOTES
            and all(isinstance(text, str) and len(text) <= _MOST_TEXT for text in texts)
            and all(np.isfinite(array).all() for name, array in arrays.items()))
        empty = np.empty((0, *shape), dtype=np.float32)
        content: dict[str, Any] = {**parts, **{name: arrays[name] for name in _SINGLE},
                                   **{name: told[name] for name in _PLAIN}, "shape": shape}
        found = Model(**content, held=np.empty(0, dtype=np.int64), original=empty,
                      remade=empty[None][:0])
        method, reader = declared(found), reader_of(path)
        seen = reader.picture_shape
        good = good and (len(shape) == 1 if seen is None else shape == (seen[2], *seen[:2]))
    except (KeyError, TypeError, ValueError, IndexError, AttributeError, StopIteration,
            ParameterError) as error:
        raise _foreign(path, "a network of a method there is here") from error
    if not good:
        raise _foreign(path, "shapes, numbers and words that fit together")
    if (found.method.get("version"), found.reader.get("version")) != (method.version,
                                                                      reader.version):
        raise DataError("OTHER_VERSION", "A network must be built by the version of its method "
                                         "that is here, got one of another.", _at(path),
                        "Train it again, or use the version of the app that made it.")
    return replace(found, names=tuple(found.names), notes=tuple(found.notes))


def _foreign(path: Path, allowed: str) -> DataError:
    return DataError("NOT_A_NETWORK", f"The file of a network must have {allowed}, got something "
                                      "else.", _at(path),
                     "Choose a file that this app or `explorer train` wrote.")


def _at(path: Path) -> Where:
    return Where(file=path.name, parameter="network")
