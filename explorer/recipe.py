"""A recipe: everything that makes a map with clusters, as plain data. Runs headless and replays."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import Any, Literal, Self

import yaml
from pydantic import BaseModel, ConfigDict, Field, ValidationError

from explorer.cluster import Clusterer, clusterers
from explorer.edit import LONGEST, Edit, edits
from explorer.edit.split import Split
from explorer.encode import Encoder, encoders
from explorer.errors import InputError, ParameterError, Where
from explorer.judge import Judge, judges
from explorer.parameters import shown
from explorer.project import Projector, projectors
from explorer.spec import Method, Registry
from explorer.study import Study, studies

LARGEST_FILE = 8_000_000
"""Bytes of a recipe file; the row sets of edits are most of a long one."""


MOST_STUDIES = 200


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
    read with and `roles` what each column is used as. `edits` change the clustering by hand, one
    after the other; `studies` are the questions asked about the run.
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
    edits: tuple[Call, ...] = Field((), max_length=LONGEST)
    studies: tuple[Call, ...] = Field((), max_length=MOST_STUDIES)

    @classmethod
    def of(cls, encoder: Encoder, projector: Projector, clusterer: Clusterer,
           scores: tuple[Judge, ...] | None = None, **rest: Any) -> Recipe:
        """The recipe of these declarations; `scores` None means the judges of a new recipe."""
        if scores is None:
            scores = tuple(judge.create() for judge in judges() if judge.default)
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

    @cached_property
    def editing(self) -> tuple[Edit, ...]:
        """The edits' declarations; ParameterError when one, or a split's clusterer, is not known.
        """
        return tuple(edit_of(call) for call in self.edits)

    @cached_property
    def studying(self) -> tuple[Study, ...]:
        """The studies' declarations."""
        return tuple(studies().create(call.method, call.parameters) for call in self.studies)

    @property
    def bare(self) -> Recipe:
        """The recipe without its studies."""
        return self.using(studies=()) if self.studies else self

    @property
    def unedited(self) -> Recipe:
        """The recipe without its edits and studies."""
        return self.using(edits=(), studies=()) if self.edits or self.studies else self

    def using(self, **changes: Any) -> Recipe:
        """The recipe with other parts; a Method becomes its Call. Edits belong to one clustering:
        they go when what decides it changes and no others are given."""
        plain = {name: Call.of(value) if isinstance(value, Method) else value
                 for name, value in changes.items()}
        made = Recipe.model_validate({**self.model_dump(mode="json"), **{
            name: value.model_dump(mode="json") if isinstance(value, BaseModel) else value
            for name, value in plain.items()}})
        if self.edits and "edits" not in changes and made._clusters_by() != self._clusters_by():
            return made.using(edits=())
        return made

    def _clusters_by(self) -> tuple[Any, ...]:
        drawn = self.projector if self.cluster_in == "projection" else None
        return self.encoder, self.clusterer, self.cluster_in, drawn

    def check(self) -> Self:
        """Raise ParameterError for the first method or parameter that does not exist."""
        _ = (self.encoding, self.projecting, self.clustering, self.judging, self.editing,
             self.studying)
        return self

    def to_data(self) -> dict[str, Any]:
        """Plain data; all parameters written out. Without edits or studies it says nothing of
        them, so that earlier versions can read it."""
        data = self.model_dump(mode="json")
        later = {"edits", "studies"}
        return {key: value for key, value in data.items() if value or key not in later}

    def to_yaml(self) -> str:
        """The file people download; `from_yaml` gives back an equal recipe."""
        return yaml.safe_dump(self.to_data(), sort_keys=False, allow_unicode=True)


def edit_of(call: Call) -> Edit:
    """The edit's declaration; ParameterError when it, or a split's clusterer, is not known."""
    edit = edits().create(call.method, call.parameters)
    if isinstance(edit, Split):
        divider_of(edit)
    return edit


def divider_of(edit: Split) -> Clusterer:
    """The clusterer a split divides its rows with; ParameterError when it is not known."""
    return clusterers().create(edit.clusterer.method, edit.clusterer.parameters)


def recipe_from_data(data: Any) -> Recipe:
    """A checked recipe of plain data; InputError BAD_RECIPE or ParameterError otherwise."""
    return _validated(data).check()


