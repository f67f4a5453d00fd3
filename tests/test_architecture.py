"""Who may know whom, what may not be called, how long a file may be; each check on a bad source."""

from __future__ import annotations

import ast
import re
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parent.parent
BASE = {"errors", "parameters", "spec", "values", "flight", "spread", "dataset", "store", "escape",
        "disk", "seal", "temporary", "clean_logs", "row_sets", "filters", "model"}
ENGINE = {"database", "schema", "workspace_file", "workspace", "backups", "restore", "heartbeat",
          "jobs", "engine"}
ROOMS = {"load", "encode", "neighbors", "self_organize", "train", "project", "cluster", "edit",
         "judge", "plot", "export"}
CHAIN = {"recipe", "changes", "keys", "plan", "work", "grow", "sweep", "sweep_step", "judging",
         "describe", "steps", "single", "run",
         "propose", "imports", "uploads", "exports", "colorings", "map_files",
         "queries", "search_rows", "study", "known_groups", "agreement", "leaderboard", "measures",
         "comparison", "shared_neighbors"}
KEEPERS = {"tidy"}
"""What knows both the work of people and what it was computed from."""
COMMANDS = {"cli", "benchmark", "__init__", "__main__"}
PAGES = {"ui"}
HEAVY = {"torch", "sklearn", "umap", "openTSNE", "pynndescent", "scipy", "pandas", "plotly", "PIL",
         "sentence_transformers", "transformers", "distributed", "dask", "numba", "openpyxl",
         "hdbscan", "minisom", "matplotlib", "kornia", "safetensors"}
FORBIDDEN_MODULES = {"pickle", "cPickle", "dill", "joblib", "shelve", "marshal", "torchvision",
                     "tarfile"}
BARE = {("numpy", "load"), ("torch", "load"), ("streamlit", "cache_data"), ("os", "system"),
        ("yaml", "load"), ("builtins", "eval"), ("builtins", "exec")}
"""What the checks on calls would not see under another name."""
NUMPY_LOADER = "explorer.store"
"""The one module that opens arrays by np.load: they are ours, and sealed."""
LONGEST, LONGEST_PAGE = 300, 80


def allowed(part: str) -> set[str]:
    """The parts of the package that this part may import."""
    if part in BASE:
        return BASE
    if part in ENGINE:
        return BASE | ENGINE
    if part in ROOMS:
        return BASE | {part, "neighbors", "self_organize", "train"}
    if part in CHAIN:
        return BASE | ROOMS | CHAIN | {"jobs"}
    if part in KEEPERS:
        return BASE | ROOMS | CHAIN | KEEPERS | {"jobs", "workspace"}
    if part in COMMANDS:
        return BASE | ROOMS | CHAIN | KEEPERS | COMMANDS | {"jobs", "backups", "restore"}
    return BASE | ENGINE | ROOMS | CHAIN | KEEPERS | PAGES


def part_of(module: str) -> str:
    """explorer.cli_flags -> cli, explorer.encode.tfidf -> encode, explorer.run -> run."""
    words = module.split(".")
    if words[0] != "explorer":
        return words[0]
    name = words[1] if len(words) > 1 else "__init__"
    return re.sub(r"^(engine|cli|benchmark)_.*", r"\1", name)


def imported(node: ast.AST) -> Iterator[str]:
    if isinstance(node, ast.Import):
        yield from (alias.name for alias in node.names)
    elif isinstance(node, ast.ImportFrom) and node.level == 0 and node.module:
        if node.module == "explorer":
            yield from (f"explorer.{alias.name}" for alias in node.names)
        else:
            yield node.module


def wrong_neighbors(source: str, module: str) -> list[str]:
    """Imports of parts this module may not know; relative imports."""
    part = part_of(module)
    found = []
    for node in ast.walk(ast.parse(source)):
        if isinstance(node, ast.ImportFrom) and node.level:
            found.append(f"{module}: relative import")
        for name in imported(node):
            if name.split(".")[0] == "explorer" and part_of(name) not in allowed(part):
                found.append(f"{module} imports {name}")
    return found


def unknown_part(source: str, module: str) -> list[str]:
    """Every part of the package has its place in the house."""
    known = BASE | ENGINE | ROOMS | CHAIN | KEEPERS | COMMANDS | PAGES | {"app", "pages"}
    part = part_of(module)
    return [] if part in known else [f"{module}: {part} has no place in the house"]


def streamlit_outside(source: str, module: str) -> list[str]:
    """Streamlit is known in ui, pages and app only."""
    if part_of(module) in ("app", "pages", "ui"):
        return []
    return [f"{module} imports {name}" for node in ast.walk(ast.parse(source))
            for name in imported(node) if name.split(".")[0] == "streamlit"]


