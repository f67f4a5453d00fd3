"""The map: every row once, in the right colour, nothing hidden without a word."""

from __future__ import annotations

import numpy as np
import pytest

from explorer.errors import ParameterError
from explorer.plot.map import LEGEND_ENTRIES, CategoryColors, NumberColors, draw_map, point_rows
from explorer.plot.palette import NOISE_COLOR, cluster_color, cluster_colors

RANDOM = np.random.default_rng(0)


def drawn(figure):
    return [trace for trace in figure.data if trace.customdata is not None]


def legend(figure) -> list[str]:
    return [trace.name for trace in figure.data if trace.showlegend]


def shade(trace, at: int) -> str:
    """The colour plotly gives point `at`: the step of the scale its code falls in."""
    marker = trace.marker
    share = (marker.color[at] - marker.cmin) / (marker.cmax - marker.cmin)
    inside = [color for edge, color in marker.colorscale if edge <= share]
    return inside[-1]


def test_every_row_is_drawn_once_in_its_colour_small_clusters_on_top() -> None:
    labels = np.array([0] * 50 + [1] * 20 + [2] * 5 + [-1] * 30)
    RANDOM.shuffle(labels)
    points = RANDOM.normal(size=(105, 2)).astype(np.float32)
    rows = np.arange(105) * 3 + 7
    figure = draw_map(points, rows=rows, colors=cluster_colors(labels, {1: "<b>"}))
    (trace,) = drawn(figure)
    places = {row: at for at, row in enumerate(rows)}
    order = [places[row] for row in trace.customdata.tolist()]
    assert sorted(order) == list(range(105))
    np.testing.assert_array_equal(trace.x, points[order, 0])
    np.testing.assert_array_equal(trace.y, points[order, 1])
    assert labels[order].tolist() == [-1] * 30 + [0] * 50 + [1] * 20 + [2] * 5
    assert [shade(trace, at) for at in range(105)] == [
        NOISE_COLOR if labels[i] < 0 else cluster_color(labels[i]) for i in order]
    assert legend(figure) == ["Cluster 0 (50)", "&lt;b&gt; (20)", "Cluster 2 (5)", "Noise (30)"]


def test_selection_is_laid_over_dimmed_rows() -> None:
    labels = np.array([0, 1, 0, -1, 1])
    selected = np.array([True, False, False, True, False])
    points = np.arange(10, dtype=np.float32).reshape(5, 2)
    figure = draw_map(points, rows=np.arange(5), colors=cluster_colors(labels), selected=selected)
    base, overlay = drawn(figure)
    assert sorted(base.customdata.tolist()) == [0, 1, 2, 3, 4]
    assert sorted(overlay.customdata.tolist()) == [0, 3]
    assert base.marker.opacity < 0.4 < overlay.marker.opacity
    assert base.marker.color == NOISE_COLOR  # dense dimmed points would add up to their colour
    assert base.unselected.marker.color == NOISE_COLOR
    assert {row: shade(overlay, at) for at, row in enumerate(overlay.customdata.tolist())} == {
        0: cluster_color(0), 3: NOISE_COLOR}
    assert overlay.marker.line.width == 1
    assert overlay.marker.size > base.marker.size
    plain = draw_map(points, rows=np.arange(5), colors=cluster_colors(labels))
    assert legend(figure) == legend(plain)  # a selection does not move the map


def test_many_selected_rows_have_no_outline_over_their_colour() -> None:
    n = 500
    base, overlay = drawn(draw_map(RANDOM.normal(size=(n, 2)), rows=np.arange(n),
                                   colors=cluster_colors(np.zeros(n, int)),
                                   selected=np.ones(n, dtype=bool)))
    assert overlay.marker.line.width == 0
    assert overlay.marker.size == base.marker.size


def test_legend_lies_under_the_map_and_axes_keep_to_the_points() -> None:
    points = np.array([[-4, 0], [6, 0]], dtype=np.float32)
    figure = draw_map(points, rows=np.arange(2), colors=cluster_colors(np.array([0, 1])),
                      axes=("UMAP 1", "UMAP 2"))
    box = figure.layout.legend
    assert (box.orientation, box.yref, box.y, box.yanchor) == ("h", "container", 0, "bottom")
    assert (box.title.text, box.title.side) == ("cluster", "top")
    untitled = draw_map(points, rows=np.arange(2),
                        colors=cluster_colors(np.array([0, 1]), title=""))
    assert untitled.layout.legend.title.text is None
    assert figure.layout.xaxis.range == (-4.25, 6.25)
    low, high = figure.layout.yaxis.range
    assert low < 0 < high  # all on one line: still a span
    assert figure.layout.xaxis.title.text == "across: UMAP 1 · up: UMAP 2"
    assert figure.layout.yaxis.title.text is None
    meant = draw_map(points, rows=np.arange(2), colors=cluster_colors(np.array([0, 1])),
                     axes=("PC 1", "PC 2"), units=True)
    assert (meant.layout.xaxis.title.text, meant.layout.yaxis.title.text) == ("PC 1", "PC 2")
    assert meant.layout.xaxis.showticklabels


