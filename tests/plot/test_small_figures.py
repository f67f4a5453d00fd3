"""Sweep, scree, sizes and columns: what they draw is what was counted."""

from __future__ import annotations

import numpy as np

from explorer.plot.columns import LISTED_VALUES, draw_categories, draw_numbers
from explorer.plot.palette import NOISE_COLOR, category_colors, cluster_color, cluster_colors
from explorer.plot.scree import draw_scree
from explorer.plot.sizes import draw_sizes
from explorer.plot.sweep import Line, draw_index, draw_profiles

RANDOM = np.random.default_rng(0)


def said(figure) -> str:
    assert len(figure.data) == 0
    return figure.layout.annotations[0].text


def test_sweep_marks_each_method_and_the_current() -> None:
    counts = np.arange(2, 7)
    lines = [Line("a<b", np.array([0.1, 0.5, 0.4, np.nan, 0.2]), 1, np.zeros(5), np.ones(5)),
             Line("other", np.array([2.0, 1.5, 1.0, 1.2, np.nan]), None)]
    figure = draw_index(counts, lines, name="An index", current=4)
    band, first, second = figure.data
    assert (first.name, second.name) == ("a&lt;b (best: 3)", "other")
    assert [symbol == "star" for symbol in first.marker.symbol] == [False, True] + [False] * 3
    assert "star" not in second.marker.symbol
    assert second.customdata.tolist() == [[count, 1] for count in counts]
    assert (band.x.tolist(), band.y.tolist()) == ([2, 3, 4, 5, 6, 6, 5, 4, 3, 2],
                                                  [0] * 5 + [1] * 5)
    assert [shape.x0 for shape in figure.layout.shapes] == [4]
    assert not draw_index(counts, lines, name="An index", current=40).layout.shapes
    assert "not defined" in said(draw_index(counts, [Line("a", np.full(5, np.nan))], name="b"))


def test_a_clicked_point_says_its_number_and_method() -> None:
    from explorer.ui.clicks import numbers_of

    assert numbers_of({"1": 1, "0": 9}) == numbers_of([9, 1]) == (9, 1)
    assert numbers_of(7) == (7,)


def test_profiles_show_all_rows_of_every_number() -> None:
    profiles = np.array([np.linspace(-0.5, 0.5, 11), np.linspace(0, 1, 11), np.full(11, np.nan)])
    figure = draw_profiles(np.array([2, 3, 4]), profiles, np.array([0.0, 0.5, np.nan]),
                           np.array([0.5, 0.0, np.nan]), current=3)
    above, below, means = figure.data
    assert (above.y.max(), below.y.min()) == (1, -0.5)
    assert (above.y.min(), below.y.max()) == (0, 0)
    for trace in (above, below):
        assert np.all(np.diff(trace.x) >= 0)
        assert (trace.y[0], trace.y[-1]) == (0, 0)
    assert means.customdata.tolist() == [[2, 0], [3, 0], [4, 0]]
    assert means.text == ("50.0%", "0.0%", "0.0%")
    nothing = np.full((3, 11), np.nan)
    assert "not defined" in said(draw_profiles(np.array([2, 3, 4]), nothing, nothing[:, 0],
                                               nothing[:, 0]))


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
