"""What people did to a clustering, read off the log of their workspace.

A clustering here is the one the recipe made: names, notes, locks and edits all say which one they
are about, and stay with it when another takes its place.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from typing import Any

import numpy as np

from explorer.edit import Edit, Labelled
from explorer.errors import DataError

KINDS = ("edit", "rename", "note", "lock")
"""The operations that change how a clustering is seen; they are undone in one line."""


@dataclass(frozen=True)
class Changes:
    """What was done to one clustering: `edits` in order (a recipe's `edits`, plain data), and of
    its clusters the `names` and `notes` people gave and which are `locked`."""

    edits: tuple[dict[str, Any], ...] = ()
    names: Mapping[int, str] = field(default_factory=dict)
    notes: Mapping[int, str] = field(default_factory=dict)
    locked: frozenset[int] = frozenset()


def changes_of(operations: Iterable[tuple[str, Mapping[str, Any]]], clustering: str) -> Changes:
    """Fold (kind, payload) of the active operations, oldest first, that are about `clustering`.

    An edit without an 'edit' goes back to the original: what was said about clusters from its
    'first' on was said about clusters that are gone.
    """
    edits: list[dict[str, Any]] = []
    names: dict[int, str] = {}
    notes: dict[int, str] = {}
    locked: dict[int, bool] = {}
    for kind, payload in operations:
        if kind not in KINDS or payload.get("clustering") != clustering:
            continue
        if kind == "edit" and payload["edit"] is None:
            edits.clear()
            for told in (names, notes, locked):
                for cluster in [cluster for cluster in told if cluster >= payload["first"]]:
                    del told[cluster]
        elif kind == "edit":
            edits.append(payload["edit"])
            names |= {int(cluster): name for cluster, name in payload.get("names", {}).items()}
        elif kind == "rename":
            names[int(payload["cluster"])] = payload["name"]
        elif kind == "note":
            notes[int(payload["cluster"])] = payload["note"]
        else:
            locked[int(payload["cluster"])] = bool(payload["locked"])
    return Changes(tuple(edits), {cluster: name for cluster, name in names.items() if name},
                   {cluster: note for cluster, note in notes.items() if note},
                   frozenset(cluster for cluster, held in locked.items() if held))


def refuse_locked(edit: Edit, before: Labelled, locked: Iterable[int],
                  called: Mapping[int, str]) -> None:
    """Raise DataError LOCKED when an edit would take rows from, or give rows to, a locked cluster;
    `called` are the names people read. Raises what `Edit.touches` raises."""
    held = np.array(sorted(locked), dtype=np.int64)
    touched = edit.touches(before)
    hit = sorted({*np.intersect1d(before.labels[touched.rows], held).tolist(),
                  *(cluster for cluster in touched.into if cluster in held)})
    if hit:
        named = ", ".join(called.get(cluster) or f"Cluster {cluster}" for cluster in hit[:5])
        raise DataError("LOCKED", f"Locked clusters must keep their rows; this edit would change "
                                  f"those of {named}.",
                        hint="Unlock it first, or leave its rows out.")
