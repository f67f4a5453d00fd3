"""The figures of the panel Method: what they draw is what was given, and a click says where."""

from __future__ import annotations

import base64
import io

import numpy as np
import pytest
from PIL import Image

from explorer.plot.component_planes import draw_component_planes
from explorer.plot.eigenvalues import draw_eigenvalues, widest_gap
from explorer.plot.hit_map import draw_hit_map
from explorer.plot.k_distances import draw_k_distances
from explorer.plot.loadings import draw_loadings, paint_loadings
from explorer.plot.memberships import draw_memberships
from explorer.plot.neuron_cells import frame_of, ink_on
from explorer.plot.palette import cluster_color
from explorer.plot.scree import broken_stick, draw_scree
from explorer.plot.u_matrix import draw_u_matrix
from explorer.self_organize.layout import Layout
from tests.builders import png

GRID = Layout(4, 3, True)
LABELS = np.array([0, 0, 1, 1, -1, 2, 0, 0, 1, 1, 2, 2])
HITS = np.array([4, 1, 9, 1, 0, 16, 1, 1, 1, 1, 1, 1])


def test_cells_touch_in_pixels() -> None:
    for hexagonal in (True, False):
        places = Layout(15, 14, hexagonal).places
        frame = frame_of(places, right=90)
        drawn = (frame.width - 90 - 16) / (frame.high[0] - frame.low[0])
        assert drawn == pytest.approx(frame.unit, rel=0.01)
        flat_to_flat = frame.size(hexagonal) * (np.sqrt(3) / 2 if hexagonal else 1)
        assert flat_to_flat == pytest.approx(frame.unit)
        assert frame.width <= 862
        assert frame.height <= 432


def test_the_hit_map_counts_colours_and_says_the_neuron() -> None:
    figure = draw_hit_map(GRID.places, HITS, LABELS, True, texts=[f"n{i}" for i in range(12)])
    _, cells = figure.data
    used = np.flatnonzero(HITS)
    assert cells.customdata.tolist() == used.tolist()
    assert list(cells.hovertext) == [f"n{i}" for i in used]
    assert list(cells.marker.color) == [cluster_color(label) for label in LABELS[used]]
    areas = np.asarray(cells.marker.size) ** 2
    assert areas[used.tolist().index(5)] / areas[used.tolist().index(0)] == pytest.approx(4)
    worded = draw_hit_map(GRID.places, HITS, LABELS, True, words=["<b>x"] * 12)
    assert any("&lt;b&gt;x" in text for text in worded.data[2].text)


def test_pictures_lie_on_their_neurons() -> None:
    red = np.zeros((8, 8, 3), dtype=np.uint8)
    red[..., 0] = 255
    pictures = [b""] * 12
    pictures[5] = png(red)
    figure = draw_hit_map(GRID.places, HITS, LABELS, True, pictures=pictures)
    source = figure.layout.images[0].source
    sheet = np.asarray(Image.open(io.BytesIO(base64.b64decode(source.split(",")[1]))))
    rows, columns = np.nonzero(sheet[..., 3])
    frame = frame_of(GRID.places, most=(980, 560))
    x = columns.mean() / (2 * frame.unit) + frame.low[0]
    y = frame.high[1] - rows.mean() / (2 * frame.unit)
    np.testing.assert_allclose([x, y], GRID.places[5], atol=0.05)
    assert (sheet[rows, columns, :3] == [255, 0, 0]).all()


def test_the_u_matrix_marks_neurons_with_rows() -> None:
    figure = draw_u_matrix(GRID.places, np.arange(12.0), LABELS, True)
    cells, dots = figure.data
    np.testing.assert_array_equal(cells.marker.color, np.arange(12.0))
    assert cells.customdata.tolist() == list(range(12))
    assert len(dots.x) == np.count_nonzero(LABELS >= 0)
    assert dots.hoverinfo == "skip"


