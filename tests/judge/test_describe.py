"""Words, columns and typical rows of clusters against slow references and known answers."""

import math
import re
from collections import Counter
from itertools import pairwise

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from sklearn.feature_extraction.text import ENGLISH_STOP_WORDS

from explorer.errors import DataError
from explorer.judge.describe import describe_columns, describe_texts, typical_rows

TEXTS = ["The goal and the match", "A late goal won the match", "goal goal goal",
         "Bake the bread in the oven", "Fresh bread from the oven", "bread",
         "Rain and 39 wind", "the of and"]
LABELS = np.array([0, 0, 0, 1, 1, 1, -1, -1])


def slow_words(texts, labels):
    """sqrt(tf) log(1 + A / f) with dictionaries; the classes are all labels, noise among them."""
    terms = {label: Counter() for label in labels.tolist()}
    for text, label in zip(texts, labels.tolist(), strict=True):
        words = [word for word in re.findall(r"\b\w\w+\b", text.lower())
                 if word not in ENGLISH_STOP_WORDS and not word.isdigit()]
        pairs = [f"{a} {b}" for a, b in pairwise(words)]
        terms[label].update(words + pairs)
    everywhere = sum(terms.values(), Counter())
    mean = sum(everywhere.values()) / len(terms)
    return {label: {term: math.sqrt(used / sum(counts.values()))
                    * math.log(1 + mean / everywhere[term])
                    for term, used in counts.items()} for label, counts in terms.items()}


def test_words_equal_the_slow_reference():
    expected = slow_words(TEXTS, LABELS)
    for entry in describe_texts(TEXTS, LABELS, count=50, noise=True):
        ours = {contrast.name: contrast.value for contrast in entry.words}
        assert ours == pytest.approx(expected[entry.cluster])
        values = [contrast.value for contrast in entry.words]
        assert values == sorted(values, reverse=True)


def test_words_are_the_topics():
    football, bread = describe_texts(TEXTS, LABELS, count=4)
    assert (football.cluster, bread.cluster) == (0, 1)
    rows = {contrast.name: contrast.n for contrast in football.words}
    assert {"goal": 3, "match": 2}.items() <= rows.items()
    assert {"bread: in 3 of 3 rows", "oven: in 2 of 3 rows"} <= {
        contrast.text for contrast in bread.words}


def test_noise_is_described_only_when_asked():
    assert [entry.cluster for entry in describe_texts(TEXTS, LABELS)] == [0, 1]
    with_noise = describe_texts(TEXTS, LABELS, noise=True)
    assert [entry.cluster for entry in with_noise] == [0, 1, -1]
    assert with_noise[:2] == describe_texts(TEXTS, LABELS)
    assert {contrast.name for contrast in with_noise[2].words} == {"rain", "wind", "rain wind"}


def test_one_spelling_of_accents():
    composed, decomposed = "caf\u00e9 latte", "CAFE\u0301 tea"
    entry = describe_texts([composed, decomposed, "other"], np.array([0, 0, 1]))[0]
    assert {"caf\u00e9": 2, "latte": 1}.items() <= {c.name: c.n for c in entry.words}.items()
    assert len(entry.words) == 5


@pytest.mark.parametrize("texts", [["", "  ", ""], ["the", "and of", "a b c"], ["😀", "12", "?"]])
def test_no_words_is_an_answer(texts):
    for entry in describe_texts(texts, np.array([0, 0, 1])):
        assert entry.words == ()
        assert entry.reason.startswith("No words")


def test_one_cluster_without_words():
    empty, full = describe_texts(["the", "bread"], np.array([0, 1]))
    assert (empty.words, empty.reason) == ((), "No words in the texts of this cluster.")
    assert (full.words[0].name, full.reason) == ("bread", "")
    assert describe_texts([], np.array([], dtype=int)) == ()


def cohen(here, rest):
    pooled = math.sqrt(((len(here) - 1) * np.var(here, ddof=1)
                        + (len(rest) - 1) * np.var(rest, ddof=1)) / (len(here) + len(rest) - 2))
    return (np.mean(here) - np.mean(rest)) / pooled


