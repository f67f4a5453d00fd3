"""What is known of the scores of a run: every index, both silhouettes, and the rows they name."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property

import numpy as np

from explorer import values
from explorer.jobs import Step
from explorer.judge import Judge, judges
from explorer.judging import every_judge, judge_step, picture_judge_step
from explorer.run import Run, name_of
from explorer.ui.backend import backend
from explorer.ui.kept import Kept
from explorer.ui.shared import calibration
from explorer.values import Judgement

_judgements: Kept[Judgement] = Kept(128)
_picks: Kept[tuple[Pick, ...]] = Kept(64)
_NAMED = 60


@dataclass(frozen=True)
class Asked:
    """One judge of the bench: its step, and its answer where that is stored."""

    judge: Judge
    step: Step
    found: Judgement | None


@dataclass(frozen=True)
class Pick:
    """Dataset rows (int64, ascending) that can be chosen by one click: `title` on the button,
    `words` for what they are. `cluster`: the cluster they would rather be in, or are in; None for
    rows of any."""

    kind: str
    title: str
    words: str
    rows: np.ndarray
    cluster: int | None = None


@dataclass(frozen=True)
class Bench:
    """The scores of a run: `asked` of every judge, and the silhouette on the picture (None where
    the picture itself was clustered: then there is one silhouette only)."""

    run: Run
    asked: tuple[Asked, ...]
    picture: Asked | None

    @property
    def missing(self) -> tuple[Asked, ...]:
        """What is not computed, the picture's silhouette first."""
        every = (*((self.picture,) if self.picture else ()), *self.asked)
        return tuple(one for one in every if one.found is None)

    @property
    def silhouette(self) -> Asked:
        """The silhouette in the clustered space."""
        return self.of("silhouette")

    def of(self, key: str) -> Asked:
        """The judge of that key."""
        return next(one for one in self.asked if one.judge.key == key)

    @cached_property
    def values(self) -> np.ndarray:
        """The n silhouettes in the clustered space, float64; NaN where there is none."""
        return _silhouettes(self.silhouette.found, len(self.run.rows))

    @cached_property
    def on_picture(self) -> np.ndarray:
        """The n silhouettes on the picture, float64; NaN where there is none."""
        found = self.picture.found if self.picture else None
        return _silhouettes(found, len(self.run.rows))

    @property
    def second(self) -> np.ndarray:
        """The n second-best clusters, int; -1 where there is none."""
        found = self.silhouette.found
        if found is None or "second" not in found.per_row:
            return np.full(len(self.run.rows), -1)
        return np.asarray(found.per_row["second"])


def read_bench(current: Run) -> Bench:
    """The bench of a run as far as it is computed."""
    paces = calibration(tuple(judges().keys()))
    own = current.judgements
    asked = []
    for judge in every_judge(current.recipe):
        step = judge_step(current.plan, judge, paces)
        asked.append(Asked(judge, step, own.get(judge.key) or _read(step)))
    picture = None
    if current.recipe.cluster_in != "projection":
        silhouette = next(one.judge for one in asked if one.judge.key == "silhouette")
        step = picture_judge_step(current.plan, silhouette, paces)
        picture = Asked(silhouette, step, _read(step))
    return Bench(current, tuple(asked), picture)


def picks_of(bench: Bench, names: dict[int, str]) -> tuple[Pick, ...]:
    """The rows to choose by one click: all negative ones, those whose verdict differs on the
    picture, the weakest cluster, and by the cluster they would rather be in; none without rows."""
    key = (bench.silhouette.step.key, bench.picture.step.key if bench.picture else "",
           bench.picture is not None and bench.picture.found is not None,
           tuple(sorted(names.items())))
    return _picks.get(key, lambda: tuple(one for one in _find_picks(bench, names)
                                         if len(one.rows)))


def _find_picks(bench: Bench, names: dict[int, str]) -> list[Pick]:
    rows, own = bench.run.rows, bench.values
    negative = own < 0
    found = [Pick("negative", "All negative", "Rows with a negative silhouette", rows[negative])]
    shown = bench.on_picture
    found.append(Pick("hidden", "Negative here only",
                      "Rows negative in the clustered space, positive on the picture",
                      rows[negative & (shown > 0)]))
    found.append(Pick("torn", "Negative on the picture only",
                      "Rows positive in the clustered space, negative on the picture",
                      rows[(own > 0) & (shown < 0)]))
    weakest = weakest_cluster(bench)
    if weakest is not None:
        assert bench.run.clustering is not None
        name = name_of(weakest, names)
        found.append(Pick("weakest", f"Weakest: {name}",
                          f"Rows of {name}, the cluster with the lowest mean silhouette",
                          rows[np.asarray(bench.run.clustering.labels) == weakest], weakest))
    wanted, counts = np.unique(bench.second[negative], return_counts=True)
    for place in np.argsort(-counts, kind="stable")[:_NAMED]:
        cluster = int(wanted[place])
        if cluster >= 0:
            found.append(Pick("rather", name_of(cluster, names),
                              f"Rows that would rather be in {name_of(cluster, names)}",
                              rows[negative & (bench.second == cluster)], cluster))
    return found


def weakest_cluster(bench: Bench) -> int | None:
    """The cluster with the lowest mean silhouette; None where there is none."""
    means = cluster_means(bench, bench.values)
    known = {cluster: mean for cluster, mean in means.items() if np.isfinite(mean)}
    return min(known, key=lambda cluster: known[cluster]) if known else None


def cluster_means(bench: Bench, silhouettes: np.ndarray) -> dict[int, float]:
    """The mean of n silhouettes in each cluster (NaN where none is known)."""
    clustering = bench.run.clustering
    assert clustering is not None
    found = {}
    for cluster in clustering.clusters:
        inside = silhouettes[np.asarray(clustering.labels) == cluster]
        inside = inside[np.isfinite(inside)]
        found[cluster] = float(inside.mean()) if len(inside) else float("nan")
    return found


def _silhouettes(found: Judgement | None, n: int) -> np.ndarray:
    if found is None or "silhouette" not in found.per_row:
        return np.full(n, np.nan)
    return np.asarray(found.per_row["silhouette"], dtype=np.float64)


def _read(step: Step) -> Judgement | None:
    store = backend().store
    name = (str(store.root), step.key)
    held = _judgements.find(name)
    if held is not None:
        return held
    entry = store.find(step.key)
    return None if entry is None else _judgements.get(
        name, lambda: values.read(Judgement, entry))
