"""The studies of this area on runs: what they leave out, say, and find."""

import numpy as np
import pytest
from sklearn.datasets import load_iris
from sklearn.metrics import adjusted_rand_score

from explorer import steps
from explorer.cluster import clusterers
from explorer.encode import encoders
from explorer.errors import DataError, ParameterError
from explorer.project import projectors
from explorer.recipe import Recipe
from explorer.run import run
from explorer.spec import silent
from explorer.study.agreement import OUTSIDE, Agreement, Side, compare
from explorer.study.probe import LINEAR, Probe
from explorer.study.step import study_step
from tests.builders import build_dataset

IRIS = load_iris()
NAMES = [str(IRIS.target_names[code]) for code in IRIS.target]


def ran(store, **columns):
    measured = {f"m{place}": column.tolist() for place, column in enumerate(IRIS.data.T)}
    roles = dict.fromkeys(columns, "label")
    data = build_dataset(store, {**measured, **columns}, roles)
    recipe = Recipe.of(encoders().create("features"), projectors().create("pca"),
                       clusterers().create("kmeans", {"clusters": 3}), ())
    return run(recipe, data, store)


def found_by(result, study):
    steps.execute(study_step(result.plan, study).payload, str(result.store.root), silent)
    return result.finding(study)


def measure(found, probe, name):
    return next(line for line in found.tables["measures"]
                if line["probe"] == probe and line["measure"] == name)


def test_probe_of_iris(store):
    result = ran(store, species=NAMES)
    found = found_by(result, Probe.create(column="species"))
    line = measure(found, LINEAR, "accuracy")
    assert 0.93 < line["value"] < 0.99  # as published for linear methods on these flowers
    assert line["low"] < line["value"] < line["high"]
    assert line["baseline"] == pytest.approx(1 / 3)
    correct = found.per_row["correct"]
    confusion = found.extras["confusion"]
    assert confusion.sum() == 150
    assert correct.sum() == np.trace(confusion)
    assert (found.per_row["confidence"] >= found.per_row["own"] - 1e-6).all()
    assert "interval" in found.scores[0].metric
    assert found.scores[0].seed == 0


def test_probe_says_what_it_leaves_out(store):
    species = list(NAMES)
    species[:3] = ["rare"] * 3
    species[3:10] = [None] * 7
    result = ran(store, species=species)
    found = found_by(result, Probe.create(column="species", most_rows=120, runs=1))
    said = " ".join(found.notes)
    assert "7 rows without a value" in said
    assert "120 of 143 rows" in said
    assert "1 classes with fewer than 5 different rows (rare)" in said
    assert found.scores[0].sample == np.isfinite(found.per_row["correct"]).sum() <= 120
    assert found.scores[0].total == 150
    assert np.isnan(found.per_row["correct"][:10]).all()


def test_copies_give_nothing_away(store):
    draws = np.random.default_rng(0)
    few = draws.normal(size=(40, 3))
    columns = {f"c{place}": column.tolist() for place, column in enumerate(np.repeat(few, 5, 0).T)}
    known = np.repeat(draws.integers(0, 2, 40), 5)
    data = build_dataset(store, {**columns, "kind": [f"k{code}" for code in known]},
                         {"kind": "label"})
    result = run(Recipe.of(encoders().create("features"), projectors().create("pca"),
                           clusterers().create("kmeans", {"clusters": 2}), ()), data, store)
    found = found_by(result, Probe.create(column="kind", k=1, runs=1))
    assert any("160 rows are copies" in note for note in found.notes)
    # 1-NN would be right on nearly all rows if a copy were in the training part.
    assert measure(found, "kNN probe", "accuracy")["value"] < 0.75


def test_numbers_are_predicted_as_numbers(store):
    result = ran(store, species=NAMES)
    found = found_by(result, Probe.create(column="m3", task="number", runs=1))
    line = measure(found, LINEAR, "R2")
    assert line["value"] > 0.99  # the encoder reads the column itself, and that is said
    assert any("read m3 itself" in note for note in found.notes)
    assert set(found.per_row) == {"predicted", "error"}
    np.testing.assert_allclose(
        found.per_row["error"], np.abs(found.per_row["predicted"] - IRIS.data[:, 3]), atol=1e-5)


def test_what_a_probe_refuses(store):
    result = ran(store, species=NAMES, one=["same"] * 150, free=[str(row) for row in range(150)])
    with pytest.raises(DataError, match="two classes"):
        found_by(result, Probe.create(column="one"))
    with pytest.raises(DataError, match="at least"):
        found_by(result, Probe.create(column="free", task="classes"))
    with pytest.raises(ParameterError, match="k must be at most"):
        found_by(result, Probe.create(column="species", k=150))
    with pytest.raises(ParameterError, match="got none"):
        found_by(result, Probe.create())


def test_agreement_with_a_column(store):
    species = list(NAMES)
    species[:5] = [None] * 5
    result = ran(store, species=species)
    found = found_by(result, Agreement.create(column="species"))
    scores = {score.name: score for score in found.scores}
    assert scores["ARI"].value == pytest.approx(
        adjusted_rand_score(NAMES[5:], result.clustering.labels[5:]))
    assert scores["ARI"].sample == 145
    assert any("5 rows without a value in species" in note for note in found.notes)
    assert np.isnan(found.per_row["changed"][:5]).all()
    assert found.extras["counts"].sum() == 145


def test_noise_is_a_group_or_left_out():
    ours = np.array([0, 0, 0, 1, 1, -1, -1, 1])
    theirs = np.array([0, 0, 1, 1, 1, 0, -1, 1])
    group = compare(Side(ours, "a"), Side(theirs, "b"), "a group of its own")
    out = compare(Side(ours, "a"), Side(theirs, "b"), "left out")
    assert group.scores[0].sample == 8
    assert out.scores[0].sample == 6
    assert group.scores[0].value == pytest.approx(adjusted_rand_score(ours, theirs))
    both = (ours >= 0) & (theirs >= 0)
    assert out.scores[0].value == pytest.approx(adjusted_rand_score(ours[both], theirs[both]))
    assert out.extras["ours"].tolist() == [0, 0, 0, 1, 1, OUTSIDE, OUTSIDE, 1]
    assert group.per_row["changed"].tolist() == [0, 0, 1, 0, 0, 1, 0, 0]
    assert "2 noise rows" in group.scores[0].noise or "3 noise rows" in group.scores[0].noise
    jaccard = out.per_cluster["jaccard"]
    assert jaccard.tolist() == pytest.approx([2 / 3, 3 / 4])
