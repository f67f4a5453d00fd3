"""A recipe: everything that makes a map with clusters, as plain data. Runs headless and replays."""

from __future__ import annotations

from functools import cached_property
from pathlib import Path
from typing import Any, Literal, Self

import yaml
from pydantic import BaseModel, ConfigDict, ValidationError

from explorer.cluster import Clusterer, clusterers
from explorer.encode import Encoder, encoders
from explorer.errors import InputError, Where
from explorer.judge import Judge, judges
from explorer.project import Projector, projectors
from explorer.spec import Method

_LARGEST_FILE = 1_000_000


class _PlainLoader(yaml.SafeLoader):
    """YAML without aliases: a few lines of them unfold to gigabytes."""

    def compose_node(self, parent: Any, index: Any) -> Any:
        if self.check_event(yaml.AliasEvent):
            mark = self.peek_event().start_mark  # type: ignore[no-untyped-call]
            raise yaml.composer.ComposerError(None, None, "aliases are not allowed", mark)
        return super().compose_node(parent, index)


class _Plain(BaseModel):
    model_config = ConfigDict(frozen=True, extra="forbid")


class Call(_Plain):
    """A method by key with ALL its parameters, so that a later change of defaults changes
    nothing in an old recipe."""

    method: str
    parameters: dict[str, Any] = {}

    @classmethod
    def of(cls, method: Method) -> Call:
        return cls(method=method.key, parameters=method.values())


class Recipe(_Plain):
    """dataset -> encoder -> projector and clusterer -> judges.

    `cluster_in` says which space is clustered: 'embedding', or 'projection' when a person chose so
    (every score then says that it was computed on the picture). `read` are the options the file was
    read with and `roles` what each column is used as.
    """

    version: Literal[1] = 1
    dataset: str = ""
    dataset_name: str = ""
    read: dict[str, Any] = {}
    roles: dict[str, str] = {}
    encoder: Call
    projector: Call
    clusterer: Call
    cluster_in: Literal["embedding", "projection"] = "embedding"
    judges: tuple[Call, ...] = ()

    @classmethod
    def of(cls, encoder: Encoder, projector: Projector, clusterer: Clusterer,
           scores: tuple[Judge, ...] | None = None, **rest: Any) -> Recipe:
        """The recipe of these declarations; `scores` None means every judge at its defaults."""
        if scores is None:
            scores = tuple(judge.create() for judge in judges())
        return cls(encoder=Call.of(encoder), projector=Call.of(projector),
                   clusterer=Call.of(clusterer), judges=tuple(Call.of(score) for score in scores),
                   **rest)

    @cached_property
    def encoding(self) -> Encoder:
        """The encoder's declaration; ParameterError when key or parameters are not known."""
        return encoders().create(self.encoder.method, self.encoder.parameters)

    @cached_property
    def projecting(self) -> Projector:
        """The projector's declaration."""
        return projectors().create(self.projector.method, self.projector.parameters)

    @cached_property
    def clustering(self) -> Clusterer:
        """The clusterer's declaration."""
        return clusterers().create(self.clusterer.method, self.clusterer.parameters)

    @cached_property
    def judging(self) -> tuple[Judge, ...]:
        """The judges' declarations."""
        return tuple(judges().create(call.method, call.parameters) for call in self.judges)

    def using(self, **changes: Any) -> Recipe:
        """The recipe with other parts; a Method becomes its Call."""
        plain = {name: Call.of(value) if isinstance(value, Method) else value
                 for name, value in changes.items()}
        return Recipe.model_validate({**self.model_dump(mode="json"), **{
            name: value.model_dump(mode="json") if isinstance(value, BaseModel) else value
            for name, value in plain.items()}})

    def check(self) -> Self:
        """Raise ParameterError for the first method or parameter that does not exist."""
        _ = self.encoding, self.projecting, self.clustering, self.judging
        return self

    def to_data(self) -> dict[str, Any]:
        """Plain data; all parameters written out."""
        return self.model_dump(mode="json")

    def to_yaml(self) -> str:
        """The file people download; `from_yaml` gives back an equal recipe."""
        return yaml.safe_dump(self.to_data(), sort_keys=False, allow_unicode=True)


def recipe_from_data(data: Any) -> Recipe:
    """A checked recipe of plain data; InputError BAD_RECIPE or ParameterError otherwise."""
    try:
        return Recipe.model_validate(data).check()
    except ValidationError as error:
        first = error.errors()[0]
        place = ".".join(str(part) for part in first["loc"])
        raise InputError("BAD_RECIPE", f"The recipe must be one this version wrote; "
                                       f"{place or 'it'}: {first['msg'].lower()}.",
                         Where(parameter=place or None),
                         "Download it again from the app, or compare it with README.md.") from None


def recipe_from_yaml(text: str) -> Recipe:
    """The inverse of `Recipe.to_yaml`; JSON is YAML too."""
    try:
        data = yaml.load(text, Loader=_PlainLoader)  # noqa: S506 (a SafeLoader that allows less)
    except (yaml.YAMLError, ValueError, RecursionError) as error:
        mark = getattr(error, "problem_mark", None)
        raise InputError("BAD_RECIPE", "The recipe must be YAML or JSON without aliases.",
                         Where(row=mark.line + 1 if mark else None),
                         "Download it again from the app.") from None
    return recipe_from_data(data)


def read_recipe(path: Path) -> Recipe:
    """The recipe in a file."""
    if not path.is_file():
        raise InputError("NO_FILE", f"There is no file {path.name!r}.", Where(file=path.name))
    if path.stat().st_size > _LARGEST_FILE:
        raise InputError("TOO_LARGE", "A recipe must be at most 1 MB.", Where(file=path.name))
    try:
        return recipe_from_yaml(path.read_text(encoding="utf-8"))
    except UnicodeDecodeError as error:
        raise InputError("BAD_RECIPE", "The recipe must be a text file in UTF-8.",
                         Where(file=path.name, byte=error.start)) from None
