"""Errors, PSNR, SSIM and the linear baseline against slow references and scikit-learn."""

import numpy as np
import pytest
from scipy.stats import percentileofscore
from sklearn.decomposition import PCA

from explorer.judge.rebuilding import (
    linear_baseline,
    peak_ratios,
    percentiles,
    ratio_of_means,
    similarities,
    squared_errors,
    window_for,
)
from explorer.spec import silent


def slow_ssim(x, y, side, sigma):
    """The formula of Wang et al. 2004, pixel by pixel, for one channel; sigma None: even."""
    reach = np.arange(side) - side // 2
    line = np.ones(side) if sigma is None else np.exp(-(reach**2) / (2 * sigma**2))
    window = np.outer(line, line) / np.outer(line, line).sum()
    c1, c2, found = 0.01**2, 0.03**2, []
    for top in range(x.shape[0] - side + 1):
        for left in range(x.shape[1] - side + 1):
            a = x[top:top + side, left:left + side]
            b = y[top:top + side, left:left + side]
            ma, mb = (window * a).sum(), (window * b).sum()
            va, vb = (window * (a - ma)**2).sum(), (window * (b - mb)**2).sum()
            cov = (window * (a - ma) * (b - mb)).sum()
            found.append((2 * ma * mb + c1) * (2 * cov + c2)
                         / ((ma**2 + mb**2 + c1) * (va + vb + c2)))
    return np.mean(found)


def pictures(seed, *shape):
    return np.random.default_rng(seed).uniform(size=shape)


@pytest.mark.parametrize(("height", "width", "side", "sigma"), [
    (14, 17, 11, 1.5), (11, 11, 11, 1.5), (8, 8, 7, None), (10, 9, 7, None), (4, 6, 3, None)])
def test_ssim_is_the_formula(height, width, side, sigma):
    rows = pictures(0, 3, 2, height, width)
    made = np.clip(rows + 0.2 * pictures(1, 3, 2, height, width), 0, 1)
    expected = [np.mean([slow_ssim(a, b, side, sigma) for a, b in zip(row, other, strict=True)])
                for row, other in zip(rows, made, strict=True)]
    np.testing.assert_allclose(similarities(rows, made), expected, atol=1e-12)
    assert f"{side} x {side} pixels" in window_for(height, width).said


def waves(height, width):
    """A picture and a worse one, by formula: the same wherever they are drawn."""
    down, across = np.mgrid[:height, :width]
    picture = 0.5 + 0.5 * np.sin(down / 3) * np.cos(across / 2)
    return picture, np.clip(0.8 * picture + 0.15 * np.cos(down * across / 5), 0, 1)


@pytest.mark.parametrize(("height", "width", "expected"), [
    (28, 28, 0.7858236815301427), (20, 33, 0.7886788135184262), (8, 8, 0.9175936446767652)])
def test_ssim_of_another_library(height, width, expected):
    # skimage.metrics.structural_similarity of scikit-image 0.26 with data_range=1,
    # use_sample_covariance=False and gaussian_weights=True, sigma=1.5 (large) or win_size=7.
    one, other = (values[None, None] for values in waves(height, width))
    assert similarities(one, other)[0] == pytest.approx(expected, abs=1e-9)


def test_ssim_of_the_same_and_of_too_small_pictures():
    rows = pictures(2, 2, 1, 12, 12)
    np.testing.assert_allclose(similarities(rows, rows), 1.0)
    assert np.isnan(similarities(rows[:, :, :2], rows[:, :, :2])).all()
    assert window_for(1, 1).side == 0


def test_errors_and_peak_ratios():
    rows = np.zeros((3, 1, 2, 2), dtype=np.float32)
    made = rows.copy()
    made[1] += 0.1
    made[2, 0, 0, 0] = 1.0
    errors = squared_errors(rows, made)
    np.testing.assert_allclose(errors, [0, 0.01, 0.25], rtol=1e-6)
    ratios = peak_ratios(errors)
    assert np.isnan(ratios[0])  # infinite: nothing differs
    np.testing.assert_allclose(ratios[1:], [20, 10 * np.log10(4)], rtol=1e-6)


@pytest.mark.parametrize(("n", "d"), [(60, 7), (9, 40)])
def test_linear_baseline_is_pca_of_the_rows_given(n, d):
    rows = np.random.default_rng(0).normal(3, np.linspace(1, 3, d), size=(n, d)).astype(np.float32)
    places = np.arange(0, n, 2)
    found = linear_baseline(rows, places, 3, 0, silent)
    oracle = PCA(3, svd_solver="full").fit(rows[places].astype(np.float64))
    expected = oracle.inverse_transform(oracle.transform(rows))
    np.testing.assert_allclose(found.rebuilt(rows), expected, atol=1e-5)
    assert found.fitted == len(places)


def test_linear_baseline_of_as_many_axes_as_the_rows_span_is_exact():
    rows = np.random.default_rng(0).normal(size=(4, 9)).astype(np.float32)
    found = linear_baseline(rows, np.arange(4), 8, 0, silent)
    np.testing.assert_allclose(found.rebuilt(rows), rows, atol=1e-6)
    assert found.axes.shape[1] == 3  # four rows lie in three directions around their mean


def test_percentiles_halve_ties():
    values = np.array([3.0, 1, 2, 2, np.nan, 5])
    known = values[np.isfinite(values)]
    expected = [percentileofscore(known, value, "mean") for value in known]
    found = percentiles(values)
    np.testing.assert_allclose(found[np.isfinite(values)], expected)
    assert np.isnan(found[4])


def test_the_interval_of_a_ratio_covers_it_as_often_as_it_says():
    draws = np.random.default_rng(0)
    inside = 0
    for _ in range(400):
        found = ratio_of_means(draws.gamma(2, 1.5, 80), draws.gamma(2, 1.0, 300))
        inside += found.low <= 1.5 <= found.high
    assert 0.92 <= inside / 400 <= 0.98
    assert ratio_of_means(np.zeros(3), np.ones(3)) is None
    assert ratio_of_means(np.empty(0), np.ones(3)) is None
