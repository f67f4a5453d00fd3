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
    patch: int | None = advanced(
        None, ge=1, le=32, description="Width and height in pixels of the squares hidden in "
                                       "images; automatic is an eighth of the image's side.")
    whole: float = advanced(
        0.25, ge=0, lt=1, description="The share of the rows that hide nothing and are rebuilt "
                                      "whole: all are seen whole when they are encoded, and a "
                                      "network that never saw one does worse.")

    def objective(self, shape: tuple[int, ...]) -> Objective:
        """The squared error of the hidden parts alone, which are 0 in what the network sees (the
        rest is made larger by as much as is missing), and of all of a row that hides nothing.

        Source: K. He et al., Masked Autoencoders Are Scalable Vision Learners, CVPR 2022 (its loss;
        the networks here are the ones of the other autoencoders).
        """
        import torch

        patch = self.patch or (max(2, round(max(shape[1:]) / 8)) if len(shape) == 3 else 1)

        if len(shape) == 3:  # else one square could hide the whole image
            patch = min(patch, max(1, max(shape[1:]) // 2))

        def made_small(modules: nn.ModuleDict, rows: torch.Tensor, generator: torch.Generator,
                       share: float) -> Mapping[str, torch.Tensor]:
            hidden = hidden_parts(rows, self.hidden, patch, generator)
            apart = (len(rows), *[1] * len(shape))
            whole = (torch.rand(apart, generator=generator) < self.whole).to(rows.device)
            hidden = hidden & ~whole
            seen = (~hidden).flatten(1).float().mean(dim=1).reshape(apart)
            shown = rows.masked_fill(hidden, 0.0) / seen.clamp(min=1e-6)
            made = modules["decoder"](modules["encoder"](shown)).reshape(rows.shape)
            counted = (hidden | whole).to(rows.dtype)
            return {"loss": ((made - rows).square() * counted).sum() / counted.sum()}

        return made_small
