"""Training of self-organising maps: a grid of neurons is laid over the rows."""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar, Literal

import numpy as np
from pydantic import Field

from explorer.self_organize.layout import Layout, Trained
from explorer.spec import Cost, Method, Progress, advanced, part

MOST_BY_ITSELF = 600
"""Neurons of a grid sized from the data: more cells than can be looked at help nobody."""
_LONGEST = 3.0
_BLOCK_VALUES = 2_000_000
_DENSE_UP_TO = 1000
_STEPS_AT_ONCE = 500


class SelfOrganizing(Method):
    """The part of a declaration that says how a grid is trained."""

    min_rows: ClassVar[int] = 3
    min_distinct: ClassVar[int] = 2

    width: int | None = Field(
        None, ge=2, le=60, description="Neurons from left to right. Empty: from the data, about "
        f"5 x the root of the rows in all, at most {MOST_BY_ITSELF}, wider where the rows are.")
    height: int | None = Field(
        None, ge=2, le=60, description="Neurons from top to bottom; empty: from the data.")
    topology: Literal["hexagonal", "rectangular"] = Field(
        "hexagonal", description="Whether a neuron touches 6 others or 8.")
    metric: Literal["euclidean", "cosine"] = Field(
        "euclidean", description="How rows and neurons are compared; cosine brings every row to "
                                 "length 1 first.")
    rounds: int = advanced(20, ge=1, le=1000, description="How often all rows are looked at.")
    radius: float | None = advanced(
        None, ge=1, le=60, description="How many cells around a neuron learn with it at first; "
        "falls to 1. Empty: half the shorter side.")
    training: Literal["batch", "sequential"] = advanced(
        "batch", description="Move all neurons once a round (batch: fast, the order of rows does "
        "not matter), or a little after every row (sequential, by MiniSom: slow).")
    learning_rate: float = advanced(
        0.5, gt=0, le=1, description="How far a neuron moves towards a row at first; sequential "
                                     "training only.")
    init: Literal["pca", "random"] = advanced(
        "pca", description="Where the neurons start: spread along the two main directions, or on "
                           "rows drawn at random.")
    seed: int = advanced(0, ge=0, le=2**32 - 1, description="Same seed, same result.")

    def neurons(self, n: int) -> int:
        """About how many neurons there will be for n rows."""
        if self.width is not None and self.height is not None:
            return self.width * self.height
        wanted = int(np.clip(5 * np.sqrt(n), 4, MOST_BY_ITSELF))
        given = self.width or self.height
        return wanted if given is None else given * max(2, round(wanted / given))

    def training_cost(self, n: int, d: int) -> Cost:
        """Seconds of one core and bytes of `train`."""
        m = self.neurons(n)
        search = n * m * (8e-11 * d + 1e-8)
        if self.training == "batch":
            each = search + n * (2e-9 * d + 2e-7) + m * m * (2e-8 + 1e-10 * d)
        else:
            each = n * (3e-5 + m * (1.2e-8 + 3.5e-9 * d))
        return Cost(0.05 + self.rounds * each + search,
                    16 * n * d + 40 * _BLOCK_VALUES + 24 * m * m + 40 * m * d + 40 * n)

    def train(self, vectors: np.ndarray, progress: Progress) -> Trained:
        """The grid laid over n x d vectors.

        Batch training is the batch map (Kohonen 2013, equation 8) as MiniSom's
        `train_batch_offline` computes it with a learning rate of 1: weights become the mean of all
        rows, weighted by exp(-g^2 / 2 r^2) of the grid distance g to the row's nearest neuron; the
        radius r falls linearly to 1.
        """
        data = _prepared(vectors, self.metric)
        main = _main_directions(data.rows)
        layout = self._layout(len(vectors), main)
        weights = self._start(data.rows, layout, main)
        radius = self.radius or max(1.0, min(layout.width, layout.height) / 2)
        learn = self._in_batches if self.training == "batch" else self._in_sequence
        weights = learn(data.rows, layout, weights, radius, part(progress, 0.0, 0.95))
        progress(0.95, f"finding the neurons of {len(vectors):,} rows")
        best, second, near, far = _two_nearest(data.rows, weights)
        return Trained(layout, weights * data.unit + data.offset, best, second, near * data.unit,
                       far * data.unit)

    def _layout(self, n: int, main: _Main) -> Layout:
        wanted = float(np.clip(5 * np.sqrt(n), 4, MOST_BY_ITSELF))
        first, second = main.spreads
        ratio = min(_LONGEST, first / second) if second > 0 else _LONGEST
        width, height = self.width, self.height
        if width is None and height is None:
            height = max(2, round(np.sqrt(wanted / ratio)))
        if width is None:
            assert height is not None
            width = int(np.clip(round(wanted / height), 2, 300))
        if height is None:
            height = int(np.clip(round(wanted / width), 2, 300))
        return Layout(width, height, self.topology == "hexagonal")

    def _start(self, rows: np.ndarray, layout: Layout, main: _Main) -> np.ndarray:
        """m x d: the first weights."""
        m = layout.width * layout.height
        if self.init == "random":
            draws = np.random.default_rng(self.seed)
            return rows[draws.choice(len(rows), size=m, replace=len(rows) < m)].copy()
        across, down = np.meshgrid(np.linspace(-1, 1, layout.width),
                                   np.linspace(-1, 1, layout.height), indexing="ij")
        steps = np.column_stack([across.ravel(), down.ravel()]) * main.spreads
        return steps @ main.directions.T + rows.mean(axis=0)

    def _in_batches(self, rows: np.ndarray, layout: Layout, weights: np.ndarray, radius: float,
                    progress: Progress) -> np.ndarray:
        from scipy.sparse import csr_array

        n = len(rows)
        for turn in range(self.rounds):
            share = part(progress, turn / self.rounds, (turn + 1) / self.rounds)
            best = _nearest(rows, weights, share, f"round {turn + 1} of {self.rounds}")
            member = csr_array((np.ones(n), (best, np.arange(n))), shape=(len(weights), n))
            width = radius + turn * (1 - radius) / self.rounds
            pull = np.exp(-layout.squares / (2 * width * width))
            count = pull @ np.bincount(best, minlength=len(weights))
            # A neuron too far from every row for double precision stays where it is.
            moved = count > 0
            weights[moved] = (pull @ (member @ rows))[moved] / count[moved, None]
        return weights

    def _in_sequence(self, rows: np.ndarray, layout: Layout, weights: np.ndarray, radius: float,
                     progress: Progress) -> np.ndarray:
        from minisom import MiniSom

        model = MiniSom(layout.width, layout.height, rows.shape[1], sigma=radius,
                        learning_rate=self.learning_rate, topology=self.topology,
                        decay_function="linear_decay_to_zero",
                        sigma_decay_function="linear_decay_to_one", random_seed=0)
        model.get_weights()[:] = weights.reshape(layout.width, layout.height, -1)
        draws = np.random.default_rng(self.seed)
        total, done = self.rounds * len(rows), 0
        for _ in range(self.rounds):
            for row in draws.permutation(len(rows)):
                if done % _STEPS_AT_ONCE == 0:
                    progress(done / total, f"row {done:,} of {total:,}")
                model.update(rows[row], model.winner(rows[row]), done, total)
                done += 1
        return np.asarray(model.get_weights()).reshape(len(weights), -1)


