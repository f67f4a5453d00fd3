"""Embedding Explorer for notebooks and scripts: the app's main path in a few lines.

    import explorer

    dataset = explorer.open_data("sample:digits")        # or "file.csv", ["a.npy", "b.csv"]
    proposal = explorer.propose_recipe(dataset)
    result = explorer.run_recipe(proposal.recipe, dataset)
    result.clustering.labels, result.projection.points, result.scores, result.table()
    explorer.draw_map(result, color_by="silhouette")     # a Plotly figure

None of these names is the name of a submodule: importing `explorer.run` sets the attribute `run`
of this package, so a function of that name would not last.
"""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    import numpy as np

    from explorer.dataset import Dataset
    from explorer.propose import Proposal
    from explorer.recipe import Recipe
    from explorer.run import Run
    from explorer.spec import Progress

__all__ = ["draw_map", "open_data", "propose_recipe", "read_recipe", "run_recipe"]


def open_data(source: str | Path | Sequence[str | Path], *, home: str | Path | None = None,
              **read_options: Any) -> Dataset:
    """The dataset of a file, of several files that belong together, or of 'sample:digits'.

    `home` is the folder results are kept in (default: EXPLORER_HOME); `read_options` are those of
    `explorer.load.ReadOptions`. Raises InputError saying what cannot be read and where.
    """
    from explorer import imports
    from explorer.store import Store

    sources = [source] if isinstance(source, (str, Path)) else list(source)
    options = imports.read_options(read_options)
    return imports.open_data(sources, Store(home), options)


def propose_recipe(dataset: Dataset) -> Proposal:
    """A recipe that fits the dataset, with the reasons. Raises DataError NO_FEATURES."""
    from explorer.propose import propose

    return propose(dataset)


def run_recipe(recipe: Recipe, dataset: Dataset, progress: Progress | None = None) -> Run:
    """Compute what is not in the dataset's store yet; returns the results.

    Raises ExplorerError for what the data or the parameters do not allow.
    """
    from explorer.run import run
    from explorer.spec import silent
    from explorer.store import store_of

    return run(recipe, dataset, store_of(dataset.entry), progress or silent)


def read_recipe(path: str | Path) -> Recipe:
    """The recipe in a YAML or JSON file, as downloaded from the app."""
    from explorer.recipe import read_recipe as read

    return read(Path(path))


def draw_map(result: Run, color_by: str = "cluster", *, names: dict[int, str] | None = None,
             selected: np.ndarray | None = None) -> Any:
    """The map of a run as a Plotly figure, as the app's download has it.

    `color_by`: 'cluster', 'silhouette', 'second' (best cluster), 'strength', or the name of a
    column; `names`: cluster number -> name; `selected`: dataset rows (int64), the others are
    dimmed. Raises ParameterError COLOR_BY, DataError NOT_PROJECTED.
    """
    from explorer.map_files import draw_figure, look_at

    return draw_figure(result, look_at(result, color_by, names, selected))
