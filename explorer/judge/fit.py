"""Whether an index fits the clusters it is about: what a person must know before reading it."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal


@dataclass(frozen=True)
class Made:
    """How a clustering came about, as far as it decides which index fits: the `metric` it was made
    with, whether by `density`, whether `on_picture` (made and judged there), and whether it was
    `edited` by hand."""

    metric: str = "euclidean"
    density: bool = False
    on_picture: bool = False
    edited: bool = False


@dataclass(frozen=True)
class Fit:
    """`verdict` in a word, and `why` ('' where there is nothing to say)."""

    verdict: Literal["fits", "with care", "does not fit"]
    why: str


def round_clusters(title: str, made: Made) -> Fit:
    """The guard-rail of indices that measure by centres and straight distances."""
    if made.density:
        return Fit("does not fit", f"{title} expects round clusters around their centres; these "
                                   "are dense regions of any shape. DBCV is made for them.")
    if made.metric != "euclidean":
        return Fit("with care", f"{title} is Euclidean; the clusters were made with {made.metric} "
                                "distance.")
    if made.on_picture:
        return Fit("with care", "Made and measured on the picture, where distances are distorted.")
    return Fit("fits", "Favours round clusters of similar width.")
