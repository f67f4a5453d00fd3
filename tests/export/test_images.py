"""The zip of images: folders, names, and what is no longer in the files."""

from __future__ import annotations

import csv
import io
import json
import struct
import zipfile
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from PIL import Image, PngImagePlugin

from explorer.errors import DataError
from explorer.export.manifest import make_manifest
from explorer.export.rows import Export, write_images_zip
from explorer.export.strip_metadata import file_extension, strip_metadata
from explorer.store import Store
from tests.builders import build_dataset, png

SECRET = b"SECRET-PLACE"
PIXELS = np.random.default_rng(0).integers(0, 255, (20, 30, 3)).astype(np.uint8)


def secret_exif(orientation: int) -> Image.Exif:
    exif = Image.Exif()
    exif[0x010E] = SECRET.decode()
    exif.get_ifd(0x8825)[1] = "N"
    if orientation != 1:
        exif[0x0112] = orientation
    return exif


def encoded(form: str, orientation: int = 1, **options: Any) -> bytes:
    file = io.BytesIO()
    icc = Image.new("RGB", (1, 1)).info.get("icc_profile") or b"\0" * 128
    if form == "PNG":
        text = PngImagePlugin.PngInfo()
        text.add_text("Comment", SECRET.decode())
        text.add_itxt("XML:com.adobe.xmp", SECRET.decode())
        options["pnginfo"] = text
    else:
        options["xmp"] = b"<x:xmpmeta>" + SECRET + b"</x:xmpmeta>"
    if form == "JPEG":
        options["comment"] = SECRET
    Image.fromarray(PIXELS).save(file, form, exif=secret_exif(orientation), icc_profile=icc,
                                 **options)
    return file.getvalue()


CASES = [("JPEG", {}), ("JPEG", {"progressive": True}), ("JPEG", {"quality": 100}),
         ("PNG", {}), ("WEBP", {"lossless": True}), ("WEBP", {"quality": 60})]


@pytest.mark.parametrize(("form", "options"), CASES)
@pytest.mark.parametrize("orientation", [1, 6])
def test_secrets_go_and_the_picture_stays(form: str, options: dict[str, Any],
                                          orientation: int) -> None:
    data = encoded(form, orientation, **options) + b"TRAILER" + SECRET
    assert SECRET in data
    stripped = strip_metadata(data)
    assert stripped.clean
    assert SECRET not in stripped.data
    before, after = Image.open(io.BytesIO(data)), Image.open(io.BytesIO(stripped.data))
    np.testing.assert_array_equal(np.asarray(before), np.asarray(after))
    assert after.info.get("icc_profile") == before.info.get("icc_profile") is not None
    assert dict(after.getexif()) == ({} if orientation == 1 else {0x0112: 6})
    assert strip_metadata(stripped.data).data == stripped.data


@settings(max_examples=150, deadline=None)
@given(st.sampled_from([encoded("JPEG"), encoded("PNG"), encoded("WEBP", quality=60)]),
       st.lists(st.tuples(st.integers(0, 2000), st.integers(0, 255)), max_size=4),
       st.integers(0, 3000))
def test_damaged_files_come_out_whole_or_clean(data: bytes, flips: list[tuple[int, int]],
                                               cut: int) -> None:
    damaged = bytearray(data[:max(12, cut)])
    for at, value in flips:
        damaged[at % len(damaged)] = value
    stripped = strip_metadata(bytes(damaged))
    assert stripped.clean or stripped.data == bytes(damaged)
    assert len(stripped.data) <= len(damaged) + 40


def test_other_formats_are_left_and_said_so() -> None:
    file = io.BytesIO()
    Image.fromarray(PIXELS).save(file, "TIFF")
    stripped = strip_metadata(file.getvalue())
    assert (stripped.clean, stripped.data) == (False, file.getvalue())
    assert file_extension(file.getvalue()) == ".tif"
    assert file_extension(b"plain") == ".bin"


def test_orientation_in_either_byte_order() -> None:
    little = struct.pack("<2sHIHHHIHHI", b"II", 42, 8, 1, 0x0112, 3, 1, 8, 0, 0)
    exif = b"Exif\0\0" + little
    jpeg = io.BytesIO()
    Image.fromarray(PIXELS).save(jpeg, "JPEG")
    data = jpeg.getvalue()
    marked = data[:2] + b"\xff\xe1" + struct.pack(">H", len(exif) + 2) + exif + data[2:]
    assert Image.open(io.BytesIO(strip_metadata(marked).data)).getexif()[0x0112] == 8


def zip_of(store: Store, folder: Path, name: str = "images.zip") -> Path:
    gif = io.BytesIO()
    Image.fromarray(PIXELS).save(gif, "GIF")
    images = [png(PIXELS), png(PIXELS + 1), encoded("JPEG"), b"", gif.getvalue(), png(PIXELS + 2),
              png(PIXELS + 3)]
    dataset = build_dataset(store, {"id": ["a/b.png", "A_B", "c", "d", "e", "f", "g"]},
                            roles={"id": "id"}, images=images)
    rows = np.array([0, 1, 2, 3, 4, 5], dtype=np.int64)
    ours = pa.table({"cluster": pa.array([0, 0, 1, 1, -1, None], pa.int32()),
                     "cluster_name": ["Dogs/Cats", "Dogs/Cats", "dogs:cats", "dogs:cats", "Noise",
                                      None]})
    written = write_images_zip(Export(dataset, rows, ours, make_manifest({}, dataset, 6)),
                               folder / name)
    assert written.path == folder / name
    return written.path


def test_zip_has_a_folder_per_cluster(store: Store, tmp_path: Path) -> None:
    with zipfile.ZipFile(zip_of(store, tmp_path)) as archive:
        assert archive.testzip() is None
        assert archive.namelist() == [
            "Dogs_Cats/a_b.png", "Dogs_Cats/A_B (2).png", "dogs_cats (2)/c.jpg", "Noise/e.gif",
            "no cluster/f.png", "rows.csv", "manifest.json"]
        assert archive.read("Dogs_Cats/a_b.png") == png(PIXELS)
        assert SECRET not in archive.read("dogs_cats (2)/c.jpg")
        text = archive.read("rows.csv").decode("utf-8-sig")
        rows = list(csv.DictReader(io.StringIO(text, newline="")))
        assert [row["image_file"] for row in rows] == [
            "Dogs_Cats/a_b.png", "Dogs_Cats/A_B (2).png", "dogs_cats (2)/c.jpg", "", "Noise/e.gif",
            "no cluster/f.png"]
        assert [row["cluster"] for row in rows] == ["0", "0", "1", "1", "-1", ""]
        images = json.loads(archive.read("manifest.json"))["images"]
    assert (images["images"], images["rows_without_image"]) == (5, 1)
    assert (images["metadata_removed"], images["metadata_not_removed"]) == (4, {".gif": 1})


def test_zip_is_the_same_twice(store: Store, tmp_path: Path) -> None:
    first = zip_of(store, tmp_path).read_bytes()
    (tmp_path / "again").mkdir()
    assert zip_of(store, tmp_path / "again").read_bytes() == first


def test_no_images_is_said(store: Store, tmp_path: Path) -> None:
    dataset = build_dataset(store, {"a": ["x"]})
    export = Export(dataset, np.array([0]), pa.table({}), {})
    with pytest.raises(DataError) as caught:
        write_images_zip(export, tmp_path / "images.zip")
    assert caught.value.code == "NO_IMAGES"
    assert not list(tmp_path.glob("*.zip"))
