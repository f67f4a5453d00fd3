"""Law 6: any matrix and any parameters through the real steps of every method, in a process of
their own: a refusal with a code, or finite numbers for all rows. A crash is a failing example.

    python -m tests.contracts.storm --count 2000 [--method tsne] [--seed 7]
"""

from __future__ import annotations

import argparse
import base64
import contextlib
import hashlib
import json
import os
import select
import subprocess
import sys
import tempfile
import time
from collections import Counter
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import numpy as np
from hypothesis import HealthCheck, Phase, given, seed, settings
from hypothesis import strategies as st
from hypothesis.errors import FlakyFailure
from hypothesis.extra.numpy import arrays

from explorer.spec import Method, Parameter
from tests.contracts.cases import METHODS, Data, execute
from tests.contracts.cases import arrays as numbers_of

_ROOT = Path(__file__).parents[2]
_PATIENCE = 600.0
"""Seconds for one answer: the approximate search compiles for 40 s of CPU in a new process, which
was 120 s and more on two cores with a load of 6."""
_DTYPES = ("float16", "float32", "float64", "int8", "uint8", "int16", "int64", "bool")
_CAPS = {"iterations": 30, "early_iterations": 30, "epochs": 30, "restarts": 2,
         "max_iterations": 50, "rounds": 20, "width": 8, "height": 8}
_MODELS = ("minilm", "static_minilm", "sentence_transformer", "tfidf", "pixels", "image_model")
"""Encoders of texts and images: no matrix reaches them."""
TARGETS = [(family, method) for family, method in METHODS if method.key not in _MODELS]


@dataclass(frozen=True)
class Case:
    """A matrix, labels for the judges, and all parameters of a method."""

    vectors: np.ndarray
    labels: np.ndarray
    metric: str
    parameters: dict[str, Any]

    def __repr__(self) -> str:
        return (f"Case(np.array({self.vectors.tolist()}, dtype='{self.vectors.dtype}')"
                f".reshape({self.vectors.shape}), labels={self.labels.tolist()}, "
                f"metric={self.metric!r}, parameters={self.parameters})")


@st.composite
def cases(draw: Callable[[Any], Any], method: type[Method], fixed: tuple[str, ...] = ()) -> Case:
    """n 0..40, d 0..8, every type of number, and the shapes of data nobody wants. Parameters in
    `fixed` stay at their defaults."""
    n, d = draw(st.integers(0, 40)), draw(st.integers(0, 8))
    dtype = draw(st.sampled_from(_DTYPES))
    vectors = draw(arrays(dtype, (n, d), fill=st.nothing() if draw(st.booleans()) else None))
    if n and d and draw(st.integers(0, 3)):
        vectors = _spoilt(draw, n, d, dtype)
    labels = draw(arrays(np.int32, n, elements=st.integers(-1, draw(st.integers(-1, 6)))))
    parameters = {parameter.name: draw(_values(parameter)) for parameter in method.parameters()
                  if parameter.name not in fixed and draw(st.booleans())}
    if getattr(method, "trains", False):
        parameters["epochs"] = draw(st.integers(1, 3))
    return Case(vectors, labels, draw(st.sampled_from(("euclidean", "cosine"))), parameters)


def _spoilt(draw: Callable[[Any], Any], n: int, d: int, dtype: str) -> np.ndarray:
    """Plain numbers with one thing wrong: most examples of pure chance are refused at once."""
    random = np.random.default_rng(draw(st.integers(0, 2**16)))
    vectors = random.normal(size=(n, d))
    kind = draw(st.sampled_from((
        "plain", "copies", "alike", "scale", "offset", "columns", "zero rows", "line", "constant",
        "outlier", "hole")))
    if kind == "copies":
        vectors = vectors[random.integers(draw(st.integers(1, min(n, 5))), size=n)]
    elif kind == "alike":
        vectors = vectors[:1] + random.normal(size=(n, d)) * draw(st.sampled_from((0, 1e-8, 1e-6)))
    elif kind == "scale":
        vectors *= draw(st.sampled_from((1e-44, 1e-38, 1e-20, 1e-8, 1e8, 1e14, 1e19, 1e30, 3e37)))
    elif kind == "offset":
        vectors += draw(st.sampled_from((1e3, 1e6, 1e9, -1e12)))
    elif kind == "columns":
        vectors *= 10.0 ** random.integers(-20, 20, size=d)
    elif kind == "zero rows":
        vectors[random.random(n) < 0.4] = 0
    elif kind == "line":
        vectors = vectors[:, :1] * random.normal(size=d)
    elif kind == "constant":
        vectors[:, random.random(d) < 0.7] = 7
    elif kind == "outlier":
        vectors[random.integers(n)] *= draw(st.sampled_from((1e6, 1e12, 1e25)))
    elif kind == "hole":
        vectors[random.integers(n), random.integers(d)] = draw(
            st.sampled_from((np.nan, np.inf, -np.inf)))
    if not dtype.startswith("float"):
        dtype = "float32"
    with np.errstate(over="ignore"):
        return vectors.astype(dtype)


