from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, ClassVar, Literal

import numpy as np
from pydantic import Field

from explorer.encode.autoencoder import Autoencoder
from explorer.spec import advanced
from explorer.train.corrupt import corrupted
from explorer.train.losses import squared_error
from explorer.train.state import Objective

if TYPE_CHECKING:
    import torch
    from torch import nn


class Denoising(Autoencoder):
    """An autoencoder that is shown rows with noise and must rebuild them without. It learns what
    rows look like instead of copying them, and can clean noisy ones."""

    key: ClassVar[str] = "denoising"
    title: ClassVar[str] = "Denoising autoencoder"
    rank: ClassVar[int] = 71

    noise: Literal["gaussian", "masking", "salt and pepper"] = Field(
        "gaussian", description="Gaussian adds a random number to every number; masking sets some "
                                "to their mean; salt and pepper sets some to the smallest or "
                                "largest value.")
    level: float = Field(
        0.3, gt=0, le=3, description="How much: the standard deviation of Gaussian noise, where 1 "
                                     "is that of the rows themselves (of each column, or of all "
                                     "pixels), or the share of numbers that are replaced (at most "
                                     "1).")
    kept: float = advanced(
        0.0, ge=0, le=1, description="The share of the loss that rows without noise have.")

    def objective(self, shape: tuple[int, ...]) -> Objective:
        """Source: P. Vincent et al., Extracting and Composing Robust Features with Denoising
        Autoencoders, ICML 2008."""
        def made_small(modules: nn.ModuleDict, rows: torch.Tensor, generator: torch.Generator,
                       share: float) -> Mapping[str, torch.Tensor]:
            noisy = corrupted(rows, self.noise, self.level, generator)
            made = modules["decoder"](modules["encoder"](noisy)).reshape(rows.shape)
            denoised = squared_error(made, rows).mean()
            if not self.kept:
                return {"loss": denoised}
            clean = modules["decoder"](modules["encoder"](rows)).reshape(rows.shape)
            copied = squared_error(clean, rows).mean()
            return {"loss": (1 - self.kept) * denoised + self.kept * copied,
                    "denoised": denoised, "clean": copied}

        return made_small

    def worsened(self, values: np.ndarray, seed: int) -> np.ndarray | None:
        import torch

        rows = torch.from_numpy(np.ascontiguousarray(values))
        draws = torch.Generator().manual_seed(seed)
        noisy: np.ndarray = corrupted(rows, self.noise, self.level, draws).numpy()
        return noisy
