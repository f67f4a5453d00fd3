"""Rows made worse on purpose: noise to remove, parts to guess. All random numbers from a generator.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    import torch


def corrupted(rows: torch.Tensor, noise: str, level: float,
              generator: torch.Generator) -> torch.Tensor:
    """B rows with 'gaussian' noise of that standard deviation, 'masking' (that share of the numbers
    set to 0) or 'salt and pepper' (that share set to the smallest or largest number of the batch,
    each half the time)."""
    import torch

    if noise == "gaussian":
        return rows + level * _normal(rows, generator)
    hit = _uniform(rows, generator) < min(level, 1.0)
    if noise == "masking":
        return torch.where(hit, torch.zeros((), device=rows.device), rows)
    salt = _uniform(rows, generator) < 0.5
    return torch.where(hit, torch.where(salt, rows.max(), rows.min()), rows)


def hidden_parts(rows: torch.Tensor, share: float, patch: int,
                 generator: torch.Generator) -> torch.Tensor:
    """Which numbers of B rows are hidden (bool, the shape of `rows`): of vectors single numbers, of
    images whole squares of `patch` pixels, in all channels; in each row round(share x parts), at
    least one and never all where there are two."""
    import torch

    if rows.ndim == 2:
        across, down = rows.shape[1], 1
    else:
        across, down = -(-rows.shape[3] // patch), -(-rows.shape[2] // patch)
    parts = across * down
    count = min(max(1, round(share * parts)), max(1, parts - 1))
    order = torch.rand((len(rows), parts), generator=generator).argsort(dim=1)
    chosen = torch.zeros((len(rows), parts), dtype=torch.bool)
    chosen.scatter_(1, order[:, :count], True)
    if rows.ndim == 2:
        return chosen.to(rows.device)
    squares = chosen.reshape(len(rows), 1, down, across)
    wide = squares.repeat_interleave(patch, 2).repeat_interleave(patch, 3)
    cut = wide[:, :, :rows.shape[2], :rows.shape[3]]
    return cut.expand(rows.shape).to(rows.device)


def _normal(rows: torch.Tensor, generator: torch.Generator) -> torch.Tensor:
    import torch

    return torch.randn(rows.shape, generator=generator).to(rows.device)


def _uniform(rows: torch.Tensor, generator: torch.Generator) -> torch.Tensor:
    import torch

    return torch.rand(rows.shape, generator=generator).to(rows.device)
