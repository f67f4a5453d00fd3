"""Two views of every row: changed in ways that leave what it is, for contrastive training.

Images by kornia's augmentations; vectors by noise and by numbers taken from other rows. kornia
draws from PyTorch's global generator: it is seeded from ours around each call and put back.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    import torch

Change = Callable[["torch.Tensor", "torch.Generator"], "torch.Tensor"]
_LARGEST_SEED = 2**62
_BLURRED_SIDE = 12
_MOST_SLANT = 15.0
"""Degrees: images are slanted by their tangent, which has no end."""


@dataclass(frozen=True)
class Changes:
    """How strongly rows are changed. Images: `crop` the smallest share of the area that is kept,
    `turn` the most degrees they are turned and (up to 15) slanted by, `mirror` left and right,
    `light` the strength of changes of brightness and contrast (and of colour), `blur`. Vectors:
    `noise` standard deviation, `swapped` the share of numbers taken from other rows (SCARF, Bahri
    et al., ICLR 2022)."""

    crop: float = 0.5
    turn: float = 15.0
    mirror: bool = False
    light: float = 0.4
    blur: bool = True
    noise: float = 0.1
    swapped: float = 0.3


def views_of(shape: tuple[int, ...], changes: Changes) -> Change:
    """What makes a view of B rows of this shape; called twice it makes two different ones."""
    return _image_views(shape, changes) if len(shape) == 3 else _vector_views(changes)


def _vector_views(changes: Changes) -> Change:
    import torch

    def change(rows: torch.Tensor, generator: torch.Generator) -> torch.Tensor:
        swap = torch.rand(rows.shape, generator=generator) < changes.swapped
        others = torch.randint(len(rows), rows.shape, generator=generator)
        taken = rows.gather(0, others.to(rows.device))
        mixed = torch.where(swap.to(rows.device), taken, rows)
        return mixed + changes.noise * torch.randn(rows.shape, generator=generator).to(rows.device)

    return change


def _image_views(shape: tuple[int, ...], changes: Changes) -> Change:
    import torch
    from kornia import augmentation as kornia

    channels, height, width = shape
    kept = changes.crop ** 0.5
    steps: list[torch.nn.Module] = [kornia.RandomAffine(
        changes.turn, translate=((1 - kept) / 2, (1 - kept) / 2), scale=(1.0, 1 / kept),
        shear=min(changes.turn, _MOST_SLANT) or None, padding_mode="border", p=1.0)]
    if changes.mirror:
        steps.append(kornia.RandomHorizontalFlip(p=0.5))
    if changes.blur and min(height, width) >= _BLURRED_SIDE:
        steps.append(kornia.RandomGaussianBlur((3, 3), (0.1, 1.0), p=0.3))
    apply = torch.nn.Sequential(*steps)

    def change(rows: torch.Tensor, generator: torch.Generator) -> torch.Tensor:
        seed = int(torch.randint(_LARGEST_SEED, (), generator=generator))
        with torch.random.fork_rng(devices=[rows.device] if rows.is_cuda else []), torch.no_grad():
            torch.manual_seed(seed)
            moved: torch.Tensor = apply(rows)
            return _lit(moved, changes.light, channels)

    return change


def _lit(rows: torch.Tensor, strength: float, channels: int) -> torch.Tensor:
    """Brighter or darker, with more or less contrast, in colour each channel for itself: pixels are
    around 0 here, so that both are a product and a sum."""
    import torch

    if not strength:
        return rows
    apart = (len(rows), channels, 1, 1)
    contrast = 1 + strength * (2 * torch.rand(apart, device=rows.device) - 1)
    brightness = strength * (2 * torch.rand(apart, device=rows.device) - 1)
    return rows * contrast + brightness
