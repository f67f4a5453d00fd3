"""Networks kept as files: the same to the bit, safe to open, and refused where they do not fit."""

from __future__ import annotations

import json
import os
import struct
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from safetensors.numpy import load, save

from explorer import single
from explorer.cluster import clusterers
from explorer.dataset import Dataset
from explorer.encode import encoders
from explorer.encode.network_file import declared, find_network, list_networks, without_rows
from explorer.encode.pixels import Pixels
from explorer.encode.saved_model import SavedModel, keep_model, read_model_file, write_model
from explorer.errors import DataError, ExplorerError, ParameterError
from explorer.model import Model
from explorer.project import projectors
from explorer.recipe import Recipe
from explorer.run import run
from explorer.store import Store
from tests.builders import build_dataset, png

MARK = "embedding_explorer_network"
DRAWS = np.random.default_rng(8)
VECTORS = DRAWS.normal(size=(40, 5)).astype(np.float32)
FEW = {"epochs": 2, "dimensions": 3, "layers": 1, "batch_size": 32}


def rows(store: Store, vectors: np.ndarray = VECTORS) -> Dataset:
    return build_dataset(store, {"a": [1.0] * len(vectors)}, {}, {"v": vectors})


def trained(store: Store, dataset: Dataset, key: str = "vae", **parameters: Any) -> Model:
    return single.train(encoders().create(key, {**FEW, **parameters}), dataset, store)


@pytest.fixture
def model(store: Store) -> Model:
    return trained(store, rows(store), reads="vectors")


def keep(store: Store, model: Model, name: str = "mine") -> SavedModel:
    keep_model(store.root, name, write_model(model))
    return SavedModel(network=name)


def refused(run: Any) -> ExplorerError:
    with pytest.raises(ExplorerError) as found:
        run()
    assert found.value.message.endswith(".")
    return found.value


@pytest.mark.parametrize("key", [method.key for method in encoders()
                                 if getattr(method, "trains", False)])
def test_kept_is_the_same_to_the_bit_and_encodes_the_same(store: Store, key: str) -> None:
    dataset = rows(store)
    method = encoders().create(key, {**FEW, "reads": "vectors"})
    model = single.train(method, dataset, store)
    saved = keep(store, model, "net 1")
    back = read_model_file(find_network("net 1"))
    for part in ("weights", "history"):
        for name, array in getattr(model, part).items():
            found = getattr(back, part)[name]
            assert (found.dtype, found.shape) == (array.dtype, array.shape)
            assert found.tobytes() == array.tobytes()
    assert replace(back, weights={}, history={}, center=0, spread=0, original=0, remade=0,  # type: ignore[arg-type]
                   held=0) == replace(without_rows(model), weights={}, history={}, center=0,  # type: ignore[arg-type]
                                      spread=0, original=0, remade=0, held=0)  # type: ignore[arg-type]
    assert write_model(back) == write_model(model), "the file of a file is the same"
    one, other = single.encode(method, dataset, store), single.encode(saved, dataset, store)
    assert one.vectors.tobytes() == other.vectors.tobytes()


def test_new_rows_and_the_lab(store: Store, model: Model) -> None:
    new = rows(store, DRAWS.normal(size=(25, 5)).astype(np.float32))
    saved = keep(store, model)
    assert SavedModel.offers(new) == {"network": ("mine",)}
    found = run(Recipe.of(saved, projectors().create("pca"),
                          clusterers().create("kmeans", {"clusters": 2})), new, store)
    assert found.embedding is not None
    assert found.model is not None
    assert found.embedding.vectors.shape == (25, 3)
    assert found.model.method["method"] == "vae", "the lab asks who built it"
    assert found.model.decoder == declared(model).layout((5,))
    assert not len(found.model.held), "no row of this data set was held back"
    # The reference: the same network by hand.
    scaled = (np.asarray(new.matrix("v")) - model.center) / model.spread
    codes = declared(model).codes(scaled, model.weights, lambda *_: None)
    np.testing.assert_array_equal(found.embedding.vectors, codes)


def test_no_row_of_the_data_is_in_the_file(model: Model) -> None:
    assert len(model.original)
    assert model.original.tobytes()[:40] not in write_model(model)
    assert {name.split(".")[0] for name in load(write_model(model))} == {
        "weights", "history", "center", "spread"}


def test_another_network_under_the_name_is_another_result(store: Store, model: Model) -> None:
    first = keep(store, model)
    assert keep(store, model) == first, "the same again is the same"
    other = trained(store, rows(store), reads="vectors", seed=1)
    assert refused(lambda: keep(store, other)).code == "NAME_TAKEN"
    before = first.fingerprint()
    find_network("mine").unlink()
    assert keep(store, other).fingerprint() != before


def test_rows_it_cannot_see_are_refused(store: Store, model: Model) -> None:
    saved = keep(store, model)
    wider = rows(store, DRAWS.normal(size=(25, 6)).astype(np.float32))
    error = refused(lambda: single.encode(saved, wider, store))
    assert error.code == "OTHER_SHAPE"
    assert "5 numbers" in error.message
    table = build_dataset(store, {"a": DRAWS.normal(size=30).tolist()}, {})
    assert refused(lambda: single.encode(saved, table, store)).code == "NO_VECTORS"


def test_columns_must_be_the_same_and_their_scale_is_said(store: Store) -> None:
    def table(*names: str, shift: float = 0.0) -> Dataset:
        return build_dataset(store, {name: (DRAWS.normal(size=30) + shift).tolist()
                                     for name in names}, {})

    saved = keep(store, trained(store, table("a", "b", "c"), "autoencoder", reads="columns"))
    found = single.encode(saved, table("a", "b", "c", shift=3.0), store)
    assert any("common scale by the rows of this data set" in note for note in found.notes)
    error = refused(lambda: single.encode(saved, table("a", "b", "x"), store))
    assert error.code == "OTHER_COLUMNS"
    assert "missing: c; not known to it: x" in error.message


