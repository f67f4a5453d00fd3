"""W05-W20: the workspace file damaged, cut, foreign, of another version; its folder read-only,
full, gone, replaced. Always a sentence with a code, never a new file in the old one's place."""

import os
import resource
import shutil
import sqlite3
import stat
import subprocess
import sys
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from explorer.errors import StoreError
from explorer.jobs import Jobs
from explorer.schema import MIGRATIONS
from explorer.store import Store
from explorer.workspace import Workspaces
from explorer.workspace_file import FILE_NAME
from tests.workspace.homes import fill, in_another_process, read_only, tiny_disk
from tests.workspace.make_golden import DOCUMENT, GOLDEN, LOG, NAME


def code_of(call, *words):
    with pytest.raises(StoreError) as caught:
        call(*words)
    return caught.value.code


def filled(home, count=3):
    """Closed file with some workspaces; the ids."""
    shelf = Workspaces(home)
    made = []
    for number in range(count):
        made.append(shelf.create(f"workspace {number}"))
        shelf.save(made[-1], {"n": number, "text": "words " * 300}, 0)
        shelf.log(made[-1], "rename", {"cluster": number, "name": "Barolo"})
    shelf._database.close()
    return made


def opened_and_verified(home):
    shelf = Workspaces(home)
    shelf.verify()
    return shelf


@pytest.fixture(scope="module")
def whole(tmp_path_factory):
    home = tmp_path_factory.mktemp("whole")
    filled(home)
    return (home / FILE_NAME).read_bytes()


# W05: damaged, cut, empty, foreign

def test_w05_any_prefix_of_the_file_is_refused(tmp_path, whole):
    file = tmp_path / FILE_NAME
    places = {0, 1, 15, 16, 99, 100, 101, len(whole) - 1, *range(0, len(whole), 1024),
              *range(len(whole) - 600, len(whole), 50)}
    for cut in sorted(places):
        file.write_bytes(whole[:cut])
        assert code_of(opened_and_verified, tmp_path) == "DAMAGED", cut
        assert file.read_bytes() == whole[:cut]
    file.write_bytes(whole)
    opened_and_verified(tmp_path)


