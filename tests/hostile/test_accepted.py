"""Odd files that must be read, with the oddity in the report and everything sound kept."""

from __future__ import annotations

import io
import stat
import struct
import zipfile
from pathlib import Path

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from PIL import Image, PngImagePlugin

from explorer.dataset import Dataset, Issue, open_dataset
from explorer.errors import InputError
from explorer.load import ReadOptions, Upload, limits, open_zip, read_images
from explorer.load.child import read
from explorer.load.draw_thumbnail import UnreadableImage, draw_thumbnail
from explorer.load.read_files import adopt
from explorer.spec import silent
from explorer.store import Store
from tests.hostile.makers import archive, bad_checksum, npy, png_header


def load(store: Store, name: str, data: bytes, **options: object) -> Dataset:
    file = store.root / "upload"
    file.write_bytes(data)
    folder = store.new_folder()
    meta = read([Upload(name, file)], ReadOptions(**options), folder, silent)
    return open_dataset(store, adopt(store, folder, meta))


def line(dataset: Dataset, code: str) -> Issue:
    return next(issue for issue in dataset.report if issue.code == code)


def picture(kind: str = "PNG", **options: object) -> bytes:
    out = io.BytesIO()
    pixels = np.random.default_rng(0).integers(0, 256, (24, 31, 3), dtype=np.uint8)
    Image.fromarray(pixels).save(out, kind, **options)
    return out.getvalue()


def test_c03_few_rows(store: Store) -> None:
    for rows in (1, 2, 3):
        assert load(store, "t.csv", b"a,b\n" + b"1,x y\n" * rows, header="yes").n == rows


def test_c32_identical_rows(store: Store) -> None:
    data = load(store, "t.csv", b"a,b\n" + b"1,x\n" * 1000)
    assert line(data, "CONSTANT_COLUMNS").count == 2
    assert line(data, "NO_FEATURES")


def test_j04_not_finite_literals(store: Store) -> None:
    data = load(store, "t.jsonl", b'{"a": 1.5}\n{"a": NaN}\n{"a": -Infinity}\n{"a": 1e999}\n')
    assert (line(data, "NOT_FINITE").count, line(data, "NOT_FINITE").rows) == (3, (2, 3, 4))


def test_p03_our_own_files_never_load_as_other_data(store: Store) -> None:
    rows = b"".join(b"%d,word%d\n" % (i, i * i) for i in range(500))
    data = load(store, "t.csv", b"a,b\n" + rows)
    path = data.entry.path("rows.parquet")
    sound, table = path.read_bytes(), data.table
    draws = np.random.default_rng(0)
    found = 0
    for _ in range(60):
        broken = bytearray(sound)
        for at in draws.integers(4, len(sound) - 4, 3):
            broken[int(at)] ^= 1 << int(draws.integers(8))
        path.write_bytes(broken)
        try:
            assert pq.read_table(path, page_checksum_verification=True).equals(table)
        except (OSError, pa.ArrowException):
            found += 1
    assert found > 30
    assert Store(store.root).find(data.id) is None  # the sha256 in the manifest finds them all


def test_p11_pickled_extension_types_run_nothing(store: Store, tmp_path: Path,
                                                 monkeypatch: pytest.MonkeyPatch) -> None:
    import pickle

    from tests.hostile.makers import Canary

    monkeypatch.chdir(tmp_path)
    hostile = {b"ARROW:extension:name": b"arrow.py_extension_type",
               b"ARROW:extension:metadata": pickle.dumps(Canary())}
    schema = pa.schema([pa.field("a", pa.int64(), metadata=hostile)])
    out = io.BytesIO()
    pq.write_table(pa.table([pa.array([1, 2])], schema=schema), out)
    assert load(store, "t.parquet", out.getvalue()).values("a") == [1, 2]
    assert not (tmp_path / "canary-was-here").exists()


def test_p11_extension_types_become_their_storage(store: Store) -> None:
    out = io.BytesIO()
    uuids = pa.ExtensionArray.from_storage(pa.uuid(), pa.array([b"x" * 16], pa.binary(16)))
    pq.write_table(pa.table({"a": uuids, "w": ["some words"]}), out)
    data = load(store, "t.parquet", out.getvalue())
    assert data.values("a") == [b"x" * 16]
    assert line(data, "TYPES_CHANGED").entries == ("a",)