def test_what_is_learned_from_all_rows_is_refused(store: Store) -> None:
    words = ["cat", "dog", "goal", "oven"]
    texts = build_dataset(store, {"t": [" ".join(DRAWS.choice(words, size=6))
                                        for _ in range(30)]}, {"t": "text"})
    saved = keep(store, trained(store, texts, "autoencoder", reads="words"))
    assert refused(lambda: single.encode(saved, texts, store)).code == "OTHER_SPACE"


def test_images(store: Store) -> None:
    def pictures(side: int) -> Dataset:
        return build_dataset(store, {}, {}, {}, [
            png(DRAWS.integers(256, size=(side, side)).astype(np.uint8)) for _ in range(24)])

    saved = keep(store, trained(store, pictures(8), "autoencoder", reads="images"))
    # Larger ones are brought to the size it knows, as its reader says.
    assert single.encode(saved, pictures(10), store).vectors.shape == (24, 3)


def spoilt(model: Model, how: str) -> bytes:
    whole = write_model(model)
    length = struct.unpack("<Q", whole[:8])[0]
    header = json.loads(whole[8:8 + length])
    told = json.loads(header["__metadata__"][MARK])
    arrays = load(whole)
    if how in ("method", "parameters", "reader", "version", "shape", "huge", "ended", "names",
               "format", "not trained", "best", "itself", "trained reader", "pictures"):
        told |= {"method": {"method": {**told["method"], "method": "no_such"}},
                 "parameters": {"method": {**told["method"], "parameters": {"layers": 10**9}}},
                 "reader": {"reader": {"method": "os.system", "parameters": {}}},
                 "version": {"method": {**told["method"], "version": 99}},
                 "shape": {"shape": []}, "huge": {"shape": [10**12]}, "ended": {"ended": "<b>"},
                 "names": {"names": "abcde"}, "format": {"format": 99}, "best": {"best_epoch": 0},
                 "itself": {"reader": SavedModel(network="bad").identity()},
                 "trained reader": {"reader": told["method"]},
                 "pictures": {"reader": Pixels(dimensions=None).identity()},
                 "not trained": {"method": {"method": "vectors", "version": 1, "parameters": {}}},
                 }[how]
    elif how == "nan":
        arrays["weights.encoder.0.weight"][0, 0] = np.nan
    elif how == "half precision":
        arrays["weights.encoder.0.weight"] = arrays["weights.encoder.0.weight"].astype(np.float16)
    elif how == "more":
        arrays["../evil"] = np.ones(3, np.float32)
    elif how == "no center":
        del arrays["center"]
    else:
        return {"cut": whole[:-4], "longer": whole + b"x", "empty": b"", "pickle": b"\x80\x04N.",
                "other": save({"a": np.ones(3)}), "deep": save(
                    {"a": np.ones(3)}, {MARK: "[" * 100_000}),
                "list": save({"a": np.ones(3)}, {MARK: "[1]"})}[how]
    return save(arrays, {MARK: json.dumps(told)})


@pytest.mark.parametrize("how", [
    "cut", "longer", "empty", "pickle", "other", "deep", "list", "method", "parameters", "reader",
    "version", "shape", "huge", "ended", "names", "format", "not trained", "best", "nan",
    "half precision", "more", "no center", "itself", "trained reader", "pictures"])
def test_what_is_no_network_is_refused_and_not_kept(store: Store, model: Model, how: str) -> None:
    error = refused(lambda: keep_model(store.root, "bad", spoilt(model, how)))
    assert isinstance(error, DataError)
    assert error.code in {"version": ("OTHER_VERSION",)}.get(
        how, ("NOT_A_NETWORK", "MODEL_DAMAGED"))
    assert error.where.file == "bad"
    assert not list((store.root / "models").iterdir())


def test_weights_of_another_network_are_refused_before_they_are_used(store: Store,
                                                                     model: Model) -> None:
    method = {**model.method, "parameters": {**model.method["parameters"], "dimensions": 4}}
    saved = keep(store, replace(model, method=method))
    assert refused(lambda: single.encode(saved, rows(store), store)).code == "NOT_A_NETWORK"


@pytest.mark.parametrize("name", ["../../etc/passwd", "a/b", "a\\b", "", " ", "a\0b", "..", "con",
                                  "x" * 500, "a\u202eb", "http://a.b/c"])
def test_names_that_are_no_names(store: Store, model: Model, name: str) -> None:
    error = refused(lambda: keep_model(store.root, name, write_model(model)))
    assert (type(error), error.code) == (ParameterError, "BAD_MODEL_NAME")
    assert refused(lambda: SavedModel(network=name).fingerprint()).code in (
        "BAD_MODEL_NAME", "NO_MODEL")


def test_links_that_lead_out_and_foreign_files_are_not_listed(store: Store, model: Model,
                                                              tmp_path: Path) -> None:
    keep(store, model)
    outside = tmp_path / "outside.safetensors"
    outside.write_bytes(write_model(model))
    os.symlink(outside, store.root / "models" / "link.safetensors")
    (store.root / "models" / "foreign.safetensors").write_bytes(save({"a": np.ones(2)}))
    os.symlink(tmp_path / "nothing", store.root / "models" / "gone.safetensors")
    assert list_networks() == ("link", "mine")
    assert refused(lambda: SavedModel(network="link").fingerprint()).code == "NO_MODEL"
    assert refused(lambda: SavedModel(network="foreign").reader(rows(store))).code == (
        "NOT_A_NETWORK")
