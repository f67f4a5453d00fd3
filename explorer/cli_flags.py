"""Flags out of declarations: nothing here lists methods or their parameters."""

from __future__ import annotations

import argparse
from collections.abc import Callable
from typing import Any, Literal, NoReturn, get_args, get_origin

from explorer.cluster import clusterers
from explorer.encode import encoders
from explorer.judge import judges
from explorer.neighbors import neighbor_searches
from explorer.project import projectors
from explorer.spec import Method, Parameter, Registry
from explorer.study import studies

FAMILIES: dict[str, Callable[[], Registry[Any]]] = {
    "encode": encoders, "neighbors": neighbor_searches, "project": projectors,
    "cluster": clusterers, "judge": judges,
}
"""The command of each family of single steps, and where its methods are."""
DECLARED: dict[str, Callable[[], Registry[Any]]] = {**FAMILIES, "study": studies}
"""Everything with a declaration."""

_DEST = "parameter_"
_METAVARS = {"int": "WHOLE", "float": "NUMBER", "text": "TEXT", "list": "TEXT"}


class Parser(argparse.ArgumentParser):
    """An ArgumentParser whose mistakes are one line that says where help is, and whose every
    command takes --home."""

    def __init__(self, **given: Any) -> None:
        super().__init__(**given)
        self.add_argument("--home", metavar="DIR", default=argparse.SUPPRESS,
                          help="where results are kept [default: EXPLORER_HOME, else data/results "
                               "of the checkout, else ~/.embedding-explorer]")

    def error(self, message: str) -> NoReturn:
        self.exit(2, f"explorer: {message}. See `{self.prog} --help`.\n")


def add_flags(parser: argparse.ArgumentParser, method: type[Method]) -> None:
    """One flag per parameter. Values stay text: the declaration itself reads and refuses them."""
    group = parser.add_argument_group("parameters")
    for parameter in method.parameters():
        flag, dest = flag_of(parameter), _DEST + parameter.name
        text = help_of(parameter).replace("%", "%%")
        if parameter.kind == "bool":
            group.add_argument(flag, dest=dest, help=text, default=argparse.SUPPRESS,
                               action=argparse.BooleanOptionalAction)
        elif parameter.kind == "list":
            group.add_argument(flag, dest=dest, help=text, default=argparse.SUPPRESS, nargs="*",
                               metavar=_METAVARS["list"])
        else:
            group.add_argument(flag, dest=dest, help=text, default=argparse.SUPPRESS,
                               metavar=metavar_of(parameter))


def given(arguments: argparse.Namespace, method: type[Method]) -> Method:
    """The declaration with the flags that were given; ParameterError for what it refuses."""
    values = {name.removeprefix(_DEST): value for name, value in vars(arguments).items()
              if name.startswith(_DEST)}
    known = {parameter.name: parameter for parameter in method.parameters()}
    return method.create(**{name: _read(method, known[name], value)
                            for name, value in values.items()})


def flag_of(parameter: Parameter) -> str:
    """min_cluster_size -> --min-cluster-size."""
    return "--" + parameter.name.replace("_", "-")


def metavar_of(parameter: Parameter) -> str:
    """What stands after the flag in the help."""
    if parameter.kind == "choice":
        return "{" + ",".join(parameter.choices) + "}"
    return _METAVARS.get(parameter.kind, "TEXT")


def help_of(parameter: Parameter) -> str:
    """The description with bounds and default."""
    bounds = bounds_of(parameter)
    return f"{parameter.description} [{bounds + '; ' if bounds else ''}default: " \
           f"{default_of(parameter)}]"


def bounds_of(parameter: Parameter) -> str:
    """'2 to 200', 'at least 1', 'above 0', or ''; choices as 'a, b'."""
    if parameter.kind == "choice":
        return ", ".join(parameter.choices)
    low, high = parameter.low, parameter.high
    if low is not None and high is not None:
        return f"{'above ' if parameter.exclusive_low else ''}{low:.12g} to {high:.12g}"
    if low is not None:
        return f"{'above' if parameter.exclusive_low else 'at least'} {low:.12g}"
    return f"at most {high:.12g}" if high is not None else ""


def default_of(parameter: Parameter) -> str:
    """The default as it would be typed."""
    default = parameter.default
    if default is None:
        return "none"
    if parameter.kind == "bool":
        return "on" if default else "off"
    if parameter.kind == "list":
        return " ".join(map(str, default)) or "empty"
    return str(default) if default != "" else "empty"


def _read(method: type[Method], parameter: Parameter, value: Any) -> Any:
    if parameter.optional and value in ("none", ["none"]):
        return None
    if parameter.kind == "choice":
        # A Literal of numbers takes numbers only.
        return next((choice for choice in _choices(method.model_fields[parameter.name].annotation)
                     if str(choice) == value), value)
    return value


def _choices(annotation: Any) -> tuple[Any, ...]:
    if get_origin(annotation) is Literal:
        return get_args(annotation)
    return tuple(choice for inner in get_args(annotation) for choice in _choices(inner))