def test_planes_have_their_own_range_and_no_overlap() -> None:
    weights = np.column_stack([np.arange(12.0), 100 - np.arange(12.0), np.ones(12)])
    figure = draw_component_planes(GRID.places, weights, ["a", "<i>b", "same"], True, across=2)
    (cells,) = figure.data
    colors = np.asarray(cells.marker.color).reshape(3, 12)
    np.testing.assert_allclose(colors[0], np.arange(12) / 11)
    np.testing.assert_allclose(colors[1], colors[0][::-1])
    assert not colors[2].any()
    assert cells.customdata.tolist() == list(range(12)) * 3
    assert "&lt;i&gt;b: 100" in cells.hovertext[12]
    spots = np.column_stack([cells.x, cells.y])
    far = np.linalg.norm(spots[:, None] - spots[None], axis=2)
    assert far[~np.eye(36, dtype=bool)].min() > 0.99


def test_the_broken_stick_is_what_random_breaks_give() -> None:
    draws = np.random.default_rng(0)
    cuts = np.sort(draws.uniform(size=(20_000, 4)), axis=1)
    ends = np.hstack([np.zeros((20_000, 1)), cuts, np.ones((20_000, 1))])
    pieces = np.sort(np.diff(ends, axis=1), axis=1)[:, ::-1].mean(axis=0)
    np.testing.assert_allclose(broken_stick(5, 5), pieces, atol=0.005)
    assert broken_stick(7, 7).sum() == pytest.approx(1)
    figure = draw_scree(np.array([0.6, 0.3, 0.1]), drawn=2, first=1, chance=broken_stick(3, 3),
                        chance_name="broken stick")
    np.testing.assert_allclose(figure.data[2].y, 100 * broken_stick(3, 3))
    assert figure.data[0].customdata.tolist() == [0, 1, 2]
    colors = figure.data[0].marker.color
    assert colors[0] != colors[1] == colors[2]


def test_loadings_are_sorted_by_size_and_keep_their_columns() -> None:
    loadings = np.array([0.1, -0.9, 0.0, 0.4])
    figure = draw_loadings(loadings, ["a", "b", "c", "<b>d"], most=3)
    (bars,) = figure.data
    assert bars.customdata.tolist() == [1, 3, 0]
    assert bars.x.tolist() == [-0.9, 0.4, 0.1]
    assert bars.marker.color[0] != bars.marker.color[1] == bars.marker.color[2]
    assert "&lt;b&gt;d" in figure.layout.yaxis.ticktext[1]


def test_loadings_of_pixels_are_pictures() -> None:
    grey = paint_loadings(np.array([0.0, 0.5, -0.5, 0.25]), (2, 2, 1))
    assert grey[0, 0].tolist() == [255, 255, 255]
    assert grey[0, 1].tolist() == [0, 114, 178]
    assert grey[1, 0].tolist() == [230, 159, 0]
    colour = paint_loadings(np.array([0.0, 1.0, -1.0]), (1, 1, 3))
    assert colour[0, 0].tolist() == [128, 255, 0]


def test_memberships_say_line_and_column() -> None:
    shares = np.array([[0.9, 0.1], [np.nan, np.nan]])
    (cells,) = draw_memberships(shares, ["<x>", "b"]).data
    assert list(map(list, cells.customdata)) == [[0, 0], [0, 1]]
    assert "rows of &lt;x&gt;: 10.0% in b" in cells.hovertext[1]


def test_the_curve_is_thinned_evenly_and_marks_eps() -> None:
    curve = np.sort(np.random.default_rng(0).gamma(1, size=5000))
    figure = draw_k_distances(curve, 0.7, 5)
    (line,) = figure.data
    assert len(line.x) == 800
    np.testing.assert_array_equal(line.y, line.customdata)
    assert line.y[-1] == curve[-1]
    assert figure.layout.shapes[0].y0 == 0.7


def test_the_widest_gap() -> None:
    assert widest_gap(np.array([0, 0.01, 0.02, 0.5, 0.6])) == 3
    assert widest_gap(np.array([0.0])) == 0
    assert len(draw_eigenvalues(np.array([0, 0.1, 0.9])).data[0].x) == 3


def test_ink_is_read_on_every_cluster_colour() -> None:
    assert ink_on(["#FFFFFF", "#000000", "#0072B2", "#C3E13C"]) == [
        "#000000", "#FFFFFF", "#FFFFFF", "#000000"]