def test_numbers_are_cohens_d():
    rng = np.random.default_rng(0)
    labels = rng.integers(-1, 4, 300)
    columns = {f"c{i}": rng.normal(size=300) + labels * i / 2 + 1e6 * (i == 3) for i in range(4)}
    columns["c1"][::7], columns["c2"][5] = np.nan, np.inf
    described = describe_columns(columns, labels, count=9, noise=True)
    assert [entry.cluster for entry in described] == [0, 1, 2, 3, -1]
    found = 0
    for entry in described:
        assert [abs(c.value) for c in entry.columns] == sorted(
            (abs(c.value) for c in entry.columns), reverse=True)
        ours = {contrast.name: contrast for contrast in entry.columns}
        for name, values in columns.items():
            finite = np.isfinite(values)
            here = values[finite & (labels == entry.cluster)]
            expected = cohen(here, values[finite & (labels != entry.cluster)])
            assert (name in ours) == (abs(expected) >= 0.2)
            if name in ours:
                found += 1
                assert ours[name].value == pytest.approx(expected, rel=1e-6)
                assert ours[name].n == len(here)
    assert found > 8


def test_numbers_in_words():
    columns = {"age": np.array([30, 32, 10, 12, np.nan]),
               "year": np.array([2001.4, 2001.6, 2001.5, 2001.6, 2001.7])}
    first = describe_columns(columns, np.array([0, 0, 1, 1, 1]))[0]
    texts = {c.name: c.text for c in first.columns}
    assert texts["age"] == "age: mean 31 here, 11 elsewhere"
    assert texts["year"] == "year: mean 2001.5 here, 2001.6 elsewhere"


@pytest.mark.parametrize(("here", "elsewhere", "words"), [
    (1116.4, 564.2, "1116 here, 564 elsewhere"), (0.00123456, 0.5, "0.00123 here, 0.5 elsewhere"),
    (12345.6, 20000.0, "12,346 here, 20,000 elsewhere"),
    (1e6 + 0.1, 1e6 + 0.3, "1,000,000.1 here, 1,000,000.3 elsewhere"),
    (-3.0, 0.0, "-3 here, 0 elsewhere"), (0.0, 2e300, "0 here, 2e+300 elsewhere")])
def test_numbers_have_the_digits_it_takes(here, elsewhere, words):
    jitter = np.array([1 - 1e-9, 1 + 1e-9])
    values = np.concatenate([here * jitter, elsewhere * jitter])
    text = describe_columns({"x": values}, np.array([0, 0, 1, 1]))[0].columns[0].text
    assert text == f"x: mean {words}"


def test_numbers_without_spread_inside():
    """Pooled deviation 0: the deviation of the whole column, here 1, stands in."""
    described = describe_columns({"x": np.array([5.1, 5.1, 3.1, 3.1])}, np.array([0, 0, 1, 1]))
    assert [entry.columns[0].value for entry in described] == pytest.approx([2, -2])
    for constant in (np.full(4, 0.1), np.full(4, np.nan)):
        assert describe_columns({"x": constant}, np.array([0, 0, 1, 1]))[0].columns == ()


def test_categories_are_shares():
    colour = ["red"] * 8 + ["blue"] * 2 + ["red"] + ["blue"] * 8 + [None]
    labels = np.repeat([0, 1], 10)
    first, second = describe_columns({"colour": colour}, labels)
    assert len(first.columns) == 1
    best = first.columns[0]
    assert best.text == "colour = red: 80 % here, 11 % elsewhere"
    assert (best.name, best.n) == ("colour", 8)
    assert best.value == pytest.approx(
        2 * math.asin(math.sqrt(0.8)) - 2 * math.asin(math.sqrt(1 / 9)))
    assert second.columns[0].text == "colour = blue: 89 % here, 20 % elsewhere"


