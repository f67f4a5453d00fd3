"""The place of a latent number among all rows', from their percentiles alone."""

import numpy as np

from explorer.plot.code_places import MOST, draw_code, places_among
from explorer.plot.error_map import draw_error_map


def test_places_are_percentiles():
    codes = np.random.default_rng(0).normal(size=(5_000, 3))
    quantiles = np.quantile(codes, np.linspace(0, 1, 101), axis=0)
    for row in codes[:20]:
        expected = 100 * (codes < row).mean(axis=0)
        np.testing.assert_allclose(places_among(row, quantiles), expected, atol=1.0)
    constant = np.full((101, 1), 2.0)
    assert places_among(np.array([2.0]), constant)[0] == 50
    assert places_among(np.array([1.0]), constant)[0] == 0
    assert places_among(np.array([3.0]), constant)[0] == 100


def test_of_many_numbers_the_farthest_out_are_drawn():
    quantiles = np.linspace(-1, 1, 101)[:, None].repeat(200, axis=1)
    code = np.zeros(200)
    code[150] = 5.0
    figure = draw_code(code, quantiles)
    assert len(figure.data[0].x) == MOST
    assert figure.data[-1].customdata[0].tolist() == [150, 100]


def test_the_scale_of_the_error_map_is_the_one_given():
    figure = draw_error_map(np.array([[[0.5, -0.2]], [[0.1, 0.0]]]), 0.4)
    heat = figure.data[0]
    np.testing.assert_allclose(heat.z, [[0.3, -0.1]])
    assert (heat.zmin, heat.zmax) == (-0.4, 0.4)
    squared = draw_error_map(np.array([[[0.5, -0.2]], [[0.1, 0.0]]]), 0.4, squared=True).data[0]
    np.testing.assert_allclose(squared.z, [[0.13, 0.02]])
    assert squared.zmax == 0.4**2
