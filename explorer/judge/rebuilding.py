"""How well rows were rebuilt: squared errors, PSNR, SSIM, and the linear baseline."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from explorer.spec import Progress

WINDOW, SIGMA = 11, 1.5
"""Of the SSIM, in pixels: as its authors have it."""
_SMALLEST_WINDOW = 3
_K1, _K2 = 0.01, 0.03
_MOST_SIDE = 5_000
"""A matrix of products is at most so large squared: 200 MB."""
_BLOCK_VALUES = 4_000_000


def squared_errors(rows: np.ndarray, made: np.ndarray) -> np.ndarray:
    """m float64: the mean over a row's numbers of (rebuilt - original)^2. Both m x any shape."""
    if not rows.size:
        return np.full(len(rows), np.nan)
    apart = made.reshape(len(rows), -1).astype(np.float64) - rows.reshape(len(rows), -1)
    found: np.ndarray = np.einsum("ij,ij->i", apart, apart) / apart.shape[1]
    return found


def peak_ratios(errors: np.ndarray) -> np.ndarray:
    """The PSNR in dB of mean squared errors of numbers from 0 to 1: 10 log10(1 / error); NaN where
    nothing differs (it would be infinite)."""
    errors = np.asarray(errors, dtype=np.float64)
    with np.errstate(divide="ignore"):
        found = -10 * np.log10(errors)
    found[errors == 0] = np.nan
    return found


@dataclass(frozen=True)
class Window:
    """The window of an SSIM: `side` pixels wide, 'Gaussian' of deviation SIGMA or 'even'; side 0:
    the images are too small for any."""

    side: int
    even: bool

    @property
    def said(self) -> str:
        """In words."""
        if not self.side:
            return "no window fits"
        shape = "even" if self.even else f"Gaussian (deviation {SIGMA})"
        return f"{self.side} x {self.side} pixels, {shape}"

    def weights(self) -> np.ndarray:
        """`side` float64 that sum to 1; the window is their outer product."""
        if self.even:
            return np.full(self.side, 1 / self.side)
        reach = np.arange(self.side) - self.side // 2
        found = np.exp(-0.5 * (reach / SIGMA)**2)
        return found / found.sum()


def window_for(height: int, width: int) -> Window:
    """The authors' window where it fits; in smaller images an even one of the largest odd side, at
    most 7."""
    least = min(height, width)
    if least >= WINDOW:
        return Window(WINDOW, even=False)
    side = min(7, least - 1 + least % 2)
    return Window(side, even=True) if side >= _SMALLEST_WINDOW else Window(0, even=True)


def similarities(rows: np.ndarray, made: np.ndarray) -> np.ndarray:
    """m float64 in -1..1: the mean SSIM of m images, both m x channels x height x width from 0 to 1
    (each channel alone, then their mean); only windows that lie wholly in the image; NaN where
    none fits (`window_for`).

    Source: Z. Wang, A. C. Bovik, H. R. Sheikh, E. P. Simoncelli, Image Quality Assessment: From
    Error Visibility to Structural Similarity, IEEE Transactions on Image Processing 13(4), 2004,
    eq. 13 to 16; K1 0.01, K2 0.03, range 1, weighted (population) moments.
    """
    window = window_for(*rows.shape[2:])
    if not window.side:
        return np.full(len(rows), np.nan)
    down, across = (_sliding(size, window.weights()) for size in rows.shape[2:])

    def local(values: np.ndarray) -> np.ndarray:
        found: np.ndarray = down @ values @ across.T
        return found

    x, y = rows.astype(np.float64), made.astype(np.float64)
    mean_x, mean_y = local(x), local(y)
    variances = local(x * x) - mean_x**2 + local(y * y) - mean_y**2
    together = local(x * y) - mean_x * mean_y
    c1, c2 = _K1**2, _K2**2
    found: np.ndarray = ((2 * mean_x * mean_y + c1) * (2 * together + c2)
                         / ((mean_x**2 + mean_y**2 + c1) * (variances + c2)))
    return found.mean(axis=(1, 2, 3))


def _sliding(size: int, weights: np.ndarray) -> np.ndarray:
    """(size - side + 1) x size: each row the window one pixel further."""
    count = size - len(weights) + 1
    found = np.zeros((count, size))
    for start in range(count):
        found[start, start:start + len(weights)] = weights
    return found


