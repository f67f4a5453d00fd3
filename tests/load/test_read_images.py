import io
import zipfile

import numpy as np
import pytest
from PIL import Image

from explorer.errors import InputError


def picture(mode="RGB", size=(20, 10), colour=None, kind="PNG", **options):
    out = io.BytesIO()
    Image.new(mode, size, colour or 0).save(out, kind, **options)
    return out.getvalue()


def archive(files):
    out = io.BytesIO()
    with zipfile.ZipFile(out, "w", zipfile.ZIP_DEFLATED) as target:
        for name, data in files.items():
            target.writestr(name, data)
    return out.getvalue()


def encode(array, kind="PNG"):
    out = io.BytesIO()
    Image.fromarray(array).save(out, kind)
    return out.getvalue()


def thumb(dataset, row=0):
    return Image.open(io.BytesIO(dataset.thumbnail(row)))


def test_zip_with_a_folder_per_class(load):
    files = {f"set/{kind}/{i}.png": picture(colour=(40 * i, 9, 9), size=(20 + i, 10))
             for kind in ("cat", "dog") for i in range(3)}
    data = load({"z.zip": archive(files)})
    assert data.n == 6
    assert data.values("file") == list(files)
    assert data.values("folder") == ["cat"] * 3 + ["dog"] * 3
    assert {column.name: column.role for column in data.columns} == {
        "image": "image", "file": "id", "folder": "label"}
    assert [data.image(i) for i in range(6)] == list(files.values())
    assert thumb(data, 2).size == (22, 10)


def test_several_images(load):
    files = {"a.png": picture(), "b.jpg": picture(kind="JPEG"), "c.png": b"no picture"}
    data = load(files)
    assert data.values("file") == ["a.png", "b.jpg"]
    assert "folder" not in data.roles
    line = next(line for line in data.report if line.code == "IMAGES_LEFT_OUT")
    assert line.entries[0].startswith("c.png: NOT_AN_IMAGE")


def test_names_that_differ_in_case_or_not_at_all(load):
    out = io.BytesIO()
    with zipfile.ZipFile(out, "w") as target:
        for name in ("a.png", "A.png", "../a.png"):
            target.writestr(name, picture())
        with pytest.warns(UserWarning, match="Duplicate"):
            target.writestr("a.png", picture())
    assert load({"z.zip": out.getvalue()}).values("file") == [
        "a.png", "A.png", "../a.png", "a.png (2)"]


