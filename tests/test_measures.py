"""What results say of each row: in one list, offered everywhere alike."""

import numpy as np
import pytest

from explorer import steps
from explorer.cluster import clusterers
from explorer.colorings import colorings
from explorer.encode import encoders
from explorer.exports import export_step, make_export, meanings_of
from explorer.filters import Condition, Filter
from explorer.measures import in_a_sentence, measures
from explorer.plot.palette import CategoryColors, NumberColors
from explorer.project import projectors
from explorer.recipe import Call, Recipe
from explorer.run import Run, run
from explorer.study.near_duplicates import NearDuplicates
from explorer.study.outliers import Outliers
from explorer.study.step import study_step
from explorer.ui.filter_state import passed
from explorer.ui.row_order import order_rows, orders_of
from explorer.ui.row_values import subjects
from explorer.ui.rows_of_map import RowsOfMap
from explorer.ui.rows_view import table_of
from tests.builders import build_dataset

LOF, GROUP, EXTRA = ("study:outliers:lof", "study:near_duplicates:group",
                     "study:near_duplicates:extra")


@pytest.fixture(scope="module")
def asked(shared_store, blobs):
    """The blobs with a copied row, a row without a vector and two studies asked for, not run."""
    vectors = np.vstack([blobs, blobs[:1], blobs[-1:]])
    columns = {f"n{at}": column.tolist() for at, column in enumerate(vectors.T)}
    columns["n0"][7] = None
    data = build_dataset(shared_store, columns)
    recipe = Recipe.of(encoders().create("features", {"missing": "drop rows"}),
                       projectors().create("pca"), clusterers().create("kmeans", {"clusters": 3}))
    made = run(recipe, data, shared_store)
    studies = (Call.of(Outliers.create(neighbors=5)), Call.of(NearDuplicates.create()))
    return Run(made.plan.__class__(**{**vars(made.plan), "recipe": recipe.using(studies=studies)}),
               shared_store)


@pytest.fixture(scope="module")
def studied(asked):
    before = set(measures(asked)), export_step(asked, asked.rows, {}, "csv").key
    for study in asked.recipe.studying:
        steps.execute(study_step(asked.plan, study).payload, str(asked.store.root),
                      lambda part, text: None)
    assert before[0] == {"silhouette", "second"}  # nothing of what is not computed
    assert before[1] != export_step(asked, asked.rows, {}, "csv").key  # an export follows
    return asked


def test_every_array_of_a_finding_is_a_measure(studied):
    found = measures(studied)
    assert list(found)[:2] == ["silhouette", "second"]
    for made in studied.findings:
        keys = [f"study:{made.study.key}:{name}" for name in made.study.rows_say]
        assert [key for key in found if key.startswith(f"study:{made.study.key}:")] == keys
        assert all(made.key in found[key].made_of for key in keys)
    assert set(colorings(studied, {})) >= set(found)
    assert set(subjects(studied)) >= set(found)
    orders = orders_of(studied, studied.rows)
    assert set(orders) >= set(found) | {f"{key}:down" for key in found}


def test_kinds_have_their_colours(studied):
    every = colorings(studied, {0: "mine"})
    lof, group, extra = (every[key].make() for key in (LOF, GROUP, EXTRA))
    assert isinstance(lof, NumberColors)
    assert lof.title == "local outlier factor (LOF)"
    assert isinstance(group, CategoryColors)
    assert group.name(0) == "Group 0"  # not the name of cluster 0
    assert group.name(-1) == "Noise or none"
    assert every["second"].make().name(0) == "mine"
    assert isinstance(extra, CategoryColors)
    assert [extra.name(code) for code in (0, 1)] == ["no", "yes"]
    contents = {every[key].content for key in every}
    assert len(contents) == len(every)


def test_orders_and_filters_see_the_same_values(studied):
    values = np.asarray(studied.findings[0].finding.per_row["lof"])
    found = order_rows(studied, np.arange(62), f"{LOF}:down", orders_of(studied, studied.rows)[
        f"{LOF}:down"])
    assert found.rows[0] == studied.rows[values.argmax()]
    assert found.rows[-1] == 7  # without a vector: last
    wanted = Filter(conditions=(Condition(subject=EXTRA, test="is", numbers=(1.0,)),))
    rows = passed(studied, wanted)
    extra = np.asarray(studied.findings[1].finding.per_row["extra"])
    assert np.flatnonzero(rows.rows).tolist() == studied.rows[extra == 1].tolist()
    assert np.count_nonzero(rows.rows) == 2
    assert rows.empty[EXTRA] == 1


def test_exports_have_titled_columns_and_empty_cells(studied):
    table = make_export(studied, np.arange(62), {}).extra
    assert "outliers_lof" in table.column_names
    assert table.column("outliers_lof")[7].as_py() is None
    groups = table.column("near_duplicates_group").to_pylist()
    assert groups[0] == groups[60] == 0
    assert groups[59] == groups[61] == 1
    assert groups[1] is None  # in no group
    assert table.column("near_duplicates_extra")[60].as_py() is not None
    told = meanings_of(studied)
    assert "Outliers (neighbors 5)" in told["outliers_lof"]
    assert set(told) >= {name for name in table.column_names if "outliers" in name}
    manifest = make_export(studied, np.arange(62), {}).manifest
    assert [made["study"] for made in manifest["studies"]] == ["outliers", "near_duplicates"]
    assert "local outlier factor (LOF)" in table_of(studied, np.arange(5), {}).column_names


def test_a_card_says_them(studied):
    facts = dict(RowsOfMap(studied, {}).card(0).facts)
    assert facts["near-duplicate group"] == "Group 0"
    assert facts["near-duplicates, itself counted"] == "2"
    assert float(facts["local outlier factor (LOF)"]) > 0
    assert dict(RowsOfMap(studied, {}).card(1).facts)["near-duplicate group"] == "none"


def test_titles_in_sentences():
    assert in_a_sentence("Text length") == "text length"
    assert in_a_sentence("LOF") == "LOF"
