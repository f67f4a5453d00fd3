"""What every session reads of the store and the queue, read once for all of them."""

from __future__ import annotations

import time
from collections.abc import Callable, Hashable, Sequence

from explorer.dataset import Dataset
from explorer.jobs import Step
from explorer.run import Run
from explorer.ui.backend import backend
from explorer.ui.kept import Kept

_LOOK_SECONDS = 5.0
"""What changes seldom is looked at once in so long."""
_datasets: Kept[Dataset] = Kept(64)
_runs: Kept[Run] = Kept(64)
_missing: Kept[tuple[Step, ...]] = Kept(64)
_calibrations: Kept[dict[str, float]] = Kept(64)


def shared_dataset(key: str, told: Hashable, read: Callable[[], Dataset]) -> Dataset:
    """The dataset `key` as one import told it, with roles (`told` names both)."""
    store = backend().store
    if not store.has(key):  # gone meanwhile: refused, though other sessions still hold it
        return read()
    return _datasets.get((str(store.root), key, told), read)


def shared_run(made_of: Hashable, whole: Run) -> Run:
    """The same run as another session opened it, so that its arrays are there once. `whole`: with
    every result stored; `made_of` names recipe and dataset."""
    return _runs.get((str(whole.store.root), made_of), lambda: whole)


def missing_of_whole(run: Run) -> tuple[Step, ...]:
    """The steps of a run that was whole and are missing now, looked at now and then: somebody may
    have taken files away."""
    key = (str(run.store.root), tuple(step.key for step in run.plan.steps), _moment())
    return _missing.get(key, lambda: run.plan.missing(run.store))


def calibration(methods: Sequence[str]) -> dict[str, float]:
    """Method key -> measured over estimated seconds on this machine, where there are runs. A page
    plans several times a rerun, and this changes when jobs end."""
    return _calibrations.get((str(backend().folder), tuple(methods), _moment()),
                             lambda: _measured(methods))


def _measured(methods: Sequence[str]) -> dict[str, float]:
    measured = {method: backend().jobs.calibration(method) for method in methods}
    return {method: factor for method, factor in measured.items() if factor is not None}


def _moment() -> int:
    return int(time.monotonic() / _LOOK_SECONDS)