def test_w05_a_flipped_bit_is_found_or_harmless(tmp_path, whole):
    """A bit of every 61st byte: refused, or everything people made is as it was."""
    file = tmp_path / FILE_NAME
    file.write_bytes(whole)
    shelf = opened_and_verified(tmp_path)
    said = [(found, shelf.operations(found.id)) for found in shelf.all()]
    shelf._database.close()
    codes = []
    for bit in range(0, len(whole) * 8, 61 * 8 + 5):
        data = bytearray(whole)
        data[bit // 8] ^= 1 << bit % 8
        file.write_bytes(data)
        for ending in ("-wal", "-shm"):
            (tmp_path / f"{FILE_NAME}{ending}").unlink(missing_ok=True)
        try:
            shelf = opened_and_verified(tmp_path)
            now = [(found, shelf.operations(found.id)) for found in shelf.all()]
            shelf._database.close()
        except StoreError as error:
            codes.append(error.code)
            continue
        codes.append("")
        assert now == said, f"bit {bit} changed what was saved"
    assert set(codes) <= {"DAMAGED", "NEWER_VERSION", ""}
    assert min(codes.count("DAMAGED"), codes.count("")) > 40


@pytest.mark.parametrize("content", [b"", b"\0" * 8192, b"a,b\n1,2\n", b"PK\3\4" + b"x" * 100])
def test_w05_a_file_that_is_none_is_refused_and_left(tmp_path, content):
    (tmp_path / FILE_NAME).write_bytes(content)
    assert code_of(Workspaces, tmp_path) == "DAMAGED"
    assert (tmp_path / FILE_NAME).read_bytes() == content


@pytest.mark.parametrize("version", [0, 1, len(MIGRATIONS)])
def test_w05_somebody_elses_database_is_refused_and_left(tmp_path, version):
    connection = sqlite3.connect(tmp_path / FILE_NAME)
    connection.execute("CREATE TABLE theirs (x)")
    connection.execute(f"PRAGMA user_version = {version}")
    connection.close()
    before = (tmp_path / FILE_NAME).read_bytes()
    assert code_of(Workspaces, tmp_path) == "DAMAGED"
    assert (tmp_path / FILE_NAME).read_bytes() == before


def test_one_changed_row_is_refused_and_others_are_not(tmp_path):
    first, second, _ = filled(tmp_path)
    shelf = Workspaces(tmp_path)
    with shelf._database.transaction() as connection:
        connection.execute("UPDATE workspaces SET document = '{\"n\": 9}' WHERE id = ?", (first,))
    for call in (lambda: shelf.open(first), lambda: shelf.save(first, {}, 1),
                 lambda: shelf.log(first, "x", {}), lambda: shelf.undo(first),
                 lambda: shelf.operations(first)):
        with pytest.raises(StoreError) as caught:
            call()
        assert (caught.value.code, caught.value.where.entry) == ("DAMAGED", first)
    assert shelf.open(second).document["n"] == 1


# W06: other versions

@pytest.mark.parametrize("golden", sorted(GOLDEN.glob("*.sqlite3")), ids=lambda path: path.stem)
def test_w06_files_of_every_earlier_format_open(tmp_path, golden):
    shutil.copy(golden, tmp_path / FILE_NAME)
    shelf = opened_and_verified(tmp_path)
    found, = shelf.all()
    assert (found.name, found.document, found.version) == (NAME, DOCUMENT, 2)
    assert [(step.operation, step.payload) for step in shelf.operations(found.id)] == LOG
    assert shelf.redo(found.id).payload == {"taken": "back"}
    assert shelf.save(found.id, found.document, 2) == 3
    job, = Jobs(tmp_path).owned(found.id)
    assert (job.title, job.state) == ("A step", "queued")
    shelf.verify()


def test_w06_there_is_a_golden_file_of_todays_format():
    assert (GOLDEN / f"format-{len(MIGRATIONS)}.sqlite3").exists(), \
        "run python -m tests.workspace.make_golden"


def test_w06_a_newer_file_stays_byte_for_byte(tmp_path):
    filled(tmp_path)
    connection = sqlite3.connect(tmp_path / FILE_NAME)
    connection.execute(f"PRAGMA user_version = {len(MIGRATIONS) + 1}")
    connection.close()
    before = (tmp_path / FILE_NAME).read_bytes()
    for _ in range(2):
        assert code_of(Workspaces, tmp_path) == "NEWER_VERSION"
    assert (tmp_path / FILE_NAME).read_bytes() == before
    assert [path.name for path in tmp_path.iterdir()] == [FILE_NAME]


@settings(max_examples=30, deadline=None)
@given(st.dictionaries(st.text(), st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False, allow_infinity=False)
    | st.text(), lambda inner: st.lists(inner) | st.dictionaries(st.text(), inner),
    max_leaves=8)))
def test_law_10_what_is_saved_is_what_is_loaded(tmp_path_factory, document):
    home = tmp_path_factory.mktemp("law")
    shelf = Workspaces(home)
    identifier = shelf.create("x")
    shelf.save(identifier, document, 0)
    assert Workspaces(home).open(identifier).document == document
    shelf.verify()


# W10, W12: full disk, limits

def test_w10_on_a_full_disk_what_was_saved_is_there_and_it_recovers(tmp_path):
    home = tmp_path / "disk"
    with tiny_disk(home):
        shelf = Workspaces(home)
        store = Store(home)
        identifier = shelf.create("kept")
        shelf.save(identifier, {"kept": 1}, 0)
        filler = fill(home)
        refused = []
        for call in (lambda: shelf.save(identifier, {"big": "x" * 200_000}, 1),
                     lambda: shelf.log(identifier, "x", {"big": "x" * 200_000}),
                     lambda: store.put("a" * 32, {"x": __import__("numpy").zeros(200_000)}, {})):
            with pytest.raises(StoreError) as caught:
                call()
            refused.append(caught.value)
        assert [error.code for error in refused] == ["DISK_FULL"] * 3
        assert all("free" in error.message for error in refused)
        assert "1.6 MB needed" in refused[2].message
        assert shelf.open(identifier).document == {"kept": 1}
        assert in_another_process(
            "import sys; from pathlib import Path; from explorer.workspace import Workspaces\n"
            "print(Workspaces(Path(sys.argv[1])).open(sys.argv[2]).document)",
            home, identifier) == "{'kept': 1}"
        filler.unlink()
        assert shelf.save(identifier, {"big": "x" * 200_000}, 1) == 2
        shelf.verify()
        shelf._database.close()


