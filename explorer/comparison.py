"""Encoders of the same rows, measured alike: what each one's own space is good for."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from explorer import values
from explorer.encode import Encoder
from explorer.encode.trained import TrainedEncoder
from explorer.jobs import Step
from explorer.judge import judges
from explorer.leaderboard import clusters_of, finding_of
from explorer.plan import Plan
from explorer.recipe import Call, Recipe
from explorer.store import Entry, Store
from explorer.study import Study
from explorer.study.agreement import Agreement
from explorer.study.probe import LINEAR, NEAREST, Probe
from explorer.study.reconstruction import Reconstruction
from explorer.study.step import study_step
from explorer.values import Finding, Judgement, Score, facts_in

MOST = 16
"""Encoders that are compared at once."""
JUDGE = "silhouette"
_KINDS = ("encode", "model", "tree", "cluster", "judge")
_REBUILT = "Share of the variance rebuilt"


@dataclass(frozen=True)
class Number:
    """A measured number with its 95 % interval, where it has one."""

    value: float
    low: float | None = None
    high: float | None = None


@dataclass(frozen=True)
class Line:
    """One encoder's numbers; None is not computed, not defined, or not asked for.

    `near`, `linear`: the probes (accuracy, or R2 of a number); `rebuilt`: the share of the variance
    of the rows, as the encoder saw them, that can be rebuilt from its vectors; `shares`, of PCA:
    that share for the first so many directions. `training` seconds are None for what is not
    trained. `told`: the scores with what they rest on, and notes.
    """

    dimensions: int | None = None
    rows: int | None = None
    space: str = ""
    near: Number | None = None
    linear: Number | None = None
    silhouette: Number | None = None
    clusters: int | None = None
    noise: float | None = None
    ari: float | None = None
    rebuilt: float | None = None
    shares: tuple[float, ...] = ()
    training: float | None = None
    encoding: float | None = None
    told: tuple[Score, ...] = ()
    notes: tuple[str, ...] = ()


@dataclass(frozen=True)
class Terms:
    """What is measured of every encoder: the probes of `column` ('' for none) with `k` neighbours
    by `metric`, and how the clusters agree with it."""

    column: str = ""
    k: int = 10
    metric: str = "euclidean"

    def studies_of(self, plan: Plan) -> dict[str, Study]:
        """What is asked about an encoder's run beside the silhouette."""
        found: dict[str, Study] = {}
        if self.column:
            found["probe"] = Probe.create(column=self.column, k=self.k, metric=self.metric)
            found["ari"] = Agreement.create(column=self.column)
        encoder = plan.recipe.encoding
        if isinstance(encoder, TrainedEncoder) and encoder.rebuilds:
            found["rebuilt"] = Reconstruction.create()
        return found

    def steps_of(self, plan: Plan) -> tuple[Step, ...]:
        """All steps of one encoder, in order. No map is drawn."""
        own = tuple(step for step in plan.steps if step.kind in _KINDS)
        return (*own, *(study_step(plan, study) for study in self.studies_of(plan).values()))

    def line_of(self, plan: Plan, store: Store) -> Line:
        """The numbers of an encoder, as far as they are there."""
        entry = store.find(plan.embedding)
        facts = None if entry is None else facts_in(entry)
        asked = {name: finding_of(plan, store, study)
                 for name, study in self.studies_of(plan).items()}
        judged = _judged(plan, store)
        model = None if plan.model is None else store.find(plan.model)
        shares = _shares(model)
        probe, rebuilt, ari = asked.get("probe"), asked.get("rebuilt"), asked.get("ari")
        count, noise = clusters_of(plan, store)
        return Line(
            dimensions=None if facts is None else facts.d, rows=None if facts is None else facts.n,
            space="" if entry is None else str(entry.meta["value"].get("title", "")),
            near=_probed(probe, NEAREST), linear=_probed(probe, LINEAR),
            silhouette=_number(judged[0]) if judged else None, clusters=count, noise=noise,
            ari=ari.scores[0].value if ari is not None and ari.scores else None,
            rebuilt=_rebuilt(rebuilt, shares), shares=shares, training=_training(plan, model),
            encoding=_seconds(entry),
            told=(*judged, *(score for found in (probe, ari) if found is not None
                             for score in found.scores[:1])),
            notes=() if probe is None else probe.notes)

    def blank(self) -> Line:
        """The line of an encoder that cannot be measured."""
        return Line()


def recipe_with(base: Recipe, encoder: Encoder | Call) -> Recipe:
    """The recipe whose numbers are compared: another encoder, the same clusterer in that encoder's
    own space, judged by the silhouette."""
    judge = Call.of(judges().create(JUDGE)).model_dump(mode="json")
    return base.unedited.using(encoder=encoder, cluster_in="embedding", judges=[judge])


def linear_share(dimensions: int | None, read: str | None,
                 lines: list[tuple[str | None, Line]]) -> float | None:
    """The share of the variance that PCA of so many numbers rebuilds, of rows read the same way
    (`read`, the key of what was read): from one of the (read, line) pairs that knows it."""
    if dimensions is None or read is None:
        return None
    return next((line.shares[dimensions - 1] for known, line in lines
                 if known == read and len(line.shares) >= dimensions), None)


def _judged(plan: Plan, store: Store) -> tuple[Score, ...]:
    entry = store.find(plan.judgements[JUDGE])
    return () if entry is None else values.read(Judgement, entry).scores


def _number(score: Score) -> Number | None:
    return None if score.value is None else Number(score.value, score.low, score.high)


def _probed(found: Finding | None, probe: str) -> Number | None:
    if found is None:
        return None
    line = next(line for line in found.tables["measures"] if line["probe"] == probe)
    return None if line["value"] is None else Number(line["value"], line["low"], line["high"])


def _rebuilt(found: Finding | None, shares: tuple[float, ...]) -> float | None:
    if found is not None:
        return next((score.value for score in found.scores if score.name == _REBUILT), None)
    return shares[-1] if shares else None


def _shares(model: Entry | None) -> tuple[float, ...]:
    if model is None or "extras.explained_variance_ratio.npy" not in model.files:
        return ()
    return tuple(np.cumsum(model.array("extras.explained_variance_ratio")).tolist())


def _training(plan: Plan, model: Entry | None) -> float | None:
    """The seconds the epochs took, over all runs of the training; None for what is not trained."""
    if model is None or not isinstance(plan.recipe.encoding, TrainedEncoder):
        return None
    return float(model.meta["value"].get("seconds", 0.0))


def _seconds(entry: Entry | None) -> float | None:
    return None if entry is None else float(entry.meta["provenance"].get("seconds", 0.0))


__all__ = ["MOST", "Line", "Number", "Terms", "linear_share", "recipe_with"]