def test_numbers_and_categories_share_one_ranking():
    rng = np.random.default_rng(0)
    labels = np.repeat([0, 1], 50)
    columns = {"weak": rng.normal(size=100) + labels * 0.6,
               "strong": rng.normal(size=100) + labels * 9,
               "flag": np.array([True] * 45 + [False] * 55), "id": [str(i) for i in range(100)]}
    names = [contrast.name for contrast in describe_columns(columns, labels)[0].columns]
    assert names == ["strong", "flag", "weak"]
    assert len(describe_columns(columns, labels, count=1)[0].columns) == 1


def test_nothing_to_tell_has_a_reason():
    x = {"x": np.array([1.0, 2, 1, 2])}
    assert "no columns" in describe_columns({}, np.array([0, 1]))[0].reason
    assert "one cluster" in describe_columns(x, np.zeros(4, int))[0].reason
    assert "small effect" in describe_columns(x, np.array([0, 0, 1, 1]))[0].reason
    with pytest.raises(DataError) as caught:
        describe_columns(x, np.array([0, 1]))
    assert caught.value.code == "ROW_COUNT"
    with pytest.raises(DataError):
        describe_texts(["a"], np.array([0, 1]))


def test_long_values_are_cut():
    values = ["x" * 500] * 3 + ["y"] * 3
    text = describe_columns({"c": values}, np.repeat([0, 1], 3))[0].columns[0].text
    assert len(text) < 120
    assert "…" in text


@pytest.mark.parametrize("metric", ["euclidean", "cosine"])
def test_typical_rows_equal_the_slow_reference(metric):
    rng = np.random.default_rng(0)
    vectors, labels = rng.normal(size=(80, 5)).astype(np.float32), rng.integers(-1, 5, 80)
    ours = typical_rows(vectors, labels, metric)
    assert (ours.dtype, ours.shape) == (np.int64, (5, 3))
    points = vectors.astype(float)
    if metric == "cosine":
        points = np.array([point / math.sqrt(point @ point) for point in points])
    for cluster in range(5):
        rows = [row for row in range(80) if labels[row] == cluster]
        mean = sum(points[row] for row in rows) / len(rows)

        def far(row, mean=mean):
            if metric == "cosine":
                return 1 - points[row] @ mean / math.sqrt(mean @ mean)
            return math.dist(points[row], mean)

        assert ours[cluster].tolist() == sorted(rows, key=far)[:3]


def test_typical_rows_of_small_clusters():
    vectors = np.array([[0, 0], [1, 0], [2, 0], [9, 9]], np.float32) + 1e6
    rows = typical_rows(vectors, np.array([0, 0, 0, 2]), "euclidean")
    assert rows.tolist() == [[1, 0, 2], [-1, -1, -1], [3, -1, -1]]
    assert typical_rows(vectors, np.full(4, -1), "cosine").shape == (0, 3)
    zero = typical_rows(np.zeros((2, 2), np.float32), np.array([0, 0]), "cosine")
    assert zero.tolist() == [[0, 1, -1]]


@settings(max_examples=25, deadline=None)
@given(st.integers(0, 2**32 - 1))
def test_renaming_and_permuting(seed):
    rng = np.random.default_rng(seed)
    labels, order, names = rng.integers(-1, 3, 30), rng.permutation(30), rng.permutation(3)
    columns = {"x": rng.normal(size=30), "c": rng.choice(["a", "b", ""], 30)}
    renamed = np.where(labels < 0, -1, names[labels])[order]
    moved = {name: values[order] for name, values in columns.items()}
    before = {entry.cluster: entry.columns for entry in describe_columns(columns, labels)}
    after = {entry.cluster: entry.columns for entry in describe_columns(moved, renamed)}
    assert {int(names[cluster]) for cluster in before} == set(after)
    for cluster, contrasts in before.items():
        other = after[int(names[cluster])]
        assert [c.text for c in other] == [c.text for c in contrasts]
        assert [c.value for c in other] == pytest.approx([c.value for c in contrasts])
