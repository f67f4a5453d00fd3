"""What latent numbers are used for: against NumPy, scikit-learn, and networks known in advance."""

import numpy as np
import pytest
from sklearn.decomposition import PCA

from explorer import steps
from explorer.cluster import clusterers
from explorer.encode import encoders
from explorer.encode.material import scaled_as
from explorer.errors import DataError
from explorer.judge.latent_numbers import spread_of
from explorer.project import projectors
from explorer.recipe import Recipe
from explorer.run import run
from explorer.spec import silent
from explorer.store import Store
from explorer.study.latent_units import LatentUnits
from explorer.study.step import study_step
from tests.builders import build_dataset


def test_spread_is_that_of_numpy_and_pca():
    rng = np.random.default_rng(0)
    codes = rng.normal(size=(400, 5)) @ rng.normal(size=(5, 5)) + [1e4, 0, 0, 0, -3]
    codes[:, 3] = 0
    codes[:100, 4] = 0
    found = spread_of(codes)
    kept = [0, 1, 2, 4]
    np.testing.assert_allclose(found.mean, codes.mean(axis=0))
    np.testing.assert_allclose(found.variance, codes.var(axis=0), rtol=1e-9)
    np.testing.assert_allclose(found.correlation[np.ix_(kept, kept)],
                               np.corrcoef(codes[:, kept].T), atol=1e-9)
    assert np.isnan(found.correlation[3]).all()
    assert np.isnan(found.correlation[:, 3]).all()
    shares = PCA().fit(codes).explained_variance_ratio_
    np.testing.assert_allclose(found.explained, shares, atol=1e-9)
    assert found.directions == pytest.approx(1 / (shares**2).sum())
    assert found.on.tolist() == [1, 1, 1, 0, 0.75]
    largest = np.abs(np.triu(np.nan_to_num(found.correlation), 1))
    assert largest[found.closest] == largest.max()


def test_a_space_in_which_nothing_varies_has_no_directions():
    found = spread_of(np.full((7, 3), 2.5))
    assert found.directions is None
    assert found.closest is None
    assert found.variance.tolist() == [0, 0, 0]
    assert spread_of(np.arange(6.0)[:, None]).directions == pytest.approx(1)


@pytest.fixture(scope="module")
def store(tmp_path_factory):
    return Store(tmp_path_factory.mktemp("units"))


@pytest.fixture(scope="module")
def data(store):
    """A wide, a narrow and two dependent columns."""
    rng = np.random.default_rng(4)
    first, second = rng.normal(size=(2, 240))
    return build_dataset(store, {"a": first.tolist(), "b": (first + .2 * second).tolist(),
                                 "c": second.tolist(), "d": (first - second).tolist()})


def ran(store, data, encoder, **parameters):
    recipe = Recipe.of(encoders().create(encoder, {"layers": 0, "epochs": 12, **parameters}),
                       projectors().create("pca"), clusterers().create("kmeans", {"clusters": 2}))
    return run(recipe, data, store)


def found(result, **parameters):
    study = LatentUnits.create(**parameters)
    steps.execute(study_step(result.plan, study).payload, str(result.store.root), silent)
    return result.finding(study)


def test_of_a_variational_network_the_divergence_is_the_closed_form(store, data):
    result = ran(store, data, "vae", dimensions=3)
    finding = found(result)
    method, model = result.recipe.encoding, result.model
    values = scaled_as(model, method.reader(data), result.read).values
    # A network without hidden layers: mean and log variance are one matrix product.
    weight, bias = (next(array for name, array in model.weights.items()
                         if name.startswith("encoder") and name.endswith(end))
                    for end in ("weight", "bias"))
    mean, wide = np.split(values.astype(float) @ weight.T + bias, 2, axis=1)
    expected = ((mean**2 + np.exp(wide) - 1 - wide) / 2).mean(axis=0)
    np.testing.assert_allclose(finding.extras["kl"], expected, rtol=1e-4)
    scores = {score.name: score for score in finding.scores}
    assert scores["Active units (of 3)"].value == (expected > 0.01).sum()
    assert scores["KL of a row in all"].value == pytest.approx(expected.sum(), rel=1e-4)
    order = np.argsort(-expected, kind="stable")
    assert [unit["number"] for unit in finding.tables["units"]] == [f"z{at + 1}" for at in order]
    assert "codes" not in finding.extras
    assert all((score.sample, score.total, score.seed) == (240, 240, None)
               for score in finding.scores)


def test_what_a_number_is_worth_is_what_is_lost_without_it(store, data):
    result = ran(store, data, "autoencoder", dimensions=2)
    finding = found(result)
    model, codes = result.model, np.asarray(result.embedding.vectors)
    values = scaled_as(model, result.recipe.encoding.reader(data), result.read).values
    (layer,) = model.decoder
    weight, bias = model.weights[layer["weight"]], model.weights[layer["bias"]]

    def error(changed):
        return np.square(changed @ weight.T + bias - values).mean()

    def held(*numbers):
        changed = codes.copy()
        changed[:, numbers] = codes.mean(axis=0)[list(numbers)]
        return error(changed)
    whole = error(codes)
    expected = [(held(number) - whole) / (held(0, 1) - whole) for number in (0, 1)]
    np.testing.assert_allclose(finding.extras["worth"], expected, rtol=1e-3)
    assert "kl" not in finding.extras
    np.testing.assert_allclose(finding.extras["variance"], codes.var(axis=0), rtol=1e-5)


def test_codes_before_they_were_brought_to_length_one_are_kept(store, data):
    plain = ran(store, data, "autoencoder", dimensions=2)
    result = ran(store, data, "autoencoder", dimensions=2, normalize=True)
    assert result.plan.model == plain.plan.model
    finding = found(result)
    np.testing.assert_allclose(finding.extras["codes"], plain.embedding.vectors, atol=1e-6)
    np.testing.assert_allclose(finding.extras["variance"], found(plain).extras["variance"],
                               rtol=1e-5)


def test_of_many_rows_a_sample_is_drawn_and_said(store, data):
    result = ran(store, data, "autoencoder", dimensions=2)
    one, two = found(result, sample=60, seed=1), found(result, sample=60, seed=2)
    assert {(score.sample, score.total, score.seed) for score in one.scores} == {(60, 240, 1)}
    assert one.extras["variance"][0] != two.extras["variance"][0]


def test_a_network_without_a_decoder_is_refused(store, data):
    result = ran(store, data, "contrastive", dimensions=2, epochs=1)
    with pytest.raises(DataError) as refused:
        found(result)
    assert refused.value.code == "NO_DECODER"
