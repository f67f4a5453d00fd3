"""What every method does on data: same seed same result, input untouched, order, stopping."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
import pytest

from explorer.errors import Cancelled
from explorer.spec import Method
from explorer.store import Store
from tests.contracts.cases import (
    IDS,
    METHODS,
    arrays,
    execute,
    execute_or_skip,
    main_array,
    small,
    usual,
)

each_method = pytest.mark.parametrize(("family", "method"), METHODS, ids=IDS)
MakeStore = Callable[[], Store]


@pytest.fixture
def new_store(tmp_path_factory: pytest.TempPathFactory) -> MakeStore:
    """A fresh store at every call, so that nothing is found that should be computed."""
    return lambda: Store(tmp_path_factory.mktemp("store"))


@each_method
def test_same_seed_same_result(family: str, method: type[Method],
                               new_store: MakeStore) -> None:
    # Without groups, another start is another result.
    vectors = np.random.default_rng(4).uniform(size=(60, 5)).astype(np.float32)
    results = []
    for store in (new_store(), new_store()):
        data = usual(vectors, store)
        before = data.vectors.tobytes()
        results.append(execute_or_skip(family, small(method), data, store))
        assert data.vectors.tobytes() == before, "the input was changed"
    first, second = map(arrays, results)
    assert first
    assert first.keys() == second.keys()
    for name in first:
        assert first[name].dtype == second[name].dtype
        assert first[name].tobytes() == second[name].tobytes(), name


@each_method
def test_results_follow_the_rows(family: str, method: type[Method], blobs: np.ndarray,
                                 new_store: MakeStore) -> None:
    store = new_store()
    data = usual(blobs, store)
    order = np.random.default_rng(2).permutation(60)
    if not method.follows_rows:
        assert "seed" in method.model_fields, "only what draws by row number may say so"
        pytest.skip("it draws random numbers row by row: other rows first, another map")
    straight = execute_or_skip(family, small(method), data, store)
    mixed = execute(family, small(method), data.permuted(order, store), store)
    SAME[family](straight, mixed, order)


def _same_distances(straight: Any, mixed: Any, order: np.ndarray) -> None:
    """Axes may be mirrored and numbers rounded otherwise; what lies between rows may not change."""
    from scipy.spatial.distance import pdist, squareform

    first = squareform(pdist(main_array(straight).astype(np.float64)))
    second = squareform(pdist(main_array(mixed).astype(np.float64)))
    np.testing.assert_allclose(second, first[np.ix_(order, order)], rtol=1e-3,
                               atol=1e-3 * first.max())


def _same_neighbors(straight: Any, mixed: Any, order: np.ndarray) -> None:
    np.testing.assert_allclose(mixed.distances, straight.distances[order], rtol=1e-5)
    named = order[mixed.indices]
    assert (np.sort(named, axis=1) == np.sort(straight.indices[order], axis=1)).mean() > 0.99


def _same_partition(straight: Any, mixed: Any, order: np.ndarray) -> None:
    from sklearn.metrics import adjusted_rand_score

    assert straight.count == mixed.count > 1
    assert adjusted_rand_score(straight.labels[order], mixed.labels) == 1.0


def _same_scores(straight: Any, mixed: Any, order: np.ndarray) -> None:
    for one, other in zip(straight.scores, mixed.scores, strict=True):
        assert one.value == pytest.approx(other.value, rel=1e-6)
    for name, values in straight.per_row.items():
        np.testing.assert_allclose(mixed.per_row[name], values[order], rtol=1e-5, atol=1e-7)


SAME: dict[str, Callable[[Any, Any, np.ndarray], None]] = {
    "encode": _same_distances, "project": _same_distances, "neighbors": _same_neighbors,
    "cluster": _same_partition, "judge": _same_scores}


@each_method
def test_progress_and_stopping(family: str, method: type[Method], blobs: np.ndarray,
                               new_store: MakeStore) -> None:
    reports: list[float] = []
    store = new_store()
    data = usual(blobs, store)
    whole = execute_or_skip(family, small(method), data, store,
                            lambda fraction, _: reports.append(fraction))
    assert reports, "it never reports"
    assert all(0 <= fraction <= 1 for fraction in reports)
    assert reports == sorted(reports), "it goes backwards"
    for stop_at in {1, (len(reports) + 1) // 2}:
        store = new_store()
        data = usual(blobs, store)
        with pytest.raises(Cancelled):
            execute(family, small(method), data, store, _stopper(stop_at))
        again = execute(family, small(method), data, store)
        assert main_array(again).tobytes() == main_array(whole).tobytes()


def _stopper(stop_at: int) -> Callable[[float, str], None]:
    calls = 0

    def progress(fraction: float, text: str) -> None:
        nonlocal calls
        calls += 1
        if calls == stop_at:
            raise Cancelled

    return progress
