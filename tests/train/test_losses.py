"""What networks make small, against closed forms, PyTorch's own and slow obvious references."""

from __future__ import annotations

import math
from typing import Any

import numpy as np
import pytest

from explorer.train import losses

torch = pytest.importorskip("torch")


def draw(*shape: int, seed: int = 0) -> Any:
    return torch.randn(shape, generator=torch.Generator().manual_seed(seed), dtype=torch.float64)


def test_kl_is_that_of_torch_distributions() -> None:
    mean, log_variance = draw(7, 3), draw(7, 3, seed=1)
    normal = torch.distributions.Normal
    expected = torch.distributions.kl_divergence(
        normal(mean, (0.5 * log_variance).exp()), normal(torch.zeros(3), torch.ones(3)))
    torch.testing.assert_close(losses.kl_to_standard_normal(mean, log_variance), expected)


def test_gaussian_likelihood_is_that_of_torch_distributions() -> None:
    made, wanted, log_variance = draw(5, 2, 3, 3), draw(5, 2, 3, 3, seed=1), torch.tensor(-0.7)
    expected = -torch.distributions.Normal(made, (0.5 * log_variance).exp()).log_prob(wanted)
    torch.testing.assert_close(
        losses.gaussian_negative_log_likelihood(made, wanted, log_variance),
        expected.flatten(1).sum(1), check_dtype=False)


def test_squared_error_is_the_mean_of_every_number() -> None:
    made, wanted = draw(4, 3, 2, 2), draw(4, 3, 2, 2, seed=1)
    expected = [((one - two) ** 2).mean() for one, two in zip(made.numpy(), wanted.numpy(),
                                                              strict=True)]
    np.testing.assert_allclose(losses.squared_error(made, wanted), expected)


def test_free_bits_cost_nothing_and_teach_nothing_below_the_limit() -> None:
    kl = torch.tensor([[0.1, 2.0], [0.3, 4.0]], requires_grad=True)
    found = losses.with_free_bits(kl, 0.5)
    found.backward()
    assert found.item() == pytest.approx(0.5 + 3.0)
    assert kl.grad.tolist() == [[0.0, 0.5], [0.0, 0.5]]
    assert losses.with_free_bits(kl, 0.0).item() == pytest.approx(kl.sum(1).mean().item())


def test_sparsity_is_the_divergence_of_two_chances() -> None:
    activity = torch.tensor([[0.1, 0.5], [0.3, 0.7]])
    bernoulli = torch.distributions.Bernoulli
    expected = torch.distributions.kl_divergence(bernoulli(torch.full((2,), 0.2)),
                                                 bernoulli(activity.mean(0))).sum()
    torch.testing.assert_close(losses.sparsity_kl(activity, 0.2), expected)
    assert losses.sparsity_kl(torch.full((3, 2), 0.2), 0.2).item() == pytest.approx(0, abs=1e-6)
    assert math.isfinite(losses.sparsity_kl(activity, 1.0).item())
    assert math.isfinite(losses.sparsity_kl(torch.ones(3, 2).bfloat16(), 0.2).item())


def test_only_the_largest_stay() -> None:
    code = torch.tensor([[3.0, 1.0, 2.0, -5.0]])
    assert losses.largest_only(code, 2).tolist() == [[3.0, 0.0, 2.0, 0.0]]
    assert losses.largest_only(code, 4) is code


def test_contraction_is_the_norm_of_the_jacobian_in_expectation() -> None:
    network = torch.nn.Sequential(torch.nn.Linear(4, 6), torch.nn.Tanh(), torch.nn.Linear(6, 3))
    network = network.double()
    rows = draw(2, 4)
    exact = [torch.autograd.functional.jacobian(network, row).square().sum().item()
             for row in rows]
    many = rows.repeat_interleave(20_000, 0).requires_grad_()
    drawn = losses.contraction(network(many), many, torch.Generator().manual_seed(0))
    found = drawn.detach().reshape(2, -1)
    error = 4 * found.std(1) / math.sqrt(found.shape[1])
    assert (abs(found.mean(1) - torch.tensor(exact)) < error).all()


def test_nt_xent_is_its_definition() -> None:
    first, second = draw(5, 3), draw(5, 3, seed=1)
    both = torch.cat([first, second]).numpy()
    both = both / np.linalg.norm(both, axis=1, keepdims=True)
    total = 0.0
    for one in range(10):
        partner = (one + 5) % 10
        others = [math.exp(both[one] @ both[k] / 0.3) for k in range(10) if k != one]
        total -= math.log(math.exp(both[one] @ both[partner] / 0.3) / sum(others))
    assert losses.nt_xent(first, second, 0.3).item() == pytest.approx(total / 10)


def test_vicreg_is_its_definition() -> None:
    first, second = draw(6, 3).numpy(), 0.5 * draw(6, 3, seed=1).numpy()
    apart = np.mean((first - second) ** 2)
    spread, together = 0.0, 0.0
    for view in (first, second):
        spread += np.mean(np.maximum(0, 1 - np.sqrt(view.var(axis=0, ddof=1) + 1e-4))) / 2
        matrix = np.cov(view.T)
        together += (matrix**2).sum() / 3 - (np.diag(matrix) ** 2).sum() / 3
    found = losses.vicreg(torch.from_numpy(first), torch.from_numpy(second))
    assert {name: part.item() for name, part in found.items()} == pytest.approx(
        {"invariance": 25 * apart, "variance": 25 * spread, "covariance": together})


def test_barlow_twins_is_its_definition() -> None:
    first, second = draw(8, 3), draw(8, 3, seed=1)
    matrix = np.corrcoef(first.numpy().T, second.numpy().T)[:3, 3:]
    wanted = sum((matrix[i, i] - 1) ** 2 for i in range(3)) + 0.01 * sum(
        matrix[i, j] ** 2 for i in range(3) for j in range(3) if i != j)
    assert losses.barlow_twins(first, second, 0.01).item() == pytest.approx(wanted, rel=1e-4)
    assert losses.barlow_twins(first, first).item() < losses.barlow_twins(first, second).item()
