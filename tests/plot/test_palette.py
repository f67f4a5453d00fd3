"""Colours: stable, different, also for eyes without green receptors."""

from __future__ import annotations

import numpy as np
import pytest

from explorer.plot.palette import (
    NOISE_COLOR,
    category_colors,
    cluster_color,
    cluster_colors,
    with_alpha,
)

# Machado, Oliveira and Fernandes (2009), severity 1.0, on linear RGB.
DEUTERANOPE = np.array([[0.367322, 0.860646, -0.227968], [0.280085, 0.672501, 0.047413],
                        [-0.011820, 0.042940, 0.968881]])
PROTANOPE = np.array([[0.152286, 1.052583, -0.204868], [0.114503, 0.786281, 0.099216],
                      [-0.003882, -0.048116, 1.051998]])
# Ottosson (2020), OKLab.
LMS = np.array([[0.4122214708, 0.5363325363, 0.0514459929],
                [0.2119034982, 0.6806995451, 0.1073969566],
                [0.0883024619, 0.2817188376, 0.6299787005]])
LAB = np.array([[0.2104542553, 0.7936177850, -0.0040720468],
                [1.9779984951, -2.4285922050, 0.4505937099],
                [0.0259040371, 0.7827717662, -0.8086757660]])


def seen(colors: list[str], vision: np.ndarray) -> np.ndarray:
    """OKLab coordinates of '#RRGGBB' colours as somebody sees them."""
    rgb = np.array([[int(color[at:at + 2], 16) / 255 for at in (1, 3, 5)] for color in colors])
    linear = np.where(rgb <= 0.04045, rgb / 12.92, ((rgb + 0.055) / 1.055) ** 2.4)
    return np.cbrt(np.clip(linear @ vision.T, 0, 1) @ LMS.T) @ LAB.T


def least_distance(colors: list[str], vision: np.ndarray) -> float:
    places = seen(colors, vision)
    distances = np.linalg.norm(places[:, None] - places[None], axis=2)
    return float(distances[~np.eye(len(colors), dtype=bool)].min())


@pytest.mark.parametrize(("count", "vision", "least"), [
    (8, np.eye(3), 0.18), (8, DEUTERANOPE, 0.10), (8, PROTANOPE, 0.10), (12, DEUTERANOPE, 0.08),
    (24, np.eye(3), 0.08), (24, DEUTERANOPE, 0.05), (24, PROTANOPE, 0.05)])
def test_colors_are_far_apart(count: int, vision: np.ndarray, least: float) -> None:
    assert least_distance([cluster_color(i) for i in range(count)], vision) >= least


def test_the_first_seventy_two_differ_and_then_repeat() -> None:
    colors = [cluster_color(i) for i in range(72)]
    assert len({*colors, NOISE_COLOR}) == 73
    assert [cluster_color(i) for i in range(72, 144)] == colors
    assert cluster_color(-1) == NOISE_COLOR


def test_colors_show_on_white_and_on_dark() -> None:
    """Contrast (WCAG) above 1.25 on both pages for the plain colours and the noise grey."""
    for color in [NOISE_COLOR, *(cluster_color(i) for i in range(24))]:
        rgb = np.array([int(color[at:at + 2], 16) / 255 for at in (1, 3, 5)])
        linear = np.where(rgb <= 0.04045, rgb / 12.92, ((rgb + 0.055) / 1.055) ** 2.4)
        light = float(linear @ [0.2126, 0.7152, 0.0722])
        assert 1.05 / (light + 0.05) > 1.25
        assert (light + 0.05) / (0.006 + 0.05) > 1.9


def test_categories_are_numbered_by_falling_count() -> None:
    colors = category_colors(["b", "a", "b", None, "", "c", "a", "b"], title="kind")
    assert colors.codes.tolist() == [0, 1, 0, -1, -1, 2, 1, 0]
    assert [colors.name(code) for code in (-1, 0, 1, 2)] == ["missing", "b", "a", "c"]
    assert colors.color(1) == cluster_color(1)
    assert category_colors([None]).codes.tolist() == [-1]
    assert category_colors([]).codes.shape == (0,)


def test_clusters_have_peoples_names_and_always_the_same_colour() -> None:
    few = cluster_colors(np.array([0, -1, 1]), {1: "Cats"})
    many = cluster_colors(np.arange(40))
    assert few.name(1) == "Cats"
    assert few.name(0) == "Cluster 0"
    assert few.name(-1) == "Noise"
    assert few.color(1) == many.color(1) == cluster_color(1)


def test_alpha() -> None:
    assert with_alpha("#FF8000", 0.25) == "rgba(255,128,0,0.25)"
