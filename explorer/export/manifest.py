"""The manifest: what it takes to know and repeat an export. The same export, the same bytes."""

from __future__ import annotations

import platform
from collections.abc import Mapping
from dataclasses import asdict
from importlib.metadata import PackageNotFoundError, version
from typing import Any

from explorer.dataset import Dataset

FORMAT = 1
NOISE_POLICY = ("Noise rows have cluster -1 and neither a silhouette nor a second-best cluster; "
                "they are in no mean.")

_LIBRARIES = ("embedding-explorer", "numpy", "scipy", "scikit-learn", "umap-learn", "pynndescent",
              "openTSNE", "torch", "sentence-transformers", "transformers", "pyarrow", "pillow")

MEANINGS: dict[str, str] = {
    "row_id": "the id column of the data where it has one, else the row number from 1",
    "cluster": "number of the cluster, 0 is the largest; -1 is noise",
    "cluster_name": "name of the cluster, as people called it",
    "strength": "how firmly the row belongs to its cluster, 0 to 1, as the method says",
    "silhouette": "how much closer the row is to its own cluster than to the next one, -1 to 1",
    "second_best_cluster": "number of the cluster that is nearest after its own",
    "second_best_name": "name of that cluster",
    "x": "first coordinate on the map",
    "y": "second coordinate on the map",
    "z": "third coordinate on the map",
    "image_file": "where the row's image is in the zip",
}


def make_manifest(recipe: Mapping[str, Any], dataset: Dataset, rows: int, *,
                  noise: str = NOISE_POLICY, space: str = "",
                  meanings: Mapping[str, str] | None = None,
                  extra: Mapping[str, Any] | None = None) -> dict[str, Any]:
    """Plain data (JSON) about `rows` exported rows of a data set and the recipe behind them.

    `noise`: how noise was treated; `space`: in which space clusters and scores were made;
    `meanings`: column name -> what it means, over `MEANINGS`; `extra`: more top-level entries.
    There is no date in it: two exports of the same thing are equal byte for byte.
    """
    return {
        "manifest": FORMAT,
        "data": {
            "id": dataset.id, "name": dataset.name, "rows": dataset.n, "rows_exported": rows,
            "sources": [asdict(source) for source in dataset.sources],
            "options": dict(dataset.options),
            "roles": dataset.roles,
        },
        "recipe": dict(recipe),
        "seeds": seeds_of(recipe),
        "noise": noise,
        "space": space,
        "meanings": {**MEANINGS, **(meanings or {})},
        "versions": versions(),
        **(extra or {}),
    }


def seeds_of(recipe: Mapping[str, Any]) -> dict[str, int]:
    """Every seed in a recipe, by its place: 'clusterer.parameters.seed' -> 0."""
    found: dict[str, int] = {}

    def search(value: Any, place: str) -> None:
        if isinstance(value, Mapping):
            for key, inner in value.items():
                search(inner, f"{place}.{key}" if place else str(key))
        elif isinstance(value, (list, tuple)):
            for at, inner in enumerate(value):
                search(inner, f"{place}[{at}]")
        elif place.split(".")[-1] == "seed" and value is not None:
            found[place] = int(value)

    search(recipe, "")
    return found


def versions() -> dict[str, str]:
    """Versions of Python and the libraries that decide results; those not installed are left out.
    """
    found = {"python": platform.python_version()}
    for name in _LIBRARIES:
        try:
            found[name] = version(name)
        except PackageNotFoundError:
            continue
    return found