def dask_outside(source: str, module: str) -> list[str]:
    """Dask is known in engine*.py only."""
    if part_of(module) == "engine":
        return []
    return [f"{module} imports {name}" for node in ast.walk(ast.parse(source))
            for name in imported(node) if name.split(".")[0] in ("dask", "distributed")]


def heavy_at_top(source: str, module: str) -> list[str]:
    """Slow imports belong inside the function that needs them."""
    return [f"{module} imports {name} at the top"
            for node in at_import_time(ast.parse(source).body) for name in imported(node)
            if name.split(".")[0] in HEAVY]


def at_import_time(body: list[ast.stmt]) -> Iterator[ast.AST]:
    """The nodes that run when the module is imported."""
    for node in body:
        if isinstance(node, (ast.FunctionDef, ast.AsyncFunctionDef)):
            continue
        if isinstance(node, ast.If) and "TYPE_CHECKING" in ast.unparse(node.test):
            yield from at_import_time(node.orelse)
            continue
        yield node
        for field in ("body", "orelse", "finalbody"):
            yield from at_import_time(getattr(node, field, []))
        for handler in getattr(node, "handlers", []):
            yield from at_import_time(handler.body)


def forbidden_calls(source: str, module: str) -> list[str]:
    """What runs foreign code, trusts foreign data, or was measured to be wrong."""
    tree = ast.parse(source)
    modules = {name.split(".")[0] for node in ast.walk(tree) for name in imported(node)}
    found = [f"imports {name}" for name in modules & FORBIDDEN_MODULES]
    for node in ast.walk(tree):
        if isinstance(node, ast.Attribute) and node.attr == "cache_data":
            found.append("st.cache_data")
        if isinstance(node, ast.ImportFrom):
            found += [f"{node.module}.{alias.name} by its bare name" for alias in node.names
                      if (node.module, alias.name) in BARE]
        if isinstance(node, ast.Call):
            found += forbidden_call(node, modules)
            if ast.unparse(node.func) in ("np.load", "numpy.load") and module != NUMPY_LOADER:
                found.append(f"np.load outside {NUMPY_LOADER}")
    return [f"{module}: {what}" for what in found]


def forbidden_call(node: ast.Call, modules: set[str]) -> list[str]:
    called = ast.unparse(node.func)
    last = called.rsplit(".", 1)[-1]
    options = {keyword.arg: ast.unparse(keyword.value) for keyword in node.keywords}
    found = []
    if called in ("eval", "exec", "compile", "__import__", "torch.load", "os.system", "os.popen",
                  "os.fork", "yaml.unsafe_load", "yaml.full_load", "tempfile.mktemp"):
        found.append(called)
    if last in ("extractall", "unpack_archive"):
        found.append(called)
    if called.endswith(("np.load", "numpy.load")) and options.get("allow_pickle") != "False":
        found.append("np.load without allow_pickle=False")
    if "unsafe_allow_html" in options or "unsafe_allow_javascript" in options:
        found.append("unsafe_allow_html")
    if called == "yaml.load" and options.get("Loader", "yaml.Loader").startswith("yaml."):
        found.append("yaml.load without a loader of ours")  # which refuses tags, as SafeLoader does
    if options.get("allow_pickle") == "True":
        found.append(f"{called} with pickles")
    if last in ("query", "eval") and "pandas" in modules:
        found.append("DataFrame.query")
    if last in ("read_pickle", "to_pickle"):
        found.append(called)
    if options.get("shell") == "True" or options.get("trust_remote_code") == "True":
        found.append(f"{called} with {options}")
    return found


def left_open(source: str, module: str) -> list[str]:
    """Marks of unfinished work."""
    pattern = r"\b(?:TODO|FIXME|XXX|HACK)\b|raise NotImplementedError|not implemented"
    marks = re.findall(pattern, source)
    return [f"{module}: {mark}" for mark in marks]


def too_long(source: str, module: str) -> list[str]:
    """If a file must be longer to be clearer, split the idea."""
    longest = LONGEST_PAGE if module.startswith("pages") else LONGEST
    lines = source.count("\n")
    return [f"{module} has {lines} lines, at most {longest}"] if lines > longest else []


CHECKS: tuple[Callable[[str, str], list[str]], ...] = (
    wrong_neighbors, unknown_part, streamlit_outside, dask_outside, heavy_at_top, forbidden_calls,
    left_open, too_long)


def sources() -> list[Path]:
    files = [*ROOT.glob("app.py"), *ROOT.glob("explorer/**/*.py"), *ROOT.glob("pages/**/*.py")]
    return sorted(files)


