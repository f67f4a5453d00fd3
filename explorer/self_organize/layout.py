"""The grid of a self-organising map, and what a trained one says."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property

import numpy as np


@dataclass(frozen=True)
class Layout:
    """A grid of `width` x `height` neurons, numbered column by column as MiniSom's. Neighbours lie
    1 apart; of a hexagonal grid every other row is moved by half a cell."""

    width: int
    height: int
    hexagonal: bool

    @cached_property
    def places(self) -> np.ndarray:
        """m x 2 float64: where the neurons lie."""
        x, y = np.meshgrid(np.arange(self.width, dtype=float), np.arange(self.height, dtype=float),
                           indexing="ij")
        if self.hexagonal:
            x[:, ::-2] -= 0.5
            y *= np.sqrt(3) / 2
        return np.column_stack([x.ravel(), y.ravel()])

    @cached_property
    def squares(self) -> np.ndarray:
        """m x m float64: squared distances on the grid."""
        moved = self.places[:, None, :] - self.places[None, :, :]
        found: np.ndarray = np.einsum("ijk,ijk->ij", moved, moved)
        return found

    @cached_property
    def adjacent(self) -> np.ndarray:
        """m x m bool: which neurons touch, 6 around each of a hexagonal grid, else 8."""
        return (self.squares > 0) & (self.squares < (1.1 if self.hexagonal else 2.1))


@dataclass(frozen=True)
class Trained:
    """`weights` m x d float64, what each neuron stands for, in the unit of the data (cosine: of
    rows at length 1); of n rows the nearest neuron `best` and the next nearest `second` (int32),
    with their distances (float64)."""

    layout: Layout
    weights: np.ndarray
    best: np.ndarray
    second: np.ndarray
    distance: np.ndarray
    second_distance: np.ndarray

    @property
    def hits(self) -> np.ndarray:
        """m int32: of how many rows each neuron is the nearest."""
        return np.bincount(self.best, minlength=len(self.weights)).astype(np.int32)

    @property
    def quantization_error(self) -> float:
        """The mean distance of a row to its neuron."""
        return float(self.distance.mean())

    @property
    def topographic_error(self) -> float:
        """The share of rows whose two nearest neurons do not touch (Kiviluoto 1996)."""
        return float(1 - self.layout.adjacent[self.best, self.second].mean())

    def ridges(self) -> np.ndarray:
        """m float64: the mean distance of each neuron's weights to those it touches (the U-matrix
        of Ultsch, Siemon 1990, one value per neuron)."""
        one, other = np.nonzero(self.layout.adjacent)
        far = np.linalg.norm(self.weights[one] - self.weights[other], axis=1)
        return np.bincount(one, far, minlength=len(self.weights)) / np.bincount(
            one, minlength=len(self.weights))
