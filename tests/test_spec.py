"""The one declaration: parameters out of fields, bounds, keys, discovery."""

from __future__ import annotations

import sys
import types
from pathlib import Path
from typing import Any, ClassVar, Literal

import pytest
from pydantic import Field

from explorer.errors import (
    Cancelled,
    DataError,
    ExplorerError,
    InputError,
    ParameterError,
    Where,
    error_from_dict,
)
from explorer.spec import Facts, Method, advanced, discover, part, result_key


class Sample(Method):
    """A method for these tests.

    With two paragraphs.
    """

    key: ClassVar[str] = "sample"
    title: ClassVar[str] = "Sample"
    family: ClassVar[str] = "test"
    min_rows: ClassVar[int] = 3
    min_distinct: ClassVar[int] = 2

    count: int = Field(8, ge=2, le=200, description="How many.")
    share: float = Field(0.5, gt=0, le=1, description="How much.")
    metric: Literal["euclidean", "cosine"] = Field("euclidean", description="Which.")
    extra: int | None = advanced(None, ge=1, description="Maybe.")
    names: tuple[str, ...] = advanced((), description="Some.")

    def limits(self, facts: Facts) -> dict[str, tuple[float, float]]:
        return {"count": (2, facts.n), "extra": (1, facts.d)}


def test_parameters_are_the_fields_in_order() -> None:
    found = {parameter.name: parameter for parameter in Sample.parameters()}
    assert list(found) == ["count", "share", "metric", "extra", "names"]
    assert (found["count"].kind, found["count"].low, found["count"].high) == ("int", 2, 200)
    assert (found["share"].kind, found["share"].low, found["share"].exclusive_low) == (
        "float", 0, True)
    assert found["metric"].choices == ("euclidean", "cosine")
    assert (found["extra"].optional, found["extra"].advanced) == (True, True)
    assert (found["names"].kind, found["names"].default) == ("list", [])
    assert not found["count"].advanced
    assert found["count"].label == "Count"


def test_describe_is_the_docstring_without_indentation() -> None:
    assert Sample.describe() == "A method for these tests.\n\nWith two paragraphs."


def test_values_and_what_was_changed() -> None:
    method = Sample.create(count=9, names=["a"])
    assert method.values() == {"count": 9, "share": 0.5, "metric": "euclidean", "extra": None,
                               "names": ["a"]}
    assert method.changed() == {"count": 9, "names": ["a"]}
    assert method.identity() == {"method": "sample", "version": 1, "parameters": method.values()}


@pytest.mark.parametrize(("given", "code", "name"), [
    ({"count": 1}, "OUT_OF_RANGE", "count"), ({"count": 201}, "OUT_OF_RANGE", "count"),
    ({"share": 0}, "OUT_OF_RANGE", "share"), ({"share": float("nan")}, "OUT_OF_RANGE", "share"),
    ({"metric": "hamming"}, "OUT_OF_RANGE", "metric"), ({"extra": 0}, "OUT_OF_RANGE", "extra"),
    ({"count": True}, "OUT_OF_RANGE", "count"), ({"count": b"8"}, "OUT_OF_RANGE", "count"),
    ({"extra": 10**400}, "OUT_OF_RANGE", "extra"), ({"extra": [10**5000]}, "OUT_OF_RANGE", "extra"),
    ({"names": ["a"] * 1001}, "OUT_OF_RANGE", "names"),
    ({"names": ["a" * 1001]}, "OUT_OF_RANGE", "names"),
    ({"other": 1}, "UNKNOWN_PARAMETER", "other"), ({"count": None}, "OUT_OF_RANGE", "count")])
def test_refusals_name_the_parameter(given: dict[str, Any], code: str, name: str) -> None:
    with pytest.raises(ParameterError) as refused:
        Sample.create(**given)
    assert (refused.value.code, refused.value.where) == (code, Where(parameter=name))


@pytest.mark.parametrize(("facts", "code"), [
    (Facts(2, 4), "TOO_FEW_ROWS"), (Facts(50, 4, 1), "IDENTICAL_ROWS"),
    (Facts(7, 4, 7), "OUT_OF_RANGE")])
def test_check_refuses_what_cannot_work(facts: Facts, code: str) -> None:
    with pytest.raises(ExplorerError) as refused:
        Sample.create().check(facts)
    assert refused.value.code == code


