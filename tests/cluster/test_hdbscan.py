"""HDBSCAN against its definition, and against scikit-learn and hdbscan called directly."""

import numpy as np
import pytest
from hdbscan.hdbscan_ import _tree_to_labels
from scipy.sparse.csgraph import connected_components, minimum_spanning_tree
from scipy.spatial.distance import cdist
from sklearn.cluster import HDBSCAN as Direct
from sklearn.datasets import make_moons
from sklearn.metrics import adjusted_rand_score

from explorer.cluster.condense import rows_under
from explorer.cluster.hdbscan import HDBSCAN
from explorer.cluster.tree import check_tree, merges_of
from explorer.errors import DataError, ParameterError
from explorer.spec import Facts, silent
from explorer.values import by_size, facts_of


def cloud(n=300, d=3, seed=0):
    """Groups of unequal density, some of them near each other, in a haze."""
    rng = np.random.default_rng(seed)
    group = rng.integers(0, 6, n)
    centres = rng.normal(size=(6, d)) * 6
    centres[1] = centres[0] + 1.5
    width = np.array([0.3, 0.3, 0.8, 0.4, 0.6, 6.0])[group, None]
    return (centres[group] + rng.normal(size=(n, d)) * width).astype(np.float32)


CHANGES = [{}, {"min_cluster_size": 4}, {"min_samples": 2}, {"method": "leaf"},
           {"method": "leaf", "min_cluster_size": 4}, {"allow_single_cluster": True},
           {"min_cluster_size": 4, "epsilon": 1.0}]


def in_space(method, vectors):
    """The rows as they are compared."""
    data = vectors.astype(float)
    return data / np.sqrt((data**2).sum(axis=1))[:, None] if method.metric == "cosine" else data


def reachability(method, data):
    """All mutual reachability distances (Campello, Moulavi, Sander 2013, definition 4)."""
    apart = cdist(data, data, "cityblock" if method.metric == "manhattan" else "euclidean")
    core = np.sort(apart, axis=1)[:, (method.min_samples or method.min_cluster_size) - 1]
    return np.maximum(np.maximum(apart, core), core[:, None])


def slow(method, vectors):
    """HDBSCAN as it is defined: at each distance the connected parts, from all pairs; parts below
    the smallest size fall out. Labels of the excess of mass, strengths and GLOSH scores."""
    far = reachability(method, in_space(method, vectors))
    n, smallest = len(far), method.min_cluster_size
    branches = []  # rows, born, parent, children, {row: density at which it left}

    def grow(rows, born, parent):
        mine = len(branches)
        branches.append({"rows": rows, "born": born, "children": [], "left": {}})
        if parent is not None:
            branches[parent]["children"].append(mine)
        while True:
            inside = far[np.ix_(rows, rows)]
            height = minimum_spanning_tree(inside).data.max()
            parts = connected_components(inside < height)[1]
            large = [rows[parts == one] for one in range(parts.max() + 1)
                     if (parts == one).sum() >= smallest]
            kept = np.concatenate(large) if large else rows[:0]
            branches[mine]["left"] |= {row: 1 / height for row in rows if row not in kept}
            if len(large) > 1:
                for part in large:
                    grow(part, 1 / height, mine)
            if len(large) != 1:
                return
            rows = large[0]

    grow(np.arange(n), 0.0, None)
    chosen, mass = set(), {}
    for number, branch in reversed(list(enumerate(branches))):
        densities = [*branch["left"].values(),
                     *(branches[child]["born"] for child in branch["children"]
                       for _ in branches[child]["rows"])]
        branch["densest"] = max(densities)
        own = sum(density - branch["born"] for density in densities)
        below = sum(mass[child] for child in branch["children"])
        mass[number] = max(own, below)
        if own >= below and number:
            chosen.add(number)
    labels, strengths, outlier = np.full(n, -1), np.zeros(n), np.zeros(n)

    def deepest(number):
        return max([branches[number]["densest"], *map(deepest, branches[number]["children"])])

    def visit(number, label, densest):
        branch = branches[number]
        if label < 0 and number in chosen:
            label, densest = number, branch["densest"]
        for row, density in branch["left"].items():
            outlier[row] = 1 - density / deepest(number)
            labels[row] = label
            strengths[row] = min(density / densest, 1) if label >= 0 else 0
        for child in branch["children"]:
            visit(child, label, densest)

    visit(0, -1, 1.0)
    return by_size(labels), strengths, outlier


