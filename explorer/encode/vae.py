from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, ClassVar

import numpy as np
from pydantic import Field

from explorer.encode.trained import TrainedEncoder
from explorer.spec import Progress, advanced
from explorer.train.losses import (
    gaussian_negative_log_likelihood,
    kl_to_standard_normal,
    with_free_bits,
)
from explorer.train.networks import pair_for
from explorer.train.state import Objective

if TYPE_CHECKING:
    import torch
    from torch import nn

_FASTER = 10.0
_LEAST, _MOST = -10.0, 10.0
"""Bounds of log variances: beyond them exp() leaves single precision."""


class VariationalAutoencoder(TrainedEncoder):
    """An autoencoder whose latent space is filled without holes: every row becomes a small cloud in
    it, and all clouds together a round one. Any point of it can be decoded to a row that might have
    been."""

    key: ClassVar[str] = "vae"
    title: ClassVar[str] = "Variational autoencoder"
    rank: ClassVar[int] = 75

    beta: float = Field(
        1.0, ge=0, le=100, description="What order in the latent space counts beside the error: 1 "
                                       "is the VAE; above 1 (beta-VAE) its numbers tend to stand "
                                       "for one thing each; below 1 rows are rebuilt better.")
    warm_up: float = advanced(
        0.2, ge=0, le=1, description="The share of the epochs over which beta rises from 0.")
    free_bits: float = advanced(
        0.0, ge=0, le=10, description="Nats of each latent number that cost nothing: keeps the "
                                      "network from ignoring them.")

    @property
    def rising(self) -> float:
        return self.warm_up

    def build(self, shape: tuple[int, ...]) -> nn.ModuleDict:
        import torch
        from torch import nn

        pair = pair_for(shape, self.latent(shape), self.layers, self.network,
                        outputs=2 * self.latent(shape))
        pair["noise"] = nn.ParameterDict({"tenth": nn.Parameter(torch.zeros(()))})
        return pair

    def code(self, modules: nn.ModuleDict, rows: torch.Tensor) -> torch.Tensor:
        return self.cloud(modules, rows)[0]

    def cloud(self, modules: nn.ModuleDict,
              rows: torch.Tensor) -> tuple[torch.Tensor, torch.Tensor]:
        """B x dimensions each: the mean and the log variance of each row's place."""
        mean, log_variance = modules["encoder"](rows).chunk(2, dim=1)
        return mean, log_variance.clamp(_LEAST, _MOST)

    def log_variance(self, modules: nn.ModuleDict) -> torch.Tensor:
        """The log variance of the decoder's noise, one number: it starts at the variance of the
        data (1) and is learned ten times as fast as the weights, or the first third of a training
        would be spent on it."""
        return (_FASTER * modules["noise"].get_parameter("tenth")).clamp(_LEAST, _MOST)

    def objective(self, shape: tuple[int, ...]) -> Objective:
        """The negative evidence lower bound in nats per row, the KL term times beta.

        Sources: Kingma and Welling, ICLR 2014; I. Higgins et al., beta-VAE, ICLR 2017.
        """
        import torch

        def made_small(modules: nn.ModuleDict, rows: torch.Tensor, generator: torch.Generator,
                       share: float) -> Mapping[str, torch.Tensor]:
            mean, log_variance = self.cloud(modules, rows)
            noise = torch.randn(mean.shape, generator=generator).to(mean.device)
            made = modules["decoder"](mean + (0.5 * log_variance).exp() * noise)
            wide = self.log_variance(modules)
            error = gaussian_negative_log_likelihood(made.reshape(rows.shape), rows, wide).mean()
            kl = kl_to_standard_normal(mean, log_variance)
            counted = with_free_bits(kl, self.free_bits) if self.free_bits else kl.sum(1).mean()
            risen = min(1.0, share / self.warm_up) if self.warm_up and modules.training else 1.0
            return {"loss": error + self.beta * risen * counted, "reconstruction": error,
                    "KL": kl.sum(dim=1).mean()}

        return made_small

    def bounds(self, values: np.ndarray, weights: Mapping[str, np.ndarray],
               progress: Progress) -> np.ndarray:
        """m x 2 float32, in nats: the reconstruction term (at the mean of each row's cloud) and the
        KL of m rows; their sum is the negative evidence lower bound at beta 1, without sampling."""
        import torch

        def both(modules: nn.ModuleDict, rows: torch.Tensor) -> torch.Tensor:
            mean, log_variance = self.cloud(modules, rows)
            wide = self.log_variance(modules)
            made = modules["decoder"](mean).reshape(rows.shape)
            return torch.stack([gaussian_negative_log_likelihood(made, rows, wide),
                                kl_to_standard_normal(mean, log_variance).sum(dim=1)], dim=1)

        return self._apply(values, weights, both, progress, "evidence measured")

    def divergences(self, values: np.ndarray, weights: Mapping[str, np.ndarray],
                    progress: Progress) -> np.ndarray:
        """m x dimensions float32, in nats: the KL of each latent number of m rows. Their means say
        which numbers the network uses (active units: above 0.01)."""
        return self._apply(values, weights, lambda modules, rows: kl_to_standard_normal(
            *self.cloud(modules, rows)), progress, "latent numbers measured")
