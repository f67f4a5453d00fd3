"""What was uploaded is what is in there: the accepted cases of HOSTILE.md 3.1 to 3.7."""

from __future__ import annotations

import datetime as dt
import decimal
import io
import json
import unicodedata
import zipfile

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from PIL import Image, ImageCms

from explorer.errors import InputError
from explorer.load import ReadOptions, read_files, read_json, read_lines, read_npy, sheet_cells
from explorer.load import read_csv as csv_reader
from explorer.spec import silent
from tests.hostile.makers import archive, lines, npy, parquet
from tests.hostile.seeds import animation, picture, workbook
from tests.load.conftest import Load


def issue(data, code):
    return next(line for line in data.report if line.code == code)


class TestTables:
    def test_c04_one_column_of_numbers_or_of_texts(self, load: Load):
        assert load({"a.csv": "size\n1.5\n2\n3\n"}).column("size").role == "number"
        texts = 'review\nA long review of it\n"Another one, shorter"\n'
        data = load({"a.csv": texts}, header="yes")
        assert (data.n, len(data.columns), data.columns[0].role) == (2, 1, "text")

    def test_c05_rows_left_out_are_counted_and_listed_with_all_their_lines(self, load: Load):
        bad = {5, 700, 2000}
        rows = [f"{i},x{',y' * (i in bad)}" for i in range(2, 3000)]
        data = load({"a.csv": "a,b\n" + "\n".join(rows)}, skip_bad_rows=True)
        said = issue(data, "ROWS_SKIPPED")
        assert (said.count, said.rows, data.n) == (3, (5, 700, 2000), 2995)
        assert not {str(line) for line in bad} & set(data.values("a"))

    def test_c05_every_row_bad_is_no_data_set(self, load: Load):
        with pytest.raises(InputError) as caught:
            load({"a.csv": "a,b\n1,2,3\n4,5,6\n"}, skip_bad_rows=True)
        assert caught.value.code == "NO_ROWS"

    def test_c05_lines_that_are_no_json_likewise(self, load: Load):
        text = '{"a": 1}\n{"a": \n\n[1]\n{"a": 4}\nnull\n'
        data = load({"a.jsonl": text}, skip_bad_rows=True)
        assert data.values("a") == [1, 4]
        said = issue(data, "ROWS_SKIPPED")
        assert (said.level, said.count, said.rows) == ("warning", 3, (2, 4, 6))
        with pytest.raises(InputError) as caught:
            load({"a.jsonl": text})
        assert (caught.value.code, caught.value.where.row) == ("JSON_LINE", 2)

    def test_c14_c15_c17_cells_byte_for_byte(self, load: Load):
        cells = ["007", "1e5", "1_000", "NA", "null", "None", "nan", "9007199254740993",
                 "123456789012345678901", " x ", "+4917012345", "1.0", "-0", "TRUE", "١٢"]
        data = load({"a.csv": "v,w\n" + "".join(f"{cell},b c\n" for cell in cells)})
        assert data.values("v") == cells

    def test_c17_integers_of_21_digits_stay_text_and_it_is_said(self, load: Load):
        numbers = [str(10**20 + i) for i in range(30)]
        data = load({"a.csv": "n,w\n" + "".join(f"{cell},b c\n" for cell in numbers)})
        assert data.values("n") == numbers
        assert data.column("n").role != "number"
        assert issue(data, "KEPT_AS_TEXT").count == 30

    def test_c18_not_finite_cells_are_counted_with_their_lines(self, load: Load):
        data = load({"a.csv": "n,w\n1.5,a\ninf,b\n-Infinity,c\n1e400,d\nnan,e\n" + "2.5,z\n" * 95})
        said = issue(data, "NOT_FINITE")
        assert (said.count, said.rows) == (4, (3, 4, 5, 6))
        assert data.values("n")[1:4] == ["inf", "-Infinity", "1e400"]

    def test_c19_one_word_far_down_is_named_by_its_line(self, load: Load):
        rows = "1.5\n" * 40_000 + "oops\n" + "2.5\n" * 100
        data = load({"a.csv": "n\n" + rows}, header="yes")
        assert data.column("n").role == "number"
        said = issue(data, "NOT_NUMBERS")
        assert (said.count, said.rows) == (1, (40_002,))

    def test_c30_dates_are_not_parsed(self, load: Load):
        cells = ["03/04/2025", "2025-04-03", "2025-04-03T10:00:00+02:00", "03.04.2025"]
        data = load({"a.csv": "d,w\n" + "".join(f"{cell},b c\n" for cell in cells)})
        assert data.values("d") == cells
        assert data.column("d").role == "ignore"

    @pytest.mark.parametrize(("module", "name", "data"), [
        (csv_reader, "a.csv", b"a,b\n" + b"1,x\n" * 30),
        (read_lines, "a.txt", b"words here\n" * 30),
        (read_json, "a.jsonl", b'{"a": 1}\n' * 30), (read_npy, "a.npy", npy(np.zeros((30, 2)))),
        (sheet_cells, "a.xlsx", workbook())])
    def test_c31_more_rows_than_allowed(self, load: Load, monkeypatch, module, name, data):
        monkeypatch.setattr(module, "MAX_ROWS", 9)
        with pytest.raises(InputError) as caught:
            load({name: data})
        assert caught.value.code == "TOO_MANY_ROWS"
        assert "9" in caught.value.message

    def test_a_delimiter_that_is_not_the_commas_shows_the_line_as_it_is(self, load: Load):
        with pytest.raises(InputError) as caught:
            load({"a.csv": "a;b\n1;2\n1;2;3\n"})
        assert "'1;2;3'" in caught.value.message

    def test_t07_control_signs_are_kept(self, load: Load):
        cells = ["\x1b[31mred", "bell\x07", "\x85", "a\x0bb", "\u202eabc", "zero\u200bwidth",
                 "e\u0301"]
        rows = "".join(f'"{cell}",{i}\n' for i, cell in enumerate(cells))
        data = load({"a.csv": "t,n\n" + rows}, header="yes")
        assert data.values("t") == cells  # T05: nothing is normalised on the way in

    def test_t01_t02_blank_and_missing_texts_are_listed(self, load: Load):
        rows = [{"t": "some words here"}, {"t": " "}, {"t": None}, {}, {"t": ""},
                *({"t": f"other words {word} again"} for word in "abcdefghijkl")]
        data = load({"a.jsonl": lines(*rows)})
        assert data.column("t").role == "text"
        assert data.column("t").missing == 4
        assert issue(data, "EMPTY_TEXTS").rows == (2, 3, 4, 5)
        assert data.texts("t")[2] == ""
        blank = load({"b.csv": "id,t\n1, \n2,\n3,  \n"})
        assert issue(blank, "EMPTY_COLUMNS").entries == ("t",)