@pytest.mark.parametrize("size", [4, 12])
@pytest.mark.parametrize("metric", ["euclidean", "cosine", "manhattan"])
@pytest.mark.parametrize("columns", [3, 20])
def test_equals_a_slow_reference(size, metric, columns):
    vectors = cloud(120, columns)
    method = HDBSCAN(min_cluster_size=size, metric=metric)
    ours = method.cluster(vectors, silent)
    labels, strengths, outlier = slow(method, vectors)
    np.testing.assert_array_equal(ours.labels, labels)
    np.testing.assert_allclose(ours.strengths, strengths, atol=1e-6)
    np.testing.assert_allclose(ours.extras["outlier"], outlier, atol=1e-6)
    assert ours.strengths.dtype == ours.extras["outlier"].dtype == np.float32
    assert ours.metric == metric


@pytest.mark.parametrize("change", CHANGES)
@pytest.mark.parametrize("metric", ["euclidean", "cosine"])
def test_equals_scikit_learn_and_hdbscan(change, metric):
    """Exactly where no two joins are equal (min_samples 1); else but for the rows at such joins,
    which both move themselves when the rows come in another order."""
    vectors = cloud()
    for samples in (1, None):
        method = HDBSCAN.create(**{"metric": metric, "min_samples": samples, **change})
        ours = method.cluster(vectors, silent)
        data = in_space(method, vectors)
        if method.epsilon:  # scikit-learn raises TypeError there (its issue 33219)
            single = merges_of(*edges(reachability(method, data)))
            labels, strengths, *_ = _tree_to_labels(None, single, method.min_cluster_size,
                                                    cluster_selection_epsilon=method.epsilon)
        else:
            found = Direct(min_cluster_size=method.min_cluster_size, copy=True,
                           min_samples=method.min_samples, cluster_selection_method=method.method,
                           allow_single_cluster=method.allow_single_cluster).fit(data)
            labels, strengths = found.labels_, found.probabilities_
        if samples == 1 and "min_samples" not in change:
            np.testing.assert_array_equal(ours.labels, by_size(labels))
            np.testing.assert_allclose(ours.strengths, strengths, atol=1e-6)
        if change != {"method": "leaf", "min_cluster_size": 4}:
            # Theirs takes equal joins for splits: small leaves that are gone where they begin.
            assert adjusted_rand_score(ours.labels, labels) > 0.95


def edges(far):
    """The spanning tree of a matrix: its ends and lengths, rising."""
    tree = minimum_spanning_tree(far).tocoo()
    order = np.argsort(tree.data)
    return np.column_stack([tree.row, tree.col])[order], tree.data[order]


@pytest.mark.parametrize("columns", [2, 30])
def test_the_order_of_the_rows_plays_no_part(columns):
    vectors = np.round(cloud(200, columns), 1)  # copies and equal distances
    order = np.random.default_rng(5).permutation(len(vectors))
    for change in CHANGES:
        method = HDBSCAN.create(**change)
        first, second = method.cluster(vectors, silent), method.cluster(vectors[order], silent)
        np.testing.assert_array_equal(by_size(first.labels[order]), by_size(second.labels))
        np.testing.assert_array_equal(first.strengths[order], second.strengths)
        np.testing.assert_array_equal(first.extras["outlier"][order], second.extras["outlier"])


def test_the_condensed_tree_tells_the_clusters():
    vectors = cloud(400)
    found = HDBSCAN().cluster(vectors, silent)
    branches, last, left = (found.extras[name] for name in ("branches", "last", "left"))
    parent, born, ends, rows, cluster, stability = branches.T
    assert parent[0] == -1
    assert (parent[1:] < np.arange(1, len(branches))).all()
    np.testing.assert_array_equal(ends[parent[1:].astype(int)], born[1:])
    assert (ends <= born).all()
    assert (left <= born[last] * (1 + 1e-6)).all()
    for number in range(len(branches)):
        assert len(rows_under(branches, last, number)) == rows[number]
    for label in range(found.count):
        number = int(np.flatnonzero(cluster == label)[0])
        np.testing.assert_array_equal(rows_under(branches, last, number),
                                      np.flatnonzero(found.labels == label))
        persistence = stability[number] / (rows[number] / np.min(left[left > 0]))
        assert found.extras["persistence"][label] == pytest.approx(persistence, rel=1e-5)
    assert (cluster >= 0).sum() == found.count == len(found.extras["persistence"])


def test_other_cuts_read_one_tree():
    vectors = cloud(250, 20)
    whole = HDBSCAN(min_cluster_size=5, min_samples=7)
    tree = check_tree(whole.grow(vectors, silent), len(vectors))
    for change in ({"min_cluster_size": 12}, {"method": "leaf"}, {"epsilon": 2.0}):
        other = whole.model_copy(update=change)
        assert other.grower() == whole.grower()
        np.testing.assert_array_equal(other.cut(tree, silent).labels,
                                      other.cluster(vectors, silent).labels)
    for change in ({"min_samples": 3}, {"metric": "cosine"}):
        assert whole.model_copy(update=change).grower() != whole.grower()


