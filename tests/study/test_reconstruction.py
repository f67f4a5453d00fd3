"""The study of rebuilt rows against the network itself, scikit-learn and torch's distributions."""

import numpy as np
import pytest
import torch
from scipy.stats import percentileofscore
from sklearn.datasets import load_digits
from sklearn.decomposition import PCA

from explorer import steps
from explorer.cluster import clusterers
from explorer.encode import encoders
from explorer.encode.trained import TrainedEncoder
from explorer.errors import DataError
from explorer.project import projectors
from explorer.recipe import Recipe
from explorer.run import run
from explorer.spec import silent
from explorer.store import Store
from explorer.study.rebuilt_rows import keep_rows, lesson_of
from explorer.study.reconstruction import Reconstruction
from explorer.study.step import study_step
from explorer.study.subject import Subject
from explorer.work import Work
from tests.builders import build_dataset, png

DIGITS = load_digits()


@pytest.fixture(scope="module")
def store(tmp_path_factory):
    return Store(tmp_path_factory.mktemp("rebuilt"))


def ran(store, data, encoder, **parameters):
    recipe = Recipe.of(encoders().create(encoder, parameters), projectors().create("pca"),
                       clusterers().create("kmeans", {"clusters": 2}), ())
    return run(recipe, data, store)


def found_by(result, study=None):
    study = study or Reconstruction.create()
    steps.execute(study_step(result.plan, study).payload, str(result.store.root), silent)
    return result.finding(study)


def subject_of(result):
    payload = study_step(result.plan, Reconstruction.create()).payload
    return Subject(Work(payload, result.store, silent))


def score(found, name):
    return next(score for score in found.scores if score.name == name)


@pytest.fixture(scope="module")
def digits(store):
    """A VAE of few epochs of 200 digits."""
    images = [png(np.round(image * 255 / 16).astype(np.uint8)) for image in DIGITS.images[:200]]
    data = build_dataset(store, {"digit": [str(digit) for digit in DIGITS.target[:200]]},
                         {"digit": "label"}, images=images)
    return ran(store, data, "vae", epochs=3, dimensions=4)


@pytest.fixture(scope="module")
def plane(store):
    """A denoising network of rows that lie in a plane of twelve columns of very different size."""
    draws = np.random.default_rng(0)
    flat = draws.normal(size=(300, 2)) @ draws.normal(size=(2, 12)) * np.geomspace(0.01, 1000, 12)
    columns = {f"c{at}": (values + 5).tolist() for at, values in enumerate(flat.T)}
    columns["kind"] = ["a", "b"] * 150
    data = build_dataset(store, columns, {"kind": "label"})
    return ran(store, data, "denoising", epochs=40, dimensions=2, layers=0, level=0.8)


def test_errors_are_the_networks(digits):
    found, model = found_by(digits), digits.model
    method = encoders().create(model.method["method"], model.method["parameters"])
    assert isinstance(method, TrainedEncoder)
    pixels = np.asarray(digits.read.vectors).reshape(200, 1, 8, 8)
    rows = torch.from_numpy((pixels - model.center) / model.spread)
    modules = method.made((1, 8, 8), model.weights).eval()
    with torch.no_grad():
        mean, log_variance = modules["encoder"](rows).chunk(2, dim=1)
        made = modules["decoder"](mean).reshape(rows.shape)
        # The variance the decoder has learned is the one that tells the first two rows apart.
        missed = (made - rows).square().flatten(1).sum(1).double().numpy()
        part = found.per_row["bound_error"].astype(np.float64)
        variance = 0.5 * (missed[0] - missed[1]) / (part[0] - part[1])
        wide = torch.tensor(variance**0.5)
        likely = torch.distributions.Normal(made, wide).log_prob(rows).flatten(1).sum(1)
        kl = torch.distributions.kl_divergence(
            torch.distributions.Normal(mean, torch.exp(0.5 * log_variance)),
            torch.distributions.Normal(0.0, 1.0)).sum(1)
    rebuilt = np.clip(made.numpy() * model.spread + model.center, 0, 1)
    errors = ((rebuilt - pixels)**2).mean(axis=(1, 2, 3))
    np.testing.assert_allclose(found.per_row["error"], errors, rtol=1e-4)
    np.testing.assert_allclose(found.extras["rebuilt"], rebuilt, atol=1e-3)
    np.testing.assert_allclose(found.per_row["psnr"], -10 * np.log10(errors), rtol=1e-4)
    np.testing.assert_allclose(found.per_row["bound_error"], -likely, rtol=1e-3)
    np.testing.assert_allclose(found.per_row["bound_kl"], kl, rtol=1e-3, atol=1e-4)
    np.testing.assert_allclose(found.per_row["percentile"],
                               [percentileofscore(errors, error, "mean") for error in errors],
                               atol=1e-3)


