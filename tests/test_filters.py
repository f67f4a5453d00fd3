"""Filters against pandas on the same rows, and what no filter is."""

from __future__ import annotations

import json

import numpy as np
import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from explorer.errors import ParameterError
from explorer.filters import Condition, Filter, Numbers, Texts, filter_from_data, passing

NUMBERS = st.lists(st.sampled_from([float("nan"), -1.0, 0.0, 0.5, 1.0, 2.0, 1e300]), min_size=1,
                   max_size=30)
WORDS = ["", "Straße", "STRASSE", "a.b", "aXb", "İstanbul", "None", " ", "nan", ".*"]
TEXT_TESTS = st.one_of(
    st.builds(lambda test, text: {"test": test, "texts": (text,)},
              st.sampled_from(["is", "is not", "contains"]),
              st.sampled_from([*WORDS, "s", "SS", "b"])),
    st.builds(lambda texts: {"test": "one of", "texts": tuple(texts)},
              st.lists(st.sampled_from(WORDS), min_size=1, max_size=4)),
    st.just({"test": "is empty"}))
ENDS = st.sampled_from([None, -1.0, 0.5, 1.0])
NUMBER_TESTS = st.one_of(
    st.builds(lambda test, number: {"test": test, "numbers": (number,)},
              st.sampled_from(["is", "is not", "one of"]), st.sampled_from([-1.0, 0.5, 3.0])),
    st.builds(lambda low, high: {"test": "between", "numbers": (low, high)}, ENDS, ENDS),
    st.just({"test": "is empty"}))


def text_oracle(test, cells):
    series = pd.Series([text or None for text in cells], dtype=object)
    if test["test"] == "is empty":
        return series.isna()
    if test["test"] == "contains":
        part = test["texts"][0].casefold()
        return series.map(lambda text: text is not None and part in text.casefold())
    inside = series.isin([text for text in test["texts"] if text])
    return ~inside & series.notna() if test["test"] == "is not" else inside


def number_oracle(test, values):
    series = pd.Series(values, dtype=float)
    if test["test"] == "is empty":
        return series.isna()
    if test["test"] == "between":
        low, high = test["numbers"]
        return series.between(-np.inf if low is None else low, np.inf if high is None else high)
    inside = series.isin(test["numbers"])
    return ~inside & series.notna() if test["test"] == "is not" else inside


@settings(max_examples=200, deadline=None)
@given(st.data(), NUMBERS, st.sampled_from(["all", "any"]))
def test_a_filter_lets_through_what_pandas_does(data, numbers, match):
    n = len(numbers)
    texts = data.draw(st.lists(st.sampled_from([*WORDS, None]), min_size=n, max_size=n))
    tests = data.draw(st.lists(st.one_of(TEXT_TESTS.map(lambda test: ("text", test)),
                                         NUMBER_TESTS.map(lambda test: ("number", test))),
                               max_size=4))
    asked = Filter(match=match, conditions=tuple(Condition(subject=subject, **test)
                                                 for subject, test in tests))
    asked = filter_from_data(json.loads(asked.model_dump_json()))
    values = {"text": Texts(np.array(texts, dtype=object)), "number": Numbers(np.array(numbers))}
    found = passing(asked, n, values.__getitem__)
    held = [text_oracle(test, texts) if subject == "text" else number_oracle(test, numbers)
            for subject, test in tests]
    expected = pd.concat(held, axis=1) if held else pd.DataFrame([[True]] * n)
    expected = expected.all(axis=1) if match == "all" else expected.any(axis=1)
    assert found.rows.tolist() == expected.tolist()
    missing = {"text": sum(not text for text in texts), "number": int(np.isnan(numbers).sum())}
    assert found.empty == {subject: missing[subject] for subject, _ in tests}


@pytest.mark.parametrize("bad", [
    {"test": "between", "numbers": [1]}, {"test": "between", "texts": ["a", "b"]},
    {"test": "contains"}, {"test": "contains", "texts": ["a", "b"]}, {"test": "is"},
    {"test": "is", "numbers": [None]}, {"test": "one of"}, {"test": "is empty", "texts": ["a"]},
    {"test": "matches", "texts": ["a"]}, {"test": "is", "numbers": [float("inf")]},
    {"test": "is", "texts": ["a" * 1_001]}, {"test": "one of", "texts": ["a"] * 201},
    {"test": "is", "texts": ["a"], "expression": "1 == 1"}])
def test_what_no_condition_is_is_refused(bad):
    with pytest.raises(ParameterError) as refused:
        filter_from_data({"conditions": [{"subject": "column:a", **bad}]})
    assert refused.value.code == "BAD_FILTER"


def test_too_many_conditions_and_other_data_are_refused():
    for bad in ({"conditions": [{"subject": "a", "test": "is empty"}] * 21}, {"match": "none"}, 7):
        with pytest.raises(ParameterError):
            filter_from_data(bad)


@pytest.mark.parametrize(("test", "values"), [
    (Condition(subject="a", test="contains", texts=("1",)), Numbers(np.zeros(3))),
    (Condition(subject="a", test="is", texts=("1",)), Numbers(np.zeros(3))),
    (Condition(subject="a", test="between", numbers=(0, 1)), Texts(np.array(["1"], dtype=object))),
    (Condition(subject="a", test="is", numbers=(1,)), Texts(np.array(["1"], dtype=object)))])
def test_a_test_of_the_other_kind_is_refused(test, values):
    with pytest.raises(ParameterError):
        passing(Filter(conditions=(test,)), len(values.values), lambda subject: values)
