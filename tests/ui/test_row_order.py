"""The order rows are shown in, against sorting one row at a time."""

import math
from dataclasses import replace

import numpy as np
import pyarrow as pa
import pytest

from explorer.judge.centers import distances_to_centers
from explorer.load import load_sample
from explorer.project import projectors
from explorer.propose import propose
from explorer.run import Run, run
from explorer.spec import silent
from explorer.ui import row_order
from explorer.ui.row_order import order_rows, orders_of, typicality


@pytest.fixture(scope="module")
def wine(shared_store):
    data = load_sample("wine", shared_store, silent)
    recipe = propose(data).recipe.using(projector=projectors().create("pca"))
    return run(recipe, data, shared_store)


class Edited(Run):
    """The run with noise and with rows left out when encoding."""

    def __init__(self, whole):
        super().__init__(whole.plan, whole.store)
        keep = np.setdiff1d(np.arange(whole.dataset.n), [3, 50])
        labels = np.array(whole.clustering.labels[keep])
        labels[::9] = -1
        labels[labels == 1] = 7
        silhouette = whole.silhouette.per_row["silhouette"][keep].copy()
        silhouette[labels < 0] = np.nan
        for name, value in {
            "embedding": replace(whole.embedding, rows=keep,
                                 vectors=whole.embedding.vectors[keep]),
            "clustering": replace(whole.clustering, labels=labels),
            "judgements": {"silhouette": replace(
                whole.silhouette, per_row={"silhouette": silhouette})},
            "description": replace(whole.description, distances=distances_to_centers(
                whole.embedding.vectors[keep], labels, "euclidean")),
        }.items():
            self.__dict__[name] = value


@pytest.fixture
def gaps(wine):
    for kept in (row_order._orders, row_order._arrays):
        kept.clear()
    yield Edited(wine)
    for kept in (row_order._orders, row_order._arrays):
        kept.clear()


def slow_order(rows, value_of, descending):
    """Values first, none last, ties by row."""
    def place(row):
        value = value_of(row)
        lacks = value is None or (isinstance(value, float) and math.isnan(value))
        return (lacks, 0 if lacks else -value if descending else value, row)
    return sorted(rows, key=place)


ROWS = np.random.default_rng(5).permutation(178)[:90]


@pytest.mark.parametrize("down", [False, True])
@pytest.mark.parametrize("name", ["silhouette", "typical", "column:proline", "center"])
def test_every_order_equals_the_slow_one(gaps, name, down):
    places = {int(row): at for at, row in enumerate(gaps.rows)}
    covered = [row for row in ROWS.tolist() if row in places]
    vectors = gaps.embedding.vectors.astype(float)
    labels = gaps.clustering.labels
    middle = vectors[[places[row] for row in covered]].mean(axis=0)
    proline = gaps.dataset.numbers("proline")

    def value(row):
        if name == "column:proline":
            return float(proline[row])
        if row not in places:
            return None
        at = places[row]
        if name == "silhouette":
            return float(gaps.silhouette.per_row["silhouette"][at])
        if name == "center":
            return round(float(np.linalg.norm(vectors[at] - middle)), 9)
        if labels[at] < 0:
            return None
        center = vectors[labels == labels[at]].mean(axis=0)
        return round(float(np.linalg.norm(vectors[at] - center)), 9)

    key = f"{name}:down" if down else name
    found = order_rows(gaps, ROWS, key, orders_of(gaps, ROWS)[key])
    assert found.rows.tolist() == slow_order(ROWS.tolist(), value, down)
    assert found.groups == ()
    expected = [value(row) for row in found.rows.tolist()]
    np.testing.assert_allclose(found.values, [np.nan if one is None else one for one in expected],
                               atol=1e-6)


def test_groups_go_by_cluster_then_noise_then_rows_without_a_vector(gaps):
    labels = dict(zip(gaps.rows.tolist(), gaps.clustering.labels.tolist(), strict=True))
    rows = np.arange(178)
    found = order_rows(gaps, rows, "silhouette", orders_of(gaps, rows)["silhouette"],
                       grouped=True)
    assert sorted(found.rows.tolist()) == rows.tolist()
    assert [group.cluster for group in found.groups] == [0, 2, 7, -1, None]
    assert [group.start for group in found.groups[1:]] == [
        group.end for group in found.groups[:-1]]
    for group in found.groups:
        inside = found.rows[group.start:group.end].tolist()
        assert {labels.get(row) for row in inside} == {group.cluster}
        values = found.values[group.start:group.end]
        known = values[np.isfinite(values)]
        assert (np.diff(known) >= 0).all()


def test_words_sort_by_the_alphabet_and_missing_ones_stand_last(wine, monkeypatch):
    cells = ["b", None, "a", "ä", "a", "", "Z"] + ["m"] * 171
    table = wine.dataset.table.append_column("kind", pa.array(cells))
    monkeypatch.setattr(type(wine.dataset), "table", property(lambda self: table))
    rows = np.arange(7)
    ranks = row_order._ranks(wine, "kind", rows)
    order = np.argsort(ranks, kind="stable").tolist()
    assert [cells[row] for row in order] == ["", "Z", "a", "a", "b", "ä", None]
    assert order.index(2) < order.index(4)


def test_ties_and_the_order_of_the_data(wine):
    offers = orders_of(wine, ROWS, texts=True)
    assert next(iter(offers)) == "typical"
    assert order_rows(wine, ROWS, "row", offers["row"]).rows.tolist() == sorted(ROWS.tolist())
    assert order_rows(wine, ROWS, "row", offers["row"]).values is None
    assert "column:label" in offers
    assert "column:label" not in orders_of(wine, ROWS)


def test_distances_to_the_middle_are_not_offered_for_too_many_numbers(wine, monkeypatch):
    monkeypatch.setattr(row_order, "MOST_NUMBERS", 90 * 13)
    assert "center" in orders_of(wine, ROWS)
    monkeypatch.setattr(row_order, "MOST_NUMBERS", 90 * 13 - 1)
    assert "center" not in orders_of(wine, ROWS)
    assert "typical" in orders_of(wine, ROWS)


def test_typicality_puts_first_what_the_description_calls_typical(wine):
    far = typicality(wine)
    for cluster, rows in enumerate(wine.description.typical):
        inside = np.flatnonzero(np.asarray(wine.clustering.labels) == cluster)
        assert inside[np.argsort(far[inside], kind="stable")[:3]].tolist() == rows.tolist()
