"""Folders a dead process was writing are known as such; nobody else's ever are."""

import os
import subprocess
import sys

import numpy as np

from explorer.store import Store
from explorer.temporary import is_abandoned, name_temporary

WRITE = """
import os, sys
from pathlib import Path
from explorer.store import Store
folder = Store(Path(sys.argv[1])).new_folder()
(folder / "half.npy").write_bytes(b"x")
os.kill(os.getpid(), 9)
"""


def test_our_own_name_is_not_abandoned():
    assert not is_abandoned(name_temporary())
    assert name_temporary() != name_temporary()


def test_names_of_others_are_never_judged():
    mark, pid, rest = name_temporary().split("-")
    gone = "99999999"
    assert is_abandoned(f"{mark}-{gone}-{rest}")
    assert not is_abandoned(f"{'0' * len(mark)}-{gone}-{rest}")
    assert not is_abandoned(rest)
    assert not is_abandoned(f"{mark}-x-{rest}")
    assert pid == str(os.getpid())


def test_r01_what_a_killed_process_was_writing_goes_and_nothing_else(tmp_path):
    store = Store(tmp_path)
    mine = store.new_folder()
    subprocess.run([sys.executable, "-c", WRITE, tmp_path], check=False)
    assert len(list((tmp_path / "tmp").iterdir())) == 2
    assert store.sweep() == 1
    assert list((tmp_path / "tmp").iterdir()) == [mine]
    (mine / "a.npy").write_bytes(b"")
    assert store.put("ab12", {"a": np.arange(3)}, {}).array("a").tolist() == [0, 1, 2]
