"""What sets chosen rows apart, against pandas and plain arithmetic."""

import math

import numpy as np
import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from explorer.judge.contrast import (
    Difference,
    compare_categories,
    compare_numbers,
    compare_words,
    strongest,
)

NUMBER = st.one_of(st.integers(-50, 50).map(float), st.floats(-1e6, 1e6), st.just(float("nan")),
                   st.just(float("inf")))


def slow_effect(values, chosen):
    """Cohen's d by pandas; None where it has none."""
    table = pd.DataFrame({"value": values, "chosen": chosen})
    table = table[np.isfinite(table["value"])]
    parts = [part["value"] for _, part in table.groupby("chosen")]
    if len(parts) < 2 or table["value"].max() == table["value"].min():
        return None
    rest, here = parts
    pooled = math.sqrt((here.var(ddof=0) * len(here) + rest.var(ddof=0) * len(rest))
                       / (len(table) - 2)) if len(table) > 2 else 0
    whole = table["value"].std(ddof=0)
    return here.mean(), rest.mean(), (here.mean() - rest.mean()) / (
        pooled if pooled > 1e-7 * whole else whole)


@settings(max_examples=200, deadline=None)
@given(st.lists(st.tuples(NUMBER, st.booleans()), min_size=1, max_size=40))
def test_numbers_equal_pandas(rows):
    values, chosen = np.array([row[0] for row in rows]), np.array([row[1] for row in rows])
    found, expected = compare_numbers("x", values, chosen), slow_effect(values, chosen)
    if expected is None:
        assert found is None
        return
    assert found is not None
    assert [found.here, found.rest] == pytest.approx(expected[:2], rel=1e-9, abs=1e-9)
    assert found.effect == pytest.approx(expected[2], rel=1e-5, abs=1e-6)
    good = np.isfinite(values)
    assert (found.n_here, found.n_rest) == (int((good & chosen).sum()), int((good & ~chosen).sum()))


def test_huge_numbers_do_not_overflow_and_groups_without_spread_differ():
    chosen = np.array([True, True, False, False])
    found = compare_numbers("x", np.array([3e300, 1e300, -1e300, -2e300]), chosen)
    assert found is not None
    assert math.isfinite(found.effect)
    assert found.here == pytest.approx(2e300)
    flat = compare_numbers("x", np.array([1.0, 1.0, 0.0, 0.0]), chosen)
    assert flat is not None
    assert flat.effect == pytest.approx(2.0)  # over the standard deviation of all four


def test_shares_equal_a_cross_table():
    draws = np.random.default_rng(1)
    codes = draws.integers(-1, 4, 400)
    chosen = (codes == 2) & (draws.random(400) < 0.8) | (draws.random(400) < 0.1)
    names = ["a", "b", "c", "d"]
    table = pd.crosstab(codes[codes >= 0], chosen[codes >= 0], normalize="columns")
    found = compare_categories("kind", codes, names, chosen)
    assert found[0].value == "c"
    assert [found[0].here, found[0].rest] == pytest.approx([table[True][2], table[False][2]])
    h = 2 * math.asin(math.sqrt(table[True][2])) - 2 * math.asin(math.sqrt(table[False][2]))
    assert found[0].effect == pytest.approx(h)
    assert found[0].count == np.count_nonzero(chosen & (codes == 2))
    assert found[0].n_here == np.count_nonzero(chosen & (codes >= 0))
    assert len(found) <= 2


def test_what_few_rows_cannot_tell_is_left_out():
    codes = np.array([0, 1, 2, 3, 4, 5] + [6] * 94)
    chosen = np.zeros(100, dtype=bool)
    chosen[:6] = True  # six rows, six categories; of '6' five rows and more would be expected
    found = compare_categories("kind", codes, list("abcdefg"), chosen)
    assert [(one.value, one.here) for one in found] == [("g", 0.0)]
    assert compare_categories("kind", codes, list("abcdefg"), np.ones(100, dtype=bool)) == []
    assert compare_categories("kind", np.full(100, -1), [], chosen) == []


def test_the_strongest_come_first_and_a_column_is_told_once():
    def one(column, value, effect):
        return Difference(column, value, 0.0, 0.0, effect, 1, 1)

    found = strongest([one("a", None, 0.19), one("b", "x", 0.9), one("b", "y", -0.7),
                       one("c", None, -2.0), one("d", "z", -0.4), one("b", "w", 0.3)], 4)
    assert [(item.column, item.value) for item in found] == [
        ("c", None), ("b", "x"), ("d", "z"), ("b", "w")]


def test_words_are_those_in_a_greater_share_of_the_texts():
    here = ["Fresh bread and butter", "the bread oven", "bread knife", "a knife"]
    rest = ["the goal and the match", "bread", "late goal", "goal", "match point", "knife"]
    found = compare_words(here, rest, 5)
    assert [(one.value, one.count, one.here, one.rest) for one in found] == [
        ("bread", 3, 0.75, pytest.approx(1 / 6)), ("knife", 2, 0.5, pytest.approx(1 / 6))]
    assert compare_words(["of the"], ["and"], 5) == []
    assert compare_words(["bread"], [], 5) == []


def test_a_pair_says_nothing_new_after_its_words():
    here = ["oil prices rise", "oil prices fall", "oil prices"]
    rest = ["prices", "gold prices", "rain", "sun"]
    assert [one.value for one in compare_words(here, rest, 5)] == ["oil", "prices"]