def _validated(data: Any) -> Recipe:
    try:
        return Recipe.model_validate(data)
    except ValidationError as error:
        first = error.errors()[0]
        place = ".".join(str(part) for part in first["loc"])
        raise InputError("BAD_RECIPE", f"The recipe must be one this version wrote; "
                                       f"{place or 'it'}: {first['msg'].lower()}.",
                         Where(parameter=place or None),
                         "Download it again from the app, or compare it with README.md.") from None


@dataclass(frozen=True)
class OpenedRecipe:
    """A recipe as this version can run it, and in words what had to be changed for that."""

    recipe: Recipe
    notes: tuple[str, ...]


def open_recipe(data: Any) -> OpenedRecipe:
    """The recipe of a saved workspace. Methods and parameters come and go between versions: what
    no longer exists is left out, what is out of bounds becomes the nearest value, and both are
    said. A recipe file is read strictly instead (`recipe_from_yaml`): whoever replays one wants
    that very recipe. InputError BAD_RECIPE where the data is not a recipe at all.
    """
    saved = _validated(data)
    notes: list[str] = []
    slots: dict[str, Registry[Any]] = {"encoder": encoders(), "projector": projectors(),
                                       "clusterer": clusterers()}
    calls: dict[str, Any] = {}
    for slot, registry in slots.items():
        call: Call = getattr(saved, slot)
        if call.method not in registry:
            first = next(iter(registry)).create()
            notes.append(f"The {slot} {call.method[:80]!r} of the saved recipe no longer exists: "
                         f"{first.title} is set instead.")
            call = Call.of(first)
        calls[slot] = _mended(registry, call, notes)
    gone = [call.method for call in saved.judges if call.method not in judges()]
    notes += [f"The score {name[:80]!r} of the saved recipe no longer exists." for name in gone]
    calls["judges"] = [_mended(judges(), call, notes).model_dump() for call in saved.judges
                       if call.method in judges()]
    unknown = [call.method for call in saved.studies if call.method not in studies()]
    notes += [f"The study {name[:80]!r} of the saved recipe no longer exists." for name in unknown]
    calls["studies"] = [_mended(studies(), call, notes).model_dump() for call in saved.studies
                        if call.method in studies()]
    calls["edits"] = _known_edits(saved.edits, notes)
    return OpenedRecipe(saved.using(**calls).check() if notes else saved.check(), tuple(notes))


def _known_edits(saved: tuple[Call, ...], notes: list[str]) -> list[Any]:
    """Up to the first that this version cannot do: what follows was made on its result."""
    known: list[Any] = []
    for call in saved:
        try:
            edit_of(call)
        except ParameterError as error:
            notes.append(f"Step {len(known) + 1} of the saved edits cannot be done any more: it "
                         f"and the {len(saved) - len(known) - 1} after it are left out. {error}")
            break
        known.append(call.model_dump())
    return known


def _mended(registry: Registry[Any], call: Call, notes: list[str]) -> Call:
    cls, parameters = registry.get(call.method), dict(call.parameters)
    bounds = {parameter.name: parameter for parameter in cls.parameters()}
    for _ in range(len(parameters)):
        try:
            cls.create(**parameters)
        except ParameterError as error:
            name = error.where.parameter or ""
            if name not in parameters:
                raise
            value = parameters.pop(name)
            if name not in bounds:
                notes.append(f"{cls.title} no longer has the parameter {name} (the saved recipe "
                             f"has {shown(value)}).")
                continue
            parameters[name] = bounds[name].nearest(value)
            notes.append(f"{cls.title}: {name} was {shown(value)} in the saved recipe, which is "
                         f"not allowed: {shown(parameters[name])} is set.")
    return Call(method=call.method, parameters=parameters)


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
    if path.stat().st_size > LARGEST_FILE:
        raise InputError("TOO_LARGE", "A recipe must be at most 8 MB.", Where(file=path.name))
    try:
        return recipe_from_yaml(path.read_text(encoding="utf-8"))
    except UnicodeDecodeError as error:
        raise InputError("BAD_RECIPE", "The recipe must be a text file in UTF-8.",
                         Where(file=path.name, byte=error.start)) from None