def test_numbers_have_a_scale_and_missing_ones_are_counted() -> None:
    values = np.array([1.0, np.nan, 3.0, np.inf])
    figure = draw_map(np.eye(4, 2), rows=np.arange(4), colors=NumberColors(values, "a<b"))
    grey, colored = drawn(figure)
    assert grey.customdata.tolist() == [1, 3]
    assert grey.marker.color == NOISE_COLOR
    assert colored.customdata.tolist() == [0, 2]
    assert colored.marker.color.tolist() == [1.0, 3.0]
    assert (colored.marker.cmin, colored.marker.cmax) == (1.0, 3.0)
    assert colored.marker.colorbar.title.text == "a&lt;b"
    assert legend(figure) == ["not defined (2)"]
    chosen = draw_map(np.eye(4, 2), rows=np.arange(4), selected=np.array([1, 0, 0, 0], dtype=bool),
                      colors=NumberColors(values, "a<b"))
    assert [trace.marker.showscale for trace in drawn(chosen)] == [None, None, True]
    alone = draw_map(np.eye(2), rows=np.arange(2), colors=NumberColors(np.full(2, np.nan), "n"))
    assert [trace.customdata.tolist() for trace in drawn(alone)] == [[0, 1]]
    same = draw_map(np.eye(2), rows=np.arange(2), colors=NumberColors(np.full(2, 5.0), "n"))
    assert drawn(same)[0].marker.cmin < 5 < drawn(same)[0].marker.cmax


def test_three_dimensions_and_axis_names() -> None:
    figure = draw_map(RANDOM.normal(size=(6, 3)), rows=np.arange(6), axes=("PC <1>", "b", "c"),
                      colors=cluster_colors(np.zeros(6, int)), units=True)
    assert {trace.type for trace in figure.data} == {"scatter3d"}
    assert figure.layout.scene.xaxis.title.text == "PC &lt;1&gt;"
    flat = draw_map(np.eye(2), rows=np.arange(2), colors=cluster_colors(np.zeros(2, int)))
    assert flat.layout.xaxis.showticklabels is False
    assert figure.layout.scene.xaxis.showticklabels is True


def test_rows_without_place_are_counted_and_empty_maps_say_why() -> None:
    points = np.array([[0, 0], [np.nan, 1], [2, 2]], dtype=np.float32)
    figure = draw_map(points, rows=np.arange(3), colors=cluster_colors(np.zeros(3, int)))
    assert drawn(figure)[0].customdata.tolist() == [0, 2]
    assert legend(figure) == ["Cluster 0 (2)", "not drawn, without coordinates (1)"]
    for empty in (points[1:2], points[:0]):
        said = draw_map(empty, rows=np.arange(len(empty)),
                        colors=cluster_colors(np.zeros(len(empty), int)))
        assert len(said.data) == 0
        assert "row" in said.layout.annotations[0].text


def test_legend_names_the_largest_and_counts_the_rest() -> None:
    labels = np.repeat(np.arange(60), np.arange(60, 0, -1))
    entries = legend(draw_map(np.zeros((len(labels), 2)), rows=np.arange(len(labels)),
                              colors=cluster_colors(labels)))
    assert entries[:LEGEND_ENTRIES] == [f"Cluster {i} ({60 - i})" for i in range(LEGEND_ENTRIES)]
    assert entries[LEGEND_ENTRIES:] == [f"{60 - LEGEND_ENTRIES} others "
                                        f"({sum(range(1, 61 - LEGEND_ENTRIES)):,})"]
    just = np.arange(LEGEND_ENTRIES + 1)
    assert len(legend(draw_map(np.zeros((len(just), 2)), rows=just,
                               colors=cluster_colors(just)))) == len(just)


def test_many_colours_of_ones_own() -> None:
    codes = np.arange(400)
    own = {i: f"#{i:06X}" for i in codes.tolist()}
    figure = draw_map(np.zeros((400, 2)), rows=codes, colors=CategoryColors(codes, {}, own))
    (trace,) = drawn(figure)
    assert [shade(trace, at) for at in range(400)] == [own[row] for row in trace.customdata]


@pytest.mark.parametrize("n", [1_000, 100_000])
def test_figures_travel_small(n: int) -> None:
    """Coordinates spread like a UMAP's; Plotly writes '/' of base64 as six characters."""
    points = RANDOM.uniform(-10, 15, size=(n, 2)).astype(np.float32)
    labels = RANDOM.integers(0, 10, n)
    text = draw_map(points, rows=np.arange(n), colors=cluster_colors(labels)).to_json()
    assert (len(text) - 3000) / n <= 20


def test_hover_is_the_callers_text_in_drawing_order() -> None:
    hover = [f"row {i} %&#123;x}}" for i in range(4)]
    figure = draw_map(np.eye(4, 2), rows=np.arange(4), hover=hover,
                      colors=cluster_colors(np.array([1, 0, 0, -1])))
    (trace,) = drawn(figure)
    assert list(trace.text) == [hover[row] for row in trace.customdata]
    assert trace.hovertemplate == "%{text}<extra></extra>"


def test_lengths_are_checked() -> None:
    with pytest.raises(ParameterError) as caught:
        draw_map(np.eye(3, 2), rows=np.arange(3), colors=cluster_colors(np.zeros(2, int)))
    assert caught.value.code == "LENGTHS"


def test_point_rows_reads_a_selection() -> None:
    points = [{"curve_number": 0, "point_index": 3, "customdata": 9},
              {"curve_number": 1, "point_index": 0, "customdata": 9},
              {"curve_number": 2, "point_index": 0},
              {"curve_number": 0, "point_index": 1, "customdata": [4, 1]}]
    assert point_rows({"selection": {"points": points}}).tolist() == [4, 9]
    assert point_rows({"points": points}).tolist() == [4, 9]
    for nothing in ({}, {"selection": {}}, {"selection": {"points": []}}):
        assert point_rows(nothing).tolist() == []