class TestTyped:
    def test_j03_whole_numbers_of_any_size(self, load: Load):
        numbers = [10**29, -10**30, 2**63, 5]
        data = load({"a.jsonl": lines(*({"n": number} for number in numbers))})
        assert data.values("n") == list(map(str, numbers))
        assert data.column("n").role != "number"

    def test_j05_repeated_keys_are_said_by_line(self, load: Load):
        data = load({"a.jsonl": '{"a": 1}\n{"a": 1, "a": 2}\n{"b": {"c": 1, "c": 2}}\n'})
        assert issue(data, "REPEATED_KEYS").rows == (2, 3)

    def test_j10_mark_and_blank_lines(self, load: Load):
        data = load({"a.jsonl": "\ufeff\n\n" + '{"a": 1}\n\n  \n{"a": 2}\n'})
        assert data.values("a") == [1, 2]

    def test_p04_flips_in_the_footer_are_a_data_set_or_a_refusal(self, load: Load):
        sound = parquet(pa.table({"a": list(range(50)), "t": [f"w {i}" for i in range(50)]}))
        start = len(sound) - 8 - int.from_bytes(sound[-8:-4], "little")
        draws = np.random.default_rng(4)
        outcomes = set()
        for _ in range(150):
            broken = bytearray(sound)
            broken[int(draws.integers(start, len(sound) - 8))] ^= 1 << int(draws.integers(8))
            try:
                outcomes.add("read" if load({"a.parquet": bytes(broken)}).n else "")
            except InputError as error:
                outcomes.add(error.code)
        assert {"read", "DAMAGED"} <= outcomes

    def test_p07_p09_odd_types_are_shown_and_not_used(self, load: Load):
        rows = pa.table({
            "w": ["a b", "c d"], "s": [{"k": 1}, {"k": 2}],
            "m": pa.array([[("x", 1)], []], pa.map_(pa.string(), pa.int64())),
            "b": [b"\x00\xff", b""], "l": [["a"], None],
            "d": pa.array([decimal.Decimal("1.10"), decimal.Decimal("2.20")]),
            "far": pa.array([dt.date(9999, 12, 31), dt.date(1, 1, 1)])})
        data = load({"a.parquet": parquet(rows)})
        assert {name: data.column(name).role for name in "smbl"} == dict.fromkeys("smbl", "ignore")
        assert data.column("far").role == "ignore"
        assert data.values("d") == [decimal.Decimal("1.10"), decimal.Decimal("2.20")]
        assert data.values("s") == [{"k": 1}, {"k": 2}]

    @pytest.mark.parametrize("kind", [pa.date32(), pa.timestamp("us"), pa.timestamp("ms")])
    def test_p09_times_beyond_all_years(self, load: Load, kind):
        """Found by the fuzz: days that no calendar of Python holds."""
        days = pa.array([2**30, 0], pa.int32() if kind == pa.date32() else pa.int64())
        far = days if kind == pa.date32() else pa.array([2**62, 0])
        out = io.BytesIO()
        pq.write_table(pa.table({"d": far.cast(kind), "w": ["a b", "c d"]}), out)
        data = load({"a.parquet": out.getvalue()})
        assert data.values("w") == ["a b", "c d"]
        assert issue(data, "TYPES_CHANGED").entries == ("d",)

    def test_n08_n12_shapes(self, load: Load):
        assert issue(load({"a.npy": npy(np.arange(4.0))}), "ONE_DIMENSION")
        with pytest.raises(InputError) as caught:
            load({"t.csv": "a,b\n1,x\n2,y\n", "v.npy": npy(np.ones((3, 2)))})
        assert caught.value.code == "ROW_COUNT"
        assert all(number in caught.value.message for number in ("2", "3"))

    @pytest.mark.parametrize("dtype", ["f2", "i1", "u1"])
    def test_n09_n10_narrow_numbers_are_exact_and_widen_without_change(self, load: Load, dtype):
        array = (np.arange(200).reshape(50, 4) - (100 if dtype == "i1" else 0)).astype(dtype)
        kept = load({"a.npy": npy(array)}).matrix("a")
        np.testing.assert_array_equal(kept.astype(np.float64), array.astype(np.float64))


