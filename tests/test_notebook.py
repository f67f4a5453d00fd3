"""The few lines of Python that README shows."""

from __future__ import annotations

import importlib
import pkgutil
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest

import explorer
from explorer.errors import InputError, ParameterError


def test_the_main_path(tmp_path: Path) -> None:
    dataset = explorer.open_data("sample:wine")
    proposal = explorer.propose_recipe(dataset)
    assert len(proposal.reasons) == 3
    result = explorer.run_recipe(proposal.recipe, dataset)
    assert result.complete
    assert result.table().num_rows == dataset.n == 178
    assert result.clustering is not None
    (tmp_path / "recipe.yaml").write_text(proposal.recipe.to_yaml())
    recipe = explorer.read_recipe(tmp_path / "recipe.yaml")
    again = explorer.run_recipe(recipe, explorer.open_data("sample:wine"))
    assert again.clustering is not None
    np.testing.assert_array_equal(again.clustering.labels, result.clustering.labels)


def test_the_map_as_a_figure() -> None:
    dataset = explorer.open_data("sample:wine")
    result = explorer.run_recipe(explorer.propose_recipe(dataset).recipe, dataset)
    assert result.projection is not None
    dots = explorer.draw_map(result, "proline", names={0: "<b>"}).data[0]
    np.testing.assert_array_equal(np.column_stack([dots.x, dots.y]), result.projection.points)
    np.testing.assert_allclose(dots.marker.color, dataset.numbers("proline"), rtol=1e-6)
    title = explorer.draw_map(result, names={0: "<b>"}).layout.title.text
    assert "178 of 178 rows" in title
    with pytest.raises(ParameterError) as refused:
        explorer.draw_map(result, "no such column")
    assert refused.value.code == "COLOR_BY"


def test_files_options_and_a_home_of_their_own(tmp_path: Path, own_home: Path) -> None:
    table, vectors = tmp_path / "table.csv", tmp_path / "vectors.npy"
    table.write_text("1;2\n3;4\n5;6\n7;8\n")
    np.save(vectors, np.eye(4, 5, dtype=np.float32))
    dataset = explorer.open_data(table, home=tmp_path / "there", header="no", delimiter=";")
    assert dataset.n == 4
    assert dataset.entry.folder.is_relative_to(tmp_path / "there")
    recipe = explorer.propose_recipe(dataset).recipe
    result = explorer.run_recipe(recipe, dataset)
    assert result.store.root == tmp_path / "there"
    assert not own_home.exists(), "results belong where the data set is"
    both = explorer.open_data([table, str(vectors)], header="no")
    assert both.n == 4
    assert len(both.with_role("vector")) == 1


def test_refusals(tmp_path: Path) -> None:
    with pytest.raises(InputError) as refused:
        explorer.open_data(tmp_path / "gone.csv")
    assert refused.value.code == "NO_FILE"
    with pytest.raises(ParameterError) as wrong:
        explorer.open_data("sample:wine", headers="no")
    assert wrong.value.where.parameter == "headers"
    with pytest.raises(ParameterError) as wrong:
        explorer.open_data("sample:wine", header="maybe")
    assert wrong.value.where.parameter == "header"


def test_the_names_outlive_the_import_of_every_submodule() -> None:
    functions = {name: getattr(explorer, name) for name in explorer.__all__}
    for module in pkgutil.iter_modules(explorer.__path__):
        if module.name not in ("ui", "__main__"):
            importlib.import_module(f"explorer.{module.name}")
        assert module.name not in explorer.__all__
    for name, function in functions.items():
        assert getattr(explorer, name) is function
        assert callable(function)


def test_importing_the_package_is_light() -> None:
    script = "import sys, explorer; sys.exit(len(sys.modules) > 200 or 'numpy' in sys.modules)"
    assert subprocess.run([sys.executable, "-c", script], check=False).returncode == 0