def test_w12_too_many_open_files_is_said_and_passes(tmp_path):
    identifier, *_ = filled(tmp_path)
    shelf, store = Workspaces(tmp_path), Store(tmp_path)
    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    lowest = os.open(tmp_path, os.O_RDONLY)
    os.close(lowest)
    resource.setrlimit(resource.RLIMIT_NOFILE, (lowest, hard))
    try:
        for call in (lambda: Workspaces(tmp_path), lambda: shelf.open(identifier),
                     lambda: store.put("a" * 32, {}, {"n": 1})):
            assert code_of(call) == "TOO_MANY_FILES"
    finally:
        resource.setrlimit(resource.RLIMIT_NOFILE, (soft, hard))
    assert shelf.open(identifier).document["n"] == 0
    store.put("a" * 32, {}, {"n": 1})


# W13: read-only

def test_w13_a_read_only_folder_is_read(tmp_path):
    home = tmp_path / "home"
    identifier, *_ = filled(home)
    Store(home).put("a" * 32, {}, {"n": 1})
    before = {path: path.stat().st_mtime_ns for path in home.rglob("*")}
    with read_only(home):
        shelf = opened_and_verified(home)
        assert shelf.read_only
        assert shelf.open(identifier).document["n"] == 0
        assert len(shelf.operations(identifier)) == 1
        assert Jobs(home).owned(identifier) == []
        for call in (lambda: shelf.save(identifier, {}, 1), lambda: shelf.create("x"),
                     lambda: shelf.log(identifier, "x", {})):
            assert code_of(call) == "READ_ONLY"
        store = Store(home)
        assert store.read_only
        assert store.get("a" * 32).meta == {"n": 1}
        assert code_of(store.put, "b" * 32, {}, {}) == "READ_ONLY"
        assert store.sweep() == 0
    assert {path: path.stat().st_mtime_ns for path in home.rglob("*")} == before
    # The same objects go on when it can be written again.
    assert not shelf.read_only
    assert shelf.save(identifier, {"n": 7}, 1) == 2
    store.put("b" * 32, {}, {})


def test_w13_a_killed_servers_folder_is_read_with_its_log(tmp_path):
    """The last commits are in SQLite's log, which nobody folded into the file."""
    home = tmp_path / "home"
    identifier = in_another_process(
        "import os, sys; from pathlib import Path; from explorer.workspace import Workspaces\n"
        "shelf = Workspaces(Path(sys.argv[1])); id = shelf.create('x')\n"
        "shelf.save(id, {'last': 1}, 0); print(id, flush=True); os._exit(0)", home)
    assert (home / f"{FILE_NAME}-wal").stat().st_size
    with read_only(home):
        assert Workspaces(home).open(identifier).document == {"last": 1}


def test_w13_a_read_only_folder_that_was_never_used_is_refused(tmp_path):
    home = tmp_path / "home"
    home.mkdir()
    with read_only(home):
        assert code_of(Workspaces, home) == "READ_ONLY"
        assert code_of(Store, home) == "READ_ONLY"


# W14, W15: links, gone, replaced

def test_w14_the_folder_may_be_a_link_once_resolved(tmp_path):
    (tmp_path / "real").mkdir()
    (tmp_path / "link").symlink_to(tmp_path / "real")
    store = Store(tmp_path / "link")
    store.put("a" * 32, {}, {"n": 1})
    assert store.root == tmp_path / "real"
    (tmp_path / "link").unlink()
    (tmp_path / "link").symlink_to(tmp_path)
    assert store.get("a" * 32).meta == {"n": 1}


