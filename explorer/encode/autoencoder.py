from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, ClassVar

from explorer.encode.trained import TrainedEncoder
from explorer.train.losses import squared_error
from explorer.train.networks import pair_for
from explorer.train.state import Objective

if TYPE_CHECKING:
    import torch
    from torch import nn


class Autoencoder(TrainedEncoder):
    """Learns to squeeze every row of your data through a few numbers and to rebuild it from them.
    What these numbers keep is what your rows have in common; what cannot be rebuilt is unusual."""

    key: ClassVar[str] = "autoencoder"
    title: ClassVar[str] = "Autoencoder"
    rank: ClassVar[int] = 70

    def build(self, shape: tuple[int, ...]) -> nn.ModuleDict:
        return pair_for(shape, self.latent(shape), self.layers, self.network)

    def objective(self, shape: tuple[int, ...]) -> Objective:
        def made_small(modules: nn.ModuleDict, rows: torch.Tensor, generator: torch.Generator,
                       share: float) -> Mapping[str, torch.Tensor]:
            made = modules["decoder"](modules["encoder"](rows)).reshape(rows.shape)
            return {"loss": squared_error(made, rows).mean()}

        return made_small
