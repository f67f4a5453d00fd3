"""The figures of stability and nulls: what they carry, and what they say when there is nothing."""

import numpy as np

from explorer.plot.copies import draw_copies
from explorer.plot.gap import draw_gap
from explorer.plot.kinds import draw_kinds
from explorer.plot.nulls import draw_nulls
from explorer.plot.palette import cluster_color, cluster_colors
from explorer.plot.replication import draw_replication
from explorer.plot.stability import MOST_DRAWN, Bar, draw_stability

HOSTILE = "<b>a</b><a href='http://x.example'>y</a>"


def texts_of(figure):
    return str(figure.to_dict())


def test_bars_carry_their_clusters_and_show_names_literally():
    bars = [Bar(7, HOSTILE, 0.9, 0.5, 19, 20, "unstable"), Bar(2, "b", None, None, 0, 0, "-")]
    figure = draw_stability(bars, (0.75,))
    assert list(figure.data[0].customdata) == [7, 2]
    assert list(figure.data[0].marker.color) == [cluster_color(7), cluster_color(2)]
    assert "found in 19 of 20" in texts_of(figure)
    assert "<b>a" not in texts_of(figure)
    many = [Bar(number, str(number), 1.0, 1.0, 1, 1, "stable") for number in range(MOST_DRAWN + 5)]
    assert len(draw_stability(many, ()).data[0].x) == MOST_DRAWN
    assert "no clusters" in texts_of(draw_stability([], ()))


def test_strips_leave_out_what_is_not_defined_and_mark_yours():
    values = np.array([[0.1, np.nan, 0.3], [np.nan] * 3])
    figure = draw_nulls(["a", "b"], values, 0.5, "silhouette")
    assert list(figure.data[0].x) == [0.1, 0.3]
    assert "yours: 0.5" in texts_of(figure)
    assert "nothing to score" in texts_of(figure)
    assert "not defined" in texts_of(draw_nulls(["a"], np.full((1, 2), np.nan), None, "s"))


def test_cells_copies_and_curves_draw_what_they_are_given():
    cells = draw_kinds(np.array([[1.0, np.nan]]), ["x", "y"], [HOSTILE])
    assert cells.data[0].text[0][1] == "–"
    assert "<b>a" not in texts_of(cells)
    maps = np.random.default_rng(0).normal(size=(4, 9, 2)).astype(np.float32)
    maps[1, 3] = np.nan
    copies = draw_copies(maps, list("abcd"), cluster_colors(np.arange(9) % 3))
    assert len(copies.data) == 4
    ranges = {copies.layout[f"xaxis{suffix}"].range for suffix in ("", "2", "3", "4")}
    assert len(ranges) == 1  # one scale
    counts = np.array([1, 2, 3])
    gap = draw_gap(counts, np.array([0.1, 0.5, 0.4]), np.full(3, 0.1), 2, current=3)
    assert list(gap.data[1].x) == [2]
    assert "now: 3" in texts_of(gap)
    nothing = np.full(3, np.nan)
    assert "not defined" in texts_of(draw_gap(counts, nothing, nothing, None))
    assert "not defined" in texts_of(draw_replication(counts, nothing, nothing, nothing, 0.8))
    assert "enough: 0.8" in texts_of(draw_replication(counts, counts / 3, counts / 9, counts / 3,
                                                      0.8))