@dataclass(frozen=True)
class Linear:
    """PCA as an encoder and decoder: `mean` (d float64), `axes` (d x k float64, orthonormal),
    fitted on `fitted` rows."""

    mean: np.ndarray
    axes: np.ndarray
    fitted: int

    def rebuilt(self, rows: np.ndarray) -> np.ndarray:
        """m x d rows through the k numbers and back (float64)."""
        moved = rows - self.mean
        found: np.ndarray = moved @ self.axes @ self.axes.T + self.mean
        return found


def linear_baseline(rows: np.ndarray, places: np.ndarray, count: int, seed: int,
                    progress: Progress) -> Linear:
    """PCA of the rows at these places (int64, ascending) of n x d float32 `rows` (may be mapped
    from disk): the `count` (at least 1) main directions, fewer where the rows span fewer. Exact,
    block by block, by the matrix of products of columns, or of rows where these are fewer; where
    both are more than 5,000, by a random 5,000 of the rows (`seed`)."""
    from scipy.linalg import eigh

    d = rows.shape[1]
    if min(len(places), d) > _MOST_SIDE:
        draws = np.random.default_rng(seed)
        places = np.sort(draws.choice(places, _MOST_SIDE, replace=False))
    n = len(places)
    step = max(1, _BLOCK_VALUES // max(d, 1))
    starts = range(0, n, step)
    mean = np.zeros(d)
    for start in starts:
        mean += rows[places[start:start + step]].sum(axis=0, dtype=np.float64) / n
    side = min(n, d)
    count = min(count, side)
    if d <= n:
        products = np.zeros((d, d))
        for start in starts:
            progress(0.7 * start / n, "finding the main directions (PCA)")
            moved = rows[places[start:start + step]] - mean
            products += moved.T @ moved
        progress(0.7, "finding the main directions (PCA)")
        axes = eigh(products, subset_by_index=(side - count, side - 1))[1][:, ::-1]
    else:
        taken = rows[places]
        products = np.zeros((n, n))
        for start in range(0, d, max(1, _BLOCK_VALUES // n)):
            progress(0.7 * start / d, "finding the main directions (PCA)")
            part = slice(start, start + max(1, _BLOCK_VALUES // n))
            moved = taken[:, part] - mean[part]
            products += moved @ moved.T
        progress(0.7, "finding the main directions (PCA)")
        values, ways = eigh(products, subset_by_index=(side - count, side - 1))
        spanned = values > 1e-10 * max(float(values.max(initial=0.0)), 1e-300)
        ways = (ways[:, spanned] / np.sqrt(values[spanned]))[:, ::-1]
        axes = taken.T @ ways
    progress(1.0, "main directions found (PCA)")
    return Linear(mean, axes, n)


def percentiles(values: np.ndarray) -> np.ndarray:
    """n float64 from 0 to 100: the share of the defined values that are smaller, plus half of those
    that are equal (itself counted); NaN stays NaN."""
    values = np.asarray(values, dtype=np.float64)
    found = np.full(len(values), np.nan)
    known = np.isfinite(values)
    if known.any():
        order = np.sort(values[known])
        below = np.searchsorted(order, values[known], "left")
        upto = np.searchsorted(order, values[known], "right")
        found[known] = 50.0 * (below + upto) / len(order)
    return found


@dataclass(frozen=True)
class Ratio:
    """`value` with the ends of its 95 % interval (None: not defined)."""

    value: float
    low: float | None
    high: float | None


def ratio_of_means(one: np.ndarray, other: np.ndarray) -> Ratio | None:
    """The mean of `one` over the mean of `other` (both positive numbers), the interval by the delta
    method on its logarithm; None where a mean is 0 or a side is empty."""
    if not len(one) or not len(other):
        return None
    above, below = float(one.mean()), float(other.mean())
    if above <= 0 or below <= 0:
        return None
    value = above / below
    if len(one) < 2 or len(other) < 2:
        return Ratio(value, None, None)
    squares = (float(one.var(ddof=1)) / (len(one) * above**2)
               + float(other.var(ddof=1)) / (len(other) * below**2))
    reach = float(np.exp(1.96 * np.sqrt(squares)))
    return Ratio(value, value / reach, value * reach)
