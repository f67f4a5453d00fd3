"""What goes with the clusters, against scipy."""

import numpy as np
import pytest
from scipy import stats
from scipy.stats.contingency import association

from explorer.judge.association import associate_categories, associate_numbers
from explorer.judge.measure_rows import kind_of_file, measure_picture, measure_texts
from tests.builders import png


@pytest.fixture(scope="module")
def labels():
    return np.random.default_rng(0).integers(-1, 4, size=300)


def test_eta_squared_is_that_of_the_analysis_of_variance(labels):
    values = np.random.default_rng(1).normal(size=300) + 0.3 * labels
    values[::11] = np.nan
    kept = np.isfinite(values) & (labels >= 0)
    groups = [values[kept & (labels == label)] for label in range(4)]
    f = stats.f_oneway(*groups).statistic
    between = f * 3
    found = associate_numbers(values, labels, 99, 0)
    assert found.effect == pytest.approx(between / (between + kept.sum() - 4))
    assert found.rows == kept.sum()
    assert associate_numbers(values * -1e12 + 7e12, labels, 19, 0).effect == pytest.approx(
        found.effect)
    renamed = np.where(labels < 0, -1, 3 - labels)
    assert associate_numbers(values, renamed, 19, 0).effect == pytest.approx(found.effect)


def test_cramers_v_is_scipys(labels):
    codes = np.where(np.random.default_rng(2).random(300) < 0.5, labels % 3, 2)
    codes[::13] = -1
    kept = (codes >= 0) & (labels >= 0)
    table = np.zeros((3, 4), dtype=int)
    np.add.at(table, (codes[kept], labels[kept]), 1)
    found = associate_categories(codes, labels, 99, 0)
    assert found.effect == pytest.approx(association(table, method="cramer"))
    assert found.p == 0.01
    assert associate_categories(labels, labels, 19, 0).effect == pytest.approx(1)


def test_chance_is_counted_by_dealing_the_values_out_anew(labels):
    draws = np.random.default_rng(3)
    shares = [associate_numbers(draws.normal(size=300), labels, 99, seed).p for seed in range(40)]
    assert 0.3 < np.mean(shares) < 0.7  # p is even where nothing is there
    follows = associate_numbers(labels + draws.normal(size=300), labels, 99, 0)
    assert follows.p == 0.01
    assert follows.size == "large"


@pytest.mark.parametrize(("values", "labels", "why"), [
    ([1, 1, 1, 1], [0, 0, 1, 1], "equal"),
    ([1, 2, 3, 4], [0, 0, 0, -1], "two clusters"),
    ([1, 2, 3], [0, 1, 2], "of its own"),
    ([np.nan] * 3, [0, 0, 1], "two clusters"),
])
def test_what_is_not_defined_is_not_zero(values, labels, why):
    found = associate_numbers(np.array(values, dtype=float), np.array(labels), 19, 0)
    assert found.effect is None
    assert found.p is None
    assert why in found.why


def test_pictures_and_texts_are_measured():
    half = np.zeros((4, 8), dtype=np.uint8)
    half[:, 4:] = 255
    found = measure_picture(png(half))
    assert (found.brightness, found.contrast, found.color, found.aspect) == pytest.approx(
        (0.5, 0.5, 0, 2))
    assert np.isnan(measure_picture(b"").brightness)
    red = np.zeros((2, 2, 3), dtype=np.uint8)
    red[..., 0] = 255
    assert measure_picture(png(red)).brightness == pytest.approx(0.299)
    assert measure_picture(png(red)).color == pytest.approx(1)
    assert kind_of_file(png(half)) == "PNG"
    assert kind_of_file(b"hello") == ""
    letters = measure_texts(["AB12", "ÄÖx ", ""])
    assert letters.length.tolist() == [4, 4, 0]
    np.testing.assert_array_equal(letters.digits, [0.5, 0, np.nan])
    np.testing.assert_array_equal(letters.capitals, [0.5, 0.5, np.nan])
    np.testing.assert_array_equal(letters.foreign, [0, 0.5, np.nan])