def test_w15_a_folder_that_went_away_is_said_and_not_made_again(tmp_path):
    home = tmp_path / "home"
    identifier, *_ = filled(home)
    shelf, store, jobs = Workspaces(home), Store(home), Jobs(home)
    shelf.open(identifier)
    home.rename(tmp_path / "elsewhere")
    for call in (lambda: shelf.open(identifier), lambda: shelf.save(identifier, {}, 1),
                 lambda: shelf.create("x"), lambda: jobs.owned("x"), lambda: shelf.read_only,
                 lambda: store.put("a" * 32, {}, {}), lambda: Store(home, create=False)):
        assert code_of(call) == "HOME_GONE"
    assert not home.exists()
    (tmp_path / "elsewhere").rename(home)
    assert shelf.save(identifier, {"back": 1}, 1) == 2
    home.rename(tmp_path / "elsewhere")
    home.mkdir()  # an empty mount point
    assert code_of(shelf.open, identifier) == "HOME_GONE"
    assert code_of(store.put, "a" * 32, {}, {}) == "HOME_GONE"
    assert list(home.iterdir()) == []


def test_w15_another_file_in_its_place_is_not_mistaken_for_it(tmp_path):
    identifier, *_ = filled(tmp_path)
    shelf = Workspaces(tmp_path)
    shelf.open(identifier)
    os.rename(tmp_path / FILE_NAME, tmp_path / "old")
    (tmp_path / FILE_NAME).write_bytes(b"")
    assert code_of(shelf.save, identifier, {}, 1) == "HOME_GONE"
    assert (tmp_path / FILE_NAME).read_bytes() == b""


# W19, W20

@pytest.mark.parametrize("mask", [0o000, 0o022, 0o077])
def test_w19_folders_0700_and_files_0600_whatever_the_umask(tmp_path, mask):
    home = tmp_path / "new" / "home"
    in_another_process(
        "import os, sys; os.umask(int(sys.argv[2])); from pathlib import Path\n"
        "import numpy as np; from explorer.store import Store\n"
        "from explorer.workspace import Workspaces; from explorer.backups import back_up\n"
        "home = Path(sys.argv[1]); store = Store(home)\n"
        "store.put('a' * 32, {'x': np.zeros(3)}, {})\n"
        "folder = store.new_folder(); (folder / 'inner').mkdir()\n"
        "(folder / 'inner' / 'f').write_text('x'); store.adopt('b' * 32, folder, {})\n"
        "Workspaces(home).create('x'); back_up(home)", home, mask)
    assert stat.S_IMODE(home.stat().st_mode) == 0o700
    for path in home.rglob("*"):
        kind = stat.S_IMODE(path.stat().st_mode)
        if path.is_file():
            assert kind == 0o600, path
        elif path.name != "inner":
            assert kind == 0o700, path


@pytest.mark.parametrize("name", ["..", "CON", "x" * 255, "🦉" * 100, "", "a/b\\c", "a\0b",
                                  "\ud800", "'; DROP TABLE workspaces; --", "same"])
def test_w20_any_name_is_only_a_name(tmp_path_factory, name):
    home = tmp_path_factory.mktemp("names")
    shelf = Workspaces(home)
    first, second = shelf.create(name), shelf.create(name)
    assert first != second
    assert shelf.open(first).name == name.encode("utf-8", "replace").decode()
    shelf.verify()
    assert {path.name for path in home.iterdir()} <= {
        FILE_NAME, f"{FILE_NAME}-wal", f"{FILE_NAME}-shm"}


def test_w16_a_first_start_killed_halfway_leaves_no_file_that_counts(tmp_path):
    """The file appears whole under its name; what a killed start left is removed by a later one."""
    left = tmp_path / f".{FILE_NAME}.{'a' * 32}"
    left.write_bytes(b"half")
    os.utime(left, (1e9, 1e9))
    Workspaces(tmp_path)
    assert not left.exists()


def test_processes_that_start_at_once_make_one_file(tmp_path):
    code = ("import sys; from pathlib import Path; from explorer.workspace import Workspaces\n"
            "print(Workspaces(Path(sys.argv[1])).create('x'))")
    children = [subprocess.Popen([sys.executable, "-c", code, str(tmp_path / "home")],
                                 stdout=subprocess.PIPE, text=True) for _ in range(4)]
    made = {child.communicate()[0].strip() for child in children}
    assert [child.returncode for child in children] == [0] * 4
    assert {found.id for found in Workspaces(tmp_path / "home").all()} == made
    assert not list(Path(tmp_path / "home").glob(".*"))
