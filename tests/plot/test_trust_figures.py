"""The figures of map trust: curves, the Shepard diagram, stamps of maps."""

import io

import numpy as np
import pytest
from PIL import Image

from explorer.plot.neighbor_curves import Curve, draw_neighbor_curves
from explorer.plot.palette import cluster_color
from explorer.plot.shepard import draw_shepard
from explorer.plot.thumbnail import draw_thumbnail


def test_curves_differ_by_dashes_too_and_names_are_text():
    counts = np.arange(1, 30)
    curves = [Curve("PCA", counts, counts / 30), Curve("<b>x</b>", counts, counts / 40)]
    figure = draw_neighbor_curves(curves, what="kept", asked=15,
                                  chance=Curve("by chance", counts, counts / 300))
    assert [trace.name for trace in figure.data][::2] == ["PCA", "by chance"]
    assert "<b>" not in figure.data[1].name
    assert len({(trace.line.dash, trace.line.color) for trace in figure.data}) == 3
    assert figure.data[0].line.dash != figure.data[1].line.dash
    assert figure.layout.xaxis.type == "log"
    assert figure.layout.shapes[0].x0 == 15
    assert draw_neighbor_curves([Curve("x", counts[:0], counts[:0])], what="kept").data == ()


def test_the_shepard_diagram_and_its_median():
    counts = np.zeros((4, 4))
    counts[0, 0], counts[1, 1], counts[1, 3], counts[3, 2] = 30, 25, 10, 5
    edges = np.linspace(0, 4, 5)
    figure = draw_shepard(counts, edges, edges * 10, metric="cosine")
    density, median = figure.data
    assert density.z[1][1] == pytest.approx(np.log10(25))
    assert np.isnan(density.z[0][1])
    assert density.z[3][1] == pytest.approx(1)  # row 3: drawn, column 1: true
    assert list(median.y[:2]) == [5, 15]
    assert np.isnan(median.y[2:]).all()  # fewer than 20 pairs say nothing
    assert "cosine" in figure.layout.xaxis.title.text
    assert not draw_shepard(counts * 0, edges, edges, metric="x").data


def test_a_stamp_has_every_cluster_where_it_is():
    points = np.array([[0, 0], [10, 0], [0, 10], [5, 5]], dtype=np.float32)
    image = np.asarray(Image.open(io.BytesIO(draw_thumbnail(points, np.array([0, 1, 2, -1]),
                                                            width=60, height=60))))
    assert image.shape == (60, 60, 4)
    for at, cluster in (((-5, 5), 0), ((-5, -5), 1), ((5, 5), 2)):
        color = tuple(bytes.fromhex(cluster_color(cluster)[1:]))
        y, x = (value % 60 for value in at)
        near = image[max(0, y - 4):y + 5, max(0, x - 4):x + 5].reshape(-1, 4)
        assert any(tuple(pixel[:3].tolist()) == color for pixel in near)
    assert image[30, 30, 3] == 255
    assert image[0, 30, 3] == 0


@pytest.mark.parametrize("points", [np.zeros((0, 2)), np.zeros((3, 2)), np.ones((2, 3)) * 1e30])
def test_a_stamp_of_nothing_much(points):
    assert Image.open(io.BytesIO(draw_thumbnail(points, None))).size == (168, 112)
