"""Many recipes at once: shared steps, listed values, numbers as scikit-learn gives them."""

import numpy as np
import pytest
from sklearn.metrics import adjusted_rand_score

from explorer import agreement, steps
from explorer.agreement import Sorted, agreement_step
from explorer.cluster import clusterers
from explorer.encode import encoders
from explorer.errors import ParameterError
from explorer.known_groups import group_columns, groups_of, read_by
from explorer.leaderboard import (
    MOST,
    Contest,
    combine,
    line_of,
    steps_of,
    varied,
    varies,
)
from explorer.plan import make_plan, missing
from explorer.project import projectors
from explorer.recipe import Call, Recipe
from explorer.run import run
from explorer.spec import silent
from tests.builders import build_dataset

KMEANS = clusterers().get("kmeans")


@pytest.fixture
def data(store, blobs):
    columns = {f"n{place}": column.tolist() for place, column in enumerate(blobs.T)}
    columns["kind"] = [("a", "b", "")[row // 25] for row in range(60)]
    columns["free"] = [f"text {row}" for row in range(60)]
    return build_dataset(store, columns, {"kind": "label", "free": "category"})


@pytest.fixture
def base(data):
    return Recipe.of(encoders().create("features"), projectors().create("pca"),
                     clusterers().create("kmeans", {"clusters": 3, "restarts": 2}),
                     dataset=data.id)


def test_listed_values_become_methods(base):
    found = varied(KMEANS, base.clusterer, "clusters", "5, 10; 10")
    assert [method.clusters for method in found] == [5, 10]
    assert {method.restarts for method in found} == {2}  # as on the form
    assert varied(KMEANS, None, "clusters", " ")[0].values() == KMEANS.create().values()
    assert varies(KMEANS)[0] == "clusters"
    with pytest.raises(ParameterError, match="got 'x'"):
        varied(KMEANS, None, "clusters", "5, x")
    with pytest.raises(ParameterError, match="clusters must be"):
        varied(KMEANS, None, "clusters", "1")
    flags = varied(encoders().get("vectors"), None, "normalize", "true, no")
    assert [method.normalize for method in flags] == [True, False]


def test_too_many_are_refused(base):
    many = varied(KMEANS, None, "clusters", ",".join(map(str, range(2, MOST + 3))))
    with pytest.raises(ParameterError, match=str(MOST)):
        combine(base, [base.encoding], [base.projecting], many)


def test_shared_steps_are_computed_once_and_numbers_are_true(base, data, store):
    kinds = varied(KMEANS, base.clusterer, "clusters", "2, 3")
    maps = [projectors().create("pca"), projectors().create("pca", {"dimensions": 3})]
    recipes = combine(base, [base.encoding], maps, kinds)
    assert len(recipes) == 4
    assert all(recipe.clustering == kind for recipe, kind in zip(recipes, kinds * 2, strict=True))
    contest = Contest("kind", trust=False)
    plans = [make_plan(recipe, data, store) for recipe in recipes]
    todo = missing([step for plan in plans for step in steps_of(plan, contest)], store)
    kinds_of = [step.kind for step in todo]
    assert len({step.key for step in todo}) == len(todo)
    assert kinds_of.count("encode") == 1
    assert kinds_of.count("project") == 2
    assert kinds_of.count("cluster") == 2
    assert kinds_of.count("study") == 3  # one probe of the vectors, two agreements
    known = {step.key for step in todo}
    assert all(set(step.after) <= known for step in todo)
    for step in todo:
        steps.execute(step.payload, str(store.root), silent)
    assert not missing([step for plan in plans for step in steps_of(plan, contest)], store)
    lines = [line_of(plan, store, contest) for plan in plans]
    result = run(recipes[1], data, store)
    codes = groups_of(data, "kind", result.rows).codes
    there = codes >= 0
    assert lines[1].ari == pytest.approx(
        adjusted_rand_score(codes[there], result.clustering.labels[there]))
    assert lines[1].clusters == 3
    assert lines[1].noise == 0
    assert lines[1].scores["Silhouette"] == pytest.approx(result.silhouette.scores[0].value)
    assert lines[0].probe == lines[1].probe is not None
    assert lines[1].space == result.space
    # waits only for what is missing: the vectors are stored, so a new step waits for nothing
    fresh = make_plan(base.using(clusterer=KMEANS.create(clusters=4)), data, store)
    first = next(step for step in missing(steps_of(fresh, contest), store)
                 if step.kind == "cluster")
    assert first.after == ()


def test_nothing_is_defined_before_it_is_computed(base, data, store):
    line = line_of(make_plan(base, data, store), store, Contest("kind"))
    assert line.clusters is line.probe is line.ari is line.noise is None
    assert all(value is None for value in line.scores.values())


def test_two_clusterings_are_compared_row_by_row(base, data, store):
    first = run(base, data, store)
    second = run(base.using(clusterer=KMEANS.create(clusters=2)), data, store)
    step = agreement_step(Sorted.of(first.plan), Sorted.of(second.plan), "left out", data.n)
    agreement.execute(step.payload, str(store.root), silent)
    found = agreement.stored(store, step)
    scores = {score.name: score.value for score in found.scores}
    assert scores["ARI"] == pytest.approx(
        adjusted_rand_score(first.clustering.labels, second.clustering.labels))
    changed = found.per_row["changed"] == 1
    assert changed.sum() == 60 - sum(
        found.extras["counts"][row, column]
        for row, column in enumerate(found.extras["paired"]) if column >= 0)


def test_other_rows_of_another_embedding_are_left_out_and_counted(store, blobs):
    vectors = blobs.copy()
    vectors[:4] = 0  # no direction: left out by the encoder
    data = build_dataset(store, {"name": [str(row) for row in range(60)]},
                         {"name": "id"}, {"v": vectors})
    whole = Recipe.of(encoders().create("vectors"), projectors().create("pca"),
                      clusterers().create("kmeans", {"clusters": 3}))
    part = whole.using(encoder=encoders().create("vectors", {"normalize": True}))
    first, second = run(whole, data, store), run(part, data, store)
    assert len(second.rows) == 56
    for ours, theirs, kept in ((first, second, 56), (second, first, 56)):
        step = agreement_step(Sorted.of(ours.plan), Sorted.of(theirs.plan), "left out", 60)
        agreement.execute(step.payload, str(store.root), silent)
        found = agreement.stored(store, step)
        assert found.scores[0].sample == kept
        assert found.scores[0].total == len(ours.rows)
        assert any("4 rows" in note for note in found.notes)
        labels = np.asarray(theirs.clustering.labels)
        expected = labels[np.isin(theirs.rows, ours.rows)]
        there = found.extras["theirs"] != -2
        np.testing.assert_array_equal(found.extras["theirs"][there], expected)


def test_columns_are_offered_with_reasons(data):
    offers = {offer.name: offer.why for offer in group_columns(data)}
    assert next(iter(offers)) == "kind"
    assert offers["kind"] == ""
    assert offers["free"] == ""  # 60 values
    assert "at most 50" in offers["n0"]
    groups = groups_of(data, "kind", np.arange(60))
    assert groups.names == ("a", "b")
    assert groups.missing == 10
    with pytest.raises(ParameterError, match="got none"):
        groups_of(data, "", np.arange(60))
    assert read_by(encoders().create("features"), data, "n0")
    assert not read_by(encoders().create("features"), data, "kind")
    assert Call.of(KMEANS.create()).method == "kmeans"
