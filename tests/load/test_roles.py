import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
import pytest


def table(**columns):
    names = list(columns)
    rows = zip(*columns.values(), strict=True)
    return "\n".join([",".join(names), *(",".join(map(str, row)) for row in rows)]) + "\n"


def roles(dataset):
    return {column.name: column.role for column in dataset.columns}


def said(dataset, code):
    return [line for line in dataset.report if line.code == code]


WORDS = ["the cat sat on the mat", "it rained all day", "we went to the sea", "bread and butter"]


def test_an_ordinary_table(load):
    n = 40
    data = load({"t.csv": table(
        id=[f"A{i:03d}" for i in range(n)], weight=[i * 1.5 for i in range(n)],
        city=["rome", "oslo", "bonn", "lima"] * 10,
        note=[f"{WORDS[i % 4]} {i}" for i in range(n)], species=["cat", "dog"] * 20,
        born=[f"2020-01-{1 + i % 28:02d}" for i in range(n)], same=["x"] * n, empty=[""] * n)})
    assert roles(data) == {"id": "id", "weight": "number", "city": "category", "note": "text",
                           "species": "label", "born": "ignore", "same": "ignore",
                           "empty": "ignore"}
    assert all(column.why for column in data.columns)
    assert said(data, "CONSTANT_COLUMNS")[0].entries == ("same",)
    assert said(data, "EMPTY_COLUMNS")[0].entries == ("empty",)


@pytest.mark.parametrize("cells", [
    ["007", "012", "100"], ["1e5", "2e7", "3e9"], ["1_000", "2_000", "3_000"],
    ["9007199254740993", "9007199254740995", "1"], ["+4917012345", "+4917012346", "+4917012347"],
    ["123456789012345678901", "2", "3"]])
def test_codes_are_no_numbers(load, cells):
    data = load({"t.csv": table(word=["one thing", "two things", "more of it"], code=cells)})
    assert roles(data)["code"] != "number"
    assert data.values("code") == cells
    assert said(data, "KEPT_AS_TEXT")[0].rows[0] == 2


@pytest.mark.parametrize("cells", [
    ["1", "2.5", "-3"], ["1.5e-05", "2", "3.25e+10"], [".5", "5.", "0.25"], ["0", "0.0", "-0.5"]])
def test_numbers(load, cells):
    data = load({"t.csv": table(word=["one thing", "two things", "more of it"], x1=cells)})
    assert roles(data)["x1"] == "number"
    np.testing.assert_array_equal(data.numbers("x1"), list(map(float, cells)))


def test_phone_and_zip_by_name(load):
    data = load({"t.csv": table(phone=[5551200 + i for i in range(30)],
                                zip=[10115 + i % 3 for i in range(30)],
                                amount=[i * 7 + 1 for i in range(30)])})
    assert roles(data)["phone"] == "id"
    assert roles(data)["zip"] != "number"
    assert roles(data)["amount"] == "number"


def test_words_among_numbers_are_listed_by_line(load):
    cells = [str(i / 2) for i in range(100)]
    cells[70], cells[20] = "oops", "NA"
    data = load({"t.csv": table(a=cells, b=[f"t{i}" for i in range(100)])})
    assert roles(data)["a"] == "number"
    assert said(data, "NOT_NUMBERS")[0].rows == (72,)
    assert said(data, "MISSING_MARKS")[0].rows == (22,)
    assert data.values("a")[70] == "oops"
    assert np.flatnonzero(np.isnan(data.numbers("a"))).tolist() == [20, 70]


def test_too_many_words_make_no_number_column(load):
    cells = [str(i) if i % 8 else "none of it" for i in range(80)]
    assert roles(load({"t.csv": table(a=cells, b=cells[::-1])}))["a"] != "number"


def test_infinity_is_counted_with_its_first_line(load):
    cells = [str(i + 0.5) for i in range(30)]
    cells[3], cells[9], cells[11], cells[20] = "inf", "-Infinity", "1e400", "nan"
    data = load({"t.csv": table(a=cells, b=[f"w{i}" for i in range(30)])})
    assert roles(data)["a"] == "number"
    line = said(data, "NOT_FINITE")[0]
    assert (line.count, line.rows) == (4, (5, 11, 13, 22))


