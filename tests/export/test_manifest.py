"""The manifest names what made the export."""

from __future__ import annotations

import json
from importlib.metadata import version

from explorer.export.manifest import make_manifest, seeds_of
from explorer.store import Store
from tests.builders import build_dataset

RECIPE = {"projector": {"method": "umap", "parameters": {"seed": 3, "neighbors": 15}},
          "clusterer": {"method": "kmeans", "parameters": {"seed": 0, "clusters": 4}},
          "judges": [{"method": "stability", "parameters": {"seed": 9}}]}


def test_seeds_are_found_by_place() -> None:
    assert seeds_of(RECIPE) == {"projector.parameters.seed": 3, "clusterer.parameters.seed": 0,
                                "judges[0].parameters.seed": 9}
    assert seeds_of({}) == {}


def test_manifest_has_all_it_takes(store: Store) -> None:
    dataset = build_dataset(store, {"a": ["x", "y", "z"]})
    made = make_manifest(RECIPE, dataset, 2, space="the embedding", meanings={"cluster": "mine"},
                         extra={"scores": [{"name": "silhouette", "value": None}]})
    assert json.loads(json.dumps(made, allow_nan=False)) == made
    assert made["data"]["rows"] == 3
    assert made["data"]["rows_exported"] == 2
    assert made["data"]["sources"] == [{"name": "sample.csv", "bytes": 0, "sha256": "0" * 64}]
    assert made["recipe"] == RECIPE
    assert made["versions"]["numpy"] == version("numpy")
    assert made["meanings"]["cluster"] == "mine"
    assert "-1" in made["noise"]
    assert made["scores"][0]["value"] is None
    assert make_manifest(RECIPE, dataset, 2) == make_manifest(RECIPE, dataset, 2)
