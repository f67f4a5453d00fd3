"""Uploads on disk: whole or not there, private, within a quota, swept; the disk's refusals."""

from __future__ import annotations

import hashlib
import os
import signal
import stat
import subprocess
import sys
import threading
import time
from pathlib import Path

import pytest

from explorer.errors import InputError, StoreError
from explorer.uploads import Kept, keep_upload, kept_path, sweep_uploads

ROOT = Path(__file__).resolve().parent.parent


def names(home: Path) -> set[str]:
    return {path.name for path in (home / "uploads").iterdir()}


def age(home: Path, file: Kept, seconds: float) -> None:
    moment = time.time() - seconds
    os.utime(home / "uploads" / file.sha256, (moment, moment))


def test_kept_whole_private_and_once(tmp_path: Path) -> None:
    data = os.urandom(300_000)
    file = keep_upload("a.csv", data, tmp_path)
    assert keep_upload("b.csv", memoryview(data), tmp_path).sha256 == file.sha256
    path = kept_path(file, tmp_path)
    assert path.read_bytes() == data
    assert stat.S_IMODE(path.stat().st_mode) == 0o600
    assert stat.S_IMODE(path.parent.stat().st_mode) == 0o700
    assert names(tmp_path) == {hashlib.sha256(data).hexdigest()}


def test_a_damaged_copy_is_replaced_by_the_same_upload(tmp_path: Path) -> None:
    file = keep_upload("a.csv", b"12345678", tmp_path)
    (tmp_path / "uploads" / file.sha256).write_bytes(b"123")
    assert kept_path(keep_upload("a.csv", b"12345678", tmp_path), tmp_path).read_bytes() == (
        b"12345678")


