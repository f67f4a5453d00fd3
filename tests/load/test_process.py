"""The reader process itself: a real one each time."""

import json
import os
import signal
import subprocess
import sys
import time
from pathlib import Path

import psutil
import pytest

from explorer.errors import Cancelled, InputError, StoreError
from explorer.imports import open_data
from explorer.load import ReadOptions, Upload, process, read_files
from explorer.spec import silent


def children():
    return [child for child in psutil.Process().children(recursive=True)
            if child.status() != psutil.STATUS_ZOMBIE]


@pytest.fixture(autouse=True)
def nothing_left(store):
    before = {child.pid for child in children()}
    yield
    assert {child.pid for child in children()} <= before
    assert list((store.root / "tmp").iterdir()) == []


def big_table():
    return b"a,b\n" + b"some words,1\n" * 400_000


def test_reads_and_names_by_content(store, upload):
    text = b"id,word\n1,one\n2,two\n"
    first = read_files([upload("a.csv", text)], ReadOptions(), store, silent)
    again = read_files([upload("other.csv", text)], ReadOptions(), store, silent)
    other = read_files([upload("a.csv", text + b"3,x\n")], ReadOptions(), store, silent)
    assert first.id == again.id != other.id
    assert first.values("word") == ["one", "two"]
    assert first.sources[0].bytes == len(text)
    assert first.name == "a.csv"


def test_a_refusal_keeps_code_place_and_hint(store, upload):
    with pytest.raises(InputError) as caught:
        read_files([upload("bad.csv", b"a,b\n1,2,3\n")], ReadOptions(), store, silent)
    error = caught.value
    assert (error.code, error.where.file, error.where.row) == ("ROW_LENGTH", "bad.csv", 2)
    assert error.hint


def test_memory_limit(store, upload, monkeypatch):
    monkeypatch.setenv("EXPLORER_READER_MEMORY", "420MiB")
    rows = b"a\n" + b"\n".join(b"%d" % i * 40 for i in range(300_000))
    start = time.monotonic()
    with pytest.raises(InputError) as caught:
        read_files([upload("big.csv", rows)], ReadOptions(), store, silent)
    assert caught.value.code == "MEMORY_LIMIT"
    assert caught.value.where.file == "big.csv"
    assert time.monotonic() - start < 30


def test_memory_too_small_even_to_start(store, upload, monkeypatch):
    monkeypatch.setenv("EXPLORER_READER_MEMORY", "60M")
    with pytest.raises(InputError) as caught:
        read_files([upload("a.csv", b"a,b\n1,2\n")], ReadOptions(), store, silent)
    assert caught.value.code == "MEMORY_LIMIT"


def test_cancel_ends_the_process(store, upload):
    seen = []

    def stop(fraction, text):
        seen.append(text)
        if len(seen) == 3:
            assert len(children()) > 0
            raise Cancelled

    start = time.monotonic()
    with pytest.raises(Cancelled):
        read_files([upload("big.csv", big_table())], ReadOptions(), store, stop)
    assert time.monotonic() - start < 5
    assert len(seen) == 3


def test_wall_clock(store, upload, monkeypatch):
    monkeypatch.setattr(process, "READER_WALL_SECONDS", 0.2)
    with pytest.raises(InputError) as caught:
        read_files([upload("big.csv", big_table())], ReadOptions(), store, silent)
    assert caught.value.code == "TIME_LIMIT"


def test_processor_time(store, upload, monkeypatch):
    monkeypatch.setattr(process, "READER_CPU_SECONDS", 1)
    rows = b"a,b,c,d\n" + b"1,2,three,4\n" * 1_500_000
    with pytest.raises(InputError) as caught:
        read_files([upload("big.csv", rows)], ReadOptions(), store, silent)
    assert caught.value.code == "TIME_LIMIT"


@pytest.mark.parametrize(("number", "code"), [(signal.SIGSEGV, "READER_CRASHED"),
                                              (signal.SIGKILL, "MEMORY_LIMIT")])
def test_killed_from_outside(store, upload, number, code):
    def kill(fraction, text):
        for child in children():
            if child.is_running():
                child.send_signal(number)

    with pytest.raises(InputError) as caught:
        read_files([upload("big.csv", big_table())], ReadOptions(), store, kill)
    assert caught.value.code == code


def test_progress_rises_and_ends_at_one(store, upload):
    seen = []
    read_files([upload("t.csv", big_table()[:2_000_000])], ReadOptions(), store,
               lambda fraction, text: seen.append(fraction))
    assert seen == sorted(seen)
    assert seen[-1] == 1.0