def _values(parameter: Parameter) -> st.SearchStrategy[Any]:
    low = parameter.low if parameter.low is not None else -10.0
    high = min(parameter.high if parameter.high is not None else np.inf,
               _CAPS.get(parameter.name, max(60.0, low + 60)))
    kinds: dict[str, Callable[[], st.SearchStrategy[Any]]] = {
        "int": lambda: st.integers(int(low), int(high)),
        "float": lambda: st.floats(low, high, exclude_min=parameter.exclusive_low),
        "bool": st.booleans, "choice": lambda: st.sampled_from(parameter.choices),
        "text": lambda: st.just(parameter.default), "list": lambda: st.just(parameter.default)}
    drawn = kinds[parameter.kind]()
    return st.none() | drawn if parameter.optional else drawn


class Child:
    """The process that does the work; a new one when it has died or does not answer."""

    def __init__(self) -> None:
        self._process: subprocess.Popen[str] | None = None
        self.deaths = 0

    def ask(self, method: type[Method], case: Case) -> dict[str, Any]:
        """What came of it: {'code'}, {'rows'}, or {'wrong': why}."""
        if self._process is None:
            self._process = subprocess.Popen(
                [sys.executable, "-m", "tests.contracts.storm", "--child"], cwd=_ROOT, text=True,
                stdin=subprocess.PIPE, stdout=subprocess.PIPE,
                env={**os.environ, "OMP_NUM_THREADS": "1", "OPENBLAS_NUM_THREADS": "1"})
        assert self._process.stdin is not None
        assert self._process.stdout is not None
        asked = json.dumps({
            "method": method.key, "parameters": case.parameters, "metric": case.metric,
            "labels": case.labels.tolist(), "shape": case.vectors.shape,
            "dtype": str(case.vectors.dtype),
            "bytes": base64.b64encode(case.vectors.tobytes()).decode()})
        with contextlib.suppress(BrokenPipeError):  # a dead child: its answer is missing too
            self._process.stdin.write(asked + "\n")
            self._process.stdin.flush()
        ready, _, _ = select.select([self._process.stdout], [], [], _PATIENCE)
        line = self._process.stdout.readline() if ready else ""
        if line:
            return dict(json.loads(line))
        why = "crashed" if ready else f"hung for {_PATIENCE:g} s"
        self.close()
        self.deaths += 1
        return {"wrong": why}

    @property
    def pid(self) -> int:
        """The process at work; 0 before the first question."""
        return self._process.pid if self._process is not None else 0

    def close(self) -> None:
        """End the process."""
        if self._process is not None:
            self._process.kill()
            with contextlib.suppress(BrokenPipeError):
                self._process.communicate()
            self._process = None


@dataclass
class Tally:
    """How often a method answered, and refused with which code."""

    answered: int = 0
    refused: Counter[str] = field(default_factory=Counter)


def storm(child: Child, method: type[Method], count: int, chance: int | None = None,
          fixed: tuple[str, ...] = ()) -> Tally:
    """So many cases for one method; AssertionError with the smallest failing one. `chance` seeds
    the search; None takes the same cases every time."""
    tally = Tally()

    @settings(max_examples=count, derandomize=chance is None, deadline=None, database=None,
              suppress_health_check=list(HealthCheck), phases=(Phase.generate, Phase.shrink))
    @given(case=cases(method, fixed))
    def holds(case: Case) -> None:
        found = child.ask(method, case)
        assert "wrong" not in found, f"{method.key}: {found['wrong']}"
        if "code" in found:
            tally.refused[found["code"]] += 1
        else:
            tally.answered += 1

    (holds if chance is None else seed(chance)(holds))()
    return tally


def serve() -> None:
    """The child: a line in, a line out, until the pipe closes."""
    # Libraries may print; only answers go down the pipe.
    pipe = os.fdopen(os.dup(1), "w", buffering=1)
    os.dup2(2, 1)
    known = {method.key: (family, method) for family, method in METHODS}
    with tempfile.TemporaryDirectory() as folder:
        for number, line in enumerate(sys.stdin):
            asked = json.loads(line)
            family, method = known[asked["method"]]
            pipe.write(json.dumps(_answer(family, method, asked, Path(folder) / str(number)))
                       + "\n")


