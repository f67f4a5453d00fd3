"""run -> findings: what says whether to believe a map or a cluster. `studies()` finds them.

A study looks at the results of a run, where need be computes with the run's own methods again, and
answers one question. What it does to arrays alone (a formula) stands in `judge`; here stand the
declaration, the chaining, and the words.
"""

from __future__ import annotations

import sys
from abc import abstractmethod
from collections.abc import Mapping
from functools import cache
from typing import TYPE_CHECKING, Any, ClassVar, Literal

from pydantic import Field

from explorer.spec import Cost, Method, Progress, Registry, discover
from explorer.values import Finding, RowValue

if TYPE_CHECKING:
    from explorer.recipe import Recipe
    from explorer.study.subject import Subject

__all__ = ["Finding", "RowValue", "Study", "column_name", "studies"]

Input = Literal["read", "model", "embedding", "clustered", "graph", "projection", "original",
                "clustering"]
"""The results a study may read: the rows as the encoder's network sees them and that network (in
runs whose encoder has one of its own; DataError NOT_TRAINED in others), the vectors, the space that
was clustered (the vectors, or the picture when a person chose so), the neighbours (None in a run
whose projector needs none), the points of the map, the labels before and after edits by hand."""
Slot = Literal["encoder", "projector", "clusterer"]


class Study(Method):
    """Answers one question about a run, beyond the plain judges."""

    family: ClassVar[str] = "study"
    question: ClassVar[str]
    """What a person asks, with its question mark."""
    reads: ClassVar[tuple[Input, ...]] = ("clustered", "clustering")
    """The results it looks at: its own result is named by them."""
    repeats: ClassVar[tuple[Slot, ...]] = ()
    """The steps of the recipe whose methods it runs again: they too name its result."""
    reads_data: ClassVar[bool] = False
    """Whether it looks at the dataset's columns, texts or pictures."""
    rows_say: ClassVar[Mapping[str, RowValue]] = {}
    """What each of the finding's `per_row` arrays means."""

    @abstractmethod
    def study(self, subject: Subject, progress: Progress) -> Finding:
        """The answer for a run. 'Not defined' is one."""

    @classmethod
    def needs_network(cls) -> bool:
        """Whether it is about the network of the run's encoder; of a run whose encoder has none it
        is refused (DataError NOT_TRAINED)."""
        return "model" in cls.reads

    def again(self, recipe: Recipe) -> list[dict[str, Any]]:
        """The methods it runs again, as they name its result; what it sets in them itself need not
        be among their parameters."""
        return [getattr(recipe, slot).model_dump(mode="json") for slot in self.repeats]

    def expense(self, recipe: Recipe, n: int, d: int) -> Cost:
        """What it will take on n rows in a clustered space of d dimensions; studies that run the
        recipe's methods again add up their estimates."""
        return self.estimate(n, d)


def column_name(default: str = "", *, roles: tuple[str, ...], description: str) -> Any:
    """A field that names a column of one of these roles: the form lists those there are."""
    return Field(default, description=description, json_schema_extra={"roles": list(roles)})


@cache
def studies() -> Registry[Study]:
    """Every study of this package, by key."""
    return discover(sys.modules[__name__], Study)
