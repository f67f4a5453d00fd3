"""Writes the workspace file that today's code makes, for the day when the format is another:

python -m tests.workspace.make_golden

Run it whenever a step is added to explorer/schema.py; the files of older formats stay.
"""

import shutil
import sys
import tempfile
from pathlib import Path

from explorer.jobs import Jobs, Step
from explorer.schema import MIGRATIONS
from explorer.workspace import Workspaces
from explorer.workspace_file import FILE_NAME

GOLDEN = Path(__file__).parent / "golden"
NAME = "Wörter 👋 'quoted'; --"
DOCUMENT = {"dataset": "d" * 32, "roles": {"Größe": "number"}, "sweep": [2, 3], "recipe": None,
            "of a later version": {"kept": [1, 2.5, "\ud800", None, True]}}
LOG = [("rename", {"clustering": "c" * 32, "cluster": 0, "name": "Barolo"}),
       ("rename", {"clustering": "c" * 32, "cluster": -1, "name": "rest"})]


def main():
    with tempfile.TemporaryDirectory() as folder:
        home = Path(folder)
        workspaces = Workspaces(home)
        identifier = workspaces.create(NAME)
        workspaces.save(identifier, {}, 0)
        workspaces.save(identifier, DOCUMENT, 1)
        for operation, payload in (*LOG, ("rename", {"taken": "back"})):
            workspaces.log(identifier, operation, payload)
        workspaces.undo(identifier)
        jobs = Jobs(home)
        jobs.submit([Step("k" * 32, "test", "A step", "x:y", {"a": 1})], identifier)
        for owner in (workspaces, jobs):
            owner._database.close()  # the last one folds the log into the file
        GOLDEN.mkdir(exist_ok=True)
        target = GOLDEN / f"format-{len(MIGRATIONS)}.sqlite3"
        shutil.copy(home / FILE_NAME, target)
        sys.stdout.write(f"{target.name}: {target.stat().st_size:,} bytes, {identifier}\n")


if __name__ == "__main__":
    main()