def test_check_says_what_will_be_rescaled_and_refuses_where_units_matter() -> None:
    facts = Facts(50, 4, 50, largest=2.0**60)
    assert "divided by" in Sample.create().check(facts)[0]
    assert "2.31e+18" in Sample.create().check(facts)[0]

    class InUnits(Sample):
        """Counts in the unit of the data."""

        @property
        def scale_free(self) -> bool:
            return False

    with pytest.raises(DataError) as refused:
        InUnits.create().check(facts)
    assert refused.value.code == "TOO_LARGE_VALUES"


def test_check_looks_at_zero_rows_for_cosine_only() -> None:
    facts = Facts(50, 4, 50, zeros=1)
    assert Sample.create().check(facts) == ()
    with pytest.raises(DataError, match="all-zero"):
        Sample.create(metric="cosine").check(facts)


def test_limits_leave_out_what_is_not_set() -> None:
    Sample.create().check(Facts(8, 1))
    with pytest.raises(ParameterError, match="extra"):
        Sample.create(extra=2).check(Facts(8, 1))


def test_result_keys_are_stable_and_depend_on_everything() -> None:
    # A change here orphans every stored result: raise a version instead.
    assert result_key("step", {"b": 1, "a": [1, 2.5, None]}) == "0aef77f369470cfd3dec7eac8abcc469"
    keys = {result_key("step", 1), result_key("step", 2), result_key("other", 1),
            result_key("step", 1, 1), result_key("step", "1"), result_key("step", [1])}
    assert len(keys) == 6
    assert result_key("s", {"a": 1, "b": 2}) == result_key("s", {"b": 2, "a": 1})
    with pytest.raises(ValueError, match="JSON"):
        result_key("step", float("nan"))


def test_part_squeezes_progress() -> None:
    seen: list[float] = []
    inner = part(lambda fraction, text: seen.append(fraction), 0.5, 0.75)
    inner(0.0, "")
    inner(1.0, "")
    assert seen == [0.5, 0.75]


_FAMILY = '''
from typing import ClassVar
from explorer.spec import Method
class Family(Method):
    """A family of methods."""
    family: ClassVar[str] = "test"
'''
_GOOD = '''
from typing import ClassVar
from PACKAGE import Family
class Good(Family):
    """Says what it is."""
    key: ClassVar[str] = "good"
    title: ClassVar[str] = "Good"
'''


@pytest.mark.parametrize(("files", "error"), [
    ({"good.py": _GOOD}, None),
    ({"other.py": _GOOD}, ValueError),
    ({"good.py": _GOOD.replace('"""Says what it is."""', "")}, ValueError),
    ({"good.py": _GOOD, "broken.py": "import no_such_module_at_all"}, ImportError)])
def test_discovery_is_loud(files: dict[str, str], error: type[Exception] | None, tmp_path: Path,
                           monkeypatch: pytest.MonkeyPatch) -> None:
    name = f"package_{tmp_path.name.replace('-', '_')}"
    folder = tmp_path / name
    folder.mkdir()
    for file, text in {"__init__.py": _FAMILY, **files}.items():
        (folder / file).write_text(text.replace("PACKAGE", name))
    monkeypatch.syspath_prepend(tmp_path)
    package: types.ModuleType = __import__(name)
    if error is None:
        registry = discover(package, package.Family)
        assert registry.keys() == ("good",)
        assert registry.create("good").title == "Good"
        with pytest.raises(ParameterError, match="must be one of good, got 'bad'"):
            registry.get("bad")
    else:
        with pytest.raises(error):
            discover(package, package.Family)
    for module in [module for module in sys.modules if module.startswith(name)]:
        del sys.modules[module]


def test_errors_are_data() -> None:
    import copy

    for error in (InputError("ROW_LENGTH", "Lines must be 2, got 3.", Where(file="a.csv", row=3),
                             "Fix it."), Cancelled(), DataError("X", "Y."),
                  InputError("NO_SHEET", "A.", choices=("a, b", "c"))):
        back = error_from_dict(error.to_dict())
        assert type(back) is type(error)
        assert back.to_dict() == error.to_dict() == copy.copy(error).to_dict()
        assert back.choices == error.choices
    assert str(InputError("X", "Wrong.", Where(file="a.csv", row=3), "Fix it.")) == (
        "Wrong. (file a.csv, row 3) Fix it.")