def _answer(family: str, method: type[Method], asked: dict[str, Any],
            home: Path) -> dict[str, Any]:
    import shutil

    from explorer.errors import ExplorerError, ResultError
    from explorer.store import Store

    vectors = np.frombuffer(base64.b64decode(asked["bytes"]), asked["dtype"]).reshape(
        asked["shape"])
    labels = np.array(asked["labels"], dtype=np.int32)
    try:
        store = Store(home)
        dataset = None
        if family == "encode" or getattr(method, "reads", "") == "coordinates":
            if not vectors.size:
                return {"code": "NO_ROWS"}  # no reader writes such a data set
            dataset = _dataset(family, vectors, store)
        data = Data(vectors, labels, dataset)  # type: ignore[arg-type]
        result = execute(family, method.create(**asked["parameters"]), data, store,
                         metric=asked["metric"])
    except ExplorerError as error:
        named = error.code.isupper() and error.message.endswith(".") and type(error) is not (
            ExplorerError)
        # A ResultError is a method that lied: the checks before it should have known.
        if not named or isinstance(error, ResultError):
            return {"wrong": f"refused by {type(error).__name__} {error}"}
        return {"code": error.code}
    except Exception as error:  # the failing example
        import traceback

        return {"wrong": f"{type(error).__name__}: {error} {traceback.format_exc()[-1500:]}"}
    finally:
        shutil.rmtree(home, ignore_errors=True)
    return _measured(family, result, len(vectors))


def _dataset(family: str, vectors: np.ndarray, store: Any) -> Any:
    """The matrix as a data set, as number columns and, for encoders, as vectors too."""
    from tests.builders import build_dataset

    role = "coordinate" if family == "project" else "number"
    columns = {f"c{index}": vectors[:, index].astype(float).tolist()
               for index in range(vectors.shape[1])}
    return build_dataset(store, columns, dict.fromkeys(columns, role),
                         {"vector": vectors} if family == "encode" else None)


def _measured(family: str, result: Any, n: int) -> dict[str, Any]:
    for name, values in numbers_of(result).items():
        if family == "judge":
            if np.isinf(values).any():
                return {"wrong": f"{name} is infinite"}
        elif not np.isfinite(values).all():
            return {"wrong": f"{name} is not finite"}
    main = next((getattr(result, name) for name in ("vectors", "indices", "points", "labels")
                 if hasattr(result, name)), None)
    if main is not None and family != "encode" and len(main) != n:
        return {"wrong": f"{len(main)} rows for {n}"}
    if family == "judge" and any(score.value is None and not score.why
                                 for score in result.scores):
        return {"wrong": "not defined, without a reason"}
    digest = hashlib.blake2b(digest_size=16)
    for name, values in sorted(numbers_of(result).items()):
        digest.update(name.encode() + np.ascontiguousarray(values).tobytes())
    return {"rows": n, "sum": digest.hexdigest()}


def main() -> int:
    """The long form: a line per method, then one for all."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--count", type=int, default=1000, help="cases for every method")
    parser.add_argument("--method", help="only this one")
    parser.add_argument("--seed", type=int, default=None, help="a number; default: the clock")
    parser.add_argument("--child", action="store_true", help=argparse.SUPPRESS)
    given_ = parser.parse_args()
    if given_.child:
        serve()
        return 0
    chance = int(time.time()) if given_.seed is None else given_.seed
    child, failed, total, started = Child(), 0, 0, time.monotonic()
    for _, method in TARGETS:
        if given_.method not in (None, method.key):
            continue
        try:
            tally = storm(child, method, given_.count, chance)
        except (AssertionError, FlakyFailure) as error:
            failed += 1
            notes = "\n".join(getattr(error, "__notes__", ()))
            print(f"{method.key}: FAILED {error}\n{notes}", flush=True)
            continue
        total += tally.answered + tally.refused.total()
        print(f"{method.key}: {tally.answered} answered, refused {dict(tally.refused)}",
              flush=True)
    child.close()
    print(f"storm: {total} cases in {time.monotonic() - started:.0f} s, {failed} methods failed, "
          f"{child.deaths} crashes or hangs (seed {chance})")
    return 1 if failed else 0


if __name__ == "__main__":
    sys.exit(main())