def test_rows_held_back_are_told_apart_and_pca_knows_only_the_others(digits):
    found, model = found_by(digits), digits.model
    held = np.isin(np.arange(200), model.held)
    assert 0 < held.sum() < 100
    assert found.per_row["held"].tolist() == held.tolist()
    errors = found.per_row["error"].astype(np.float64)
    assert score(found, "Error of rows held back").value == pytest.approx(errors[held].mean())
    assert score(found, "Error of rows held back").sample == held.sum()
    assert score(found, "Error of rows trained on").value == pytest.approx(errors[~held].mean())
    pixels = np.asarray(digits.read.vectors, dtype=np.float64)
    pca = PCA(4, svd_solver="full").fit(pixels[~held])
    lines = np.clip(pca.inverse_transform(pca.transform(pixels)), 0, 1)
    linear = ((lines - pixels)**2).mean(axis=1)
    np.testing.assert_allclose(found.per_row["linear"], linear, rtol=1e-3, atol=1e-7)
    assert found.per_row["beats_linear"].tolist() == (errors < linear).tolist()
    assert score(found, "Share of rows held back rebuilt better than by PCA").value \
        == pytest.approx((errors < linear)[held].mean())
    assert score(found, "Numbers of a row for each latent number").value == 16


def test_denoising_beats_leaving_the_noise(plane):
    found = found_by(plane)
    held = found.per_row["held"] == 1
    noisy, clean = found.per_row["noisy"][held].mean(), found.per_row["denoised"][held].mean()
    # Standardised columns with noise of deviation 0.8; a plane of 12 columns keeps a sixth of it.
    assert noisy == pytest.approx(0.64, rel=0.15)
    assert clean < 0.4 * noisy
    assert any("takes away" in note for note in found.notes)
    again = found_by(plane, Reconstruction.create(seed=1))
    assert not np.array_equal(again.per_row["noisy"], found.per_row["noisy"])
    assert np.array_equal(again.per_row["error"], found.per_row["error"])


def test_columns_come_back_in_their_units(plane):
    found = found_by(plane)
    slope, offset = found.extras["slope"], found.extras["offset"]
    for at in range(12):
        given = plane.dataset.numbers(f"c{at}")
        np.testing.assert_allclose(plane.read.vectors[:, at] * slope[at] + offset[at], given,
                                   rtol=1e-4, atol=1e-4 * np.ptp(given))


def test_of_too_many_rows_the_ends_are_kept(plane):
    lesson = lesson_of(subject_of(plane))
    whole = found_by(plane)
    errors = np.asarray(whole.per_row["error"], dtype=np.float64)
    kept = keep_rows(lesson, errors, 0, silent, most=30 * 12 * 4 * 3)
    assert len(kept.places) == 30
    order = np.argsort(errors)
    assert set(order[-10:]) <= set(kept.places)
    assert set(order[:10]) <= set(kept.places)
    for name, values in kept.arrays.items():
        np.testing.assert_allclose(values, whole.extras[name][kept.places], rtol=1e-4, atol=1e-5)


def test_a_network_without_a_decoder_is_refused(store, plane):
    result = ran(store, plane.dataset, "contrastive", epochs=1, dimensions=2)
    with pytest.raises(DataError) as refused:
        found_by(result)
    assert refused.value.code == "NO_DECODER"