def test_missing_is_counted(load):
    data = load({"t.csv": "a,b\n1,x y\n,z w\n  ,v u\n4,\n"})
    assert data.column("a").missing == 2
    assert (data.column("b").role, data.column("b").missing) == ("text", 1)
    assert said(data, "EMPTY_TEXTS")[0].rows == (5,)


def test_only_one_label(load):
    data = load({"t.csv": table(x1=[i / 3 for i in range(30)], label=["a", "b", "c"] * 10,
                                target=["p", "q", "r"] * 10, topic=["k", "l", "m"] * 10)})
    assert roles(data) == {"x1": "number", "label": "label", "target": "category",
                           "topic": "category"}


def test_a_regression_target_is_no_label(load):
    data = load({"t.csv": table(x1=[i / 3 for i in range(30)],
                                target=[i * 1.25 for i in range(30)])})
    assert roles(data) == {"x1": "number", "target": "number"}


def test_rooms_are_numbers_beside_other_numbers(load):
    n = 60
    data = load({"t.csv": table(price=[i * 10.5 for i in range(n)], rooms=[1 + i % 5
                                                                          for i in range(n)],
                                size=[i / 3 for i in range(n)])})
    assert roles(data)["rooms"] == "number"


@pytest.mark.parametrize("names", [("x", "y"), ("umap_x", "umap_y"), ("tsne_1", "tsne_2"),
                                   ("PC1", "PC2"), ("x", "y", "z")])
def test_coordinates_come_together(load, names):
    columns = {name: [(i * 7 % 31) / 3 + k for i in range(31)] for k, name in enumerate(names)}
    data = load({"t.csv": table(word=[f"a b {i}" for i in range(31)], **columns)})
    assert [column.name for column in data.with_role("coordinate")] == list(names)


def test_many_components_are_features(load):
    columns = {f"pca_{k}": [(i * (k + 2) % 31) / 3 for i in range(31)] for k in range(1, 6)}
    assert not load({"t.csv": table(**columns)}).with_role("coordinate")
    alone = load({"t.csv": table(x=columns["pca_1"], height=columns["pca_2"])})
    assert not alone.with_role("coordinate")


def test_a_class_called_y_beside_x(load):
    data = load({"t.csv": table(x=[i / 3 for i in range(40)], y=[i % 2 for i in range(40)])})
    assert roles(data) == {"x": "number", "y": "label"}


def test_no_features_is_said(load):
    data = load({"t.csv": table(id=["a1", "a2", "a3"], day=["2020-01-01"] * 2 + ["2020-01-02"])})
    assert said(data, "NO_FEATURES")


def test_typed_columns(load, tmp_path):
    n = 40
    rows = pa.table({
        "row_id": pa.array(range(n)), "amount": pa.array([i / 7 for i in range(n)], pa.float32()),
        "big": pa.array([2**53 + 1 + i for i in range(n)]), "flag": [True, False] * (n // 2),
        "word": pa.array(["a", "b"] * (n // 2)).dictionary_encode(),
        "odd": [{"a": 1}] * n, "when": pa.array([0] * n, pa.timestamp("ns")),
        "price": pa.array([i / 4 for i in range(n)]).cast(pa.decimal128(10, 2)),
        "hole": pa.array([1.0, None, float("inf")] + [2.5] * (n - 3))})
    pq.write_table(rows, tmp_path / "t.parquet")
    data = load({"t.parquet": (tmp_path / "t.parquet").read_bytes()})
    assert roles(data) == {"row_id": "id", "amount": "number", "big": "id", "flag": "category",
                           "word": "category", "odd": "ignore", "when": "ignore",
                           "price": "number", "hole": "number"}
    assert data.column("hole").missing == 1
    assert said(data, "NOT_FINITE")[0].rows == (3,)
    assert data.table.schema.field("amount").type == pa.float32()
    assert data.values("big") == [2**53 + 1 + i for i in range(n)]
