"""Studies that make a run's results again: on rows with clear groups, on rows without any."""

import numpy as np
import pytest
from sklearn.datasets import make_blobs

from explorer import steps
from explorer.cluster import clusterers
from explorer.encode import encoders
from explorer.errors import Cancelled, ParameterError
from explorer.plan import make_plan
from explorer.project import projectors
from explorer.recipe import Recipe
from explorer.run import run
from explorer.spec import silent
from explorer.store import Store
from explorer.study import studies
from explorer.study.stability_report import grade
from explorer.study.step import study_key, study_step
from explorer.study.vary import COUNT, NUDGE, ORDER, ROWS, SEED, another_seed, deal, nudges
from tests.builders import build_dataset

CENTERS = np.array([[0, 0, 0, 0], [9, 0, 0, 3], [0, 9, 0, 0], [0, 0, 12, 5]], float)


@pytest.fixture(scope="module")
def store(tmp_path_factory):
    return Store(tmp_path_factory.mktemp("repetition"))


def groups(seed=0):
    return make_blobs([50, 40, 30, 20], centers=CENTERS, cluster_std=0.6, random_state=seed)[0]


def ran(store, vectors, method="kmeans", cluster_in="embedding", projector="pca", **parameters):
    columns = {f"n{at}": column.tolist() for at, column in enumerate(np.asarray(vectors).T)}
    if method == "kmeans":
        parameters = {"clusters": 4, "restarts": 3} | parameters
    recipe = Recipe.of(encoders().create("features", {"scaling": "none"}),
                       projectors().create(projector), clusterers().create(method, parameters),
                       (), cluster_in=cluster_in)
    return run(recipe, build_dataset(store, columns), store)


def found(result, key, progress=silent, **parameters):
    study = studies().create(key, parameters)
    steps.execute(study_step(result.plan, study).payload, str(result.store.root), progress)
    return result.finding(study)


def test_clear_clusters_are_found_in_every_repeat_and_a_split_one_is_not(store):
    clear = found(ran(store, groups()), "stability", runs=8, nudged=False)
    assert [record["grade"] for record in clear.tables["clusters"]] == ["highly stable"] * 4
    assert (clear.per_cluster["found"] == 8).all()
    assert (clear.per_cluster["tried"] == 8).all()
    assert (clear.per_row["again"] == 1).all()
    assert "noise" not in clear.per_row
    assert clear.scores[0].value == pytest.approx(1.0)
    assert {record["change"] for record in clear.tables["kinds"]} == {SEED, ROWS, ORDER}
    # With six clusters two real groups are cut somewhere: where, the rows at hand decide.
    split = found(ran(store, groups(), clusters=6), "stability", runs=9, nudged=False)
    grades = [record["grade"] for record in split.tables["clusters"]]
    assert "highly stable" in grades
    assert {"doubtful", "unstable"} & set(grades)
    assert split.scores[0].value < 0.95
    assert split.extras["by_kind"].shape == (3, 6)


def test_deterministic_methods_spend_no_repeats_on_seeds_and_noise_stays_apart(store):
    vectors = np.vstack([groups(), np.random.default_rng(1).uniform(-30, 30, (25, 4))])
    result = ran(store, vectors, "hdbscan", min_cluster_size=8)
    assert result.clustering.noise
    again = found(result, "stability", runs=6)
    assert SEED not in {record["change"] for record in again.tables["kinds"]}
    assert any("draws no random numbers" in note for note in again.notes)
    noise = result.clustering.labels == -1
    assert np.isnan(again.per_row["again"][noise]).all()
    assert again.per_row["noise"][noise].mean() > 0.5 > again.per_row["noise"][~noise].mean()
    only = found(result, "stability", runs=4, subsamples=False, row_order=False)
    assert len(only.tables["repeats"]) == 4 or any("no more" in note for note in only.notes)


def test_the_picture_can_be_drawn_again_in_every_repeat(store):
    result = ran(store, groups(), cluster_in="projection", clusters=3)
    fixed = found(result, "stability", runs=4, nudged=False)
    drawn = found(result, "stability", runs=4, nudged=False, redraw=True)
    assert any("same picture" in note for note in fixed.notes)
    assert not any("same picture" in note for note in drawn.notes)
    assert fixed.scores[0].space.startswith("picture")


def test_large_data_is_repeated_on_a_part_and_says_so(store):
    result = ran(store, groups())
    part = found(result, "stability", runs=4, most_rows=60, nudged=False)
    assert {record["rows"] for record in part.tables["repeats"]} == {60, 48}


def test_what_all_must_change_something_and_a_cancel_stops(store):
    with pytest.raises(ParameterError) as refused:
        found(ran(store, groups()), "stability", seeds=False, subsamples=False, row_order=False,
              nudged=False)
    assert refused.value.code == "NOTHING_TO_CHANGE"

    def stop(fraction, text):
        if fraction > 0.01:
            raise Cancelled

    for key in ("stability", "map_stability", "null_models", "hopkins", "gap", "stability_by_k"):
        with pytest.raises(Cancelled):
            found(ran(store, groups()), key, stop, seed=77)