def test_p09_years_python_does_not_know(store: Store) -> None:
    out = io.BytesIO()
    pq.write_table(pa.table({"a": pa.array([2**55, 0], pa.timestamp("ms")), "w": ["a b", "c d"]}),
                   out)
    assert load(store, "t.parquet", out.getvalue()).values("a") == [str(2**55), "0"]


def test_n18_member_names_are_only_labels(store: Store) -> None:
    data = load(store, "v.npz", archive(("../../evil.npy", npy(np.ones((3, 2))))))
    assert data.columns[0].name == "../../evil"
    assert not (store.root.parent / "evil.npy").exists()


class TestZip:
    """Each oddity beside a sound image, which must come through."""

    def read(self, store: Store, *files: tuple[str | zipfile.ZipInfo, bytes]) -> Dataset:
        return load(store, "z.zip", archive(("good.png", picture()), *files))  # type: ignore[arg-type]

    def test_z01_paths_that_leave(self, store: Store, tmp_path: Path) -> None:
        names = ["../../evil.png", "/abs.png", "C:\\w.png", "a/../../b.png"]
        data = self.read(store, *((name, picture()) for name in names))
        assert data.values("file") == ["good.png", *names]
        assert not list(tmp_path.rglob("evil.png"))

    def test_z02_symbolic_link(self, store: Store) -> None:
        link = zipfile.ZipInfo("link.png")
        link.external_attr = (stat.S_IFLNK | 0o777) << 16
        data = self.read(store, (link, b"/etc/passwd"))
        assert data.n == 1
        assert line(data, "IMAGES_LEFT_OUT").entries[0].startswith("link.png: SYMLINK")

    def test_z03_encrypted_beside_others(self, store: Store) -> None:
        data = bytearray(archive(("good.png", picture()), ("secret.png", picture())))
        at = data.rfind(b"PK\x01\x02")
        data[at + 8] |= 1
        left = line(load(store, "z.zip", bytes(data)), "IMAGES_LEFT_OUT")
        assert left.entries[0].startswith("secret.png: ENCRYPTED")

    def test_z04_unknown_method(self, store: Store) -> None:
        data = bytearray(archive(("good.png", picture()), ("odd.png", picture())))
        at = data.rfind(b"PK\x01\x02")
        data[at + 10:at + 12] = struct.pack("<H", 99)
        left = line(load(store, "z.zip", bytes(data)), "IMAGES_LEFT_OUT")
        assert left.entries[0].startswith("odd.png: DAMAGED_ENTRY")

    def test_z07_names(self, store: Store) -> None:
        names = ["日本.png", "a\nb.png", "\u202egnp.png", "😀" * 70 + ".png"]
        assert self.read(store, *((name, picture()) for name in names)).n == 5

    def test_z09_an_entry_larger_than_allowed(self, store: Store,
                                              monkeypatch: pytest.MonkeyPatch) -> None:
        monkeypatch.setattr(open_zip, "MAX_ENTRY_BYTES", 1_000_000)
        data = self.read(store, ("zeros.bmp", bytes(5_000_000)))
        assert line(data, "IMAGES_LEFT_OUT").entries[0].startswith("zeros.bmp: TOO_LARGE")

    def test_z09_all_entries_together(self, store: Store,
                                      monkeypatch: pytest.MonkeyPatch) -> None:
        monkeypatch.setattr(open_zip, "MAX_UNPACKED_BYTES", 1_000_000)
        with pytest.raises(InputError) as caught:
            self.read(store, *((f"{i}.bin", bytes(400_000)) for i in range(4)))
        assert caught.value.code == "TOO_LARGE"

    def test_z10_an_honest_high_ratio(self, store: Store) -> None:
        out = io.BytesIO()
        Image.new("RGB", (1000, 1000)).save(out, "BMP")
        assert self.read(store, ("blank.bmp", out.getvalue())).n == 2

    def test_z11_declared_too_small(self, store: Store) -> None:
        data = bytearray(archive(("good.png", picture()), ("lies.png", picture() + bytes(9000))))
        at = data.rfind(b"PK\x01\x02")
        data[at + 24:at + 28] = struct.pack("<I", 10)
        assert load(store, "z.zip", bytes(data)).values("file") == ["good.png"]

    def test_z14_archives_inside(self, store: Store) -> None:
        data = self.read(store, ("more.zip", archive(("b.png", picture()))))
        assert line(data, "IMAGES_LEFT_OUT").entries[0].startswith("more.zip: NESTED_ARCHIVE")

    def test_z18_one_bad_among_many(self, store: Store) -> None:
        many = [(f"{i}.png", picture()) for i in range(30)]
        data = bytearray(archive(*many, method=zipfile.ZIP_STORED))
        at = data.find(picture(), 3000) + 60
        data[at] ^= 0xFF
        result = load(store, "z.zip", bytes(data))
        assert result.n == 29
        assert line(result, "IMAGES_LEFT_OUT").count == 1

    def test_z19_every_one_bad_is_one_message(self, store: Store) -> None:
        with pytest.raises(InputError) as caught:
            load(store, "z.zip", bad_checksum("a.png", picture()))
        assert caught.value.code == "NO_IMAGES"
        assert "DAMAGED_ENTRY" in caught.value.hint

    def test_litter_is_passed_over(self, store: Store) -> None:
        data = self.read(store, ("__MACOSX/._good.png", b"x"), ("a/.DS_Store", b"x"))
        assert line(data, "SYSTEM_FILES").count == 2
        assert "IMAGES_LEFT_OUT" not in {issue.code for issue in data.report}


