"""Every way something is saved: what is there before, the act, and how one sees afterwards whether
the old state is there or the new one. Anything else raises."""

import os
import shutil
from pathlib import Path

import numpy as np

from explorer import backups, restore
from explorer.errors import StoreError
from explorer.store import Store
from explorer.uploads import keep_upload
from explorer.workspace import Workspaces
from explorer.workspace_file import FILE_NAME
from tests.workspace.make_golden import DOCUMENT, GOLDEN

OLD, NEW = "old", "new"
A, B = "a" * 32, "b" * 32
ARRAYS = {"x": np.arange(3000.0), "labels": np.arange(7)}


class Put:
    """A result, beside one that was there."""

    def prepare(self, home):
        Store(home).put(A, ARRAYS, {"n": 1})

    def act(self, home):
        Store(home).put(B, ARRAYS, {"n": 2})

    def check(self, home):
        store = Store(home)
        assert store.get(A).meta == {"n": 1}
        np.testing.assert_array_equal(store.get(A).array("x"), ARRAYS["x"])
        found = store.find(B)
        if found is None:
            return OLD
        for name, array in ARRAYS.items():
            np.testing.assert_array_equal(found.array(name), array)
        assert found.meta == {"n": 2}
        return NEW


class PutOverDamage(Put):
    """A result whose place holds a damaged one."""

    def prepare(self, home):
        super().prepare(home)
        path = Store(home).put(B, ARRAYS, {"n": 2}).path("x.npy")
        data = bytearray(path.read_bytes())
        data[-1] ^= 1
        path.write_bytes(data)


class Adopt(Put):
    """A result made file by file, in folders."""

    def act(self, home):
        store = Store(home)
        folder = store.new_folder()
        try:
            self.write(folder)
            store.adopt(B, folder, {"n": 2})
        finally:
            shutil.rmtree(folder, ignore_errors=True)


    def write(self, folder):
        """Somebody else's code, whose errors are its own."""
        try:
            for name, array in ARRAYS.items():
                np.save(folder / f"{name}.npy", array)
            (folder / "inner").mkdir()
            (folder / "inner" / "text").write_text("x" * 100)
        except OSError as error:
            raise StoreError("NOT_OURS", str(error)) from error


class Upload:
    """An uploaded file."""

    content = os.urandom(50_000)

    def prepare(self, home):
        home.mkdir(mode=0o700)
        self.first = keep_upload("a.csv", b"a,b\n1,2\n", home)

    def act(self, home):
        keep_upload("b.csv", self.content, home)

    def check(self, home):
        import hashlib

        assert (home / "uploads" / self.first.sha256).read_bytes() == b"a,b\n1,2\n"
        path = home / "uploads" / hashlib.sha256(self.content).hexdigest()
        if not path.exists():
            return OLD
        assert path.read_bytes() == self.content
        return NEW


class Shelf:
    """A workspace with a document and a log; one more thing is done to it."""

    def prepare(self, home):
        shelf = Workspaces(home)
        self.id = shelf.create("one")
        shelf.save(self.id, {"v": 1, "text": "x" * 20_000}, 0)
        for name in "abc":
            shelf.log(self.id, "rename", {"to": name})
        shelf._database.close()

    def state(self, home):
        shelf = Workspaces(home)
        shelf.verify()
        found = shelf.open(self.id)
        with shelf._database.reading() as connection:
            last, used = connection.execute(
                "SELECT last_seq, (SELECT max(seq) FROM operations WHERE workspace = id)"
                " FROM workspaces WHERE id = ?", (self.id,)).fetchone()
        assert last >= used, "the next operation would take a number that is taken"
        names = "".join(step.payload["to"] for step in shelf.operations(self.id))
        return shelf, (found.document["v"], found.version, names, len(shelf.all()))

    def check(self, home):
        state = self.state(home)[1]
        assert state in (self.old, self.new), state
        return OLD if state == self.old else NEW


class Create(Shelf):
    old, new = (1, 1, "abc", 1), (1, 1, "abc", 2)

    def act(self, home):
        Workspaces(home).create("two")


class Save(Shelf):
    old, new = (1, 1, "abc", 1), (2, 2, "abc", 1)

    def act(self, home):
        Workspaces(home).save(self.id, {"v": 2, "text": "y" * 30_000}, 1)


class Log(Shelf):
    old, new = (1, 1, "abc", 1), (1, 1, "abcd", 1)

    def act(self, home):
        Workspaces(home).log(self.id, "rename", {"to": "d"})


class Undo(Shelf):
    old, new = (1, 1, "abc", 1), (1, 1, "ab", 1)

    def act(self, home):
        Workspaces(home).undo(self.id)


class Redo(Shelf):
    old, new = (1, 1, "ab", 1), (1, 1, "abc", 1)

    def prepare(self, home):
        super().prepare(home)
        shelf = Workspaces(home)
        shelf.undo(self.id)
        shelf._database.close()

    def act(self, home):
        Workspaces(home).redo(self.id)


class Start:
    """The first start in a new folder."""

    def prepare(self, home):
        pass

    def act(self, home):
        Store(home)
        Workspaces(home)

    def check(self, home):
        if not (home / FILE_NAME).exists():
            return OLD
        shelf = Workspaces(home)
        shelf.verify()
        assert shelf.all() == []
        return NEW if Store(home, create=True) else OLD