def test_s16_over_the_quota_is_refused_and_nothing_is_left(
        tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("EXPLORER_UPLOADS_BYTES", "1000")
    first = keep_upload("a.csv", b"a" * 600, tmp_path)
    with pytest.raises(InputError) as caught:
        keep_upload("b.csv", b"b" * 401, tmp_path)
    error = caught.value
    assert (error.code, error.where.file) == ("UPLOAD_QUOTA", "b.csv")
    assert "1,000" in error.message  # allowed
    assert "1,001" in error.message  # found
    assert names(tmp_path) == {first.sha256}
    keep_upload("c.csv", b"c" * 400, tmp_path)


def test_s16_room_is_made_of_the_longest_unused(tmp_path: Path,
                                                monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("EXPLORER_UPLOADS_BYTES", "1000")
    old, older, new = (keep_upload(name, name.encode() * 300, tmp_path) for name in "abc")
    age(tmp_path, old, 5000)
    age(tmp_path, older, 9000)
    added = keep_upload("d.csv", b"d" * 350, tmp_path)
    assert names(tmp_path) == {old.sha256, new.sha256, added.sha256}
    with pytest.raises(InputError):  # even without `old` there would be no room: it stays
        keep_upload("e.csv", b"e" * 700, tmp_path)
    assert names(tmp_path) == {old.sha256, new.sha256, added.sha256}


def test_s16_fifty_at_once_stay_within_the_quota(tmp_path: Path,
                                                 monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("EXPLORER_UPLOADS_BYTES", "20000")
    reserve = os.posix_fallocate

    def slowly(*given: int) -> None:  # a disk that takes its time between the look and the write
        time.sleep(0.005)
        reserve(*given)

    monkeypatch.setattr(os, "posix_fallocate", slowly)
    refused: list[str] = []

    def keep(number: int) -> None:
        try:
            keep_upload(f"{number}.csv", b"%03d" % number * 334, tmp_path)
        except InputError as error:
            refused.append(error.code)

    threads = [threading.Thread(target=keep, args=(number,)) for number in range(50)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    sizes = [path.stat().st_size for path in (tmp_path / "uploads").iterdir()]
    assert sizes == [1002] * 19
    assert refused == ["UPLOAD_QUOTA"] * 31


def test_unused_for_a_day_is_gone_and_said(tmp_path: Path) -> None:
    file = keep_upload("a.csv", b"a", tmp_path)
    age(tmp_path, file, 25 * 3600)
    kept_path(file, tmp_path)  # a use: it stays for another day
    assert sweep_uploads(tmp_path) == 0
    age(tmp_path, file, 25 * 3600)
    assert sweep_uploads(tmp_path) == 1
    with pytest.raises(InputError) as caught:
        kept_path(file, tmp_path)
    assert caught.value.code == "UPLOAD_GONE"
    assert sweep_uploads(tmp_path / "nowhere") == 0


KILLED = """
import os, sys, signal
from pathlib import Path
sys.path.insert(0, {root!r})
import explorer.disk as disk
real, calls = getattr(os, {call!r}), []
def last(*given, **named):
    os.kill(os.getpid(), signal.SIGKILL)
setattr(os, {call!r}, last)
from explorer.uploads import keep_upload
keep_upload("a.csv", b"x" * 100_000, Path({home!r}))
"""


@pytest.mark.parametrize("call", ["posix_fallocate", "fsync", "rename", "replace"])
def test_s16_killed_in_the_middle_leaves_nothing_half_and_is_swept(tmp_path: Path,
                                                                   call: str) -> None:
    code = KILLED.format(root=str(ROOT), call=call, home=str(tmp_path))
    done = subprocess.run([sys.executable, "-c", code], check=False)
    digest = hashlib.sha256(b"x" * 100_000).hexdigest()
    if done.returncode == 0:  # that call is not made
        assert call in ("rename", "replace")
        return
    assert done.returncode == -signal.SIGKILL
    assert digest not in names(tmp_path)
    assert sweep_uploads(tmp_path) == 1
    assert names(tmp_path) == set()


def test_what_another_process_is_writing_is_not_swept(tmp_path: Path) -> None:
    (tmp_path / "uploads").mkdir()
    mine = tmp_path / "uploads" / f"{'0' * 64}.{os.getpid()}.abc.part"
    mine.write_bytes(b"half")
    assert sweep_uploads(tmp_path) == 0
    assert mine.exists()


SMALL_DISK = """
import sys
from pathlib import Path
sys.path.insert(0, {root!r})
from explorer.errors import ExplorerError
from explorer.uploads import keep_upload, kept_path
home = Path({home!r})
first = keep_upload("a.csv", b"a" * 200_000, home)
try:
    keep_upload("b.csv", b"b" * 900_000, home)
except ExplorerError as error:
    print(type(error).__name__, error.code, [path.name for path in (home / "uploads").iterdir()]
          == [first.sha256], kept_path(first, home).stat().st_size)
"""


def test_w10_a_full_disk_is_said_and_nothing_is_half_written(tmp_path: Path) -> None:
    """On a real disk of 1 MiB, in a mount name space of its own."""
    code = SMALL_DISK.format(root=str(ROOT), home=str(tmp_path))
    mount = f'mount -t tmpfs -o size=1m tmpfs "{tmp_path}" && exec "$0" -c "$1"'
    done = subprocess.run(["unshare", "-rm", "sh", "-c", mount, sys.executable, code], check=False,
                          capture_output=True, text=True)
    if "unshare" in done.stderr or "mount:" in done.stderr:
        pytest.skip(f"no mount name space here: {done.stderr.strip()[:80]}")
    assert done.stdout.split() == ["StoreError", "DISK_FULL", "True", "200000"], done.stderr


def test_w12_a_file_size_limit_is_said(tmp_path: Path) -> None:
    code = SMALL_DISK.format(root=str(ROOT), home=str(tmp_path))
    limit = "import resource; resource.setrlimit(resource.RLIMIT_FSIZE, (500_000, 500_000))\n"
    done = subprocess.run([sys.executable, "-c", limit + code], check=True, capture_output=True,
                          text=True)
    assert done.stdout.split() == ["StoreError", "FILE_TOO_LARGE", "True", "200000"]


def test_w14_a_link_in_place_of_an_upload_is_not_followed(tmp_path: Path) -> None:
    digest = hashlib.sha256(b"a").hexdigest()
    (tmp_path / "uploads").mkdir()
    target = tmp_path / "secret"
    target.write_bytes(b"z")
    (tmp_path / "uploads" / digest).symlink_to(target)
    path = kept_path(keep_upload("a.csv", b"a", tmp_path), tmp_path)
    assert path.read_bytes() == b"a"
    assert target.read_bytes() == b"z"


def test_a_home_that_cannot_be_written(tmp_path: Path) -> None:
    (tmp_path / "uploads").write_text("a file where the folder should be")
    with pytest.raises(StoreError):
        keep_upload("a.csv", b"a", tmp_path)
