from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, ClassVar

from pydantic import Field

from explorer.encode.autoencoder import Autoencoder
from explorer.spec import advanced
from explorer.train.corrupt import hidden_parts
from explorer.train.state import Objective

if TYPE_CHECKING:
    import torch
    from torch import nn


class Masked(Autoencoder):
    """An autoencoder that sees a part of every row and must guess the rest: it learns how the parts
    of a row belong together."""

    key: ClassVar[str] = "masked"
    title: ClassVar[str] = "Masked autoencoder"
    rank: ClassVar[int] = 74

    hidden: float = Field(
        0.5, gt=0, lt=1, description="The share of every row that is hidden: of its numbers, or of "
                                     "the squares of an image.")
    patch: int = advanced(
        4, ge=1, le=32, description="Width and height in pixels of the squares hidden in images.")

    def objective(self, shape: tuple[int, ...]) -> Objective:
        """The squared error of the hidden parts alone, which are 0 in what the network sees.

        Source: K. He et al., Masked Autoencoders Are Scalable Vision Learners, CVPR 2022 (its loss;
        the networks here are the ones of the other autoencoders).
        """
        def made_small(modules: nn.ModuleDict, rows: torch.Tensor, generator: torch.Generator,
                       share: float) -> Mapping[str, torch.Tensor]:
            hidden = hidden_parts(rows, self.hidden, self.patch, generator)
            made = modules["decoder"](modules["encoder"](rows.masked_fill(hidden, 0.0)))
            apart = (made.reshape(rows.shape) - rows).square()
            return {"loss": (apart * hidden).sum() / hidden.sum()}

        return made_small
