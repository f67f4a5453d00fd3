"""Encoders trained here, against what is known of them: PCA, the identity, closed forms."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from scipy.linalg import subspace_angles
from sklearn.datasets import load_digits
from sklearn.decomposition import PCA
from sklearn.neighbors import KNeighborsClassifier

from explorer.dataset import Dataset
from explorer.encode import encoders
from explorer.encode.material import Material, scaled
from explorer.model import Model
from explorer.spec import silent
from explorer.store import Store
from tests.builders import build_dataset, png

torch = pytest.importorskip("torch")

DIGITS = (load_digits().images / 16).astype(np.float32)
CLASSES = load_digits().target


@dataclass(frozen=True)
class Learned:
    """What came of a training, the rows as the network sees them, and which were held back."""

    method: Any
    model: Model
    material: Material
    held: np.ndarray

    def codes(self, values: np.ndarray | None = None) -> np.ndarray:
        seen = self.material.values if values is None else values
        return np.asarray(self.method.codes(seen, self.model.weights, silent))

    def rebuilt(self, values: np.ndarray) -> np.ndarray:
        return np.asarray(self.method.reconstructions(values, self.model.weights, silent))


def learn(data: Dataset, home: Path, key: str, **parameters: Any) -> Learned:
    home.mkdir(exist_ok=True)
    method: Any = encoders().create(key, {"epochs": 12, **parameters})
    reader = method.reader(data)
    read = reader.encode(data, silent)
    model = method.model(reader, read, home, "training", silent)
    return Learned(method, model, scaled(reader, read), np.isin(read.rows, model.held))


@pytest.fixture(scope="module")
def digits(shared_store: Store) -> Dataset:
    """600 digits as images of 8 x 8 pixels."""
    return pictures(shared_store, DIGITS[:600])


def pictures(store: Store, pixels: np.ndarray) -> Dataset:
    """n x height x width from 0 to 1."""
    return build_dataset(store, {}, images=[png(np.round(255 * one).astype(np.uint8))
                                            for one in pixels])


def table(store: Store, rows: np.ndarray) -> Dataset:
    return build_dataset(store, {}, matrices={"numbers": rows.astype(np.float32)})


def test_a_linear_autoencoder_spans_the_subspace_of_pca(store: Store, tmp_path: Path) -> None:
    draws = np.random.default_rng(0)
    mixed = draws.normal(size=(240, 3)) @ draws.normal(size=(3, 8))
    data = table(store, mixed + 0.2 * draws.normal(size=(240, 8)))
    found = learn(data, tmp_path, "autoencoder", layers=0, dimensions=3, epochs=25,
                  learning_rate=0.05, patience=0)
    oracle = PCA(3).fit(found.material.values[~found.held])
    decoder = found.model.weights["decoder.0.weight"]
    assert decoder.shape == (8, 3)
    assert np.degrees(subspace_angles(decoder, oracle.components_.T)).max() < 2
    tested = found.material.values[found.held]
    best = ((oracle.inverse_transform(oracle.transform(tested)) - tested) ** 2).mean()
    assert ((found.rebuilt(tested) - tested) ** 2).mean() == pytest.approx(best, rel=0.02)


@pytest.mark.parametrize("noise", ["gaussian", "masking"])
def test_denoising_beats_the_identity_on_rows_it_never_saw(noise: str, digits: Dataset,
                                                           tmp_path: Path) -> None:
    from explorer.train.corrupt import corrupted

    level = 1.0 if noise == "gaussian" else 0.5
    found = learn(digits, tmp_path, "denoising", noise=noise, level=level)
    clean = found.material.values[found.held]
    noisy = corrupted(torch.from_numpy(clean), noise, level, torch.Generator().manual_seed(7))
    left = ((found.rebuilt(noisy.numpy()) - clean) ** 2).mean()
    assert left < 0.75 * ((noisy.numpy() - clean) ** 2).mean()
    # And shrinking alone, the best that knows nothing of digits, does not do it.
    assert noise != "gaussian" or left < 1.0**2 / (1.0**2 + clean.var()) * clean.var()


def test_k_largest_are_exactly_k(digits: Dataset, tmp_path: Path) -> None:
    found = learn(digits, tmp_path, "sparse", dimensions=40, active=0.1)
    on = (found.codes() != 0).sum(axis=1)
    assert on.max() == 4
    assert on.mean() > 3.9


def test_kl_makes_the_asked_share_of_the_rows_switch_a_number_on(digits: Dataset,
                                                                  tmp_path: Path) -> None:
    found = learn(digits, tmp_path, "sparse", sparsity="KL", active=0.15, dimensions=20,
                  epochs=20)
    codes = found.codes()
    assert codes.min() >= 0
    assert codes.max() <= 1
    assert codes.mean() == pytest.approx(0.15, abs=0.05)


def test_l1_leaves_fewer_numbers_on_than_nothing_does(digits: Dataset, tmp_path: Path) -> None:
    shares = [(learn(digits, tmp_path / str(weight), "sparse", sparsity="L1", dimensions=20,
                     weight=weight).codes() > 1e-3).mean() for weight in (0.0, 0.02)]
    assert shares[1] < 0.7 * shares[0]


def test_contraction_makes_codes_move_less(digits: Dataset, tmp_path: Path) -> None:
    moved = []
    for weight in (0.0, 0.1):
        found = learn(digits, tmp_path / str(weight), "contractive", weight=weight)
        step = np.random.default_rng(0).normal(size=found.material.values.shape) * 0.1
        apart = found.codes(found.material.values + step.astype(np.float32)) - found.codes()
        moved.append((apart**2).sum(axis=1).mean())
    assert moved[1] < 0.5 * moved[0]


@pytest.fixture(scope="module")
def variational(digits: Dataset, tmp_path_factory: pytest.TempPathFactory) -> Learned:
    return learn(digits, tmp_path_factory.mktemp("vae"), "vae", dimensions=4, epochs=25)


def parts(found: Learned, *, share: float = 1.0, training: bool = False,
          **parameters: Any) -> dict[str, float]:
    """The objective on 50 rows, with the same random numbers every time."""
    method = type(found.method).create(**{**found.method.changed(), **parameters})
    modules = method.made(found.material.shape, found.model.weights).train(training)
    rows = torch.from_numpy(found.material.values[:50])
    made = method.objective(found.material.shape)(modules, rows, torch.Generator().manual_seed(3),
                                                  share)
    return {name: part.item() for name, part in made.items()}


def test_beta_1_is_the_vae_and_beta_scales_the_divergence_alone(variational: Learned) -> None:
    modules = variational.method.made(variational.material.shape, variational.model.weights)
    rows = torch.from_numpy(variational.material.values[:50])
    normal = torch.distributions.Normal
    with torch.no_grad():
        mean, log_variance = variational.method.cloud(modules, rows)
        cloud = normal(mean, (0.5 * log_variance).exp())
        noise = torch.randn(mean.shape, generator=torch.Generator().manual_seed(3))
        made = modules["decoder"](mean + cloud.stddev * noise)
        wide = (0.5 * variational.method.log_variance(modules)).exp()
        likely = normal(made.reshape(rows.shape), wide).log_prob(rows).flatten(1).sum(1)
        divergence = torch.distributions.kl_divergence(cloud, normal(0.0, 1.0)).sum(1)
    bound = parts(variational)
    assert bound["loss"] == pytest.approx(-(likely - divergence).mean().item(), rel=1e-5)
    assert bound["reconstruction"] == pytest.approx(-likely.mean().item(), rel=1e-5)
    assert bound["KL"] == pytest.approx(divergence.mean().item(), rel=1e-5)
    for beta in (0.0, 4.0):
        scaled_up = parts(variational, beta=beta)
        assert scaled_up["loss"] == pytest.approx(bound["reconstruction"] + beta * bound["KL"])


def test_the_divergence_warms_up_and_free_bits_cost_nothing(variational: Learned) -> None:
    bound = parts(variational)
    half = parts(variational, share=0.1, training=True, warm_up=0.2)
    assert half["loss"] == pytest.approx(bound["reconstruction"] + 0.5 * bound["KL"])
    free = parts(variational, free_bits=9.0)
    assert free["loss"] == pytest.approx(bound["reconstruction"] + 4 * 9.0)
    assert free["KL"] == bound["KL"]


def test_a_vae_uses_its_latent_numbers_and_knows_its_noise(variational: Learned) -> None:
    values, weights = variational.material.values, variational.model.weights
    divergences = variational.method.divergences(values, weights, silent)
    assert (divergences.mean(axis=0) > 0.1).all()
    bounds = variational.method.bounds(values, weights, silent)
    np.testing.assert_allclose(bounds[:, 1], divergences.sum(axis=1), rtol=1e-4)
    error = ((variational.rebuilt(values) - values) ** 2).mean()
    modules = variational.method.made(variational.material.shape, weights)
    noise = variational.method.log_variance(modules).exp().item()
    assert 0.8 * error < noise < 2 * error
    assert error < 0.5  # of the spread, 1


def test_masked_guesses_what_it_does_not_see(digits: Dataset, tmp_path: Path) -> None:
    from explorer.train.corrupt import hidden_parts

    found = learn(digits, tmp_path, "masked", hidden=0.3)
    rows = found.material.values[found.held]
    hidden = hidden_parts(torch.from_numpy(rows), 0.3, 2, torch.Generator().manual_seed(1)).numpy()
    made = found.rebuilt(np.where(hidden, 0, rows / 0.7).astype(np.float32))
    assert ((made - rows)[hidden] ** 2).mean() < 0.7 * (rows[hidden] ** 2).mean()


@pytest.mark.parametrize("loss", ["NT-Xent", "Barlow Twins"])
def test_contrastive_looks_past_what_its_changes_change(loss: str, store: Store,
                                                        tmp_path: Path) -> None:
    draws = np.random.default_rng(0)
    n = 400
    contrast, light = draws.uniform(0.1, 0.5, (n, 1, 1)), draws.uniform(0.0, 0.5, (n, 1, 1))
    pixels = DIGITS[:n] * contrast + light
    found = learn(pictures(store, pixels), tmp_path, "contrastive", loss=loss, epochs=25,
                  light=1.0, turn=5.0, crop=0.9)

    def right(vectors: np.ndarray) -> float:
        known = KNeighborsClassifier(5).fit(vectors[:300], CLASSES[:300])
        return float(known.score(vectors[300:], CLASSES[300:n]))

    assert right(found.codes()) > right(pixels.reshape(n, 64)) + 0.05
