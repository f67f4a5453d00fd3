import csv
import io

import numpy as np
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from explorer.errors import InputError, ParameterError


def issue(dataset, code):
    found = [line for line in dataset.report if line.code == code]
    assert len(found) == 1, [line.code for line in dataset.report]
    return found[0]


def codes(dataset):
    return {line.code for line in dataset.report}


def test_cells_stay_as_uploaded(load):
    data = load({"a.csv": 'id,code,note\n007,1e5," two\nlines "\n008,1_000,NA\n009,2e3,null\n'})
    assert data.values("id") == ["007", "008", "009"]
    assert data.values("code") == ["1e5", "1_000", "2e3"]
    assert data.values("note") == [" two\nlines ", "NA", "null"]
    assert data.column("id").role == "id"
    assert data.column("code").role != "number"


cells = st.text(st.characters(exclude_categories=["Cs"], exclude_characters="\0"), max_size=8)


@settings(max_examples=25, deadline=None,
          suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(rows=st.lists(st.lists(cells, min_size=3, max_size=3), min_size=1, max_size=12))
def test_any_table_reads_back_exactly(load, rows):
    out = io.StringIO()
    csv.writer(out, quoting=csv.QUOTE_ALL).writerows([["a", "b", "c"], *rows])
    data = load({"t.csv": out.getvalue()}, header="yes", delimiter=",")
    assert [list(row) for row in zip(*(data.values(name) for name in "abc"), strict=True)] == rows


@pytest.mark.parametrize("text", [
    "name,value\nx,1\ny,2\n", "name;value\nx;1\ny;2\n", "name\tvalue\nx\t1\ny\t2\n",
    "name|value\nx|1\ny|2\n", "name,value\r\nx,1\r\ny,2\r\n", "name,value\rx,1\ry,2\r",
    "\ufeffname,value\nx,1\ny,2"])
def test_delimiters_line_ends_and_marks(load, text):
    data = load({"t.csv": text})
    assert [column.name for column in data.columns] == ["name", "value"]
    assert data.values("name") == ["x", "y"]
    assert data.values("value") == ["1", "2"]


def test_txt_and_tsv_hold_tables_too(load):
    for name in ("t.txt", "t.tsv"):
        assert load({name: "a\tb\n1\tx\n2\ty\n"}).values("b") == ["x", "y"]


def test_txt_without_delimiter_is_one_text_per_line(load):
    data = load({"t.txt": "Hello, my friend.\n\nA line; with signs.\nShort\n"})
    assert data.values("text") == ["Hello, my friend.", "A line; with signs.", "Short"]
    assert issue(data, "BLANK_LINES").rows == (2,)


def test_decimal_comma(load):
    data = load({"t.csv": "a;b\n1,5;x\n2,25;y\n1.000,5;z\n"})
    assert (data.column("a").role, data.column("a").decimal) == ("number", ",")
    np.testing.assert_array_equal(data.numbers("a"), [1.5, 2.25, 1000.5])
    assert data.values("a") == ["1,5", "2,25", "1.000,5"]


def test_decimal_comma_without_header(load):
    data = load({"t.csv": "1,5;2,5;3,5\n4,5;5,5;6,5\n7,5;8,5;9,25\n"})
    np.testing.assert_array_equal(data.numbers("column_3"), [3.5, 6.5, 9.25])


def test_thousands_are_not_decimals(load):
    data = load({"t.csv": 'a,b\n"1,234",x\n"2,500",y\n"3,750",z\n'})
    assert data.column("a").role != "number"


def test_a_dot_number_speaks_against_a_decimal_comma(load):
    rows = "".join(f"{i},25;x\n" for i in range(40))
    data = load({"t.csv": f"a;b\n{rows}1.5;y\n"})
    assert data.column("a").role != "number"  # as_number would make 15 of it


class TestHeader:
    def test_none_when_the_first_row_looks_like_the_others(self, load):
        rows = "".join(f'"{1 + i % 4}","Title {i}","Some words about the {i}th matter."\n'
                       for i in range(60))
        data = load({"news.csv": rows})
        assert data.n == 60
        assert [column.name for column in data.columns] == ["column_1", "column_2", "column_3"]
        assert [column.role for column in data.columns] == ["label", "text", "text"]
        issue(data, "NO_HEADER")

    @pytest.mark.parametrize(("text", "n"), [
        ("name,city\nann,rome\nbob,oslo\n", 2), ("1,2\n3,4\n5,7\n", 3),
        ("id,2019,2020\na,1,2\nb,3,4\n", 2), ("0,1,2\n5,6,7\n8,9,3\n", 2),
        ("pos,good\nneg,bad\npos,fine\n", 3),
        ("I really do like this film more than most others I saw\nIt was bad\n", 2)])
    def test_auto(self, load, text, n):
        assert load({"t.csv": text}).n == n

    def test_asked_for(self, load):
        assert load({"t.csv": "a,b\nc,d\n"}, header="no").n == 2
        assert load({"t.csv": "1,2\n3,4\n"}, header="yes").columns[0].name == "1"


def test_duplicate_and_empty_names(load):
    data = load({"t.csv": "a,a,a (2),\n1,2,3,4\n5,6,7,8\n"})
    assert [column.name for column in data.columns] == ["a", "a (3)", "a (2)", "column_4"]
    assert [column.original for column in data.columns] == ["a", "a", "a (2)", ""]
    assert data.values("a (3)") == ["2", "6"]
    assert issue(data, "DUPLICATE_COLUMNS").entries == ("a",)


class TestEncoding:
    def test_cp1252_is_guessed_and_said(self, load):
        data = load({"t.csv": "a,b\nx,1\ncafé “x”,2\n".encode("cp1252")})
        assert data.values("a") == ["x", "café “x”"]
        said = issue(data, "ENCODING_GUESSED")
        assert said.rows == (3,)
        assert "café" in said.message
        assert data.options["encoding"] == "cp1252"

    @pytest.mark.parametrize("encoding", ["utf-16", "utf-16-le", "utf-16-be", "utf-8-sig"])
    def test_unicode(self, load, encoding):
        data = load({"t.csv": "naïve,b\nx☃,1\ny,2\n".encode(encoding)})
        assert data.columns[0].name == "naïve"
        assert data.values("naïve") == ["x☃", "y"]

    def test_asked_for_and_wrong(self, load):
        with pytest.raises(InputError) as caught:
            load({"t.csv": "a,b\nx,1\né,2\n".encode("cp1252")}, encoding="utf-8")
        assert caught.value.code == "ENCODING"
        assert (caught.value.where.row, caught.value.where.byte) == (3, 8)

    @pytest.mark.parametrize("name", ["nonsense", "hex", "undefined"])
    def test_unknown(self, load, name):
        with pytest.raises(ParameterError) as caught:
            load({"t.csv": "a,b\nx,1\n"}, encoding=name)
        assert caught.value.code == "BAD_ENCODING"

    def test_a_character_split_between_blocks(self, load):
        half = "x" * ((1 << 19) - 4)
        text = f"a,b\n{half},1\n{half}é,2\n"
        assert text.encode()[(1 << 20) - 1:].startswith("é".encode())
        data = load({"t.csv": text.encode()}, header="yes")
        assert data.options["encoding"] == "utf-8"
        assert data.values("a")[1].endswith("xé")


def test_options_found_replay_to_the_same_data_set(load):
    text = "a;b\nx;é\ny;2\n".encode("cp1252")
    first = load({"t.csv": text})
    again = load({"other name.csv": text}, **first.options)
    assert again.id == first.id


def test_short_rows_are_padded_and_listed(load):
    data = load({"t.csv": 'a,b,c\n1,"x\ny",3\n4\n5,6\n7,8,9\n'})
    assert data.values("c") == ["3", "", "", "9"]
    assert issue(data, "SHORT_ROWS").rows == (4, 5)


def test_bad_rows_are_skipped_when_asked(load):
    data = load({"t.csv": "a,b\n1,2\n3,4,5\n6,7\n8,9,,\n"}, skip_bad_rows=True)
    assert data.values("a") == ["1", "6", "8"]
    assert issue(data, "ROWS_SKIPPED").rows == (3,)
    assert issue(data, "EXTRA_EMPTY_CELLS").rows == (5,)


def test_nul_is_replaced_and_counted(load):
    data = load({"t.csv": b"a,b\nx\0y,1\nz,\0\0\n"})
    assert data.values("a") == ["x\ufffdy", "z"]
    said = issue(data, "NUL_REPLACED")
    assert (said.count, said.rows) == (3, (2,))


def test_blank_lines_are_no_rows(load):
    data = load({"t.csv": "\na,b\n1,2\n\n3,4\n\n\n"})
    assert data.n == 2
    assert issue(data, "BLANK_LINES").rows == (1, 4)


def test_many_batches_keep_order_and_line_numbers(load):
    rows = [f"{i},t{i}" for i in range(20_000)]
    rows[12_345] = "12345"
    data = load({"t.csv": "n,t\n" + "\n".join(rows)})
    assert data.values("n") == [str(i) for i in range(20_000)]
    assert issue(data, "SHORT_ROWS").rows == (12_347,)
