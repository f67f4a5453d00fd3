"""Rules of clusters: found where there is one, judged on other rows, told as they are applied."""

import numpy as np
import pytest

from explorer.filters import Filter, Numbers, Texts, passing
from explorer.judge.rules import Feature, Hits, Term, hits, learn_rule, meets
from explorer.ui.rule_view import conditions


@pytest.fixture(scope="module")
def table():
    draws = np.random.default_rng(4)
    width, height = draws.normal(size=(2, 400)) * 5 + 20
    color = draws.choice(["red", "green", "blue"], size=400)
    return width, height, color


def features_of(width, height, color):
    return [Feature("width", width), Feature("height", height),
            *(Feature("color", (color == name).astype(float), name)
              for name in ("red", "green", "blue"))]


def test_a_rule_that_is_there_is_found(table):
    width, _, color = table
    inside = (width > 21) & (color == "red")
    rule = learn_rule(features_of(*table), inside, 2, 0)
    assert {(term.column, term.test) for term in rule.terms} == {("width", "at least"),
                                                                 ("color", "is")}
    assert rule.own == Hits(int(inside.sum()), 0, 0)
    assert rule.folds == 5
    assert rule.crossed.precision > 0.9
    assert rule.crossed.recall > 0.9
    line = next(term.number for term in rule.terms if term.number is not None)
    red = color == "red"
    assert width[(width <= 21) & red].max() < line <= width[inside].min()
    assert len(f"{line:.17g}") <= 6  # a round number of those that part the rows


def test_a_column_that_is_one_value_is_told_by_that_alone():
    color = np.array(["red", "green", "blue", "black"])[np.arange(400) % 4]
    features = [Feature("color", (color == name).astype(float), name)
                for name in ("green", "blue", "black", "red")]
    for name in ("green", "red"):
        rule = learn_rule(features, color == name, 3, 0)
        assert rule.terms == (Term("color", "is", text=name),)


def test_a_range_is_one_condition_from_either_side(table):
    width = table[0]
    inside = (width > 15) & (width < 21)
    rule = learn_rule(features_of(*table), inside, 2, 0)
    assert sorted(term.test for term in rule.terms) == ["at least", "at most"]
    assert rule.own.f1 == 1


def test_random_clusters_have_no_rule_on_other_rows(table):
    inside = np.random.default_rng(7).random(400) < 0.3
    rule = learn_rule(features_of(*table), inside, 3, 0)
    assert rule is None or rule.crossed.f1 < 0.55


def test_a_rule_is_judged_on_rows_it_was_not_learned_from():
    draws = np.random.default_rng(3)
    features = [Feature(f"f{at}", draws.normal(size=60)) for at in range(150)]
    inside = np.arange(60) < 20
    rule = learn_rule(features, inside, 2, 0)
    assert rule.own.f1 > 0.75  # chance, among so many columns
    assert rule.crossed.f1 < 0.55
    assert rule.crossed.right + rule.crossed.lost == 20  # every row is judged once


def test_the_line_parts_the_values_on_either_side():
    values = np.repeat(np.arange(10.0), 8)
    above = learn_rule([Feature("a", values)], values >= 3, 1, 0).terms
    below = learn_rule([Feature("a", values)], values <= 2, 1, 0).terms
    assert [(term.test, 2 < term.number <= 3) for term in above] == [("at least", True)]
    assert [(term.test, 2 <= term.number < 3) for term in below] == [("at most", True)]


def test_missing_values_meet_no_condition(table):
    width = table[0].copy()
    inside = width > 21
    width[:40] = np.nan
    rule = learn_rule([Feature("width", width)], inside, 1, 0)
    assert not meets([Feature("width", width)], rule.terms)[:40].any()
    assert rule.own.lost == inside[:40].sum()


def test_nothing_to_part():
    inside = np.array([True, False, True])
    assert learn_rule([Feature("a", np.ones(3))], inside, 2, 0) is None
    assert learn_rule([Feature("a", np.full(3, np.nan))], inside, 2, 0) is None
    lone = learn_rule([Feature("a", np.arange(3.0))], np.array([False, False, True]), 1, 0)
    assert lone is None or lone.crossed is None


@pytest.mark.parametrize("terms", [
    [Term("width", "at least", number=20.5), Term("color", "is not", text="red")],
    [Term("width", "at most", number=20.5), Term("text", "contains", text="ab")],
    [Term("text", "does not contain", text="ab"), Term("color", "is", text="red")],
])
def test_a_filter_of_the_rule_passes_the_same_rows(table, terms):
    width, height, color = table
    width = np.where(np.arange(400) % 17, width, np.nan)
    texts = np.array([("xabx", "XABx", "none", "")[place % 4] for place in range(400)])
    held = np.where(texts == "", np.nan, ["ab" in text.casefold() for text in texts])
    found = meets([*features_of(width, height, color), Feature("text", held, "ab", "contains")],
                  terms)
    plain = [{"column": term.column, "test": term.test, "number": term.number, "text": term.text}
             for term in terms]
    values = {"column:width": Numbers(width), "column:color": Texts(color.astype(object)),
              "column:text": Texts(texts.astype(object))}
    passed = passing(Filter(conditions=conditions(plain)), 400, values.__getitem__)
    np.testing.assert_array_equal(found, passed.rows)
    assert found.any()


def test_precision_and_recall():
    found, inside = np.array([1, 1, 0, 0, 1], bool), np.array([1, 0, 1, 1, 1], bool)
    told = hits(found, inside)
    assert (told.precision, told.recall) == (2 / 3, 2 / 4)
    assert Hits(0, 0, 3).precision is None
    assert Hits(0, 2, 0).recall is None
