"""Selections with a name, kept in the workspace's log: they survive a restart and show in every tab
on the same workspace."""

from __future__ import annotations

import json
import secrets
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace

import numpy as np

from explorer.errors import ParameterError, StoreError
from explorer.row_sets import pack_rows, unpack_rows
from explorer.workspace import Operation

SAVE, RENAME, DELETE = "selection.save", "selection.rename", "selection.delete"
NAME_LENGTH = 80
MOST = 100
MOST_BYTES = 8 * 2**20


@dataclass(frozen=True)
class Saved:
    """A named selection of `count` of the `n` rows of a dataset."""

    id: str
    name: str
    dataset: str
    dataset_name: str
    n: int
    count: int
    bits: str

    def rows(self) -> np.ndarray:
        """Its dataset rows (int64, ascending). Raises DataError BAD_ROWS."""
        return unpack_rows(self.bits, self.n)


def saved_selections(steps: Iterable[Operation]) -> tuple[Saved, ...]:
    """What a workspace's log says is saved, by name."""
    found: dict[str, Saved] = {}
    for step in steps:
        told = step.payload
        if step.operation == SAVE:
            found[told["id"]] = Saved(**told)
        elif step.operation == RENAME and told["id"] in found:
            found[told["id"]] = replace(found[told["id"]], name=told["name"])
        elif step.operation == DELETE:
            found.pop(told["id"], None)
    return tuple(sorted(found.values(), key=lambda one: (one.name.casefold(), one.id)))


def make_saved(name: str, rows: np.ndarray, dataset: str, dataset_name: str, n: int,
               steps: Sequence[Operation]) -> Saved:
    """These rows of a dataset under a name beside what a log has. Raises ParameterError BAD_NAME,
    NAME_TAKEN; StoreError TOO_MANY, TOO_LARGE."""
    others = saved_selections(steps)
    made = Saved(secrets.token_hex(8), fitting_name(name, others), dataset, dataset_name, n,
                 len(rows), pack_rows(rows, n))
    if len(others) >= MOST:
        raise StoreError("TOO_MANY", f"A workspace keeps at most {MOST} saved selections.",
                         hint="Delete one that is no longer needed.")
    held = sum(len(step.payload["bits"]) for step in steps if step.operation == SAVE)
    if held + len(made.bits) > MOST_BYTES:
        raise StoreError("TOO_LARGE", f"A workspace's log has room for {MOST_BYTES // 2**20} MB of "
                                      "saved selections, those deleted again among them.",
                         hint="Export the rows instead, or go on in a new workspace.")
    return made


def fitting_name(name: str, others: Iterable[Saved]) -> str:
    """The name without blanks at its ends. Raises ParameterError BAD_NAME, NAME_TAKEN."""
    name = name.strip().encode("utf-8", "replace").decode()
    if not 0 < len(name) <= NAME_LENGTH:
        raise ParameterError("BAD_NAME", f"A name must have 1 to {NAME_LENGTH} characters, got "
                                         f"{len(name)}.")
    if any(one.name == name for one in others):
        raise ParameterError("NAME_TAKEN", f"A selection called {name!r} is already saved.",
                             hint="Choose another name, or delete that one first.")
    return name


def payload(one: Saved) -> dict[str, object]:
    """What is logged of a selection that is saved."""
    plain: dict[str, object] = json.loads(json.dumps(one.__dict__))
    return plain
