"""Room in the store: what nobody refers to goes, the longest unused first; the rest never.

A workspace refers to its data set and import, to every result of the recipes on its form and last
run (by the same plan that would compute them), to what its log names, and to all that those were
made of. Where a plan cannot be made, everything made of its data set is kept.
"""

from __future__ import annotations

import json
import os
import re
import shutil
import time
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from explorer.changes import changes_of
from explorer.dataset import open_dataset
from explorer.disk import disk_error
from explorer.encode import unfinished
from explorer.errors import ExplorerError
from explorer.jobs import Step
from explorer.load.limits import size_of
from explorer.plan import Plan, make_plan
from explorer.recipe import recipe_from_data
from explorer.seal import open_sealed
from explorer.spec import Progress, silent
from explorer.store import Store
from explorer.sweep_step import sweep_step, swept_methods
from explorer.temporary import name_temporary
from explorer.train.files import FOLDER
from explorer.workspace import Workspaces

_FRESH_SECONDS = 24 * 3600.0
"""A result used so lately may be on somebody's screen."""
_ASIDE_SECONDS = 30 * 24 * 3600.0
_UNFINISHED_SECONDS = 30 * 24 * 3600.0
"""A training that was cut off may be gone on with for so long."""
_KEY = re.compile(r"[0-9a-f]{32}")
_MADE_AGAIN = {"Export": 0, "Rows": 0, "Answer": 0}
"""Goes before anything else: quick to make again, and nothing is made of it."""


@dataclass(frozen=True)
class Stored:
    """One result on disk. `inputs` are the results it was made of; `used` since the epoch."""

    key: str
    kind: str
    bytes: int
    used: float
    inputs: frozenset[str]
    folder: Path


@dataclass(frozen=True)
class Tidied:
    """What was removed (or would be), what is left; bytes."""

    removed: int
    freed: int
    left: int
    referred: int
    """Results that are left because a workspace refers to them."""


def tidy(home: Path, limit: int | None = None, *, trial: bool = False,
         progress: Progress = silent) -> Tidied:
    """Remove leftovers, quarantine and unfinished trainings older than a month, and, above `limit`
    bytes in all, results and unfinished trainings nobody refers to or has used for a day. `trial`:
    only say what would go.

    Raises StoreError.
    """
    store = Store(home, create=False)
    try:
        if not trial:
            store.sweep()
        removed, freed = _empty_quarantine(store, trial)
        entries = list(_entries(store))
        for training in _trainings(store):
            if time.time() - training.used > _UNFINISHED_SECONDS:
                removed, freed = removed + 1, freed + training.bytes
                if not trial:
                    _remove(store, training.folder)
            else:
                entries.append(training)
        total = sum(entry.bytes for entry in entries)
        if limit is None or total <= limit:
            return Tidied(removed, freed, total, 0)
        kept = referred(home, store, entries)
        for entry in _in_order(entries, kept):
            if total <= limit:
                break
            progress(0.5, f"{removed:,} removed")
            if not trial:
                _remove(store, entry.folder)
            removed, freed, total = removed + 1, freed + entry.bytes, total - entry.bytes
        return Tidied(removed, freed, total, len(kept & {entry.key for entry in entries}))
    except OSError as error:
        raise disk_error("tidy up", home, error) from error


def store_quota() -> int | None:
    """Bytes all results may have together: EXPLORER_STORE_BYTES ('50GB'); None: no limit."""
    given = os.environ.get("EXPLORER_STORE_BYTES", "")
    return size_of("EXPLORER_STORE_BYTES", given) if given else None


def tidy_step() -> Step:
    """The job that tidies with the server's limit, after whatever else waits."""
    return Step(key="tidy", kind="tidy", title="Removing results nobody uses",
                call="explorer.tidy:execute", payload={}, lane="host", seconds=10.0)


def execute(payload: Mapping[str, Any], home: str, progress: Progress) -> None:
    """The job of `tidy_step`."""
    done = tidy(Path(home), store_quota(), progress=progress)
    progress(1.0, f"{done.removed:,} removed")


def referred(home: Path, store: Store, entries: Iterable[Stored]) -> set[str]:
    """The keys of all results that somebody's work refers to."""
    made = {entry.key: entry.inputs for entry in entries}
    keys: set[str] = set()
    doubted: set[str] = set()
    shelf = Workspaces(home)
    for text in shelf.texts():
        keys.update(_KEY.findall(text))
    for workspace in shelf.all():
        document = workspace.document
        done = [(step.operation, step.payload) for step in shelf.operations(workspace.id)]
        for recipe in (document.get("recipe"), document.get("ran")):
            if recipe and document.get("dataset"):
                try:
                    keys |= _planned(document, recipe, store, done)
                except (ExplorerError, KeyError, TypeError, ValueError):
                    doubted.add(str(document["dataset"]))  # of another version, or its data gone
    if doubted:
        keys |= {key for key in made if _origins(key, made) & doubted}
    return set().union(keys, *(_origins(key, made) for key in keys))