@dataclass(frozen=True)
class _Prepared:
    """n x d float64 `rows`, centred and at most 1; times `unit` plus `offset` they are the data."""

    rows: np.ndarray
    offset: np.ndarray
    unit: float


def _prepared(vectors: np.ndarray, metric: str) -> _Prepared:
    data = np.asarray(vectors, dtype=np.float64)
    if metric == "cosine":
        # By the largest value first: the squares of 1e-200 are 0.
        data = data / np.abs(data).max(axis=1, keepdims=True)
        data = data / np.linalg.norm(data, axis=1, keepdims=True)
    offset = data.mean(axis=0)
    data = data - offset
    unit = float(2.0 ** np.frexp(np.abs(data).max(initial=0.0))[1])
    return _Prepared(data / unit, offset, unit)


@dataclass(frozen=True)
class _Main:
    """The two main directions (d x 2) and the standard deviations along them, falling."""

    directions: np.ndarray
    spreads: np.ndarray


def _main_directions(rows: np.ndarray) -> _Main:
    from scipy.sparse.linalg import LinearOperator, eigsh

    n, d = rows.shape
    if d == 1:
        return _Main(np.array([[1.0, 0.0]]), np.array([rows.std(), 0.0]))
    if d <= _DENSE_UP_TO:
        values, vectors = np.linalg.eigh(rows.T @ rows / n)
    else:
        product = LinearOperator((d, d), matvec=lambda v: rows.T @ (rows @ v) / n, dtype=float)
        values, vectors = eigsh(product, k=2, v0=rows.var(axis=0))
    directions = vectors[:, ::-1][:, :2]
    # The same side for rows in any order: the largest loading is positive.
    sizes = np.abs(directions)
    at = np.argmax(sizes >= sizes.max(axis=0) * (1 - 1e-6), axis=0)
    directions = directions * np.where(directions[at, [0, 1]] < 0, -1.0, 1.0)
    return _Main(directions, np.sqrt(np.maximum(values[::-1][:2], 0.0)))


def _nearest(rows: np.ndarray, weights: np.ndarray, progress: Progress, text: str) -> np.ndarray:
    """n intp: the neuron nearest to each row."""
    norms = np.einsum("ij,ij->i", weights, weights)
    best = np.empty(len(rows), dtype=np.intp)
    size = max(1, _BLOCK_VALUES // len(weights))
    for start in range(0, len(rows), size):
        progress(start / len(rows), text)
        far = rows[start:start + size] @ weights.T
        far *= -2
        far += norms
        # The plain smallest: equal weights would stay equal for ever if the first always won.
        best[start:start + size] = np.argmin(far, axis=1)
    return best


def _two_nearest(rows: np.ndarray, weights: np.ndarray
                 ) -> tuple[np.ndarray, np.ndarray, np.ndarray, np.ndarray]:
    """best, second (int32), and their distances (float64), of each row."""
    norms = np.einsum("ij,ij->i", weights, weights)
    found = np.empty((2, len(rows)), dtype=np.int32)
    far = np.empty((2, len(rows)))
    size = max(1, _BLOCK_VALUES // max(weights.shape))
    for start in range(0, len(rows), size):
        block = rows[start:start + size]
        squares = norms - 2 * (block @ weights.T)
        for place in range(2):
            best = _first_smallest(squares)
            squares[np.arange(len(block)), best] = np.inf
            found[place, start:start + size] = best
            far[place, start:start + size] = np.linalg.norm(block - weights[best], axis=1)
    return found[0], found[1], far[0], far[1]


def _first_smallest(squares: np.ndarray) -> np.ndarray:
    """Per row the first of the smallest; what differs by rounding only counts as equal, so that
    copies of a row always find the same neuron."""
    least = squares.min(axis=1, keepdims=True)
    found: np.ndarray = np.argmax(squares <= least + 1e-12 * (1 + np.abs(least)), axis=1)
    return found