class TestThumbnail:
    def test_small_images_keep_size_and_pixels(self, load):
        pixels = np.arange(64, dtype=np.uint8).reshape(8, 8) * 4
        data = load({"a.png": encode(pixels)})
        np.testing.assert_array_equal(np.asarray(thumb(data)), pixels)

    @pytest.mark.parametrize(("size", "expected"), [
        ((400, 200), (96, 48)), ((96, 96), (96, 96)), ((1, 1), (1, 1)), ((1, 20000), (1, 96))])
    def test_longest_side(self, load, size, expected):
        assert thumb(load({"a.png": picture(size=size)})).size == expected

    def test_sixteen_bits_are_scaled_not_cut(self, load):
        ramp = np.linspace(0, 65535, 64 * 64).reshape(64, 64).astype(np.uint16)
        data = load({"a.png": encode(ramp)})
        assert np.asarray(thumb(data)).mean() == pytest.approx(127.5, abs=1)
        assert any(line.code == "RANGE_SCALED" for line in data.report)
        assert data.image(0) == encode(ramp)

    def test_float_tiff(self, load):
        ramp = np.linspace(0, 1, 32 * 32, dtype=np.float32).reshape(32, 32)
        shown = np.asarray(thumb(load({"a.tif": encode(ramp, "TIFF")})))
        assert (shown.min(), shown.max()) == (0, 255)

    def test_upright_and_without_metadata(self, load):
        image = Image.new("RGB", (40, 20), "black")
        image.paste("white", (0, 0, 20, 20))
        exif = Image.Exif()
        exif[0x0112], exif[0x010E] = 6, "secret place"
        out = io.BytesIO()
        image.save(out, "JPEG", exif=exif, comment=b"secret place")
        data = load({"a.jpg": out.getvalue()})
        upright = thumb(data)
        assert upright.size == (20, 40)
        assert upright.convert("L").getpixel((10, 5)) > 200
        assert upright.convert("L").getpixel((10, 35)) < 50
        assert b"secret" not in data.thumbnail(0)
        assert not upright.getexif()

    @pytest.mark.parametrize("turn", range(1, 9))
    def test_every_orientation_as_pillow_does(self, load, turn):
        from PIL import ImageOps

        pixels = np.random.default_rng(turn).integers(0, 256, (6, 9, 3), dtype=np.uint8)
        image = Image.fromarray(pixels)
        exif = Image.Exif()
        exif[0x0112] = turn
        out = io.BytesIO()
        image.save(out, "PNG", exif=exif)
        expected = ImageOps.exif_transpose(Image.open(io.BytesIO(out.getvalue())))
        shown = thumb(load({"a.png": out.getvalue()}))
        np.testing.assert_array_equal(np.asarray(shown), np.asarray(expected))

    @pytest.mark.parametrize(("mode", "kind", "expected"), [
        ("RGBA", "PNG", "RGBA"), ("LA", "PNG", "RGBA"), ("CMYK", "JPEG", "RGB"), ("1", "PNG", "L"),
        ("P", "GIF", "RGB"), ("L", "BMP", "L"), ("RGB", "WEBP", "RGB"), ("I;16", "TIFF", "L")])
    def test_modes(self, load, mode, kind, expected):
        data = load({f"a.{kind.lower()}": picture(mode, (120, 60), kind=kind)})
        assert thumb(data).mode == expected
        assert thumb(data).size == (96, 48)

    def test_first_frame_of_an_animation(self, load):
        frames = [Image.new("RGB", (9, 9), colour) for colour in ("red", "blue", "green")]
        out = io.BytesIO()
        frames[0].save(out, "GIF", save_all=True, append_images=frames[1:])
        data = load({"a.gif": out.getvalue()})
        assert thumb(data).convert("RGB").getpixel((4, 4)) == (255, 0, 0)
        assert any(line.code == "FIRST_FRAME" for line in data.report)


class TestJoin:
    images = {f"pics/{name}.png": picture(colour=(shade, 0, 0), size=(12, 9))
              for name, shade in (("a", 50), ("b", 100), ("c", 150))}

    def test_table_names_the_images(self, load):
        data = load({"z.zip": archive(self.images), "t.csv": "pic,age\nc.png,1\na.png,2\n"})
        assert data.values("age") == ["1", "2"]
        assert [thumb(data, i).getpixel((0, 0))[0] for i in range(2)] == [150, 50]
        assert data.image(0) == self.images["pics/c.png"]
        assert any(line.code == "IMAGES_WITHOUT_ROW" and line.count == 1 for line in data.report)

    def test_rows_of_unreadable_images_are_listed(self, load):
        files = self.images | {"pics/d.png": b"broken"}
        data = load({"z.zip": archive(files),
                     "t.csv": "pic,age\nc.png,1\nd.png,5\na.png,2\n"})
        assert data.values("age") == ["1", "2"]
        line = next(line for line in data.report if line.code == "ROWS_WITHOUT_IMAGE")
        assert (line.rows, line.entries) == ((3,), ("d.png",))

    def test_by_id_takes_the_images_along(self, load):
        rows = "file,age\npics/c.png,1\npics/a.png,2\npics/b.png,3\n"
        data = load({"z.zip": archive(self.images), "t.csv": rows}, join="file")
        assert data.image(1) == self.images["pics/a.png"]

    def test_by_order(self, load):
        out = io.BytesIO()
        np.save(out, np.eye(3))
        data = load({"v.npy": out.getvalue(), "z.zip": archive(self.images)})
        assert data.column("v").dimensions == 3
        assert data.image(2) == self.images["pics/c.png"]


def test_two_zips_are_refused(load):
    with pytest.raises(InputError) as caught:
        load({"y.zip": archive({"a.png": picture()}), "z.zip": archive({"a.png": picture()})})
    assert caught.value.code == "TOO_MANY_FILES"
