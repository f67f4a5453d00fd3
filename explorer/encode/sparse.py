from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, ClassVar, Literal

from pydantic import Field

from explorer.encode.autoencoder import Autoencoder
from explorer.train.losses import largest_only, sparsity_kl, squared_error
from explorer.train.state import Objective

if TYPE_CHECKING:
    import torch
    from torch import nn

_CHOICE = 64
_WEIGHTS = {"L1": 1e-3, "KL": 1e-2}


class Sparse(Autoencoder):
    """An autoencoder that may use only a few of many numbers for each row, so that each number
    comes to stand for one thing that rows have or lack."""

    key: ClassVar[str] = "sparse"
    title: ClassVar[str] = "Sparse autoencoder"
    rank: ClassVar[int] = 72

    dimensions: int | None = Field(
        None, ge=1, le=4000, description="How many numbers there are to choose from; more than the "
                                         "row has is fine here. Automatic is 64.")
    sparsity: Literal["k largest", "L1", "KL"] = Field(
        "k largest", description="K largest: only the largest numbers of a row count. L1: every "
                                 "number costs its size. KL: each number is on for a given share "
                                 "of the rows.")
    active: float = Field(
        0.1, gt=0, le=1, description="The share of the numbers that are on: exactly so for k "
                                     "largest, on average for KL.")
    weight: float | None = Field(
        None, ge=0, le=100, description="What sparsity counts beside the error, for L1 and KL; "
                                        "automatic is 0.001 and 0.01. Much more of L1 switches "
                                        "everything off.")

    def code(self, modules: nn.ModuleDict, rows: torch.Tensor) -> torch.Tensor:
        return self._code(modules, rows, 1.0)

    def _code(self, modules: nn.ModuleDict, rows: torch.Tensor, way: float) -> torch.Tensor:
        """`way`: how far it is (0..1) from all numbers on to the asked share."""
        found: torch.Tensor = modules["encoder"](rows)
        if self.sparsity == "KL":
            return found.sigmoid()
        found = found.relu()
        if self.sparsity == "L1":
            return found
        k, every = self.kept(found.shape[1]), found.shape[1]
        return largest_only(found, max(k, round(every - way * (every - k))))

    @property
    def rising(self) -> float:
        return 0.5 if self.sparsity == "k largest" else 0.0

    def latent(self, shape: tuple[int, ...]) -> int:
        return self.dimensions or _CHOICE

    def kept(self, dimensions: int) -> int:
        """How many of a row's numbers are on with 'k largest'."""
        return max(1, round(self.active * dimensions))

    def objective(self, shape: tuple[int, ...]) -> Objective:
        """Sources: Makhzani and Frey, k-Sparse Autoencoders, ICLR 2014 (with the schedule of its
        section 4.2: k falls to the asked one over the first half of the training, or most numbers
        would never be on); A. Ng, CS294A, 2011."""
        weight = self.weight if self.weight is not None else _WEIGHTS.get(self.sparsity, 0.0)

        def made_small(modules: nn.ModuleDict, rows: torch.Tensor, generator: torch.Generator,
                       share: float) -> Mapping[str, torch.Tensor]:
            code = self._code(modules, rows, 2 * share if modules.training else 1.0)
            made = modules["decoder"](code).reshape(rows.shape)
            error = squared_error(made, rows).mean()
            if self.sparsity == "k largest":
                return {"loss": error}
            cost = (code.abs().sum(dim=1).mean() if self.sparsity == "L1"
                    else sparsity_kl(code, self.active))
            return {"loss": error + weight * cost, "error": error, "sparsity": cost}

        return made_small
