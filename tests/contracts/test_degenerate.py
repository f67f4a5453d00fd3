"""Data nobody wants: an answer with n finite rows, or a named error; never a crash or a fable."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest

from explorer.errors import DataError, ExplorerError, ParameterError
from explorer.spec import Method
from explorer.store import Store
from explorer.values import facts_of
from tests.builders import build_dataset
from tests.contracts.cases import IDS, METHODS, Data, arrays, execute, main_array, of, small

each_method = pytest.mark.parametrize(("family", "method"), METHODS, ids=IDS)


def _cases() -> dict[str, np.ndarray]:
    draws = np.random.default_rng(3)
    plain = draws.normal(size=(24, 4))
    constant = plain.copy()
    constant[:, 1:3] = 7.0
    one_zero = plain.copy()
    one_zero[5] = 0.0
    return {
        "one row": plain[:1], "two rows": plain[:2], "three rows": plain[:3],
        "one column": plain[:, :1], "constant columns": constant,
        "duplicates": np.repeat(plain[:4], 6, axis=0),
        "two different rows": np.repeat(plain[:2], 12, axis=0),
        "all identical": np.ones((24, 4)), "all zero": np.zeros((24, 4)),
        "one zero row": one_zero, "magnitude 1e19": plain * 1e19, "magnitude 1e30": plain * 1e30,
        "magnitude 1e-30": plain * 1e-30, "offset 1e6": plain + 1e6,
        "scales 1e-9 and 1e9": plain * [1e-9, 1, 1, 1e9],
    }


CASES = _cases()


def make(name: str, store: Store) -> Data:
    vectors = CASES[name].astype(np.float32)
    n = len(vectors)
    columns: dict[str, list[Any]] = {
        f"number {index}": vectors[:, index].astype(float).tolist()
        for index in range(vectors.shape[1])}
    columns["text"] = [f"word{int(value * 10) % 5} again" for value in CASES[name][:, 0]]
    columns["x"], columns["y"] = columns["number 0"], columns["number 0"]
    roles = {"text": "text", "x": "coordinate", "y": "coordinate"}
    return of(vectors, build_dataset(store, columns, roles, {"vector": vectors},
                                     name=f"{name} {n}"))


@pytest.mark.parametrize("name", CASES)
@each_method
def test_an_answer_or_a_named_error(family: str, method: type[Method], name: str,
                                    store: Store) -> None:
    data = make(name, store)
    if method.key == "minilm":
        pytest.skip("its input is text; degenerate vectors do not reach it")
    refused, result = None, None
    try:
        result = execute(family, small(method), data, store)
    except ExplorerError as error:
        refused = error
    if refused is not None:
        assert type(refused) is not ExplorerError
        assert refused.code.isupper()
        assert refused.message.endswith(".")
        return
    main = main_array(result)
    if family == "encode":
        assert len(main) == len(result.rows) <= len(data.vectors)
    elif main.size:
        assert len(main) == len(data.vectors)
    for key, values in arrays(result).items():
        if family != "judge":  # not defined is NaN there, and said
            assert np.isfinite(values).all(), key
    if family == "judge":
        assert all(score.value is not None or score.why for score in result.scores)


@pytest.mark.parametrize("bad", [np.nan, np.inf, -np.inf, 1e300])
@each_method
def test_not_finite_is_refused(family: str, method: type[Method], bad: float,
                               blobs: np.ndarray, store: Store) -> None:
    vectors = blobs.astype(np.float64)
    vectors[7, 2] = bad
    if family == "encode" or getattr(method, "reads", "") == "coordinates":
        pytest.skip("reads a data set; tests/encode and test_run have its missing values")
    with pytest.raises(ExplorerError) as refused:
        execute(family, small(method), of(vectors, None), store)  # type: ignore[arg-type]
    assert refused.value.code == "NOT_FINITE"


@pytest.mark.parametrize("copies", [1, 2, 24])
@each_method
def test_identical_rows_never_reach_a_library(family: str, method: type[Method],
                                              copies: int) -> None:
    # scikit-learn's t-SNE on identical rows is a segmentation fault; UMAP draws a cloud.
    if family not in ("project", "cluster") or getattr(method, "reads", "") == "coordinates":
        pytest.skip("identical rows have neighbours, scores and coordinates")
    with pytest.raises(DataError) as refused:
        small(method).check(facts_of(np.ones((copies, 4), dtype=np.float32)))
    assert refused.value.code in ("IDENTICAL_ROWS", "TOO_FEW_ROWS")


@pytest.mark.parametrize("family_method", [
    (family, method) for family, method in METHODS if "metric" in method.model_fields],
    ids=[method.key for _, method in METHODS if "metric" in method.model_fields])
def test_cosine_refuses_rows_without_direction(family_method: tuple[str, type[Method]],
                                               store: Store) -> None:
    family, method = family_method
    parameters = {"metric": "cosine"} | ({"linkage": "average"}
                                         if "linkage" in method.model_fields else {})
    with pytest.raises(DataError) as refused:
        execute(family, small(method, **parameters), make("one zero row", store), store)
    assert refused.value.code == "ZERO_VECTORS"


@each_method
def test_too_few_rows_name_the_least(family: str, method: type[Method], store: Store) -> None:
    if family not in ("project", "cluster"):
        pytest.skip("encodes or judges any number of rows")
    few = np.random.default_rng(0).normal(size=(method.min_rows, 4)).astype(np.float32)[1:]
    if not len(few):
        pytest.skip("one row is enough")
    with pytest.raises((DataError, ParameterError)) as refused:
        execute(family, small(method), of(few, None), store)  # type: ignore[arg-type]
    assert refused.value.code in ("TOO_FEW_ROWS", "OUT_OF_RANGE")
    if refused.value.code == "TOO_FEW_ROWS":
        assert str(method.min_rows) in refused.value.message