def test_changes_are_dealt_evenly_and_nudges_stay_inside_their_bounds():
    assert deal([SEED, ROWS, NUDGE], 8, 2) == [SEED] * 3 + [ROWS] * 3 + [NUDGE] * 2
    assert deal([NUDGE], 8, 2) == [NUDGE] * 2
    method = clusterers().create("kmeans", {"clusters": 20})
    assert [one.method.clusters for one in nudges(method, 0.1)] == [18, 22, 19, 21]
    assert {one.parameter for one in nudges(method, 0.1)} == {"clusters"}
    low = clusterers().create("kmeans", {"clusters": 2})
    assert [one.method.clusters for one in nudges(low, 0.1)] == [3]
    seeds = {another_seed(low, number, 0).seed for number in range(5)}
    assert len(seeds) == 5
    assert low.seed not in seeds
    assert [grade(value) for value in (0.9, 0.8, 0.7, 0.5, np.nan)] == [
        "highly stable", "stable", "doubtful", "unstable", "not defined"]


def test_a_map_by_pca_is_the_same_again_and_given_points_are_not_drawn(store):
    result = ran(store, groups())
    again = found(result, "map_stability", seeds=2, subsamples=2, neighbors=5)
    assert again.scores[1].value < 0.01
    assert again.scores[0].value > 0.8
    assert again.extras["maps"].shape == (len(again.tables["maps"]) + 1, 140, 2)
    whole = [record for record in again.tables["maps"] if record["change"] == SEED]
    assert all(record["same neighbours"] == 1 for record in whole)
    assert set(studies().get("map_stability").rows_say) == set(again.per_row)


def test_groups_beat_data_without_groups_and_noise_does_not(store):
    grouped = found(ran(store, groups()), "null_models", runs=6)
    silhouettes = [record for record in grouped.tables["nulls"] if record["score"] == "Silhouette"]
    assert [record["as good"] for record in silhouettes] == [0, 0, 0]
    assert {record["p"] for record in silhouettes} == {1 / 7}
    assert all(record["z"] > 5 for record in silhouettes)
    noise = np.random.default_rng(3).normal(size=(140, 4))
    empty = found(ran(store, noise), "null_models", runs=9, uniform=False)
    assert all(record["p"] > 0.1 for record in empty.tables["nulls"])
    assert empty.scores[0].seed == 0
    assert empty.scores[0].total == 140
    part = found(ran(store, noise), "null_models", runs=4, most_rows=50)
    assert part.scores[0].sample == 50
    assert any("50 of 140 rows" in note for note in part.notes)


def test_in_the_picture_every_null_is_drawn_again(store):
    result = ran(store, np.random.default_rng(4).normal(size=(120, 6)), cluster_in="projection")
    own = found(result, "null_models", runs=6)
    assert any("picture of every null" in note for note in own.notes)
    # Two of six directions look much better than all of them, on nulls just as well.
    flat = ran(store, np.random.default_rng(4).normal(size=(120, 6)))
    whole = found(flat, "null_models", runs=6)
    assert own.extras["values"][1, :, 0].mean() > whole.extras["values"][1, :, 0].mean() + 0.05
    assert own.tables["nulls"][1]["p"] > 1 / 7


def test_hopkins_asks_for_more_than_one_cloud(store):
    grouped = found(ran(store, groups()), "hopkins", runs=9, rounds=5)
    assert [record["p"] for record in grouped.tables["nulls"]] == [0.1, 0.1]
    cloud = np.random.default_rng(5).normal(size=(200, 3)) * [5, 2, 1]
    one = found(ran(store, cloud), "hopkins", runs=9, rounds=5)
    even, single = one.tables["nulls"]
    assert even["p"] == 0.1
    assert single["p"] > 0.1


@pytest.mark.parametrize("method", ["kmeans", "agglomerative"])
def test_gap_and_halves_know_how_many_groups_there_are(store, method):
    result = ran(store, groups(), method)
    assert found(result, "gap", highest=5, references=6).scores[0].value == 4
    halves = found(result, "stability_by_k", highest=5, splits=2)
    assert halves.scores[0].value == 4
    assert halves.extras["strengths"].shape == (4, 4)


def test_even_rows_are_one_cluster_by_the_gap(store):
    # The paper's first model: even rows in ten dimensions.
    even = np.random.default_rng(6).uniform(size=(200, 10))
    result = ran(store, even, restarts=1)
    assert found(result, "gap", highest=4, references=10).scores[0].value == 1


def test_a_curve_over_numbers_stays_when_one_of_them_is_chosen(store):
    result = ran(store, groups())
    other = make_plan(result.recipe.using(clusterer=clusterers().create(
        "kmeans", {"clusters": 5, "restarts": 3})), result.dataset, store)
    for key in ("gap", "stability_by_k"):
        study = studies().create(key)
        assert study_key(result.plan, study) == study_key(other, study)
    study = studies().create("stability")
    assert study_key(result.plan, study) != study_key(other, study)


def test_methods_that_find_the_number_themselves_have_no_curve(store):
    result = ran(store, groups(), "hdbscan")
    for key in ("gap", "stability_by_k"):
        score = found(result, key).scores[0]
        assert score.value is None
        assert "finds the number" in score.why


def test_another_number_of_clusters_is_shown_but_not_graded(store):
    found_ = found(ran(store, groups()), "stability", runs=8)
    kinds = [record["change"] for record in found_.tables["kinds"]]
    assert COUNT in kinds
    assert found_.extras["by_kind"][kinds.index(COUNT)].min() < 0.75
    assert [record["grade"] for record in found_.tables["clusters"]] == ["highly stable"] * 4
    alone = found(ran(store, groups()), "stability", runs=2, seeds=False, subsamples=False,
                  row_order=False)
    assert {record["under"] for record in alone.tables["clusters"]} == {COUNT}
