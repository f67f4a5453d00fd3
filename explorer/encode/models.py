"""Models on this machine: which there are, whether a folder is one, and what its weights are.

Nothing is downloaded here (fetch.py does, when a person asks for it) and no code of a model is ever
run. Encoders of texts and of images load through here: `list_models()` names both, told apart by
`kind`.
"""

from __future__ import annotations

import hashlib
import os
import re
from collections.abc import Iterator
from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path

from explorer.encode.model_folder import LocalModel, read_model
from explorer.errors import DataError, ExplorerError, ParameterError, Where
from explorer.store import home

_NAME = re.compile(r"/?[\w@+-][\w@+. -]*(/[\w@+-][\w@+. -]*)*")
_LONGEST_NAME = 500
_WEIGHTS = (".safetensors", ".bin", ".pt", ".pth", ".onnx", ".gguf")
_DECIDING = (".json", ".txt", ".model", ".safetensors")


@dataclass(frozen=True)
class _Place:
    """A folder that may be a model: it and all its files must lie under `root`."""

    name: str
    path: Path
    root: Path


@dataclass(frozen=True)
class Surveyed:
    """A folder that is a model or looks as if it were meant to be one: the `model`, or why it is
    `refused`. `cached`: it lies in the hub cache."""

    name: str
    path: Path
    cached: bool
    model: LocalModel | None
    refused: ExplorerError | None = None


def model_roots() -> tuple[Path, ...]:
    """Where model folders may be: EXPLORER_MODEL_ROOTS, else ~/models and models in `home()`."""
    given = os.environ.get("EXPLORER_MODEL_ROOTS")
    roots = ([Path(part).expanduser() for part in given.split(os.pathsep) if part]
             if given else [Path.home() / "models", home() / "models"])
    return tuple(root.absolute() for root in roots)


def list_models() -> tuple[LocalModel, ...]:
    """Every model under the roots and in the hub cache, by name; folders that are none, or that
    would be refused, are left out."""
    found: dict[str, LocalModel] = {}
    for place in (*_folders(), *_cached()):
        try:
            model = read_model(place.name, place.path, place.root)
        except ExplorerError:
            continue  # not a model, or a refused one: asking for it by name says why
        found.setdefault(model.name, model)
    return tuple(found[name] for name in sorted(found))


def survey_models() -> tuple[Surveyed, ...]:
    """Every folder under the roots and in the hub cache that is a model or was meant to be one, by
    name, with the reason where it cannot be used. A name met twice stands for the first, the one
    `find_model` finds."""
    found: dict[str, Surveyed] = {}
    own = [(place, False) for place in (*_folders(), *_others())]
    for place, cached in (*own, *((place, True) for place in _cached())):
        if place.name in found:
            continue
        try:
            one = Surveyed(place.name, place.path, cached,
                           read_model(place.name, place.path, place.root))
        except ExplorerError as error:
            one = Surveyed(place.name, place.path, cached, None, error)
        except OSError as error:  # a folder that may not be read, or went away meanwhile
            one = Surveyed(place.name, place.path, cached, None, DataError(
                "NOT_A_MODEL", f"A model folder must be readable, got {error.strerror}.",
                Where(file=place.name)))
        found[place.name] = one
    return tuple(found[name] for name in sorted(found))


def find_model(name: str) -> LocalModel:
    """The model of that name: a folder under a root (by name or absolute path) before a hub id.

    Raises ParameterError BAD_MODEL_NAME before any file is touched, DataError NO_MODEL when it is
    not on this machine, and what `read_model` raises.
    """
    check_name(name)
    for root in model_roots():
        if name.startswith("/"):
            if not Path(name).is_relative_to(root) or Path(name) == root:
                continue
            path = Path(name)
        else:
            path = root / name
        if path.is_dir():
            return read_model(path.relative_to(root).as_posix(), path, root)
    for place in _cached():
        if place.name == name:
            return read_model(place.name, place.path, place.root)
    installed = ", ".join(model.name for model in list_models()) or "none"
    raise DataError("NO_MODEL", f"The model must be on this machine, got {name!r}; there are: "
                                f"{installed}.", Where(parameter="model"),
                    "Nothing is downloaded by itself: get it on the page Models, copy the model's "
                    f"folder under {' or '.join(str(root) for root in model_roots())}, or use "
                    "TF-IDF + SVD.")


