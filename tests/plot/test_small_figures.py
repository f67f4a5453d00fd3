"""Sweep, scree, sizes and columns: what they draw is what was counted."""

from __future__ import annotations

import numpy as np

from explorer.plot.columns import LISTED_VALUES, draw_categories, draw_numbers
from explorer.plot.palette import NOISE_COLOR, category_colors, cluster_color, cluster_colors
from explorer.plot.scree import draw_scree
from explorer.plot.sizes import draw_sizes
from explorer.plot.sweep import draw_sweep

RANDOM = np.random.default_rng(0)


def said(figure) -> str:
    assert len(figure.data) == 0
    return figure.layout.annotations[0].text


def test_sweep_marks_the_best_of_each_and_the_current() -> None:
    counts = np.arange(2, 7)
    figure = draw_sweep(counts, [0.1, 0.5, 0.4, np.nan, 0.2], np.zeros(5), np.ones(5),
                        [2.0, 1.5, 1.0, 1.2, np.nan], [10, 30, 20, 50, 40], current=4)
    stars = [(trace.x[0], trace.y[0], trace.yaxis) for trace in figure.data
             if trace.marker.symbol == "star"]
    assert stars == [(3, 0.5, "y"), (4, 1.0, "y2"), (5, 50.0, "y3")]
    assert [shape.x0 for shape in figure.layout.shapes] == [4]
    band = next(trace for trace in figure.data if trace.fill == "toself")
    assert band.x.tolist() == [2, 3, 4, 5, 6, 6, 5, 4, 3, 2]
    assert band.y.tolist() == [0] * 5 + [1] * 5
    nothing = np.full(5, np.nan)
    assert "no number of clusters" in said(draw_sweep(counts, *[nothing] * 5))


def test_scree_adds_up() -> None:
    figure = draw_scree(np.array([0.5, 0.3, 0.1]), drawn=2)
    np.testing.assert_allclose(figure.data[0].y, [50, 30, 10])
    np.testing.assert_allclose(figure.data[1].y, [50, 80, 90])
    colors = figure.data[0].marker.color
    assert colors[0] == colors[1] != colors[2]
    assert "no explained variance" in said(draw_scree(np.array([])))


def test_sizes_count_every_row_noise_last() -> None:
    labels = np.array([2, 0, 0, -1, 0, 2, 1, -1])
    figure = draw_sizes(labels, names={0: "<i>"})
    (bars,) = figure.data
    assert bars.customdata.tolist() == [0, 1, 2, -1]
    assert bars.y.tolist() == [3, 1, 2, 2]
    assert list(bars.marker.color) == [cluster_color(0), cluster_color(1), cluster_color(2),
                                       NOISE_COLOR]
    assert bars.text[0] == "&lt;i&gt;<br>3 rows, 37.5 %"
    assert "no rows" in said(draw_sizes(np.array([], dtype=int)))


def test_numbers_by_cluster_stack_up_to_the_histogram() -> None:
    values = np.append(RANDOM.normal(size=200), [np.nan, np.inf])
    labels = RANDOM.integers(-1, 3, 202)
    figure = draw_numbers(values, name="a<b", groups=cluster_colors(labels), bins=10)
    expected, edges = np.histogram(values[:200], bins=10)
    np.testing.assert_array_equal(sum(bars.y for bars in figure.data), expected)
    for bars, label in zip(figure.data, (-1, 0, 1, 2), strict=True):
        np.testing.assert_array_equal(
            bars.y, np.histogram(values[:200][labels[:200] == label], bins=edges)[0])
    assert figure.layout.barmode == "stack"
    assert figure.layout.xaxis.title.text == "a&lt;b (2 rows have no number)"
    assert "has no number" in said(draw_numbers(np.full(3, np.nan), name="x"))
    one_value = draw_numbers(np.full(5, 2.0), name="x")
    assert sum(one_value.data[0].y) == 5


def test_numbers_of_a_selection_are_shares() -> None:
    values = np.array([0.0, 0.1, 0.9, 1.0, 1.0, 1.0])
    selected = np.array([True, True, False, False, False, True])
    figure = draw_numbers(values, name="x", selected=selected, bins=2)
    np.testing.assert_allclose(figure.data[0].y, [200 / 3, 100 / 3])
    np.testing.assert_allclose(figure.data[1].y, [0, 100])
    assert [bars.name for bars in figure.data] == ["selected (3)", "the rest (3)"]


def test_categories_count_everything() -> None:
    values = [f"v{i}" for i in range(40) for _ in range(41 - i)] + [None, ""]
    figure = draw_categories(values, name="kind")
    (bars,) = figure.data
    assert sum(bars.y) == len(values)
    assert list(bars.y[:3]) == [41, 40, 39]
    assert figure.layout.xaxis.ticktext[0] == "v0"
    assert figure.layout.xaxis.ticktext[-1] == "21 other values"
    assert len(bars.y) == LISTED_VALUES + 1
    grouped = draw_categories(["a", "b", "a", None], name="k",
                              groups=category_colors(["x", "y", "y", "x"]))
    assert {bars.name: bars.y.tolist() for bars in grouped.data} == {
        "x": [1, 0, 1], "y": [1, 1, 0]}
    assert "no rows" in said(draw_categories([], name="k"))
