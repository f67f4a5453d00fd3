"""Learning curves, rebuilt pictures, errors by column."""

import io
from itertools import pairwise

import numpy as np
import pytest
from PIL import Image

from explorer.plot.column_errors import MOST, column_errors, draw_column_errors
from explorer.plot.learning import draw_learning, parts_of
from explorer.plot.rebuilt import draw_rebuilt

HISTORY = {"train.KL": [1.0, 2.0, 3.0], "validation.KL": [1.5, 2.5, 3.5],
           "train.loss": [9.0, -4.0, -6.0], "validation.loss": [9.5, -3.0, -2.0]}


def test_every_part_has_its_two_lines_and_the_best_epoch():
    parts = parts_of(HISTORY)
    assert [part.name for part in parts] == ["loss", "KL"]
    figure = draw_learning(parts, best=2)
    lines = {(trace.name, trace.xaxis): trace for trace in figure.data}
    assert list(lines["rows learned from", "x"].x) == [1, 2, 3], "epochs are counted from 1"
    assert list(lines["rows held back", "x"].y) == HISTORY["validation.loss"]
    assert list(lines["rows held back", "x2"].y) == HISTORY["validation.KL"]
    stars = [trace for trace in figure.data if "best" in trace.name]
    assert [(star.x[0], star.y[0]) for star in stars] == [(2, -3.0), (2, 2.5)]


def test_only_what_is_positive_has_a_log_scale():
    figure = draw_learning(parts_of(HISTORY), best=0, log=True)
    assert (figure.layout.yaxis.type, figure.layout.yaxis2.type) == ("linear", "log")
    assert len(figure.data) == 4, "no epoch is the best one yet"


def test_later_epochs_and_panels_that_do_not_touch():
    history = {f"train.{name}": list(range(1, 11)) for name in ("loss", "abc", "bcd", "cde")}
    figure = draw_learning(parts_of(history), best=10, first=4)
    assert list(figure.data[0].x) == list(range(4, 11))
    assert list(figure.data[0].y) == list(range(4, 11))
    panels = sorted(tuple(getattr(figure.layout, f"yaxis{number}").domain) for number in (2, 3, 4))
    assert panels[0][0] == 0
    assert panels[-1][1] == pytest.approx(1)
    assert all(below[1] < above[0] for below, above in pairwise(panels))


def test_pictures_stand_above_their_reconstructions():
    original = np.zeros((2, 1, 4, 4), dtype=np.float32)
    original[1] = 1.0
    made = np.full_like(original, 0.5)
    image = np.asarray(Image.open(io.BytesIO(draw_rebuilt(original, made))))
    side = 96
    assert image.shape == (2 * side + 6, 2 * side + 6, 4)
    assert image[10, 10].tolist() == [0, 0, 0, 255]
    assert image[10, side + 20].tolist() == [255, 255, 255, 255]
    assert image[side + 20, 10].tolist() == [128, 128, 128, 255]
    assert image[10, side + 2, 3] == 0, "between them it is clear"


def test_colours_keep_their_places():
    original = np.zeros((1, 3, 2, 5), dtype=np.float32)
    original[0, :, 1, 4] = (1.0, 0.2, 0.0)
    image = np.asarray(Image.open(io.BytesIO(draw_rebuilt(original, original))))
    assert image[30, 90].tolist() == [255, 51, 0, 255], "the lower right corner"
    assert image[5, 5].tolist() == [0, 0, 0, 255]


def test_errors_by_column_are_root_mean_squares():
    rng = np.random.default_rng(0)
    original, made = rng.normal(size=(8, 30)), rng.normal(size=(8, 30))
    errors = column_errors(original, made)
    slow = [sum((made[row, at] - original[row, at]) ** 2 for row in range(8)) / 8
            for at in range(30)]
    assert errors == pytest.approx(np.sqrt(slow))
    names = ["<b>x</b>", *map(str, range(1, 30))]
    figure = draw_column_errors(errors, names, unit="error", spread=np.full(30, 2.0))
    assert list(figure.data[0].y) == sorted(errors, reverse=True)[:MOST]
    assert "<b>" not in figure.to_json(), "names of columns are literal"
    assert set(figure.data[1].y) == {2.0}
