import datetime as dt
import io
import json
import zipfile

import numpy as np
import openpyxl
import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from explorer.errors import InputError


def lines(*rows):
    return "\n".join(json.dumps(row) for row in rows) + "\n"


def parquet(rows):
    out = io.BytesIO()
    pq.write_table(pa.table(rows), out)
    return out.getvalue()


def workbook(**sheets):
    book = openpyxl.Workbook()
    book.remove(book.active)
    for title, rows in sheets.items():
        sheet = book.create_sheet(title)
        for row in rows:
            sheet.append(row)
    out = io.BytesIO()
    book.save(out)
    return out.getvalue()


def test_jsonl_keeps_values(load):
    data = load({"t.jsonl": lines({"a": 1, "b": "007", "c": 0.1, "d": True},
                                  {"a": 2**60, "c": 1e300, "e": {"k": [1]}}, {"b": None})})
    assert data.values("a") == [1, 2**60, None]
    assert data.values("b") == ["007", None, None]
    assert data.values("c") == [0.1, 1e300, None]
    assert data.values("d") == [True, None, None]
    assert json.loads(data.values("e")[1]) == {"k": [1]}
    assert data.column("b").missing == 2


def test_jsonl_mixed_types_become_json_text(load):
    data = load({"t.jsonl": lines({"a": 1}, {"a": "1"}, {"a": 2.5}, {"a": None}, {"a": 10**40})})
    assert data.values("a") == ["1", '"1"', "2.5", None, str(10**40)]
    assert [line.entries for line in data.report if line.code == "MIXED_TYPES"] == [("a",)]


def test_jsonl_mixed_after_the_first_batch(load):
    data = load({"t.jsonl": lines(*({"a": i} for i in range(9000)), {"a": "x"}, {"a": 3})})
    assert data.values("a") == [*map(str, range(9000)), '"x"', "3"]


def test_jsonl_vectors(load):
    data = load({"t.jsonl": lines({"w": "a b", "v": [1, 2.5]}, {"w": "c d", "v": [3, 4]},
                                  {"w": "e f", "v": None})})
    column = data.column("v")
    assert (column.role, column.place, column.dimensions, column.missing) == ("vector", "table", 2,
                                                                             1)
    np.testing.assert_array_equal(data.matrix("v"), [[1, 2.5], [3, 4], [np.nan, np.nan]])
    assert data.values("v")[0] == [1, 2.5]


def test_json_array_blank_lines_and_mark(load):
    rows = [{"a": "x", "b": 1}, {"a": "y", "b": 2}]
    for text in (json.dumps(rows), json.dumps(rows, indent=2), "\ufeff\n" + lines(*rows) + "\n\n"):
        data = load({"t.json": text})
        assert data.values("a") == ["x", "y"]
        assert data.values("b") == [1, 2]


def test_lone_surrogates_and_repeated_keys_are_said(load):
    data = load({"t.jsonl": '{"a": "x\\ud800"}\n{"a": "\\ud83d\\ude00", "a": "z"}\n'})
    assert data.values("a") == ["x\ufffd", "z"]
    assert {line.code for line in data.report} >= {"LONE_SURROGATES", "REPEATED_KEYS"}


def test_lone_surrogates_in_names_do_not_mix_columns(load):
    data = load({"t.jsonl": '{"\\ud800": 1, "\ufffd": 2}\n{"\\ud800": 3}\n'})
    assert [data.values(column.name) for column in data.columns] == [[1, 3], [2, None]]
    assert {line.code for line in data.report} >= {"LONE_SURROGATES", "DUPLICATE_COLUMNS"}


def test_parquet_keeps_types_and_duplicate_names(load):
    rows = pa.table([pa.array(["007", "NA", None]), pa.array([1, 2, 3], pa.uint8()),
                     pa.array([b"\xff", None, b"x"]),
                     pa.array([dt.date(2020, 1, 1), None, dt.date(9999, 12, 31)])],
                    names=["a", "a", "raw", "day"])
    out = io.BytesIO()
    pq.write_table(rows, out)
    data = load({"t.parquet": out.getvalue()})
    assert [column.name for column in data.columns] == ["a", "a (2)", "raw", "day"]
    assert data.table.schema.types == rows.schema.types
    for name, column in zip(data.table.column_names, rows.columns, strict=True):
        assert data.values(name) == column.to_pylist()


def test_parquet_vectors_of_every_list_type(load):
    numbers = [[1.5, 2.5, 3.5], [4.5, 5.5, 6.5]]
    rows = {"a": pa.array(numbers, pa.list_(pa.float32())),
            "b": pa.array(numbers, pa.list_(pa.float64(), 3)),
            "c": pa.array([[1, 2], [3, 4]], pa.large_list(pa.int16())),
            "words": pa.array([["x"], ["y", "z"]])}
    data = load({"t.parquet": parquet(rows)})
    assert [column.dimensions for column in data.columns] == [3, 3, 2, 0]
    assert data.matrix("a").dtype == np.float32
    np.testing.assert_array_equal(data.matrix("b"), numbers)
    np.testing.assert_array_equal(data.matrix("c"), [[1, 2], [3, 4]])
    assert data.column("words").role == "ignore"


