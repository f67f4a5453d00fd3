"""The silhouette plot: one bar per row, exact, sorted, selectable, at any size."""

from __future__ import annotations

import time

import numpy as np
import pytest

from explorer.errors import ParameterError
from explorer.plot import silhouette as module
from explorer.plot.palette import cluster_color, greyed
from explorer.plot.silhouette import draw_silhouette

RANDOM = np.random.default_rng(0)


def sample(n: int, clusters: int = 5) -> dict[str, np.ndarray]:
    labels = RANDOM.integers(-1, clusters, n)
    values = np.where(labels < 0, np.nan, RANDOM.uniform(-0.5, 1, n))
    return {"silhouette": values, "labels": labels, "rows": np.arange(n) + 100,
            "second": np.where(labels < 0, -1, (labels + 1) % clusters)}


def ends(figure):
    (trace,) = [trace for trace in figure.data if trace.customdata is not None]
    return trace


@pytest.mark.parametrize("n", [300, 5000])
def test_every_clustered_row_is_a_bar_in_order(n: int) -> None:
    data = sample(n)
    trace = ends(draw_silhouette(**data, noise=int((data["labels"] < 0).sum())))
    assert trace.type == ("bar" if n <= module.BARS else "scattergl")
    positions = trace.customdata - 100
    assert sorted(positions) == np.flatnonzero(data["labels"] >= 0).tolist()
    np.testing.assert_array_equal(trace.x, data["silhouette"][positions].astype(np.float32))
    labels = data["labels"][positions]
    assert (np.diff(labels) >= 0).all()
    assert (np.diff(trace.y) >= 1).all()
    inside = np.diff(labels) == 0
    assert (np.diff(trace.x)[inside] <= 0).all()
    assert np.allclose(np.diff(trace.y)[inside], 1)
    assert (np.diff(trace.y)[~inside] > 1).all()


def test_outlines_are_the_exact_bars() -> None:
    data = sample(5000, clusters=30)
    figure = draw_silhouette(**data)
    trace = ends(figure)
    labels = data["labels"][trace.customdata - 100]
    fills = [trace for trace in figure.data if trace.fill == "toself"]
    assert len(fills) == 30
    for fill in fills:
        label = next(i for i in range(30) if cluster_color(i) == fill.fillcolor)
        xs, ys = trace.x[labels == label], trace.y[labels == label]
        corners = {(np.float32(x), np.float32(y + side)) for x, y in zip(xs, ys, strict=True)
                   for side in (-0.5, 0.5)}
        drawn = set(zip(fill.x, fill.y, strict=True))
        assert corners <= drawn
        assert {x for x, _ in drawn - corners} == {0}


@pytest.mark.parametrize("n", [40, 4000])
def test_selected_rows_stand_out(n: int) -> None:
    data = sample(n)
    selected = np.zeros(n, dtype=bool)
    selected[np.flatnonzero(data["labels"] >= 0)[::3]] = True
    figure = draw_silhouette(**data, selected=selected)
    trace = ends(figure)
    chosen = selected[trace.customdata - 100]
    if n <= module.BARS:
        shown = [trace.marker.colorscale[2 * code][1] for code in trace.marker.color]
        labels = data["labels"][trace.customdata - 100]
        assert shown == [cluster_color(label) if bright else greyed(cluster_color(label))
                         for label, bright in zip(labels, chosen, strict=True)]
    else:
        bright = [fill for fill in figure.data if fill.fill == "toself"
                  and fill.fillcolor in {cluster_color(i) for i in range(5)}]
        tips = {value for fill in bright for value in fill.x if np.isfinite(value) and value != 0}
        assert tips == set(trace.x[chosen].tolist())


def test_words_mean_names_and_noise() -> None:
    figure = draw_silhouette(np.array([0.5, 0.25, np.nan, -0.5, np.nan]),
                             np.array([0, 0, -1, 1, 1]), np.array([1, 1, -1, 0, 0]),
                             rows=np.arange(5), names={0: "<b>A</b>"},
                             noise=1, mean=0.0833, hover=["r0", "r1", "r2", "r3", "r4"])
    trace = ends(figure)
    assert list(trace.text) == ["r0<br>&lt;b&gt;A&lt;/b&gt;<br>second best: Cluster 1",
                                "r1<br>&lt;b&gt;A&lt;/b&gt;<br>second best: Cluster 1",
                                "r3<br>Cluster 1<br>second best: &lt;b&gt;A&lt;/b&gt;"]
    assert list(figure.layout.yaxis.ticktext) == ["&lt;b&gt;A&lt;/b&gt; · 2 · 0.38",
                                                  "Cluster 1 · 1 · -0.50"]
    said = [note.text for note in figure.layout.annotations]
    assert "mean 0.083" in said
    assert "1 noise rows take no part. 1 rows have no silhouette." in said
    low, high = figure.layout.xaxis.range
    assert -0.6 < low < -0.5  # what the values need, not always -1 to 1
    assert 0.5 < high < 0.6
    first, second = figure.layout.yaxis.range
    assert first > second  # the first cluster stands on top


def test_values_of_one_sign_keep_the_zero_line_and_the_tool_is_the_callers() -> None:
    alike = draw_silhouette(np.array([-0.2, -0.4]), np.array([0, 1]), np.array([1, 0]),
                            rows=np.arange(2), dragmode="pan")
    low, high = alike.layout.xaxis.range
    assert low < -0.4
    assert 0 < high < 0.1
    assert alike.layout.dragmode == "pan"


def test_narrow_clusters_without_label_are_counted() -> None:
    labels = np.repeat(np.arange(200), 20)
    figure = draw_silhouette(np.full(4000, 0.3), labels, (labels + 1) % 200, rows=np.arange(4000))
    labelled = len(figure.layout.yaxis.ticktext)
    assert labelled < 60
    assert any(f"{200 - labelled} narrow clusters" in note.text
               for note in figure.layout.annotations)


def test_nothing_to_draw_is_said() -> None:
    for labels in (np.array([-1, -1]), np.array([0, 0]), np.array([], dtype=int)):
        figure = draw_silhouette(np.full(len(labels), np.nan), labels, labels,
                                 rows=np.arange(len(labels)), noise=2)
        assert len(figure.data) == 0
        assert "No row has a silhouette" in figure.layout.annotations[0].text
    with pytest.raises(ParameterError):
        draw_silhouette(np.zeros(3), np.zeros(2), np.zeros(3), rows=np.arange(3))


def test_twenty_thousand_rows_are_quick_and_small() -> None:
    data = sample(20_000, clusters=12)
    draw_silhouette(**sample(4000)).to_json()
    start = time.process_time()
    text = draw_silhouette(**data).to_json()
    assert time.process_time() - start < 3
    assert len(text) < 120 * 20_000