class Migrate:
    """The first start over a file of the oldest format."""

    def prepare(self, home):
        home.mkdir(mode=0o700)
        shutil.copy(GOLDEN / "format-1.sqlite3", home / FILE_NAME)

    def act(self, home):
        Workspaces(home)

    def check(self, home):
        import sqlite3

        with sqlite3.connect(home / FILE_NAME) as connection:
            version = connection.execute("PRAGMA user_version").fetchone()[0]
        connection.close()
        shelf = Workspaces(home)
        shelf.verify()
        assert [found.document for found in shelf.all()] == [DOCUMENT]
        return OLD if version == 1 else NEW


class BackUp(Shelf):
    """The tenth copy, after which the oldest goes."""

    def prepare(self, home):
        super().prepare(home)
        shelf = Workspaces(home)
        for version in range(1, backups.KEPT + 2):
            shelf.save(self.id, {"v": version}, version)
            if version <= backups.KEPT:
                backups.back_up(home)
        shelf._database.close()

    def act(self, home):
        backups.back_up(home)

    def check(self, home):
        assert self.state(home)[1] == (backups.KEPT + 1, backups.KEPT + 2, "abc", 1)
        copies = backups.list_backups(home)
        assert len(copies) >= backups.KEPT
        assert all(copy.workspaces == 1 for copy in copies)
        return NEW if int(copies[0].name[:6]) > backups.KEPT else OLD


class Restore(Shelf):
    """A backup in the place of a sound file."""

    old, new = (2, 2, "abc", 1), (1, 1001, "abc", 1)

    def prepare(self, home):
        super().prepare(home)
        backups.back_up(home)
        shelf = Workspaces(home)
        shelf.save(self.id, {"v": 2}, 1)
        shelf._database.close()

    def act(self, home):
        restore.restore(home, backups.list_backups(home)[0].name)


class RestoreOverDamage(Restore):
    """A backup in the place of a destroyed file."""

    def prepare(self, home):
        super().prepare(home)
        data = bytearray((home / FILE_NAME).read_bytes())
        data[4000:9000] = bytes(5000)
        (home / FILE_NAME).write_bytes(data)

    def check(self, home):
        try:
            return super().check(home)
        except StoreError as error:
            if error.code != "DAMAGED":
                raise
            assert backups.list_backups(home)[0].workspaces == 1
            return OLD


class Export:
    """A folder of files from the command line, over one of an earlier run."""

    names = ("rows.csv", "manifest.json", "recipe.yaml")

    def prepare(self, home):
        home.mkdir(mode=0o700)
        self.write(home, "first")

    def write(self, home, text):
        from explorer.cli_write import write_folder

        def files(folder):
            made = [folder / name for name in self.names]
            for path in made:
                path.write_text(f"{path.name} {text}\n" * 500)
            return made

        write_folder(home / "out", files)

    def act(self, home):
        self.write(home, "second")

    def check(self, home):
        texts = {path.name: set(path.read_text().splitlines())
                 for path in (home / "out").iterdir()}
        for text, state in (("first", OLD), ("second", NEW)):
            if texts == {name: {f"{name} {text}"} for name in self.names}:
                return state
        # Files without a manifest are no export, and each of them is whole.
        assert "manifest.json" not in texts
        assert all(lines in ({f"{name} first"}, {f"{name} second"})
                   for name, lines in texts.items())
        return OLD


class NewExport(Export):
    """The same into a folder that is not there: all of it at once."""

    def prepare(self, home):
        home.mkdir(mode=0o700)

    def check(self, home):
        if not (home / "out").exists():
            return OLD
        assert super().check(home) == NEW
        return NEW


class ExportJob:
    """An export as a job: rows, manifest and recipe of a real run, packed, in the store."""

    def warm(self):
        """Imports, once for all points."""
        import pandas  # noqa: F401
        import pyarrow.parquet  # noqa: F401

        from explorer import cluster, encode, exports, judge, neighbors, project  # noqa: F401

        for registry in (cluster.clusterers, encode.encoders, judge.judges,
                         neighbors.neighbor_searches, project.projectors):
            registry()

    def prepare(self, home):
        from explorer.exports import export_step, keep_rows
        from explorer.load import load_sample
        from explorer.propose import propose
        from explorer.run import run
        from explorer.spec import silent

        store = Store(home)
        data = load_sample("wine", store, silent)
        current = run(propose(data).recipe, data, store)
        rows = np.arange(40)
        keep_rows(current, rows)
        self.payload = export_step(current, rows, {}, "csv").payload

    def act(self, home):
        from explorer.exports import execute
        from explorer.spec import silent

        execute(self.payload, str(home), silent)

    def check(self, home):
        store = Store(home)
        for path in (home / "entries").glob("*/*"):
            if path.name != self.payload["key"]:
                store.get(path.name)
        found = store.find(self.payload["key"])
        if found is None:
            return OLD
        assert sorted(found.files) == ["export.zip", "manifest.json", "recipe.yaml", "rows.csv"]
        return NEW


SCENARIOS = {kind.__name__: kind for kind in (
    Put, PutOverDamage, Adopt, Upload, Create, Save, Log, Undo, Redo, Start, Migrate, BackUp,
    Restore, RestoreOverDamage, Export, NewExport, ExportJob)}


def copy_home(template: Path, home: Path) -> None:
    """The prepared folder, fresh."""
    shutil.rmtree(home, ignore_errors=True)
    if template.exists():
        shutil.copytree(template, home, symlinks=True)