@pytest.mark.parametrize("check", CHECKS, ids=lambda check: check.__name__)
def test_the_house_holds(check: Callable[[str, str], list[str]]) -> None:
    found = []
    for path in sources():
        module = path.relative_to(ROOT).with_suffix("").as_posix().replace("/", ".")
        found += check(path.read_text(encoding="utf-8"), module.removesuffix(".__init__"))
    assert not found, "\n".join(found)


def test_there_is_something_to_check() -> None:
    assert len(sources()) > 30


def test_pages_lie_one_level_down() -> None:
    # A file directly in pages/ breaks the first deep link after a restart.
    assert not list(ROOT.glob("pages/*.py"))


@pytest.mark.parametrize(("check", "module", "source"), [
    (wrong_neighbors, "explorer.encode.bad", "from explorer.cluster import clusterers"),
    (wrong_neighbors, "explorer.encode.bad", "from explorer import run"),
    (wrong_neighbors, "explorer.store", "def f():\n    import explorer.values as v\n"
                                        "    from explorer.plan import Plan"),
    (wrong_neighbors, "explorer.cluster.bad", "from .kmeans import KMeans"),
    (wrong_neighbors, "explorer.jobs", "from explorer.encode import encoders"),
    (wrong_neighbors, "explorer.run", "from explorer.ui import form"),
    (wrong_neighbors, "explorer.ui.form", "from explorer.cli_flags import FAMILIES"),
    (unknown_part, "explorer.utils", ""),
    (streamlit_outside, "explorer.run", "def f():\n    import streamlit as st"),
    (dask_outside, "explorer.jobs", "from distributed import Client"),
    (heavy_at_top, "explorer.project.bad", "try:\n    import umap\nexcept A:\n    b = 0"),
    (heavy_at_top, "explorer.project.bad", "class A:\n    from sklearn.cluster import KMeans"),
    (heavy_at_top, "explorer.project.bad", "with open('x'):\n    import pandas as pd"),
    (forbidden_calls, "explorer.a", "import pickle"),
    (forbidden_calls, "explorer.a", "def f():\n    from joblib import load"),
    (forbidden_calls, "explorer.a", "eval('1')"),
    (forbidden_calls, "explorer.a", "archive.extractall(folder)"),
    (forbidden_calls, "explorer.a", "torch.load(path)"),
    (forbidden_calls, "explorer.a", "np.load(path, allow_pickle=True)"),
    (forbidden_calls, "explorer.store", "np.load(path)"),
    (forbidden_calls, "explorer.a", "np.load(path, allow_pickle=False)"),
    (forbidden_calls, "explorer.a", "from numpy import load"),
    (forbidden_calls, "explorer.a", "np.lib.format.read_array(file, allow_pickle=True)"),
    (forbidden_calls, "explorer.a", "yaml.load(text)"),
    (forbidden_calls, "explorer.a", "shutil.unpack_archive(path)"),
    (forbidden_calls, "explorer.a", "import pandas as pd\npd.read_pickle(path)"),
    (forbidden_calls, "explorer.a", "import pandas as pd\nframe.eval(text)"),
    (forbidden_calls, "pages.a", "from streamlit import cache_data"),
    (forbidden_calls, "pages.a", "st.markdown(x, unsafe_allow_html=True)"),
    (forbidden_calls, "pages.a", "@st.cache_data\ndef f(): pass"),
    (forbidden_calls, "explorer.a", "import pandas as pd\nframe.query(text)"),
    (forbidden_calls, "explorer.a", "subprocess.run(text, shell=True)"),
    (left_open, "explorer.a", "x = 1  # TODO more"),
    (left_open, "explorer.a", "raise NotImplementedError"),
    (too_long, "explorer.a", "x = 1\n" * 301),
    (too_long, "pages.data.a", "x = 1\n" * 81),
])
def test_each_check_can_fail(check: Callable[[str, str], list[str]], module: str,
                             source: str) -> None:
    assert check(source, module)


@pytest.mark.parametrize(("check", "module", "source"), [
    (wrong_neighbors, "explorer.project.umap", "from explorer.neighbors.nearest import Nearest"),
    (heavy_at_top, "explorer.a", "from typing import TYPE_CHECKING\nif TYPE_CHECKING:\n"
                                 "    import pandas\ndef f():\n    import pandas"),
    (forbidden_calls, "explorer.store", "np.load(path, allow_pickle=False)"),
    (forbidden_calls, "explorer.a", "index.query(vectors)"),
    (dask_outside, "explorer.engine_cluster", "import distributed"),
])
def test_and_lets_pass_what_is_right(check: Callable[[str, str], list[str]], module: str,
                                     source: str) -> None:
    assert not check(source, module)
