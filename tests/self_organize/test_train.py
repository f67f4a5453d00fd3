"""The grid is MiniSom's: its batch training, its errors, its U-matrix; and it keeps the laws."""

from __future__ import annotations

import numpy as np
import pytest
from minisom import MiniSom
from sklearn.datasets import load_iris

from explorer.cluster import clusterers
from explorer.project import projectors
from explorer.self_organize.layout import Layout, Trained
from explorer.spec import silent

IRIS = load_iris().data.astype(np.float32)


def trained(**parameters: object) -> Trained:
    return clusterers().create("som", parameters).train(IRIS, silent)  # type: ignore[attr-defined]


@pytest.mark.parametrize(("topology", "height"), [("rectangular", 4), ("hexagonal", 4),
                                                  ("hexagonal", 5)])
def test_batch_training_is_minisoms(topology: str, height: int) -> None:
    # No row twice: between neurons at the same distance rounding decides.
    data = np.random.default_rng(0).normal(size=(120, 4)).astype(np.float32).astype(np.float64)
    ours = clusterers().create("som", {
        "width": 6, "height": height, "topology": topology, "rounds": 7, "radius": 1.5,
        "init": "random", "seed": 3}).train(data, silent)  # type: ignore[attr-defined]
    oracle = MiniSom(6, height, 4, sigma=1.5, learning_rate=1, topology=topology,
                     decay_function=lambda rate, turn, turns: rate,
                     sigma_decay_function="linear_decay_to_one")
    start = data[np.random.default_rng(3).choice(120, size=6 * height, replace=False)]
    oracle.get_weights()[:] = start.reshape(6, height, 4)
    oracle.train_batch_offline(data, 7)
    np.testing.assert_allclose(ours.weights.reshape(6, height, 4), oracle.get_weights(), atol=1e-6)
    x, y = oracle.get_euclidean_coordinates()
    np.testing.assert_allclose(ours.layout.places, np.column_stack([x.ravel(), y.ravel()]))
    assert ours.quantization_error == pytest.approx(oracle.quantization_error(data), rel=1e-6)
    assert ours.topographic_error == pytest.approx(oracle.topographic_error(data), abs=1e-9)
    np.testing.assert_array_equal(ours.hits.reshape(6, height), oracle.activation_response(data))
    if topology == "hexagonal" and height % 2 == 0:
        return  # MiniSom 2.3.6 moves the odd rows of such a grid and looks around the even ones
    ridges = ours.ridges().reshape(6, height)
    np.testing.assert_allclose(ridges / ridges.max(), oracle.distance_map("mean"), atol=1e-6)


def test_sequential_training_comes_to_a_map_as_good() -> None:
    batch, single = trained(seed=1), trained(training="sequential", seed=1)
    assert single.quantization_error < 1.3 * batch.quantization_error
    assert single.topographic_error < 0.2
    again = trained(training="sequential", seed=1)
    assert again.weights.tobytes() == single.weights.tobytes()
    assert trained(training="sequential", seed=2).weights.tobytes() != again.weights.tobytes()


@pytest.mark.parametrize("parameters", [{}, {"metric": "cosine"}, {"topology": "rectangular"}])
def test_the_two_nearest_neurons_are_the_two_nearest(parameters: dict[str, str]) -> None:
    found = trained(**parameters)
    data = IRIS.astype(np.float64)
    if parameters.get("metric") == "cosine":
        data /= np.linalg.norm(data, axis=1, keepdims=True)
    far = np.linalg.norm(data[:, None] - found.weights[None], axis=2)
    np.testing.assert_allclose(found.distance, np.sort(far, axis=1)[:, 0], rtol=1e-6)
    np.testing.assert_allclose(found.second_distance, np.sort(far, axis=1)[:, 1], rtol=1e-6)
    assert (found.best != found.second).all()


def test_offset_and_scale_do_not_matter() -> None:
    plain = trained()
    method = clusterers().create("som")
    moved = method.train(IRIS.astype(np.float64) * 1024 + 7e6, silent)  # type: ignore[attr-defined]
    np.testing.assert_array_equal(moved.best, plain.best)
    assert moved.quantization_error == pytest.approx(1024 * plain.quantization_error, rel=1e-6)


def test_many_columns_start_along_the_same_directions() -> None:
    wide = np.hstack([IRIS, np.zeros((150, 1100), dtype=np.float32)])
    method = clusterers().create("som")
    found = method.train(wide, silent)  # type: ignore[attr-defined]
    assert (found.best == trained().best).mean() > 0.98


def test_a_grid_fits_the_data() -> None:
    layout = trained().layout
    assert layout.width > layout.height  # iris is long in one direction
    assert 45 < layout.width * layout.height < 80  # 5 x the root of 150 is 61
    assert trained(width=7).layout.width == 7
    assert trained(width=7, height=3).layout == Layout(7, 3, True)
    inner = Layout(5, 5, True).adjacent.sum(axis=1).reshape(5, 5)[1:-1, 1:-1]
    assert (inner == 6).all()
    assert (Layout(5, 5, False).adjacent.sum(axis=1).reshape(5, 5)[1:-1, 1:-1] == 8).all()


def test_clusters_are_neurons_joined() -> None:
    method = clusterers().create("som", {"clusters": 3})
    found = method.cluster(IRIS, silent)
    extras = found.extras
    of_neuron = extras["neuron_labels"]
    np.testing.assert_array_equal(of_neuron[extras["neuron"]], found.labels)
    np.testing.assert_array_equal(of_neuron < 0, extras["hits"] == 0)
    assert extras["hits"].sum() == 150
    single, joined = method.sweep(IRIS, (2, 3), silent)
    assert single.count == 2
    assert joined.labels.tobytes() == found.labels.tobytes()
    every = clusterers().create("som", {"grouping": "none"}).cluster(IRIS, silent)
    assert every.count == np.count_nonzero(extras["hits"])
    few = clusterers().create("som", {"width": 2, "height": 2, "clusters": 4}).cluster(
        np.repeat(IRIS[[0, 60]], 9, axis=0), silent)
    assert few.count == 2
    assert "not 4" in " ".join(few.notes)


def test_the_picture_is_the_same_grid() -> None:
    found = clusterers().create("som").cluster(IRIS, silent).extras
    packed = projectors().create("som_grid").project(IRIS, silent)
    centres = found["places"][found["neuron"]]
    far = np.linalg.norm(packed.points - centres, axis=1)
    assert far.max() < 0.5
    for neuron in np.unique(found["neuron"]):
        rows = np.flatnonzero(found["neuron"] == neuron)
        order = rows[np.lexsort((rows, found["neuron_distance"][rows]))]
        assert (np.diff(far[order]) > -1e-6).all(), "the nearest row in the middle"
    assert len(np.unique(packed.points, axis=0)) == 150
    between = projectors().create("som_grid", {"placement": "between"}).project(IRIS, silent)
    far = np.linalg.norm(between.points - centres, axis=1)
    assert far.max() <= 0.5 + 1e-5
