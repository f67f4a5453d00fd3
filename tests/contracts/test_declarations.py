"""What every method promises by its declaration alone."""

from __future__ import annotations

import inspect
import json
from typing import Any

import pytest

from explorer.cli import build_parser, main
from explorer.cli_flags import flag_of
from explorer.cluster import clusterers
from explorer.encode import encoders
from explorer.errors import ParameterError
from explorer.judge import judges
from explorer.project import projectors
from explorer.recipe import Call, Recipe, recipe_from_data, recipe_from_yaml
from explorer.spec import Method, Parameter, result_key
from tests.contracts.cases import DECLARED_METHODS as METHODS
from tests.contracts.cases import another

IDS = [f"{family}-{method.key}" for family, method in METHODS]
PARAMETERS = [(method, parameter) for _, method in METHODS for parameter in method.parameters()]
PARAMETER_IDS = [f"{method.key}-{parameter.name}" for method, parameter in PARAMETERS]
each_method = pytest.mark.parametrize(("family", "method"), METHODS, ids=IDS)
each_parameter = pytest.mark.parametrize(("method", "parameter"), PARAMETERS, ids=PARAMETER_IDS)


def test_every_family_has_methods() -> None:
    assert {family for family, _ in METHODS} == {"encode", "neighbors", "project", "cluster",
                                                 "judge", "study"}
    assert len(METHODS) >= 15


def test_keys_are_unique_over_all_families() -> None:
    keys = [method.key for _, method in METHODS]
    assert len(set(keys)) == len(keys)


@each_method
def test_key_is_the_file_name_and_people_can_read_it(family: str, method: type[Method]) -> None:
    assert method.key == inspect.getfile(method).rsplit("/", 1)[1].removesuffix(".py")
    assert method.title.strip()
    assert len(method.describe()) > 20
    assert method.describe().rstrip().endswith(".")
    assert method.version >= 1


@each_method
def test_defaults_are_valid_and_nothing_else_is_known(family: str, method: type[Method]) -> None:
    declaration = method.create()
    assert declaration.changed() == {}
    assert set(declaration.values()) == {parameter.name for parameter in method.parameters()}
    assert method.create(**declaration.values()) == declaration
    with pytest.raises(ParameterError) as refused:
        method.create(no_such_parameter=1)
    assert refused.value.code == "UNKNOWN_PARAMETER"
    assert refused.value.where.parameter == "no_such_parameter"


@each_method
def test_estimates_grow_with_the_data(family: str, method: type[Method]) -> None:
    few, many = method.create().estimate(100, 10), method.create().estimate(100_000, 10)
    assert 0 < few.seconds <= many.seconds
    assert 0 < few.bytes <= many.bytes


@each_method
def test_help_lists_every_flag(family: str, method: type[Method],
                               capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit) as left:
        main([family, method.key, "--help"])
    assert left.value.code == 0
    shown = capsys.readouterr().out
    flat = " ".join(shown.split())
    for parameter in method.parameters():
        assert flag_of(parameter) in flat or f"--no-{parameter.name}" in flat
        assert parameter.description.split()[0] in flat


@each_parameter
def test_every_parameter_says_what_it_does(method: type[Method], parameter: Parameter) -> None:
    assert parameter.description.strip().endswith((".", "?")), parameter.description
    assert parameter.kind != "int" or parameter.low is not None


@each_parameter
def test_bounds_are_enforced(method: type[Method], parameter: Parameter) -> None:
    for value in outside(parameter):
        with pytest.raises(ParameterError) as refused:
            method.create(**{parameter.name: value})
        assert refused.value.code == "OUT_OF_RANGE"
        assert refused.value.where.parameter == parameter.name
        assert parameter.name in refused.value.message


def outside(parameter: Parameter) -> list[Any]:
    """Values that must be refused; every kind has at least one."""
    values: list[Any] = [{"a": 1}]
    if parameter.kind in ("int", "float"):
        values += ["many", float("nan"), float("inf")]
        if parameter.low is not None:
            values.append(parameter.low if parameter.exclusive_low else parameter.low - 1)
        if parameter.high is not None:
            values.append(parameter.high + 1)
    if parameter.kind == "choice":
        values.append("no such choice")
    if parameter.kind == "bool":
        values.append("perhaps")
    if not parameter.optional:
        values.append(None)
    return values


@each_parameter
def test_every_parameter_is_part_of_the_result(method: type[Method], parameter: Parameter) -> None:
    value = another(parameter)
    usual, changed = method.create(), method.create(**{parameter.name: value})
    assert list(changed.changed()) == [parameter.name]
    assert str(changed.values()[parameter.name]) == str(value)
    assert changed.identity()["parameters"] == changed.values()
    assert result_key("step", changed.identity()) != result_key("step", usual.identity())


@each_parameter
def test_flags_reach_the_declaration(method: type[Method], parameter: Parameter) -> None:
    family = next(family for family, other in METHODS if other is method)
    value = another(parameter)
    words = [f"{flag_of(parameter)}={value}"]
    if parameter.kind == "bool":
        words = [flag_of(parameter) if value else f"--no-{flag_of(parameter)[2:]}"]
    if parameter.kind == "list":
        words = [flag_of(parameter), *map(str, value)]
    arguments = build_parser().parse_args([family, method.key, *needed(family, method), *words])
    from explorer.cli_flags import given

    declaration = given(arguments, method)
    assert declaration == method.create(**{parameter.name: value})


def needed(family: str, method: type[Method]) -> list[str]:
    """The files a command cannot do without."""
    if family == "study":
        return ["recipe.yaml", "--data", "a.csv"]
    reads_data = family == "encode" or getattr(method, "reads", "") == "coordinates"
    words = ["--data", "a.csv"] if reads_data else ["--vectors", "v.npy"]
    return words + (["--labels", "l.csv"] if family == "judge" else ["--out", "o.npy"])


@each_method
def test_recipe_to_yaml_and_back(family: str, method: type[Method]) -> None:
    if family == "neighbors":
        pytest.skip("the neighbour search has no slot in a recipe")
    for declaration in [method.create()] + [
            method.create(**{parameter.name: another(parameter)})
            for parameter in method.parameters()]:
        parts: dict[str, Any] = {
            "encode": encoders().create("features"), "project": projectors().create("pca"),
            "cluster": clusterers().create("kmeans"), "judge": judges().create("silhouette")}
        parts[family] = declaration
        asked = (Call.of(declaration),) if family == "study" else ()
        recipe = Recipe.of(parts["encode"], parts["project"], parts["cluster"], (parts["judge"],),
                           studies=asked, dataset="0" * 32, roles={"a": "number"},
                           read={"header": "yes"})
        assert recipe_from_yaml(recipe.to_yaml()) == recipe
        assert recipe_from_data(json.loads(json.dumps(recipe.to_data()))) == recipe
        back = recipe_from_yaml(recipe.to_yaml())
        assert declaration in (back.encoding, back.projecting, back.clustering, *back.judging,
                               *back.studying)
