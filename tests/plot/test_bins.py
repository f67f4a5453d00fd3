"""Bars of columns against numpy and Counter."""

from collections import Counter

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from explorer.plot.bins import (
    BINS,
    LISTED,
    MISSING,
    OTHERS,
    bin_labels,
    bin_numbers,
    bin_texts,
)


def codes(binned):
    return np.frombuffer(binned.data, dtype=np.uint8)


@settings(max_examples=200, deadline=None)
@given(st.lists(st.one_of(st.floats(width=64), st.integers(-5, 5).map(float)), max_size=60))
def test_every_number_lies_between_the_edges_of_its_bar(values):
    values = np.array(values, dtype=np.float64)
    binned = bin_numbers(values)
    known = np.isfinite(values)
    assert (codes(binned) == MISSING).tolist() == (~known).tolist()
    if not known.any():
        assert binned.edges == ()
        return
    edges = np.array(binned.edges)
    assert (np.diff(edges) > 0).all()
    assert len(edges) - 1 <= (31 if binned.whole else BINS)
    at = codes(binned)[known]
    assert (values[known] >= edges[at]).all()
    last = at == len(edges) - 2
    assert (values[known] < edges[at + 1])[~last].all()
    assert (values[known] <= edges[at + 1]).all()
    assert np.bincount(at, minlength=len(edges) - 1).tolist() == \
        np.histogram(values[known], bins=edges)[0].tolist()


@pytest.mark.parametrize(("values", "edges"), [
    ([1.0, 2.0, 5.0], [0.5, 1.5, 2.5, 3.5, 4.5, 5.5]), ([0.0], [-0.5, 0.5])])
def test_whole_numbers_have_a_bar_each(values, edges):
    binned = bin_numbers(np.array(values))
    assert binned.whole
    assert list(binned.edges) == edges


def test_edges_are_round():
    binned = bin_numbers(np.array([11.03, 14.83, 12.5]))
    width = np.diff(binned.edges)
    assert np.allclose(width, 0.2)
    assert np.allclose(np.round(np.array(binned.edges) / 0.2), np.array(binned.edges) / 0.2)


@settings(max_examples=100, deadline=None)
@given(st.lists(st.sampled_from(["a", "b", "C", "", None, "d"]), max_size=40))
def test_texts_are_counted(values):
    binned = bin_texts(np.array(values, dtype=object))
    counts = Counter(text for text in values if text)
    assert list(binned.names) == sorted(counts, key=lambda text: (-counts[text], text))
    assert [None if code == MISSING else binned.names[code] for code in codes(binned)] == [
        text or None for text in values]


def test_rare_texts_share_a_bar_and_are_counted():
    values = np.array([f"{at % (LISTED + 5)}" for at in range(1_000)] + [""], dtype=object)
    binned = bin_texts(values)
    assert (len(binned.names), binned.others) == (LISTED, 5)
    rare = {text for text in values if text} - set(binned.names)
    assert (codes(binned) == OTHERS).sum() == sum(text in rare for text in values)
    assert codes(binned)[-1] == MISSING


def test_labels_by_size_with_noise_last():
    labels = np.array([7, 7, 2, 2, 2, -1, np.nan, 0], dtype=float)
    binned, listed = bin_labels(labels)
    assert listed == (2, 7, 0, -1)
    assert [None if code == MISSING else listed[code] for code in codes(binned)] == [
        7, 7, 2, 2, 2, -1, None, 0]
    many = np.repeat(np.arange(LISTED + 9), 2).astype(float)
    binned, listed = bin_labels(np.append(many, -1))
    assert binned.others == 9
    assert (len(listed), listed[-1]) == (LISTED + 1, -1)
    assert (codes(binned) == OTHERS).sum() == 18
