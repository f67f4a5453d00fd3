"""The study of map trust on whole runs: what it says, of which rows, and when it says nothing."""

import numpy as np
import pytest
from sklearn.manifold import trustworthiness

from explorer import steps
from explorer.cluster import clusterers
from explorer.encode import encoders
from explorer.errors import ParameterError
from explorer.plan import make_plan
from explorer.project import projectors
from explorer.recipe import Recipe
from explorer.run import Run
from explorer.spec import silent
from explorer.store import Store
from explorer.study.map_trust import MapTrust
from explorer.study.step import study_key, study_step
from tests.builders import build_dataset


@pytest.fixture(scope="module")
def store(tmp_path_factory):
    return Store(tmp_path_factory.mktemp("trust"))


def ran(store, vectors, projector="pca", labels=None, clusters=2, spot=None, **parameters):
    """A run as far as its map: the study reads no more. `spot`: ready-made x of the first and of
    the other rows."""
    columns = {f"n{at}": column.tolist() for at, column in enumerate(np.asarray(vectors).T)}
    roles = {}
    if labels is not None:
        columns["kind"], roles = labels, {"kind": "label"}
    if spot is not None:
        for axis in ("x", "y"):
            columns[axis] = [spot[0]] + [spot[1]] * (len(vectors) - 1)
            roles[axis] = "coordinate"
    recipe = Recipe.of(encoders().create("features"), projectors().create(projector, parameters),
                       clusterers().create("kmeans", {"clusters": clusters}), ())
    plan = make_plan(recipe, build_dataset(store, columns, roles), store)
    for step in plan.missing(store):
        if step.kind in ("encode", "graph", "project"):
            steps.execute(step.payload, str(store.root), silent)
    return Run(plan, store)


def found(result, **parameters):
    study = MapTrust.create(**parameters)
    steps.execute(study_step(result.plan, study).payload, str(result.store.root), silent)
    return result.finding(study)


def scattered(n=160, d=5, seed=0):
    return np.random.default_rng(seed).normal(size=(n, d))


def by_name(finding):
    return {score.name: score for score in finding.scores}


def test_scores_of_a_run_are_scikit_learns(store):
    result = ran(store, scattered())
    finding = found(result, neighbors=9)
    vectors, points = result.embedding.vectors, result.projection.points
    scores = by_name(finding)
    assert scores["Trustworthiness"].value == pytest.approx(
        trustworthiness(vectors, points, n_neighbors=9), abs=1e-6)
    assert scores["Continuity"].value == pytest.approx(
        trustworthiness(points, vectors, n_neighbors=9), abs=1e-6)
    told = scores["Trustworthiness"]
    assert (told.sample, told.total, told.seed, told.metric) == (160, 160, None, "euclidean, k=9")
    assert "picture: 2-D PCA against" in told.space
    assert scores["Stress at the best scale"].better == "lower"
    for name, key in (("Trustworthiness", "trust"), ("Continuity", "continuity"),
                      ("Neighbours kept", "kept")):
        assert finding.per_row[key].mean() == pytest.approx(scores[name].value)
    near, shown = finding.extras["near"], finding.extras["shown"]
    kept = [len(set(a) & set(b)) / 9 for a, b in zip(near.tolist(), shown.tolist(), strict=True)]
    assert finding.per_row["kept"].tolist() == pytest.approx(kept)
    assert finding.notes == ()


def test_the_distance_is_the_projectors_or_the_one_asked_for(store):
    result = ran(store, np.abs(scattered()) + 0.1)
    vectors, points = result.embedding.vectors, result.projection.points
    scores = by_name(found(result, neighbors=9, metric="cosine"))
    assert scores["Trustworthiness"].value == pytest.approx(
        trustworthiness(vectors, points, n_neighbors=9, metric="cosine"), abs=1e-6)
    assert scores["Distance correlation (Spearman)"].metric == "cosine"
    study = MapTrust.create()
    assert (study.measures_by("cosine"), study.measures_by("euclidean")) == ("cosine", "euclidean")


@pytest.mark.parametrize("projector", ["pca", "tsne"])
def test_a_sample_says_so_and_agrees_with_all(store, projector, monkeypatch):
    monkeypatch.setattr("explorer.study.map_trust.PAIR_ROWS", 150)
    parameters = {"iterations": 100} if projector == "tsne" else {}
    result = ran(store, scattered(300), projector, **parameters)
    whole, some = found(result), found(result, exact_up_to=200, sample=150, seed=3)
    exact, drawn = by_name(whole), by_name(some)
    for name, score in drawn.items():
        assert (score.sample, score.total, score.seed) == (150, 300, 3), name
        assert score.low < score.value < score.high
        # The interval of one sample; three times its width is never left.
        assert abs(score.value - exact[name].value) <= 1.5 * (score.high - score.low), name
    assert (some.per_row["kept"] == whole.per_row["kept"]).all()  # there for every row
    assert some.per_row["stretch"] == pytest.approx(whole.per_row["stretch"])
    measured = some.extras["measured"]
    assert np.isfinite(some.per_row["trust"]).sum() == len(measured) == 150
    assert some.per_row["trust"][measured] == pytest.approx(whole.per_row["trust"][measured])
    assert (some.extras["near"] == whole.extras["near"]).all()
    assert (some.extras["shown"] == whole.extras["shown"]).all()
    assert "150 rows drawn by seed 3, each compared with all 300 rows" in some.notes[0]
    assert "all pairs of 150 rows drawn by seed 3 from 300" in some.notes[1]


def test_neighbourhood_hit_of_a_label_column(store):
    vectors = np.concatenate([scattered(40, 3, 1), scattered(40, 3, 2) + 20])
    scores = by_name(found(ran(store, vectors, labels=["a"] * 40 + ["b"] * 39 + [""])))
    hit = scores["Neighbourhood hit of kind on the map"]
    assert hit.sample == 79
    assert hit.value > 0.99
    assert scores["Neighbourhood hit of kind in the embedding"].value > 0.99
    chance = by_name(found(ran(store, vectors, labels=["a", "b"] * 40)))
    assert 0.3 < chance["Neighbourhood hit of kind on the map"].value < 0.7


@pytest.mark.parametrize(("n", "spot", "words"), [
    (2, (0.0, 1.0), "there are only 2"),
    (6, (3.0, 3.0), "all rows are the same on the map"),
])
def test_not_defined_in_words(store, n, spot, words):
    finding = found(ran(store, scattered(n, 3), "given", spot=spot), neighbors=1)
    for score in finding.scores:
        assert score.value is None
        assert words in score.why
    assert all(np.isnan(values).all() for values in finding.per_row.values())
    assert "shown" not in finding.extras


def test_more_neighbours_than_half_of_the_rows_are_refused(store):
    with pytest.raises(ParameterError, match="neighbors must be between 1 and 9"):
        found(ran(store, scattered(20)), neighbors=10)
    assert by_name(found(ran(store, scattered(20)), neighbors=9))["Continuity"].value > 0


def test_three_dimensions_keep_more(store):
    flat = by_name(found(ran(store, scattered())))
    deep = by_name(found(ran(store, scattered(), dimensions=3)))
    for name in ("Neighbours kept", "Trustworthiness", "Distance correlation (Pearson)"):
        assert deep[name].value > flat[name].value
    assert deep["Stress at the best scale"].value < flat["Stress at the best scale"].value


def test_edits_and_clusters_play_no_part(store):
    result = ran(store, scattered())
    other = ran(store, scattered(), clusters=5)
    study = MapTrust.create()
    assert study_key(result.plan, study) == study_key(other.plan, study)
