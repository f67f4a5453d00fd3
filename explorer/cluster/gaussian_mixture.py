"""Gaussian mixture by scikit-learn: every row belongs to every cluster to some degree."""

from __future__ import annotations

import warnings
from collections.abc import Mapping
from typing import TYPE_CHECKING, Any, ClassVar, Literal

import numpy as np
from pydantic import Field

from explorer.cluster import Clusterer
from explorer.cluster.prepare import only_found, prepare
from explorer.errors import DataError
from explorer.spec import Cost, Facts, Progress, advanced
from explorer.values import Clustering, by_size

if TYPE_CHECKING:
    from sklearn.mixture import GaussianMixture as Fit

_AT_ONCE = 5
"""Rounds between two reports; each report costs half a round."""
_COVARIANCES = {"full": "full", "tied": "tied", "diagonal": "diag", "spherical": "spherical"}


class GaussianMixture(Clusterer):
    """Describes the rows as a mixture of bell-shaped clouds, which may be long, tilted and of
    different sizes. Every row belongs to each of them to some degree; its cluster is the likeliest
    one, its strength how likely. The BIC compares numbers of clusters: lower is better."""

    key: ClassVar[str] = "gaussian_mixture"
    title: ClassVar[str] = "Gaussian mixture"
    rank: ClassVar[int] = 40
    sweeps: ClassVar[str] = "clusters"
    draws: ClassVar[tuple[str, ...]] = ("memberships",)
    min_rows: ClassVar[int] = 2
    min_distinct: ClassVar[int] = 2

    clusters: int = Field(8, ge=2, le=200, description="How many clouds to fit.")
    covariance: Literal["full", "tied", "diagonal", "spherical"] = Field(
        "full", description="Their shapes: each its own, tilted (full), one shape for all (tied), "
                            "along the columns (diagonal), or round (spherical). Many columns want "
                            "diagonal.")
    restarts: int = advanced(
        1, ge=1, le=100, description="How often to start again; the likeliest result is kept.")
    max_iterations: int = advanced(
        100, ge=1, le=10_000, description="The most rounds of one start.")
    regularization: float = advanced(
        1e-6, ge=1e-9, le=1, description="Added to every variance, as a share of the mean "
                                         "variance of the columns: keeps clouds from shrinking "
                                         "onto one row.")
    seed: int = advanced(0, ge=0, le=2**32 - 1, description="Same seed, same result.")

    def limits(self, facts: Facts) -> Mapping[str, tuple[float, float]]:
        distinct = facts.n if facts.distinct is None else facts.distinct
        return {"clusters": (2, min(200, distinct))}

    def check(self, facts: Facts) -> tuple[str, ...]:
        notes = super().check(facts)
        numbers = self._numbers(facts.d)
        if numbers > facts.n * facts.d:
            notes += (f"{self.clusters} {self.covariance} clouds in {facts.d} columns are "
                      f"{numbers:,} numbers to find, more than the {facts.n * facts.d:,} values "
                      "there are: choose diagonal, or encode to fewer dimensions.",)
        return notes

    def estimate(self, n: int, d: int) -> Cost:
        rounds, each = self.restarts * min(self.max_iterations, 50), self.clusters
        wide = self.covariance in ("full", "tied")
        shared = 1 if self.covariance == "tied" else each
        row = each * (3e-8 + (7e-10 * d + 1e-10 * d * d if wide else 1.5e-9 * d))
        matrices = shared * 4e-10 * d**3 if wide else 0.0
        return Cost(seconds=0.1 + rounds * (1e-3 + n * row + matrices),
                    bytes=40 * n * d + 32 * n * each + (24 * shared * d * d if wide else 0))

    def cluster(self, vectors: np.ndarray, progress: Progress) -> Clustering:
        """`strengths`: the probability of a row's own cluster. `extras`: 'memberships' n x k
        float32, the probability of every cluster, in label order; 'centers' k x d float32; 'bic'
        and 'log_likelihood' (mean per row), 1 float64 each, in the unit of the data.

        Raises DataError NO_FIT when a cloud shrinks to nothing.
        """
        self.check(Facts(*vectors.shape))
        prepared = prepare(vectors)
        spread = float(np.sqrt(prepared.vectors.var(axis=0).mean())) or 1.0
        data = prepared.vectors / spread
        fit = self._likeliest(data, progress)
        chances = fit.predict_proba(data)
        raw = np.argmax(chances, axis=1)
        labels = by_size(raw)
        found = int(labels.max()) + 1
        old = np.array([raw[np.argmax(labels == label)] for label in range(found)])
        # A density in another unit differs by unit^d at every row.
        moved = vectors.shape[1] * np.log(spread * prepared.unit)
        likelihood = float(fit.score(data)) - moved
        bic = float(fit.bic(data)) + 2 * len(data) * moved
        centers = fit.means_[old] * (spread * prepared.unit) + vectors.mean(axis=0,
                                                                            dtype=np.float64)
        progress(1.0, f"{found} clusters")
        return Clustering(
            labels=labels, metric="euclidean",
            strengths=np.clip(chances.max(axis=1), 0, 1).astype(np.float32),
            notes=self._notes(fit, found, bic),
            extras={"memberships": chances[:, old].astype(np.float32),
                    "centers": centers.astype(np.float32), "bic": np.array([bic]),
                    "log_likelihood": np.array([likelihood])})

    def _numbers(self, d: int) -> int:
        """How many numbers describe the mixture."""
        shape = {"full": self.clusters * d * (d + 1) // 2, "tied": d * (d + 1) // 2,
                 "diagonal": self.clusters * d, "spherical": self.clusters}[self.covariance]
        return shape + self.clusters * d + self.clusters - 1

    def _likeliest(self, data: np.ndarray, progress: Progress) -> Fit:
        """What GaussianMixture(n_init=restarts, random_state=seed) finds: its starts are drawn
        from one random state, and each goes on where the last report stopped it."""
        from sklearn.exceptions import ConvergenceWarning
        from sklearn.mixture import GaussianMixture as Fit
        from threadpoolctl import threadpool_limits

        draws: Any = np.random.RandomState(self.seed)
        best: Fit | None = None
        for start in range(self.restarts):
            fit = Fit(n_components=self.clusters, covariance_type=_COVARIANCES[self.covariance],
                      reg_covar=self.regularization, random_state=draws, warm_start=True)
            done = 0
            while done < self.max_iterations and not getattr(fit, "converged_", False):
                progress((start + done / self.max_iterations) / self.restarts,
                         f"start {start + 1} of {self.restarts}, round {done + 1}")
                fit.set_params(max_iter=min(_AT_ONCE, self.max_iterations - done))
                with warnings.catch_warnings(), threadpool_limits(limits=1):
                    warnings.simplefilter("ignore", ConvergenceWarning)  # becomes a note
                    try:
                        fit.fit(data)
                    except ValueError as error:
                        raise DataError(
                            "NO_FIT", "The clouds must have some width, got one that shrank to "
                            "nothing.", hint="Raise regularization, ask for fewer clusters or "
                            "choose diagonal or spherical.") from error
                done += fit.n_iter_
            if best is None or fit.lower_bound_ > best.lower_bound_:
                best = fit
        assert best is not None
        return best

    def _notes(self, fit: Fit, found: int, bic: float) -> tuple[str, ...]:
        notes = (f"BIC {bic:,.1f} for {self.clusters} clusters, {self.covariance} (lower is "
                 "better; compare it for the same rows and columns only).",
                 *only_found(found, self.clusters))
        if not fit.converged_:
            notes += (f"The clouds were still moving after {self.max_iterations} rounds; allow "
                      "more for a settled result.",)
        return notes