@pytest.mark.parametrize("change", [{"min_cluster_size": 4}, {"min_samples": 2},
                                    {"method": "leaf", "min_cluster_size": 4}])
def test_each_parameter_matters(change):
    vectors = cloud()
    base = HDBSCAN(min_cluster_size=4) if "method" in change else HDBSCAN()
    assert not np.array_equal(base.cluster(vectors, silent).labels,
                              HDBSCAN.create(**change).cluster(vectors, silent).labels)


def test_single_cluster_only_when_allowed():
    vectors = np.random.default_rng(3).normal(size=(200, 2)).astype(np.float32)
    lone = HDBSCAN(min_cluster_size=60)
    assert lone.cluster(vectors, silent).count == 0
    allowed = HDBSCAN(min_cluster_size=60, allow_single_cluster=True)
    assert allowed.cluster(vectors, silent).count == 1


def test_cosine_ignores_length():
    vectors = cloud() + np.float32(1)
    lengths = np.random.default_rng(1).uniform(0.1, 10, (len(vectors), 1))
    first = HDBSCAN(metric="cosine").cluster(vectors, silent)
    second = HDBSCAN(metric="cosine").cluster((vectors * lengths).astype(np.float64), silent)
    np.testing.assert_array_equal(first.labels, second.labels)
    assert first.count > 1


def test_finds_the_moons():
    vectors, truth = make_moons(400, noise=0.04, random_state=0)
    labels = HDBSCAN().cluster(vectors.astype(np.float32), silent).labels
    assert (labels >= 0).all()
    assert len(set(zip(labels.tolist(), truth.tolist(), strict=True))) == 2


def test_all_noise_is_an_answer():
    vectors = np.random.default_rng(0).uniform(size=(60, 5)).astype(np.float32)
    clustering = HDBSCAN(min_cluster_size=20).cluster(vectors, silent)
    assert clustering.noise == 60
    assert (clustering.labels == -1).all()
    assert not clustering.strengths.any()
    assert "No clusters found" in clustering.notes[0]
    assert "min_cluster_size (now 20)" in clustering.notes[0]


@pytest.mark.parametrize("metric", ["euclidean", "cosine"])
@pytest.mark.parametrize("method", ["eom", "leaf"])
def test_copies_of_a_row_are_not_split(metric, method):
    """Copies lie exactly 0 apart; by brute force leaf makes 8 to 10 clusters and noise of them."""
    rng = np.random.default_rng(0)
    which = rng.integers(0, 5, 300)
    vectors = rng.normal(size=(5, 60)).astype(np.float32)[which]
    clustering = HDBSCAN(metric=metric, method=method).cluster(vectors, silent)
    np.testing.assert_array_equal(clustering.labels, by_size(which))
    assert (clustering.strengths == 1).all()


def test_large_offset_in_float32():
    vectors = np.round(cloud() * 64) / 64  # exact in float32 with the offset added
    moved = vectors + np.float32(2**16)
    np.testing.assert_array_equal(HDBSCAN().cluster(moved, silent).labels,
                                  HDBSCAN().cluster(vectors, silent).labels)


def test_limits_follow_the_rows():
    for method, name in ((HDBSCAN(min_cluster_size=31), "min_cluster_size"),
                         (HDBSCAN(min_samples=31), "min_samples")):
        for call in (lambda method=method: method.check(Facts(30, 3)),
                     lambda method=method: method.cluster(cloud(30), silent)):
            with pytest.raises(ParameterError) as caught:
                call()
            assert (caught.value.code, caught.value.where.parameter) == ("OUT_OF_RANGE", name)
    HDBSCAN(min_cluster_size=30, min_samples=30).cluster(cloud(30), silent)
    with pytest.raises(ParameterError):
        HDBSCAN.create(min_cluster_size=1)
    with pytest.raises(DataError):
        HDBSCAN().check(facts_of(np.ones((30, 3), np.float32)))
    with pytest.raises(DataError) as caught:
        HDBSCAN(metric="cosine").cluster(np.eye(30, dtype=np.float32)[:, :29], silent)
    assert caught.value.code == "ZERO_VECTORS"


def test_many_dimensions_are_noted_before_the_run():
    assert HDBSCAN().check(Facts(100, 50)) == ()
    assert "in the picture" in HDBSCAN().check(Facts(100, 51))[0]
