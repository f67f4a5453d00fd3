"""Two clusterings of one dataset set side by side: a job on two stored results."""

from __future__ import annotations

import time
from dataclasses import asdict, dataclass, replace
from pathlib import Path
from typing import Any

import numpy as np

from explorer import values
from explorer.flight import after_studying
from explorer.jobs import Step
from explorer.plan import Plan
from explorer.spec import Progress, result_key
from explorer.store import Store
from explorer.study.agreement import OUTSIDE, Noise, Side, compare
from explorer.values import Clustering, Embedding, Finding
from explorer.work import provenance

_CALL = "explorer.agreement:execute"
AT_ONCE = 3_000_000
"""Rows times groups up to which the numbers are found where they are asked for (a tenth of a
second); above it is a job."""


@dataclass(frozen=True)
class Sorted:
    """A stored clustering: its key, and that of the embedding whose rows it covers."""

    clustering: str
    embedding: str

    @classmethod
    def of(cls, plan: Plan, *, original: bool = False) -> Sorted:
        """The clustering of a plan; `original`: as the clusterer gave it, before edits."""
        return cls(plan.original if original else plan.clustering, plan.embedding)


def agreement_step(first: Sorted, second: Sorted, noise: Noise, n: int) -> Step:
    """The job that compares two clusterings of about n rows of one dataset; both must be stored.
    Row i of the finding is row i of the first one's embedding."""
    key = result_key("agreement", 1, asdict(first), asdict(second), noise)
    payload: dict[str, Any] = {"step": "agreement", "key": key, "first": asdict(first),
                               "second": asdict(second), "noise": noise,
                               "inputs": {"first": first.clustering, "second": second.clustering}}
    return Step(key=key, kind="study", title="Agreement of two clusterings", call=_CALL,
                payload=payload, seconds=0.3 + 2e-6 * n)


def execute(payload: dict[str, Any], home: str, progress: Progress) -> None:
    """Compare the two clusterings of `payload` and store the finding under its key."""
    compute(payload, Store(Path(home), create=False), progress)


def compute(payload: dict[str, Any], store: Store, progress: Progress) -> None:
    """`execute` with a store at hand."""
    if store.find(payload["key"]) is not None:
        return
    started = time.monotonic()
    ours, rows = _read(store, payload["first"])
    theirs, other_rows = _read(store, payload["second"])
    there = np.isin(rows, other_rows)
    beside = np.full(len(rows), OUTSIDE, dtype=np.int32)
    beside[there] = theirs.labels[np.searchsorted(other_rows, rows[there])]
    notes = [f"{np.count_nonzero(~there):,} rows have no vector in the other embedding and are "
             "left out."] if not there.all() else []
    more = int(np.count_nonzero(~np.isin(other_rows, rows)))
    if more:
        notes.append(f"{more:,} rows of the other embedding have no vector here and are left out.")
    found = compare(Side(ours.labels, "clusters"), Side(beside, "the other clusters"),
                    payload["noise"], progress, notes)
    found = replace(found, scores=tuple(replace(score, total=len(rows)) for score in found.scores))
    values.save(store, payload["key"], after_studying(found, len(rows)),
                provenance(payload, "Agreement of two clusterings", time.monotonic() - started))
    progress(1.0, "done")


def stored(store: Store, step: Step) -> Finding | None:
    """What a comparison found, where it is computed."""
    entry = store.find(step.key)
    return None if entry is None else values.read(Finding, entry)


def _read(store: Store, side: dict[str, str]) -> tuple[Clustering, np.ndarray]:
    return (values.read(Clustering, store.get(side["clustering"])),
            np.asarray(values.read(Embedding, store.get(side["embedding"])).rows))