def _planned(document: Mapping[str, Any], recipe: Mapping[str, Any], store: Store,
             done: Iterable[tuple[str, Mapping[str, Any]]]) -> set[str]:
    dataset = open_dataset(store, document["dataset"]).with_roles(document.get("roles", {}))
    plan = make_plan(recipe_from_data(recipe), dataset, store)
    keys = {step.key for step in plan.steps} | _swept(plan, document)
    keys |= {step.payload["training"] for step in plan.steps if "training" in step.payload}
    edits = changes_of(done, plan.clustering).edits
    if edits:
        whole = plan.recipe.to_data() | {"edits": [*plan.recipe.to_data().get("edits", ()), *edits]}
        keys |= {step.key for step in make_plan(recipe_from_data(whole), dataset, store).steps}
    return keys


def _swept(plan: Plan, document: Mapping[str, Any]) -> set[str]:
    counts = tuple(document.get("sweep") or ())
    asked = document.get("sweep_methods") or ()
    every = swept_methods(plan.recipe, asked)
    names = {call["method"] for call in asked} or {plan.recipe.clusterer.method}
    methods = [method for method in every if method.key in names]
    if not counts or not methods:
        return set()
    step = sweep_step(plan, counts, methods)
    return {step.key, *_KEY.findall(json.dumps(step.payload))}


def _origins(key: str, made: Mapping[str, frozenset[str]]) -> set[str]:
    """What a result was made of, and what that was made of."""
    found: set[str] = set()
    waiting = [key]
    while waiting:
        for origin in made.get(waiting.pop(), frozenset()):
            if origin not in found:
                found.add(origin)
                waiting.append(origin)
    return found


def _entries(store: Store) -> Iterator[Stored]:
    for folder in (store.root / "entries").glob("*/*"):
        try:
            seal = folder / "entry.json"
            manifest = open_sealed(seal.read_bytes())
            meta = manifest["meta"]
            told = meta.get("provenance", {})
            inputs = {*told.get("inputs", {}).values(), told.get("dataset", ""),
                      meta.get("dataset", "")} - {""}
            size = sum(int(file["bytes"]) for file in manifest["files"].values())
            yield Stored(folder.name, str(meta.get("type", "")), size, seal.stat().st_mtime,
                         frozenset(map(str, inputs)), folder)
        except (OSError, ValueError, KeyError, TypeError, AttributeError):
            continue  # damaged, or just being removed: whoever reads it puts it aside


def _trainings(store: Store) -> Iterator[Stored]:
    """Trainings and encodings that were not finished: what there is of them counts like results."""
    for folder in (*(store.root / FOLDER).glob("*"), *(store.root / unfinished.FOLDER).glob("*")):
        try:
            files = [path.stat() for path in folder.iterdir()]
            used = max([folder.stat().st_mtime, *(file.st_mtime for file in files)])
            yield Stored(folder.name, "Training", sum(file.st_size for file in files), used,
                         frozenset(), folder)
        except OSError:
            continue  # just finished


def _in_order(entries: Iterable[Stored], kept: set[str]) -> list[Stored]:
    limit = time.time() - _FRESH_SECONDS
    movable = [entry for entry in entries if entry.key not in kept and entry.used < limit]
    return sorted(movable, key=lambda entry: (_MADE_AGAIN.get(entry.kind, 1), entry.used))


def _empty_quarantine(store: Store, trial: bool) -> tuple[int, int]:
    removed = freed = 0
    for folder in (store.root / "quarantine").glob("*"):
        # The time of the move: what lies inside keeps its own.
        if time.time() - os.lstat(folder).st_ctime > _ASIDE_SECONDS:
            removed += 1
            freed += sum(path.lstat().st_size for path in folder.rglob("*"))
            if not trial:
                _remove(store, folder)
    return removed, freed


def _remove(store: Store, folder: Path) -> None:
    """Gone at once for everybody; its bytes a moment later."""
    gone = store.root / "tmp" / name_temporary()
    try:
        os.rename(folder, gone)
    except FileNotFoundError:
        return  # another process was faster
    shutil.rmtree(gone, ignore_errors=True)
