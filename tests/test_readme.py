"""README.md stays true: its commands, its notebook lines, its table, its picture."""

import re
import subprocess
import sys
from pathlib import Path

from explorer.cluster import clusterers
from explorer.encode import encoders
from explorer.judge import judges
from explorer.project import projectors
from explorer.study import studies

ROOT = Path(__file__).parents[1]
README = (ROOT / "README.md").read_text(encoding="utf-8")
INSTALL = "python3 -m venv .venv && .venv/bin/pip install -e"


def block(mark: str) -> str:
    """The code block after an HTML comment."""
    found = re.search(rf"<!-- {mark} -->\n```\w+\n(.*?)```", README, re.DOTALL)
    assert found, f"README.md has no block after <!-- {mark} -->"
    return found.group(1).strip()


def test_run_command_installs_and_opens_the_app():
    assert block("run command") == f"{INSTALL} . && .venv/bin/streamlit run app.py"


def test_test_command_is_what_ci_runs():
    command = block("test command")
    assert command == f"{INSTALL} '.[test]' && .venv/bin/python -m pytest -n 2 --dist loadgroup"
    script = (ROOT / ".ci" / "run").read_text()
    found = re.search(r"command=\$\((awk '.*?' README\.md)\)", script)
    assert found
    taken = subprocess.run(["bash", "-c", found.group(1)], cwd=ROOT, capture_output=True, text=True,
                           check=True).stdout.strip()
    assert taken == command


def test_notebook_lines_run(tmp_path, monkeypatch):
    monkeypatch.setenv("EXPLORER_HOME", str(tmp_path))
    lines = block("notebook")
    program = f"{lines}\nprint(len(result.clustering.labels), result.projection.points.shape)"
    done = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True,
                          cwd=tmp_path, check=False)
    assert done.returncode == 0, done.stderr
    assert done.stdout.split() == ["1797", "(1797,", "2)"]


def test_every_explorer_command_exists():
    from explorer.cli import build_parser

    commands = re.findall(r"^explorer (\w+)", README, re.MULTILINE)
    assert {"propose", "run", "encode", "project", "cluster", "judge", "study"} <= set(commands)
    known = build_parser().format_help()
    for command in commands:
        assert re.search(rf"\b{command}\b", known), command


def methods_table() -> str:
    """The table as the declarations make it."""
    lines = ["| step | method | what it does |", "|---|---|---|"]
    for step, registry in (("encode", encoders()), ("project", projectors()),
                           ("cluster", clusterers()), ("judge", judges()),
                           ("study", studies())):
        for method in registry:
            words = " ".join(method.describe().split())
            lines.append(f"| {step} | {method.title} | {words} |")
    return "\n".join(lines)


def test_methods_table_is_made_from_the_declarations():
    found = re.search(r"<!-- methods -->\n(.*?)\n\n", README, re.DOTALL)
    assert found
    assert found.group(1) == methods_table(), "README's methods table must be:\n" + methods_table()


def test_picture_is_there_and_real():
    from PIL import Image

    path = re.search(r"!\[.*?\]\((.*?)\)", README).group(1)
    with Image.open(ROOT / path) as picture:
        assert picture.width >= 1000


def test_every_setting_is_read_somewhere():
    names = re.findall(r"^\| `(EXPLORER_\w+)`", README, re.MULTILINE)
    source = "\n".join(path.read_text() for path in (ROOT / "explorer").rglob("*.py"))
    assert names
    for name in names:
        assert name in source, name