PROBE = """
import runpy, sys, json
sys.argv = ["start.py", *sys.argv[1:]]
start = runpy.run_path({start!r}, run_name="probe")
start["close_network"]()
start["set_limits"](2 << 30, 100, 1000)
import resource, socket, urllib.request
said = dict(memory=resource.getrlimit(resource.RLIMIT_AS)[0],
            core=resource.getrlimit(resource.RLIMIT_CORE)[0],
            score=open("/proc/self/oom_score_adj").read().strip())
for name, attempt in (("socket", lambda: socket.socket()),
                      ("url", lambda: urllib.request.urlopen("http://127.0.0.1:9/", timeout=1)),
                      ("file", lambda: open("big", "wb").write(b"x" * 50000))):
    try:
        attempt()
        said[name] = "allowed"
    except OSError as error:
        said[name] = str(error)
print(json.dumps(said))
"""


@pytest.mark.skipif(not sys.platform.startswith("linux"), reason="limits are those of Linux")
def test_limits_hold_in_a_process_started_that_way(tmp_path):
    code = PROBE.format(start=str(process._START))
    done = subprocess.run([sys.executable, "-I", "-c", code], cwd=tmp_path, capture_output=True,
                          check=True)
    said = json.loads(done.stdout)
    assert (said["memory"], said["core"], said["score"]) == (2 << 30, 0, "900")
    assert "no network" in said["socket"]
    assert "no network" in said["url"]
    assert "File too large" in said["file"]


def test_the_reader_ends_with_its_parent(store, upload):
    """The parent is killed without a chance to clean up; nobody goes on reading."""
    file = upload("big.csv", big_table())
    code = (f"import sys; sys.path.insert(0, {str(Path(process._ROOT))!r})\n"
            "from pathlib import Path\n"
            "from explorer.load import *; from explorer.store import Store\n"
            "def say(fraction, text): print(text, flush=True)\n"
            f"read_files([Upload('big.csv', Path({str(file.path)!r}))], ReadOptions(), "
            f"Store({str(store.root / 'other')!r}), say)\n")
    parent = subprocess.Popen([sys.executable, "-c", code], stdout=subprocess.PIPE)
    parent.stdout.readline()
    readers = psutil.Process(parent.pid).children()
    assert readers
    os.kill(parent.pid, signal.SIGKILL)
    parent.wait()
    parent.stdout.close()
    assert not psutil.wait_procs(readers, timeout=5)[1]


@pytest.mark.parametrize("plant", ["link", "stranger", "no_json", "no_meta"])
def test_odd_output_is_refused(store, upload, monkeypatch, tmp_path, plant):
    """A reader taken over by its file may leave anything in its folder."""
    lines = {"link": "os.symlink('/etc/passwd', 'rows.parquet')",
             "stranger": "open('evil.py', 'w').close()",
             "no_json": "open('dataset.json', 'w').write('[')",
             "no_meta": "open('dataset.json', 'w').write('{}')"}
    fake = tmp_path / "fake.py"
    fake.write_text("import os\nif not os.path.exists('dataset.json'):\n"
                    "    open('dataset.json', 'w').write('{}')\n" + lines[plant] + "\n")
    monkeypatch.setattr(process, "_START", fake)
    with pytest.raises(InputError) as caught:
        read_files([upload("a.csv", b"a,b\n1,2\n")], ReadOptions(), store, silent)
    assert caught.value.code == "READER_CRASHED"


def test_chatter_does_not_stop_it(store, upload, monkeypatch, tmp_path):
    """100,000 lines on both pipes, then a result."""
    fake = tmp_path / "fake.py"
    fake.write_text("import sys\n"
                    "for i in range(100_000):\n"
                    "    sys.stdout.write('chatter\\n'); sys.stderr.write('x' * 50 + '\\n')\n"
                    "open('refusal.json', 'w').write('{\"kind\": \"InputError\", \"code\": \"X\", "
                    "\"message\": \"m\"}')\n")
    monkeypatch.setattr(process, "_START", fake)
    with pytest.raises(InputError) as caught:
        read_files([upload("a.csv", b"a,b\n1,2\n")], ReadOptions(), store, silent)
    assert caught.value.code == "X"


def test_no_file_and_no_files(store, tmp_path):
    with pytest.raises(InputError) as caught:
        read_files([Upload("gone.csv", tmp_path / "gone.csv")], ReadOptions(), store, silent)
    assert caught.value.code == "NO_FILE"
    with pytest.raises(InputError) as caught:
        read_files([], ReadOptions(), store, silent)
    assert caught.value.code == "NO_FILES"


