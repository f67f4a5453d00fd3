import io

import numpy as np
import pytest

from explorer.errors import InputError


def npy(array):
    out = io.BytesIO()
    np.save(out, array)
    return out.getvalue()


def npz(compressed=False, **arrays):
    out = io.BytesIO()
    (np.savez_compressed if compressed else np.savez)(out, **arrays)
    return out.getvalue()


@pytest.mark.parametrize("dtype", ["f2", "f4", "f8", "i1", "i2", "i4", "i8", "u1", "u2", "u4", "u8",
                                   "?", ">f4", ">i2"])
def test_every_number_type_is_kept(load, dtype):
    array = (np.arange(12).reshape(4, 3) % 5).astype(dtype)
    data = load({"v.npy": npy(array)})
    column = data.column("v")
    assert (column.role, column.place, column.dimensions, data.n) == ("vector", "matrix", 3, 4)
    assert data.matrix("v").dtype == np.dtype(dtype).newbyteorder("=")
    np.testing.assert_array_equal(data.matrix("v"), array)


def test_fortran_order(load):
    array = np.asfortranarray(np.arange(12.0).reshape(4, 3))
    np.testing.assert_array_equal(load({"v.npy": npy(array)}).matrix("v"), array)


def test_one_dimension_is_a_column(load):
    data = load({"labels.npy": npy(np.arange(40) % 4)})
    assert data.values("labels") == [i % 4 for i in range(40)]
    assert data.column("labels").role == "label"


def test_not_finite_rows_are_said(load):
    array = np.ones((5, 2), dtype=np.float32)
    array[3, 1], array[4, 0] = np.nan, np.inf
    line = next(line for line in load({"v.npy": npy(array)}).report if line.code == "NOT_FINITE")
    assert (line.count, line.rows) == (2, (4, 5))


@pytest.mark.parametrize("compressed", [False, True])
def test_npz(load, compressed):
    array = np.random.default_rng(0).normal(size=(50, 7)).astype(np.float32)
    data = load({"v.npz": npz(compressed, vectors=array)})
    np.testing.assert_array_equal(data.matrix("vectors"), array)


def test_npz_with_several_arrays(load):
    file = npz(a=np.ones((3, 2)), b=np.zeros((3, 4)), labels=np.arange(3))
    with pytest.raises(InputError) as caught:
        load({"v.npz": file})
    assert caught.value.code == "CHOOSE_ARRAY"
    assert "a (3, 2), b (3, 4), labels (3,)" in caught.value.message
    assert load({"v.npz": file}, array="b").column("b").dimensions == 4
    with pytest.raises(InputError) as caught:
        load({"v.npz": file}, array="c")
    assert caught.value.code == "NO_ARRAY"


def test_npz_with_one_pickled_member_stays_usable(load):
    file = npz(good=np.ones((3, 2)), bad=np.array([{}, {}, {}], dtype=object))
    data = load({"v.npz": file})
    assert data.column("good").dimensions == 2
    line = next(line for line in data.report if line.code == "ARRAYS_NOT_USABLE")
    assert line.entries == ("bad: PICKLED_ARRAY",)


class TestJoin:
    table = "id,text\na,one thing\nb,two things\nc,three things\n"

    def test_by_order(self, load):
        array = np.arange(6.0).reshape(3, 2)
        data = load({"v.npy": npy(array), "t.csv": self.table})
        assert [column.name for column in data.columns] == ["id", "text", "v"]
        np.testing.assert_array_equal(data.matrix("v"), array)
        assert data.row_ids == ["a", "b", "c"]

    def test_length_differs(self, load):
        with pytest.raises(InputError) as caught:
            load({"t.csv": self.table, "v.npy": npy(np.ones((4, 2)))})
        assert caught.value.code == "ROW_COUNT"
        assert caught.value.where.file == "v.npy"
        assert "3" in caught.value.message
        assert "4" in caught.value.message

    def test_several_matrices_keep_their_order(self, load):
        data = load({"t.csv": self.table, "p.npy": npy(np.zeros((3, 2))),
                     "q.npy": npy(np.ones((3, 5)))})
        assert data.matrix("p").shape == (3, 2)
        assert data.matrix("q").shape == (3, 5)

    def test_by_id_wide(self, load):
        names = ",".join(f"d{k}" for k in range(8))
        rows = {key: np.arange(8) * 0.5 + k for k, key in enumerate("cbax")}
        text = f"id,{names}\n" + "".join(f"{key},{','.join(map(str, row))}\n"
                                         for key, row in rows.items())
        data = load({"t.csv": self.table, "vectors.csv": text}, join="id")
        np.testing.assert_array_equal(data.matrix("vectors"), [rows["a"], rows["b"], rows["c"]])
        line = next(line for line in data.report if line.code == "EXTRA_IDS")
        assert line.count == 1

    def test_by_id_list(self, load):
        text = '{"id": "c", "v": [5, 6]}\n{"id": "a", "v": [1, 2]}\n{"id": "b", "v": [3, 4]}\n'
        data = load({"t.csv": self.table, "v.jsonl": text}, join="id")
        np.testing.assert_array_equal(data.matrix("v"), [[1, 2], [3, 4], [5, 6]])
        assert data.values("v") == [[1, 2], [3, 4], [5, 6]]

    def test_a_few_columns_stay_columns(self, load):
        data = load({"t.csv": self.table, "more.csv": "id,age\nb,2\na,1\nc,3\n"}, join="id")
        assert data.values("age") == ["1", "2", "3"]

    @pytest.mark.parametrize(("other", "code", "row"), [
        ("id,v\na,1\nb,2\n", "MISSING_IDS", 4), ("id,v\na,1\na,2\nb,3\nc,3\n", "DUPLICATE_IDS", 3),
        ("key,v\na,1\nb,2\nc,3\n", "NO_JOIN_COLUMN", None)])
    def test_ids_that_do_not_fit(self, load, other, code, row):
        with pytest.raises(InputError) as caught:
            load({"t.csv": self.table, "o.csv": other}, join="id")
        assert (caught.value.code, caught.value.where.row) == (code, row)

    def test_the_same_columns_twice(self, load):
        with pytest.raises(InputError) as caught:
            load({"t.csv": self.table, "u.csv": self.table})
        assert caught.value.code == "SAME_COLUMNS"

    @pytest.mark.parametrize(("other", "count", "rows", "joins"), [
        ("id,age\nb,1\na,2\nc,3\n", 2, (2, 3), ("id",)), ("id,age\na,1\nb,2\nd,3\n", 1, (4,), ()),
        ("id,age\na,1\na,2\na,3\n", 2, (3, 4), ()), ("id,age\na,1\nb,2\nc,3\n", 0, (), ())])
    def test_order_that_mixes_rows_is_said(self, load, other, count, rows, joins):
        data = load({"t.csv": self.table, "o.csv": other})
        said = [line for line in data.report if line.code == "ORDER_DIFFERS"]
        assert [(line.level, line.count, line.rows, line.entries) for line in said] == (
            [("warning", count, rows, joins)] if count else [])
        assert data.values("age") == ["1", "2", "3"]

    def test_ids_of_two_types_are_compared_as_text(self, load):
        rows = '{"id": 2, "v": [1, 2]}\n{"id": 1, "v": [3, 4]}\n'
        data = load({"t.csv": "id,text\n1,one thing\n2,two things\n", "v.jsonl": rows})
        said = next(line for line in data.report if line.code == "ORDER_DIFFERS")
        assert (said.count, said.entries) == (2, ("id",))
        assert "'1'" in said.message
