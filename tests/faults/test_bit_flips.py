"""P03, W09: whatever byte of a stored result changes, it is found at the first read of a fresh
process, put aside and computed again."""

import shutil

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from explorer.errors import DataError
from explorer.plan import make_plan
from explorer.run import Run, run
from explorer.seal import open_sealed, seal_json
from explorer.spec import silent
from explorer.store import Store

KEY = "ab" * 16
FLIPS_PER_FILE = 150


def make_entry(store):
    folder = store.new_folder()
    np.save(folder / "x.npy", np.random.default_rng(0).normal(size=(40, 3)))
    pq.write_table(pa.table({"text": [f"row {i}" for i in range(60)], "n": range(60)}),
                   folder / "rows.parquet", write_page_checksum=True)
    (folder / "images.bin").write_bytes(bytes(range(256)) * 4)
    return store.adopt(KEY, folder, {"type": "Test", "value": {"exact": True, "n": 1.5,
                                                               "name": "Wörter 👋"}})


def test_p03_every_flipped_bit_of_an_entry_is_found(store, tmp_path):
    folder = make_entry(store).folder
    kept = tmp_path / "kept"
    shutil.copytree(folder, kept)
    tried = 0
    for name in ("x.npy", "rows.parquet", "images.bin", "entry.json"):
        size = (kept / name).stat().st_size
        step = max(1, size * 8 // FLIPS_PER_FILE) | 1  # odd: all bits of a byte get their turn
        for bit in range(0, size * 8, step):
            data = bytearray((kept / name).read_bytes())
            data[bit // 8] ^= 1 << bit % 8
            (folder / name).write_bytes(data)
            assert Store(store.root).find(KEY) is None, f"{name} bit {bit}"
            tried += 1
            assert not folder.exists()
            shutil.rmtree(store.root / "quarantine")
            shutil.copytree(kept, folder)
    assert Store(store.root).find(KEY) is not None
    assert tried > 2 * FLIPS_PER_FILE


@pytest.mark.parametrize("name", ["x.npy", "rows.parquet", "images.bin", "entry.json"])
def test_any_prefix_of_a_file_is_found(store, tmp_path, name):
    folder = make_entry(store).folder
    kept = tmp_path / "kept"
    shutil.copytree(folder, kept)
    data = (kept / name).read_bytes()
    for cut in range(0, len(data), max(1, len(data) // 60)):
        (folder / name).write_bytes(data[:cut])
        assert Store(store.root).find(KEY) is None, cut
        shutil.copytree(kept, folder, dirs_exist_ok=True)


def test_damage_after_the_first_read_is_found_when_the_file_changed(store):
    folder = make_entry(store).folder
    assert store.find(KEY) is not None
    data = bytearray((folder / "images.bin").read_bytes())
    data[5] ^= 1
    (folder / "images.bin").write_bytes(data)
    assert store.find(KEY) is None


def test_an_entry_of_the_versions_without_a_seal_still_opens(store):
    import json

    folder = make_entry(store).folder
    plain = open_sealed((folder / "entry.json").read_bytes())
    (folder / "entry.json").write_text(json.dumps(plain, indent=1))
    assert Store(store.root).get(KEY).meta["value"]["n"] == 1.5
    (folder / "entry.json").write_text(json.dumps({**plain, "more": 1}))
    assert Store(store.root).find(KEY) is None


def test_an_entry_under_another_name_is_not_that_result(store):
    folder = make_entry(store).folder
    other = "ac" * 16
    target = folder.parents[1] / other[:2] / other
    target.parent.mkdir(exist_ok=True)
    shutil.copytree(folder, target)
    assert Store(store.root).find(other) is None
    assert Store(store.root).find(KEY) is not None


@pytest.mark.parametrize("place", ["file", "folder"])
def test_w14_a_link_in_the_store_is_refused(store, tmp_path, place):
    folder = make_entry(store).folder
    if place == "file":
        (folder / "x.npy").rename(tmp_path / "outside.npy")
        (folder / "x.npy").symlink_to(tmp_path / "outside.npy")
    else:
        folder.rename(tmp_path / "outside")
        folder.symlink_to(tmp_path / "outside")
    assert Store(store.root).find(KEY) is None
    assert list(tmp_path.glob("outside*"))


def test_writing_over_a_damaged_entry_gives_the_right_one(store):
    """`adopt` meets a damaged entry in its place: it is never taken for the result."""
    folder = make_entry(store).folder
    (folder / "images.bin").write_bytes(b"damaged")
    fresh = Store(store.root)
    assert fresh.adopt(KEY, fresh_folder(fresh), {"n": 2}).meta == {"n": 2}
    assert len(list((store.root / "quarantine").iterdir())) == 1


def fresh_folder(store):
    folder = store.new_folder()
    (folder / "x").write_bytes(b"x")
    return folder


def test_seals_cover_every_byte():
    sealed = seal_json({"key": "a", "files": {}, "meta": {"é": [1e-7, "\u2028"]}, "written": 1.0})
    assert open_sealed(sealed)["meta"] == {"é": [1e-7, "\u2028"]}
    for bit in range(len(sealed) * 8):
        data = bytearray(sealed)
        data[bit // 8] ^= 1 << bit % 8
        with pytest.raises(ValueError, match=r"\w"):
            open_sealed(bytes(data))


def test_p03_a_run_computes_again_what_was_damaged(store):
    from explorer.load import load_sample
    from explorer.propose import propose

    data = load_sample("wine", store, silent)
    recipe = propose(data).recipe
    before = run(recipe, data, store)
    points, labels = np.array(before.projection.points), np.array(before.clustering.labels)
    draws = np.random.default_rng(1)
    for step in before.plan.steps:
        files = sorted(path for path in store.get(step.key).folder.iterdir())
        path = files[draws.integers(len(files))]
        content = bytearray(path.read_bytes())
        content[draws.integers(len(content))] ^= 1 << int(draws.integers(8))
        path.write_bytes(content)
    fresh = Store(store.root)
    plan = make_plan(recipe, data, fresh)
    assert [step.key for step in plan.missing(fresh)] == [step.key for step in before.plan.steps]
    again = run(recipe, data, fresh)
    np.testing.assert_array_equal(again.projection.points, points)
    np.testing.assert_array_equal(again.clustering.labels, labels)
    assert len(list((store.root / "quarantine").iterdir())) == len(before.plan.steps)
    assert Run(again.plan, Store(store.root)).complete


def test_w07_a_damaged_data_set_is_said_to_be_gone_and_read_again(store):
    from explorer.dataset import open_dataset
    from explorer.load import load_sample

    data = load_sample("wine", store, silent)
    path = data.entry.path("rows.parquet")
    content = bytearray(path.read_bytes())
    content[len(content) // 2] ^= 8
    path.write_bytes(content)
    with pytest.raises(DataError) as caught:
        open_dataset(Store(store.root), data.id)
    assert caught.value.code == "NO_DATASET"
    assert load_sample("wine", Store(store.root), silent).id == data.id