ON_A_SMALL_DISK = """
import os, sys
from pathlib import Path
sys.path.insert(0, {root!r})
from explorer.errors import ExplorerError
from explorer.load import ReadOptions, Upload, read_files
from explorer.spec import silent
from explorer.store import Store
store = Store(Path({home!r}) / "home")
for name, path in (("rows.csv", {rows!r}), ("vectors.npy", {vectors!r}), ("z.zip", {images!r})):
    try:
        read_files([Upload(name, Path(path))], ReadOptions(), store, silent)
        print(name, "read")
    except ExplorerError as error:
        print(name, type(error).__name__, error.code)
    assert list((store.root / "tmp").iterdir()) == []
small = Path({home!r}) / "small.csv"
small.write_text("a,b\\n1,x y\\n2,z w\\n")
print("small.csv", read_files([Upload("small.csv", small)], ReadOptions(), store, silent).n)
"""


def test_w10_a_full_disk_while_the_reader_writes(tmp_path):
    """Tables, matrices and images on a real disk of 1 MiB: one sentence, nothing left, and the
    next upload that fits is read."""
    import numpy as np

    from tests.hostile.makers import archive

    draws = np.random.default_rng(0)
    noise = draws.integers(32, 127, (30_000, 80), dtype=np.uint8).astype(np.uint8).tobytes()
    text = noise.replace(b",", b"x").replace(b'"', b"y")
    (tmp_path / "rows").write_bytes(b"a,b\n" + b"\n".join(
        text[i:i + 80] + b",1" for i in range(0, len(text), 80)))
    np.save(tmp_path / "vectors.npy", draws.normal(size=(40_000, 10)))
    grey = b"P5 300 300 255\n"
    (tmp_path / "images").write_bytes(archive(*(
        (f"{i}.pgm", grey + draws.bytes(90_000)) for i in range(30))))
    (tmp_path / "disk").mkdir()
    code = ON_A_SMALL_DISK.format(root=process._ROOT, home=str(tmp_path / "disk"),
                                  rows=str(tmp_path / "rows"), images=str(tmp_path / "images"),
                                  vectors=str(tmp_path / "vectors.npy"))
    mount = f'mount -t tmpfs -o size=1m tmpfs "{tmp_path}/disk" && exec "$0" -c "$1"'
    done = subprocess.run(["unshare", "-rm", "sh", "-c", mount, sys.executable, code], check=False,
                          capture_output=True, text=True)
    if "unshare" in done.stderr or "mount:" in done.stderr:
        pytest.skip(f"no mount name space here: {done.stderr.strip()[:80]}")
    assert done.stdout.splitlines() == [
        "rows.csv StoreError DISK_FULL", "vectors.npy StoreError DISK_FULL",
        "z.zip StoreError DISK_FULL", "small.csv 2"], done.stderr


def test_w12_a_result_larger_than_a_file_may_be(store, upload, monkeypatch):
    monkeypatch.setattr(process, "MAX_RESULT_BYTES", 200_000)
    rows = b"a,b\n" + b"".join(b"%d,%x\n" % (i * i, i**5) for i in range(60_000))
    with pytest.raises(StoreError) as caught:
        read_files([upload("big.csv", rows)], ReadOptions(), store, silent)
    assert caught.value.code == "FILE_TOO_LARGE"


def test_what_has_no_end_is_no_file(store, tmp_path):
    os.mkfifo(tmp_path / "pipe")
    for path in (tmp_path / "pipe", Path("/dev/zero"), tmp_path):
        with pytest.raises(InputError) as caught:
            read_files([Upload("a.csv", path)], ReadOptions(), store, silent)
        assert caught.value.code == "NO_FILE"
        with pytest.raises(InputError) as caught:
            open_data([path], store)
        assert caught.value.code == "NO_FILE"


def test_r17_a_refusal_as_long_as_a_book_is_cut(store, upload, monkeypatch, tmp_path):
    fake = tmp_path / "fake.py"
    fake.write_text("import json\n"
                    "said = dict(kind='InputError', code='X', hint=chr(0xdc00),\n"
                    "            message=chr(0xd800) + 'm' * 2_000_000,"
                    " choices=['a', 'b' * 9999, *map(str, range(5000))])\n"
                    "open('refusal.json', 'w').write(json.dumps(said))\n")
    monkeypatch.setattr(process, "_START", fake)
    with pytest.raises(InputError) as caught:
        read_files([upload("a.csv", b"a,b\n1,2\n")], ReadOptions(), store, silent)
    error = caught.value
    str(error).encode()
    assert len(error.message) <= 2000
    assert error.choices[:2] == ("a", "0")
    assert len(error.choices) == 1000
