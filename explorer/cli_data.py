"""Which data a command works on: files or a sample, how they are read, where results live."""

from __future__ import annotations

import argparse
import inspect
from collections.abc import Mapping
from dataclasses import fields
from typing import Any, Literal, get_args, get_origin, get_type_hints

from explorer.dataset import ROLES, Dataset
from explorer.errors import ParameterError, Where
from explorer.imports import SAMPLE, open_data, read_options
from explorer.load import ReadOptions
from explorer.spec import Progress
from explorer.store import Store

_ROLE = "=".join(("NAME", "ROLE"))


def add_data_flags(parser: argparse.ArgumentParser) -> None:
    """--data, --role and one flag per way to read a file."""
    parser.add_argument("--data", nargs="+", required=True, metavar="FILE",
                        help=f"files that make one data set, or {SAMPLE}digits and the like")
    add_reading_flags(parser)


def add_reading_flags(parser: argparse.ArgumentParser) -> None:
    """How files are read and what their columns are used as."""
    parser.add_argument("--role", action="append", default=[], metavar=_ROLE,
                        help=f"what a column is used as; roles: {', '.join(ROLES)}")
    group = parser.add_argument_group("reading", inspect.cleandoc(ReadOptions.__doc__ or "")
                                      .split("\n\n")[-1].replace("`", ""))
    hints = get_type_hints(ReadOptions)
    for field in fields(ReadOptions):
        flag, dest = "--" + field.name.replace("_", "-"), f"read_{field.name}"
        if hints[field.name] is bool:
            group.add_argument(flag, dest=dest, action="store_true", default=argparse.SUPPRESS)
            continue
        choices = get_args(hints[field.name]) if get_origin(hints[field.name]) is Literal else None
        metavar = None if choices else "TEXT"
        group.add_argument(flag, dest=dest, choices=choices, metavar=metavar,
                           default=argparse.SUPPRESS)


def open_arguments(arguments: argparse.Namespace, store: Store, progress: Progress,
                   read: Mapping[str, Any] | None = None) -> Dataset:
    """The dataset the flags name. `read` are options from a recipe, which flags win over."""
    given = {name.removeprefix("read_"): value for name, value in vars(arguments).items()
             if name.startswith("read_")}
    options = read_options({**(read or {}), **given})
    dataset = open_data(arguments.data, store, options, progress)
    return dataset.with_roles(role_flags(arguments))


def opened_store(arguments: argparse.Namespace) -> Store:
    """The store of --home, else of EXPLORER_HOME."""
    return Store(arguments.home)


def role_flags(arguments: argparse.Namespace) -> dict[str, str]:
    """The roles given as NAME=ROLE; ParameterError BAD_ROLE for another form."""
    roles = {}
    for text in arguments.role:
        name, mark, role = text.rpartition("=")
        if not mark:
            raise ParameterError("BAD_ROLE", f"A role must be given as {_ROLE}, got {text!r}.",
                                 Where(parameter="role"))
        roles[name] = role
    return roles
