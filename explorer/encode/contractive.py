from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, ClassVar

from pydantic import Field

from explorer.encode.autoencoder import Autoencoder
from explorer.train.losses import contraction, squared_error
from explorer.train.state import Objective

if TYPE_CHECKING:
    import torch
    from torch import nn


class Contractive(Autoencoder):
    """An autoencoder whose latent numbers may move only little when a row changes a little: small
    differences between rows are smoothed away, large ones stay."""

    key: ClassVar[str] = "contractive"
    title: ClassVar[str] = "Contractive autoencoder"
    rank: ClassVar[int] = 73
    work: ClassVar[float] = 1.4

    weight: float = Field(
        1e-3, ge=0, le=100, description="What steadiness counts beside the error.")

    def objective(self, shape: tuple[int, ...]) -> Objective:
        """Source: S. Rifai et al., Contractive Auto-Encoders, ICML 2011."""
        def made_small(modules: nn.ModuleDict, rows: torch.Tensor, generator: torch.Generator,
                       share: float) -> Mapping[str, torch.Tensor]:
            shown = rows.detach().clone().requires_grad_()
            code = modules["encoder"](shown)
            error = squared_error(modules["decoder"](code).reshape(rows.shape), rows).mean()
            moved = contraction(code, shown, generator).mean()
            return {"loss": error + self.weight * moved, "error": error, "contraction": moved}

        return made_small
