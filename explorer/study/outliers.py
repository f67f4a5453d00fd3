"""How strange each row is in the embedding, by three measures."""

from __future__ import annotations

from collections.abc import Mapping
from typing import ClassVar, Literal

import numpy as np
from pydantic import Field

from explorer.judge.centers import distances_to_centers
from explorer.judge.local_outlier import (
    local_outlier_factors,
    mean_distances,
    relative_distances,
)
from explorer.neighbors.nearest import Nearest
from explorer.spec import Cost, Facts, Progress, part
from explorer.study import Input, RowValue, Study
from explorer.study.subject import Subject, search_again
from explorer.values import Finding, Score


class Outliers(Study):
    """Measures how strange every row is among the vectors, whatever the map shows. Three numbers:
    how far its nearest rows are, how much emptier it is around it than around them, and how far it
    is from the centre of its cluster."""

    key: ClassVar[str] = "outliers"
    title: ClassVar[str] = "Outliers"
    question: ClassVar[str] = "Which rows are strange?"
    reads: ClassVar[tuple[Input, ...]] = ("embedding", "clustering")
    min_rows: ClassVar[int] = 3
    rows_say: ClassVar[Mapping[str, RowValue]] = {
        "distance": RowValue(
            "Distance to the nearest rows",
            "mean distance to the nearest other rows: high where a row is far from everything"),
        "lof": RowValue(
            "Local outlier factor (LOF)",
            "how much sparser it is around the row than around its nearest rows: about 1 inside a "
            "group, clearly above 1 just outside one, however dense that group is"),
        "in_cluster": RowValue(
            "Distance to its centre, relative",
            "distance to the centre of its cluster over the median of its cluster: 1 is usual, 3 "
            "is three times as far out as half of its cluster; not defined for noise"),
    }

    neighbors: int = Field(20, ge=2, le=500,
                           description="How many of its nearest rows a row is compared with.")
    metric: Literal["as clustered", "euclidean", "cosine"] = Field(
        "as clustered", description="How distance is measured; as clustered: as the clusters were "
                                    "made.")

    def limits(self, facts: Facts) -> Mapping[str, tuple[float, float]]:
        return {"neighbors": (2, max(2, facts.n - 1))}

    def estimate(self, n: int, d: int) -> Cost:
        search = Nearest(count=max(1, min(self.neighbors, n - 1))).estimate(n, d)
        # At least what a small exact search of many columns may hold: estimates never fall with n.
        return Cost(search.seconds + 1e-7 * n * (d + self.neighbors),
                    max(search.bytes, 200_000_000) + 16 * n * d)

    def study(self, subject: Subject, progress: Progress) -> Finding:
        """Per row 'distance', 'lof', 'in_cluster' float32."""
        vectors, labels = subject.embedding.vectors, subject.clustering.labels
        metric, notes = chosen_metric(self.metric, subject)
        near = search_again(Nearest(count=self.neighbors, metric=metric), vectors,
                            part(progress, 0.0, 0.9))
        progress(0.9, "comparing densities")
        factors = local_outlier_factors(near, self.neighbors)
        lost = int(np.isnan(factors).sum())
        if lost:
            notes += (f"LOF is not defined for {lost:,} rows: among their nearest rows is one with "
                      f"more than {self.neighbors:d} copies, infinitely dense.",)
        if not near.exact:
            notes += (f"Neighbours were searched approximately: {near.recall:.1%} of the true "
                      f"ones found on {near.recall_rows} sampled rows.",)
        progress(0.95, "measuring distances to the centres")
        inside = relative_distances(distances_to_centers(vectors, labels, metric), labels)
        rows = {"distance": mean_distances(near, self.neighbors), "lof": factors,
                "in_cluster": inside}
        return Finding(
            scores=tuple(_highest(self, name, values, subject, metric)
                         for name, values in rows.items()),
            per_row={name: values.astype(np.float32) for name, values in rows.items()},
            notes=notes)


def chosen_metric(asked: str, subject: Subject
                  ) -> tuple[Literal["euclidean", "cosine"], tuple[str, ...]]:
    """The metric a study of rows measures by, and what to say where it is not the clusters'."""
    wanted = subject.metric if asked == "as clustered" else asked
    if wanted == "cosine" and not subject.embedded.facts.zeros:
        return "cosine", ()
    if wanted == "euclidean":
        return "euclidean", ()
    why = "some rows are all zero and have no direction" if wanted == "cosine" else \
        "neighbours are searched by Euclidean or cosine distance only"
    return "euclidean", (f"Measured by Euclidean distance instead of {wanted}: {why}.",)


def _highest(study: Outliers, name: str, values: np.ndarray, subject: Subject,
             metric: str) -> Score:
    """The highest value there is, with what it was measured on."""
    known = values[np.isfinite(values)]
    title = study.rows_say[name].title
    return Score(f"{title}: highest", float(known.max()) if len(known) else None,
                 subject.embedded.title, metric, len(known), len(values),
                 "noise rows have no cluster" if name == "in_cluster" else "noise rows included",
                 why="" if len(known) else "Not defined for any row.", better="lower")
