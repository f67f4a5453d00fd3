"""What networks are trained to make small, as functions of tensors. B rows, d numbers, k latents.

Every sum over a row stays a sum and every mean is over rows, so that the parts of an objective keep
their proportions when the batch changes.
"""

from __future__ import annotations

import math
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    import torch

    Tensor = torch.Tensor
else:
    Tensor = Any


def squared_error(made: Tensor, wanted: Tensor) -> Tensor:
    """B: the mean squared difference of each row, over all its numbers."""
    return (made - wanted).square().flatten(1).mean(dim=1)


def gaussian_negative_log_likelihood(made: Tensor, wanted: Tensor, log_variance: Tensor) -> Tensor:
    """B, in nats: -log N(wanted; made, variance) summed over the numbers of a row, with one
    variance for all, learned (the calibrated decoder of Rybkin, Daniilidis, Levine, ICML 2021:
    without it the weight of the KL term would hang on the scale of the data)."""
    difference = (made - wanted).square().flatten(1)
    d = difference.shape[1]
    return 0.5 * (difference.sum(dim=1) / log_variance.exp()
                  + d * (log_variance + math.log(2 * math.pi)))


def kl_to_standard_normal(mean: Tensor, log_variance: Tensor) -> Tensor:
    """B x k, in nats: KL(N(mean, variance) || N(0, 1)) of each latent.

    Source: D. P. Kingma, M. Welling, Auto-Encoding Variational Bayes, ICLR 2014, appendix B.
    """
    return 0.5 * (mean.square() + log_variance.exp() - 1.0 - log_variance)


def with_free_bits(kl: Tensor, free: float) -> Tensor:
    """The KL term of a batch: each latent's mean over the B rows counts only above `free` nats, and
    costs nothing below (Kingma et al., NeurIPS 2016, eq. 15). `kl` B x k; one number."""
    import torch

    return torch.clamp(kl.mean(dim=0), min=free).sum()


def sparsity_kl(activity: Tensor, share: float) -> Tensor:
    """One number: the sum over k latents of KL(share || mean activity), both taken as chances of
    being on. `activity` B x k from 0 to 1. Source: A. Ng, Sparse autoencoder, CS294A notes, 2011.
    """
    import torch

    wide = activity.to(torch.promote_types(activity.dtype, torch.float32))  # half: 1 - 1e-6 is 1
    mean = wide.mean(dim=0).clamp(1e-6, 1 - 1e-6)
    wanted = torch.full_like(mean, share).clamp(1e-6, 1 - 1e-6)
    return (wanted * (wanted / mean).log() + (1 - wanted) * ((1 - wanted) / (1 - mean)).log()).sum()


def largest_only(code: Tensor, keep: int) -> Tensor:
    """The code with all but the `keep` largest numbers of each row set to 0 (k-sparse autoencoder,
    Makhzani and Frey, ICLR 2014)."""
    import torch

    if keep >= code.shape[1]:
        return code
    found = code.topk(keep, dim=1)
    return torch.zeros_like(code).scatter(1, found.indices, found.values)


def contraction(code: Tensor, inputs: Tensor, generator: torch.Generator) -> Tensor:
    """B: an unbiased estimate of |d code / d inputs|^2 (Frobenius) of each row, with one random
    direction: E |J' v|^2 = tr(J J') for v ~ N(0, I). `inputs` must ask for gradients.

    Source: S. Rifai et al., Contractive Auto-Encoders, ICML 2011, eq. 1; the estimate is
    Hutchinson's, Commun. Stat. 19 (1990) 433-450.
    """
    import torch

    direction = torch.randn(code.shape, generator=generator, dtype=code.dtype).to(code.device)
    pulled, = torch.autograd.grad((code * direction).sum(), inputs, create_graph=True)
    return pulled.square().flatten(1).sum(dim=1)


def nt_xent(first: Tensor, second: Tensor, temperature: float) -> Tensor:
    """One number: the normalised temperature-scaled cross entropy of two views of B rows; the other
    2B - 2 vectors of the batch are the negatives. Source: T. Chen et al., SimCLR, ICML 2020, eq. 1.
    """
    import torch
    from torch.nn import functional

    both = functional.normalize(torch.cat([first, second]), dim=1)
    likeness = both @ both.T / temperature
    likeness.fill_diagonal_(float("-inf"))
    rows = len(first)
    partner = torch.arange(2 * rows, device=both.device).roll(rows)
    return functional.cross_entropy(likeness, partner)


def vicreg(first: Tensor, second: Tensor, *, invariance: float = 25.0, variance: float = 25.0,
           covariance: float = 1.0) -> dict[str, Tensor]:
    """The three terms of VICReg, weighted as in the paper: how far the two views lie apart, how far
    each dimension's standard deviation is below 1, how much dimensions vary together.

    Source: A. Bardes, J. Ponce, Y. LeCun, VICReg, ICLR 2022, eq. 1-6.
    """
    apart = (first - second).square().mean()
    one, two = ((1.0 - (view.var(dim=0) + 1e-4).sqrt()).clamp(min=0).mean()
                for view in (first, second))
    spread = (one + two) / 2
    together = _off_diagonal(first) + _off_diagonal(second)
    return {"invariance": invariance * apart, "variance": variance * spread,
            "covariance": covariance * together}


def barlow_twins(first: Tensor, second: Tensor, redundancy: float = 5e-3) -> Tensor:
    """One number: how far the correlation matrix of two views is from the identity.

    Source: J. Zbontar et al., Barlow Twins, ICML 2021, eq. 1.
    """
    rows = len(first)
    one = (first - first.mean(dim=0)) / (first.std(dim=0, unbiased=False) + 1e-6)
    two = (second - second.mean(dim=0)) / (second.std(dim=0, unbiased=False) + 1e-6)
    correlation = one.T @ two / rows
    same = (correlation.diagonal() - 1).square().sum()
    other = correlation.square().sum() - correlation.diagonal().square().sum()
    return same + redundancy * other


def _off_diagonal(view: Tensor) -> Tensor:
    """The mean over dimensions of their squared covariances with the others."""
    centred = view - view.mean(dim=0)
    matrix = centred.T @ centred / max(len(view) - 1, 1)
    return (matrix.square().sum() - matrix.diagonal().square().sum()) / view.shape[1]