def check_name(name: str) -> None:
    """Refuse what cannot be a model's name, by its letters alone: ParameterError BAD_MODEL_NAME."""
    good = (len(name) <= _LONGEST_NAME and _NAME.fullmatch(name)
            and not any(part.endswith((".", " ")) for part in name.split("/")))
    if good and name.startswith("/"):
        good = any(Path(name).is_relative_to(root) for root in model_roots())
    if not good:
        raise ParameterError(
            "BAD_MODEL_NAME", "model must be the name of a model on this machine, got "
            f"{name[:80]!r}.", Where(parameter="model"),
            "Choose one from the list, a folder under "
            f"{' or '.join(str(root) for root in model_roots())}, or an id such as "
            "'sentence-transformers/all-mpnet-base-v2'.")


def digest_of(model: LocalModel) -> str:
    """sha256 over names and contents of all files that decide the vectors: weights, tokeniser and
    configuration. Read again only when a file's size or time changes."""
    files = sorted(file for file in model.path.rglob("*") if file.suffix in _DECIDING)
    return _digest(tuple((file.relative_to(model.path).as_posix(), str(file),
                          file.stat().st_size, file.stat().st_mtime_ns) for file in files))


@lru_cache(maxsize=32)
def _digest(files: tuple[tuple[str, str, int, int], ...]) -> str:
    whole = hashlib.sha256()
    for name, path, size, _ in files:
        with open(path, "rb") as file:
            content = hashlib.file_digest(file, "sha256").hexdigest()
        whole.update(f"{name}\0{size}\0{content}\n".encode())
    return whole.hexdigest()


def _folders() -> Iterator[_Place]:
    """Folders one or two levels below the roots (owner/name, as the hub writes them)."""
    for root in model_roots():
        for pattern in ("*/config.json", "*/modules.json", "*/*/config.json", "*/*/modules.json"):
            for file in sorted(root.glob(pattern)):
                name = file.parent.relative_to(root).as_posix()
                if _NAME.fullmatch(name) and not (file.parent.parent / "modules.json").exists():
                    yield _Place(name, file.parent, root)


def _others() -> Iterator[_Place]:
    """Folders that hold weights and no configuration: half copied, or of another program. Beneath
    a folder that has one nothing is looked for: those are its modules."""
    for root in model_roots():
        for pattern in ("*", "*/*"):
            for folder in sorted(root.glob(pattern)):
                name = folder.relative_to(root).as_posix()
                if not (_NAME.fullmatch(name) and folder.is_dir()):
                    continue
                known = (one / file for one in (folder, folder.parent)
                         for file in ("config.json", "modules.json"))
                if not any(file.exists() for file in known) and any(
                        file.suffix in _WEIGHTS for file in folder.iterdir()):
                    yield _Place(name, folder, root)


def _cached() -> Iterator[_Place]:
    """The revision 'main' of every model in the hub cache, else the one changed last."""
    from huggingface_hub import constants, scan_cache_dir
    from huggingface_hub.errors import CacheNotFound

    try:
        repos = scan_cache_dir(constants.HF_HUB_CACHE).repos
    except CacheNotFound:
        return
    for repo in sorted(repos, key=lambda repo: repo.repo_id):
        if repo.repo_type == "model" and repo.revisions:
            chosen = max(repo.revisions, key=lambda one: ("main" in one.refs, one.last_modified))
            yield _Place(repo.repo_id, Path(chosen.snapshot_path), Path(repo.repo_path))