def test_ragged_lists_that_are_no_vectors(load):
    rows = {"w": [f"a b {i}" for i in range(6)], "tokens": [[1] * (i + 1) for i in range(6)]}
    data = load({"t.parquet": parquet(rows)})
    assert data.column("tokens").role == "ignore"
    assert data.values("tokens") == rows["tokens"]


def test_xlsx_cells_keep_their_types(load):
    day = dt.datetime(2024, 3, 1, 12, 30)
    data = load({"t.xlsx": workbook(first=[
        ["code", "amount", "count", "when", "mixed"], ["007", 1.5, 1, day, "x"],
        ["NA", 2, 2, day, 5], [None, None, 3, None, True], [], ["9", 0.25, 4, day, 2.5]])})
    assert data.values("code") == ["007", "NA", None, "9"]
    assert data.values("amount") == [1.5, 2.0, None, 0.25]
    assert data.values("count") == [1, 2, 3, 4]
    assert data.values("when") == [day, day, None, day]
    assert data.values("mixed") == ["x", "5", "TRUE", "2.5"]
    assert [line.rows for line in data.report if line.code == "BLANK_LINES"] == [(5,)]


def test_xlsx_sheets(load):
    book = workbook(one=[["a"], ["x y"]], two=[["b"], ["z w"]])
    data = load({"t.xlsx": book})
    assert data.values("a") == ["x y"]
    assert [line.entries for line in data.report if line.code == "OTHER_SHEETS"] == [("two",)]
    assert load({"t.xlsx": book}, array="two").values("b") == ["z w"]
    with pytest.raises(InputError) as caught:
        load({"t.xlsx": book}, array="three")
    assert caught.value.code == "NO_SHEET"


def test_xlsx_without_header(load):
    data = load({"t.xlsx": workbook(s=[[1, 2.5], [3, 4.5], [5, 6.5]])})
    assert data.values("column_1") == [1, 3, 5]


def test_xlsx_formulas_that_were_never_computed_are_said(load):
    rows = [["n", "double"], *([i, f"=A{i + 1}*2"] for i in range(1, 31))]
    data = load({"t.xlsx": workbook(s=rows)})
    said = next(line for line in data.report if line.code == "FORMULAS_WITHOUT_VALUE")
    assert (said.level, said.count, said.rows[:2], said.entries[:2]) == (
        "warning", 30, (2, 3), ("B2", "B3"))
    assert data.column("double").missing == 30


def edited_sheet(edit):
    out = io.BytesIO()
    with zipfile.ZipFile(io.BytesIO(workbook(s=[["a", "b"], [1.5, "x"], [2.5, "y"]]))) as source, \
            zipfile.ZipFile(out, "w") as target:
        for name in source.namelist():
            data = source.read(name).decode()
            target.writestr(name, edit(data) if name.endswith("sheet1.xml") else data)
    return out.getvalue()


def test_xlsx_formulas_with_their_saved_result_are_values(load):
    book = edited_sheet(lambda text: text.replace("<v>1.5</v>", "<f>1+0.5</f><v>1.5</v>"))
    data = load({"t.xlsx": book})
    assert data.values("a") == [1.5, 2.5]
    assert "FORMULAS_WITHOUT_VALUE" not in {line.code for line in data.report}


@pytest.mark.parametrize(("old", "new", "code"), [
    ('<row r="3"', '<row r="1"', "DAMAGED"), ('r="A3"', 'r="A2"', "DAMAGED"),
    ('r="A3"', 'r="C3"', "DAMAGED"), ('<row r="3"', '<row r="999999999999"', "TOO_MANY_ROWS"),
    ('<row r="3"', '<row r="x"', "DAMAGED")])
def test_xlsx_rows_that_lie_about_their_place(load, old, new, code):
    book = edited_sheet(lambda text: text.replace(old, new))
    with pytest.raises(InputError) as caught:
        load({"t.xlsx": book})
    assert caught.value.code == code


def test_xlsx_rows_far_apart(load):
    book = edited_sheet(lambda text: text.replace('<row r="3"', '<row r="900"')
                        .replace('r="A3"', 'r="A900"').replace('r="B3"', 'r="B900"'))
    data = load({"t.xlsx": book})
    assert data.values("b") == ["x", "y"]
    line = next(line for line in data.report if line.code == "BLANK_LINES")
    assert (line.count, line.rows[0]) == (897, 3)