class TestArchives:
    def test_z06_names_that_differ_by_case_or_by_form_only(self, load: Load):
        names = ["a.png", "A.png", "é.png", unicodedata.normalize("NFD", "é.png")]
        data = load({"z.zip": archive(*((name, picture("PNG")) for name in names))})
        assert data.values("file") == names

    def test_an_entry_without_a_name(self, load: Load):
        """Found by the fuzz: asking zipfile whether it is a folder raises IndexError."""
        sound = archive(("a.png", picture("PNG")), ("b", picture("PNG")))
        at = sound.rfind(b"PK\x01\x02")
        nameless = bytearray(sound[:at + 46] + sound[at + 47:])
        nameless[at + 28:at + 30] = b"\0\0"
        end = nameless.rfind(b"PK\x05\x06")
        size = int.from_bytes(nameless[end + 12:end + 16], "little") - 1
        nameless[end + 12:end + 16] = size.to_bytes(4, "little")
        assert "" in zipfile.ZipFile(io.BytesIO(nameless)).namelist()
        data = load({"z.zip": bytes(nameless)})
        assert data.values("file")[0] == "a.png"

    def test_z18_one_in_a_thousand(self, load: Load):
        small = picture("PNG", size=(3, 2))
        data = bytearray(archive(*((f"{i}.png", small) for i in range(1000)),
                                 method=zipfile.ZIP_STORED))
        at = data.find(small, len(data) // 2) + 40
        data[at] ^= 0xFF
        result = load({"z.zip": bytes(data)})
        assert (result.n, issue(result, "IMAGES_LEFT_OUT").count) == (999, 1)


class TestImages:
    @pytest.mark.parametrize("kind", ["GIF", "WEBP"])
    def test_i08_first_frame_and_said(self, load: Load, kind):
        data = load({f"a.{kind.lower()}": animation(kind)})
        assert issue(data, "FIRST_FRAME").count == 1
        shown = Image.open(io.BytesIO(data.thumbnail(0))).convert("RGB")
        assert shown.getpixel((3, 3))[0] > 200  # red, the first

    def test_i16_identical_images_are_one_value(self, load: Load):
        same = picture("PNG")
        data = load({"z.zip": archive(*((f"{i}.png", same) for i in range(6)))})
        assert data.column("image").distinct == 1

    def test_i18_profile_place_and_comments_are_not_in_thumbnails(self, load: Load):
        exif = Image.Exif()
        exif.get_ifd(0x8825)[2] = (51.0, 30.0, 12.0)
        profile = ImageCms.ImageCmsProfile(ImageCms.createProfile("sRGB")).tobytes()
        out = io.BytesIO()
        Image.new("RGB", (200, 200), "red").save(
            out, "JPEG", exif=exif, icc_profile=profile, comment=b"secret", xmp=b"<x>secret</x>")
        data = load({"a.jpg": out.getvalue()})
        shown = Image.open(io.BytesIO(data.thumbnail(0)))
        assert not {"exif", "icc_profile", "comment", "xmp"} & set(shown.info)
        assert b"secret" not in data.thumbnail(0)
        assert data.image(0) == out.getvalue()

    def test_i19_all_modes_and_sizes_together(self, load: Load):
        files = {f"{mode.replace(';', '')}.png": picture("PNG", mode, (5 + i, 9))
                 for i, mode in enumerate(("RGB", "L", "P", "1", "I;16", "RGBA", "LA"))}
        data = load(files)
        assert data.n == len(files)
        modes = {Image.open(io.BytesIO(data.thumbnail(i))).mode for i in range(data.n)}
        assert modes <= {"RGB", "L", "RGBA", "LA"}


def test_s16_the_same_file_twice_is_the_same_data_set(store, upload):
    text = json.dumps([{"a": "some words", "b": 1}] * 20).encode()
    first = read_files([upload("a.json", text)], ReadOptions(), store, silent)
    again = read_files([upload("b.json", text)], ReadOptions(), store, silent)
    assert first.id == again.id
    assert (first.name, again.name) == ("a.json", "b.json")