def refused(data: bytes, name: str = "a.png") -> str:
    with pytest.raises(UnreadableImage) as caught:
        draw_thumbnail(data, name)
    return str(caught.value).split(":")[0]


def test_image_refusals() -> None:
    jpeg = picture("JPEG")
    assert refused(jpeg[:len(jpeg) // 2]) == "DAMAGED_IMAGE"
    assert refused(b"") == "NOT_AN_IMAGE"
    assert refused(png_header(50_000, 50_000)) == "IMAGE_TOO_LARGE"
    assert refused(png_header(8_000, 7_000)) == "IMAGE_TOO_LARGE"
    assert refused(b"%!PS-Adobe-3.0 EPSF-3.0\n%%BoundingBox: 0 0 9 9\n", "a.eps") == "NOT_AN_IMAGE"
    text = PngImagePlugin.PngInfo()
    text.add_text("note", "x" * 3_000_000, zip=True)
    assert refused(picture(pnginfo=text)) == "DAMAGED_IMAGE"


SOUND = {kind: picture(kind) for kind in ("PNG", "JPEG", "GIF", "BMP", "TIFF", "WEBP")}


@settings(max_examples=300, deadline=None, derandomize=True,
          suppress_health_check=[HealthCheck.too_slow])
@given(kind=st.sampled_from(sorted(SOUND)), data=st.data())
def test_i17_mutated_images_are_drawn_or_refused(kind: str, data: st.DataObject) -> None:
    image = bytearray(SOUND[kind])
    for _ in range(data.draw(st.integers(1, 4))):
        image[data.draw(st.integers(0, len(image) - 1))] = data.draw(st.integers(0, 255))
    keep = data.draw(st.integers(len(image) // 2, len(image)))
    try:
        drawn = draw_thumbnail(bytes(image[:keep])).data
    except UnreadableImage:
        return
    assert max(Image.open(io.BytesIO(drawn)).size) <= 96


NAMES = ("a.csv", "a.txt", "a.jsonl", "a.json", "a.parquet", "a.npy", "a.npz", "a.xlsx", "a.zip",
         "a.png", "a")
STARTS = (b"", b"PAR1", b"\x93NUMPY\x01\x00", b"PK\x03\x04", b"\x89PNG\r\n\x1a\n", b"{", b"[",
          b"a,b\n", b"\xff\xfe", b'"')


@settings(max_examples=150, deadline=None, derandomize=True,
          suppress_health_check=[HealthCheck.function_scoped_fixture, HealthCheck.too_slow])
@given(name=st.sampled_from(NAMES), start=st.sampled_from(STARTS), rest=st.binary(max_size=200))
def test_law_7_any_bytes_give_a_data_set_or_a_refusal(tmp_path: Path, name: str, start: bytes,
                                                      rest: bytes) -> None:
    file = tmp_path / "upload"
    file.write_bytes(start + rest)
    try:
        n = read([Upload(name, file)], ReadOptions(), tmp_path, silent)["n"]
    except InputError as refusal:
        n = 1 if refusal.where.file == name else 0
    assert n >= 1


def test_limits_are_those_announced() -> None:
    assert (limits.MAX_FILE_BYTES, limits.MAX_ROWS, limits.MAX_COLUMNS) == (500_000_000, 5_000_000,
                                                                            2000)
    assert (limits.MAX_ENTRIES, limits.MAX_ENTRY_BYTES) == (50_000, 100_000_000)
    assert read_images.MAX_ENTRY_BYTES == limits.MAX_ENTRY_BYTES
