"""The silhouette plot as the bytes its front end draws."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np


@dataclass(frozen=True)
class Group:
    """One cluster's bars: `start`..`end` in the order drawn, and their mean."""

    cluster: int
    start: int
    end: int
    mean: float


@dataclass(frozen=True)
class Bars:
    """m scored rows in the order drawn, by cluster and falling silhouette: their places among the n
    rows (`order`, uint32) and their silhouettes (`values`, float32), both little-endian bytes."""

    order: bytes
    values: bytes
    groups: tuple[Group, ...]
    low: float
    high: float


def sort_bars(silhouettes: np.ndarray, labels: np.ndarray) -> Bars:
    """The bars of n silhouettes (float, NaN where not defined: no bar) with their n labels."""
    silhouettes, labels = np.asarray(silhouettes), np.asarray(labels)
    scored = np.flatnonzero(np.isfinite(silhouettes))
    # Stable: equal silhouettes stay in the order of their rows.
    order = scored[np.lexsort((scored, -silhouettes[scored], labels[scored]))]
    values = silhouettes[order].astype("<f4")
    clusters, starts = np.unique(labels[order], return_index=True)
    ends = np.append(starts[1:], len(order))
    groups = tuple(Group(int(cluster), int(start), int(end),
                         float(np.mean(silhouettes[order[start:end]])))
                   for cluster, start, end in zip(clusters, starts, ends, strict=True))
    return Bars(order.astype("<u4").tobytes(), values.tobytes(), groups,
                min(0.0, float(values.min(initial=0.0))), max(0.05, float(values.max(initial=0.0))))
