"""Dendrogram and condensed tree: what they draw and answer is what the tree says."""

from __future__ import annotations

import numpy as np
import pytest
from scipy.cluster import hierarchy

from explorer.cluster.agglomerative import count_at, cut
from explorer.cluster.condense import condense, rows_under
from explorer.plot.condensed_tree import draw_condensed_tree, lay_out
from explorer.plot.dendrogram import crown_of, draw_dendrogram, heights_to_cut
from explorer.plot.palette import cluster_color


def merges(n: int = 200, seed: int = 0, linkage: str = "ward") -> np.ndarray:
    rng = np.random.default_rng(seed)
    return hierarchy.linkage(rng.normal(size=(n, 3)) + rng.integers(0, 4, (n, 1)) * 5, linkage)


@pytest.mark.parametrize("leaves", [2, 17, 50, 500])
def test_crown_is_the_top_of_the_tree(leaves: int) -> None:
    tree = merges()
    crown = crown_of(tree, leaves)
    m = min(leaves, 200)
    assert crown.count == m
    assert crown.rows[:m].sum() == crown.rows[-1] == 200
    np.testing.assert_array_equal(crown.heights, tree[-(m - 1):, 2])
    labels = cut(tree, m)
    assert len(set(zip(labels.tolist(), crown.ends.tolist(), strict=True))) == m
    assert sorted(crown.places[:m]) == list(range(m))
    joined = hierarchy.to_tree(tree)
    np.testing.assert_array_equal(crown.inside(2 * m - 2), np.arange(200))
    left = crown.joins[-1].tolist()[0]
    np.testing.assert_array_equal(crown.inside(left), np.sort(joined.left.pre_order()))
    assert len(crown.inside(left)) == crown.rows[left]


def test_a_click_cuts_into_the_number_it_says() -> None:
    tree = merges()
    crown = crown_of(tree)
    heights = heights_to_cut(crown)
    assert list(heights) == list(range(2, 51))
    for count, height in heights.items():
        assert count_at(tree, height) == count
    labels = cut(tree, 5)
    _, first = np.unique(crown.ends, return_index=True)
    figure = draw_dendrogram(crown, labels[first], heights[5], unit="Ward distance")
    cuts, nodes = figure.data[-2:]
    for height, told in zip(cuts.y.tolist(), cuts.customdata.tolist(), strict=True):
        assert count_at(tree, height) == -told
    assert nodes.customdata.tolist() == list(range(99))
    assert nodes.y[-1] == tree[-1, 2]
    assert figure.layout.shapes[0].y0 == heights[5]
    colors = {trace.line.color for trace in figure.data[:-2]}
    assert {cluster_color(label) for label in range(5)} < colors


def test_equal_heights_leave_numbers_out() -> None:
    square = hierarchy.linkage(np.array([[0, 0], [0, 1], [1, 0], [1, 1]], float), "single")
    crown = crown_of(square)
    assert list(heights_to_cut(crown)) == [4]
    figure = draw_dendrogram(crown, np.arange(4), None, unit="x")
    assert figure.layout.xaxis.ticktext == ("1", "1", "1", "1")


def test_condensed_tree_is_as_wide_as_its_rows() -> None:
    tree = merges(300, 1, "single")
    found = condense(tree, 8, method="eom", allow_single_cluster=False, epsilon=0.0)
    icicle = lay_out(found.branches, found.last, found.left)
    for branch, widths in enumerate(icicle.widths):
        rows = rows_under(found.branches, found.last, branch)
        assert widths[0].tolist() == [icicle.top[branch], len(rows)]
        inner = icicle.rows[icicle.parent == branch].sum()
        assert widths[-1].tolist() == [icicle.bottom[branch], inner]
        assert (np.diff(widths, axis=0) <= 0).all()
    holder = icicle.holder()
    for branch in range(len(holder)):
        labels = set(found.labels[rows_under(found.branches, found.last, branch)].tolist())
        assert holder[branch] < 0 or labels == {holder[branch]}
    names = {label: f"<b>{label}" for label in range(4)}
    figure = draw_condensed_tree(icicle, names, [f"branch {at}" for at in range(len(holder))],
                                 unit="distance")
    places = figure.data[-1]
    assert set(places.customdata.tolist()) == set(range(len(holder)))
    assert all(text == f"branch {at}"
               for text, at in zip(places.hovertext, places.customdata.tolist(), strict=True))
    assert figure.layout.annotations[0].text.startswith("&lt;b&gt;")
    lone = condense(tree, 300, method="eom", allow_single_cluster=False, epsilon=0.0)
    said = draw_condensed_tree(lay_out(lone.branches, lone.last, lone.left), {}, ["all"], unit="x")
    assert "one branch" in said.layout.annotations[0].text
