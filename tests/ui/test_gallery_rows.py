"""What the gallery fetches of its rows: in batches, bounded, with or without a vector, inert."""

from dataclasses import replace

import numpy as np
import pytest
from starlette.applications import Starlette
from starlette.testclient import TestClient

from explorer.load import load_sample
from explorer.project import projectors
from explorer.propose import propose
from explorer.run import Run, run
from explorer.spec import silent
from explorer.ui import served
from explorer.ui.gallery_rows import GalleryRows
from explorer.ui.rows_of_map import RowsOfMap
from explorer.ui.served import TILES, Shelf, tiles_address

NAMES = {0: "<b>flat</b>"}


@pytest.fixture(scope="module")
def shapes(shared_store):
    data = load_sample("drawn_shapes", shared_store, silent)
    recipe = propose(data).recipe.using(projector=projectors().create("pca"))
    whole = run(recipe, data, shared_store)
    # Rows 2 and 5 have no vector.
    keep = np.setdiff1d(np.arange(data.n), [2, 5])
    part = Run(whole.plan, whole.store)
    silhouette = whole.silhouette
    part.__dict__.update(
        embedding=replace(whole.embedding, rows=keep, vectors=whole.embedding.vectors[keep]),
        clustering=replace(whole.clustering, labels=whole.clustering.labels[keep]),
        judgements={"silhouette": replace(silhouette, per_row={
            name: values[keep] for name, values in silhouette.per_row.items()})})
    return part


@pytest.fixture
def served_rows(shapes, monkeypatch):
    shelf = Shelf()
    monkeypatch.setattr(served, "shelf", shelf)
    client = TestClient(Starlette(routes=served.ROUTES), base_url="http://localhost")
    token = shelf.put_rows("gallery", lambda: GalleryRows(shapes, NAMES))
    plain = shelf.put_rows("map", lambda: RowsOfMap(shapes, NAMES))
    return client, tiles_address(token), tiles_address(plain)


def test_a_batch_tells_each_row_in_the_order_asked(served_rows, shapes):
    client, address, _ = served_rows
    asked = [7, 2, 0, 599]
    answer = client.get(f"{address}?rows={','.join(map(str, asked))}")
    tiles = answer.json()
    ids = shapes.dataset.row_ids
    assert [tile["title"] for tile in tiles] == [f"Row {ids[row]}" for row in asked]
    labels = dict(zip(shapes.rows.tolist(), shapes.clustering.labels.tolist(), strict=True))
    called = ["no vector" if row not in labels
              else NAMES.get(labels[row], f"Cluster {labels[row]}") for row in asked]
    assert [tile["cluster"] for tile in tiles] == called
    assert [tile["color"] is None for tile in tiles] == [False, True, False, False]
    assert all(tile["picture"] for tile in tiles)
    assert answer.headers["cache-control"].startswith("private")
    assert answer.headers["x-content-type-options"] == "nosniff"


@pytest.mark.parametrize("rows", [
    "", "a", "1,", "-1", "600", "1;2", "1e3", ",".join(map(str, range(TILES + 1)))])
def test_what_is_not_there_or_too_much_is_refused(served_rows, rows):
    client, address, plain = served_rows
    assert client.get(f"{address}?rows={rows}").status_code == 404
    assert client.get(f"{plain}?rows=1").status_code == 404
    assert client.get(f"{address[:-4]}aaaa?rows=1").status_code == 404


def test_as_many_as_allowed_are_told(served_rows):
    client, address, _ = served_rows
    rows = ",".join(map(str, range(TILES)))
    assert len(client.get(f"{address}?rows={rows}").json()) == TILES


def test_cards_and_pictures_go_by_the_row_of_the_data(served_rows, shapes):
    client, address, _ = served_rows
    card = client.get(f"{address.replace('tiles', 'card')}/6").json()
    assert card["title"] == f"Row {shapes.dataset.row_ids[6]}"
    assert dict(card["facts"])["silhouette"] == \
        f"{shapes.silhouette.per_row['silhouette'][4]:.3f}"  # rows 2 and 5 are missing before it
    assert client.get(card["image"]).content == shapes.dataset.thumbnail(6)
    bare = client.get(f"{address.replace('tiles', 'card')}/5").json()
    assert bare["facts"] == [["vector", "none: left out when encoding"]]
    assert client.get(f"{address.replace('tiles', 'card')}/600").status_code == 404


def test_the_end_of_a_long_name_is_kept(shapes):
    rows = GalleryRows(shapes, {})
    names = ["truck/0094.jpg", "a" * 30 + "0017", "folder/", "\u202eabc"]
    shapes.dataset.__dict__["row_ids"] = names * 150
    try:
        assert [rows.tile(place).end for place in range(4)] == [
            "0094.jpg", "…" + "a" * 13 + "0017", "folder/", "\ufffdabc"]
    finally:
        del shapes.dataset.__dict__["row_ids"]
