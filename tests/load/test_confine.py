"""What the kernel forbids the reader: a real limited process that tries, and what it was told."""

from __future__ import annotations

import errno
import json
import os
import runpy
import struct
import subprocess
import sys
from pathlib import Path

import pytest

from explorer.load import ReadOptions, Upload, process, read_files
from explorer.spec import silent

pytestmark = pytest.mark.skipif(not sys.platform.startswith("linux"),
                                reason="seccomp and Landlock are those of Linux")

# Stands in for explorer.load.child in a package of its own: the process is otherwise the real one.
PROBE = '''
import ctypes, json, os, signal, struct, subprocess, threading
C = ctypes.CDLL(None, use_errno=True)

def raw(name, *given):
    ctypes.set_errno(0)
    if getattr(C, name)(*given) < 0:
        raise OSError(ctypes.get_errno(), name)

def main(request):
    outside = request["outside"]
    upload = request["uploads"][0]["path"]
    tries = {
        "write own": lambda: open("own", "w").write("x"),
        "replace own": lambda: os.replace("own", "own2"),
        "socket": lambda: raw("socket", 2, 1, 0),
        "unix socket": lambda: raw("socket", 1, 1, 0),
        "socketpair": lambda: raw("socketpair", 1, 1, 0, (ctypes.c_int * 2)()),
        "connect": lambda: raw("connect", 1, b"x" * 16, 16),
        "fork": os.fork,
        "exec": lambda: os.execv("/bin/true", ["true"]),
        "spawn": lambda: os.posix_spawn("/bin/true", ["true"], {}),
        "subprocess": lambda: subprocess.run(["/bin/true"], check=True),
        "signal the parent": lambda: os.kill(os.getppid(), signal.SIGTERM),
        "trace the parent": lambda: raw("ptrace", 16, os.getppid(), 0, 0),
        "raise its limits": lambda: raw("setrlimit", 7, struct.pack("2Q", 4096, 4096)),
        "read /etc/passwd": lambda: open("/etc/passwd").read(),
        "read the parent": lambda: open(f"/proc/{os.getppid()}/environ", "rb").read(),
        "read another upload": lambda: open(upload + ".other").read(),
        "list the uploads": lambda: os.listdir(os.path.dirname(upload)),
        "change the upload": lambda: open(upload, "ab"),
        "write outside": lambda: open(os.path.join(outside, "new"), "w"),
        "overwrite outside": lambda: open(os.path.join(outside, "old"), "w"),
        "remove outside": lambda: os.unlink(os.path.join(outside, "old")),
        "move outside": lambda: os.rename("own2", os.path.join(outside, "own")),
        "make a folder outside": lambda: os.mkdir(os.path.join(outside, "folder")),
        "change a mode outside": lambda: os.chmod(os.path.join(outside, "old"), 0o777),
        "link": lambda: os.symlink("/etc/passwd", "link"),
        "hard link": lambda: os.link(upload, "link"),
        "read the upload": lambda: open(upload).read(),
        "thread": lambda: threading.Thread(target=len, args=("",)).start(),
        "null": lambda: open("/dev/null", "w").write("x"),
        "random": lambda: open("/dev/urandom", "rb").read(4),
    }
    said = {}
    for name, attempt in tries.items():
        try:
            attempt()
            said[name] = "allowed"
        except OSError as error:
            said[name] = error.errno
    print(json.dumps(said))
'''
ALLOWED = {"write own", "replace own", "read the upload", "thread", "null", "random"}


def probe(tmp_path: Path, start: Path = process._START,
          tries: str = PROBE) -> tuple[dict[str, object], str]:
    """What each try came to (an errno or 'allowed'), and what the process wrote to stderr."""
    package = tmp_path / "root" / "explorer" / "load"
    package.mkdir(parents=True)
    (package.parent / "__init__.py").touch()
    (package / "child.py").write_text(tries)
    for name in ("uploads", "outside", "own"):
        (tmp_path / name).mkdir()
    upload = tmp_path / "uploads" / "a"
    upload.write_text("mine")
    (tmp_path / "uploads" / "a.other").write_text("theirs")
    (tmp_path / "outside" / "old").write_text("old")
    request = {"uploads": [{"name": "a", "path": str(upload)}],
               "outside": str(tmp_path / "outside")}
    done = subprocess.run(
        [sys.executable, "-I", "-B", str(start), str(4 << 30), "60", "1000000",
         str(tmp_path / "root")], cwd=tmp_path / "own", capture_output=True, text=True,
        input=json.dumps(request) + "\n")
    assert done.returncode == 0, done.stderr
    assert (tmp_path / "outside" / "old").read_text() == "old"
    assert [path.name for path in (tmp_path / "outside").iterdir()] == ["old"]
    assert upload.read_text() == "mine"
    said: dict[str, object] = json.loads(done.stdout)
    return said, done.stderr


def landlock() -> bool:
    import ctypes

    return ctypes.CDLL(None).syscall(444, None, 0, 1) >= 1


@pytest.mark.skipif(not landlock(), reason="this kernel has no Landlock")
def test_a_reader_can_reach_nothing_but_its_upload_and_its_folder(tmp_path: Path) -> None:
    said, complaints = probe(tmp_path)
    assert {name for name, answer in said.items() if answer == "allowed"} == ALLOWED
    assert {said[name] for name in said if name not in ALLOWED} <= {errno.EPERM, errno.EACCES}
    assert complaints == ""


def test_without_landlock_the_rest_holds_and_it_is_said(tmp_path: Path) -> None:
    """A filter laid before the start makes the kernel answer as one without Landlock."""
    start = tmp_path / "start.py"
    start.write_text(f"""
import ctypes, runpy, struct, sys
step = lambda *given: struct.pack("HBBI", *given)
code = b"".join([step(0x20, 0, 0, 0), step(0x15, 0, 1, 444), step(0x06, 0, 0, 0x00050026),
                 step(0x06, 0, 0, 0x7fff0000)])
library, held = ctypes.CDLL(None), ctypes.create_string_buffer(code)
class Program(ctypes.Structure):
    _fields_ = (("length", ctypes.c_ushort), ("code", ctypes.c_void_p))
library.prctl(38, 1, 0, 0, 0)
given = Program(4, ctypes.addressof(held))
assert library.prctl(22, 2, ctypes.byref(given), 0, 0) == 0
runpy.run_path({str(process._START)!r}, run_name="__main__")
""")
    harmless = [line for line in PROBE.splitlines() if ' outside"' not in line or "mode" in line]
    said, complaints = probe(tmp_path, start, "\n".join(harmless))
    assert "not in force: Landlock: Function not implemented" in complaints
    refused = {name for name, answer in said.items() if answer == errno.EPERM}
    assert refused >= {"socket", "connect", "fork", "exec", "subprocess", "signal the parent",
                       "trace the parent", "link", "change a mode outside"}
    assert said["read the upload"] == said["thread"] == "allowed"


def run_filter(program: list[bytes], machine: int, number: int, *arguments: int) -> int:
    """The kernel's interpreter for the few instructions used, from its documentation."""
    data = struct.pack("<iIQ6Q", number, machine, 0, *arguments, *[0] * (6 - len(arguments)))
    at, value = 0, 0
    while True:
        code, if_true, if_false, operand = struct.unpack("HBBI", program[at])
        at += 1
        if code == 0x06:
            return int(operand)
        if code == 0x20:
            value = struct.unpack_from("<I", data, operand)[0]
            continue
        met = {0x15: value == operand, 0x35: value >= operand, 0x45: bool(value & operand)}[code]
        at += if_true if met else if_false


@pytest.mark.parametrize(("machine", "arch", "clone", "tgkill", "prlimit"), [
    ("x86_64", 0xC000003E, 56, 234, 302), ("aarch64", 0xC00000B7, 220, 131, 261)])
def test_the_filter_on_both_architectures(machine: str, arch: int, clone: int, tgkill: int,
                                          prlimit: int) -> None:
    confine = runpy.run_path(str(process._START.with_name("confine.py")))
    program = confine["filter_program"](machine, 4711)
    allow, deny, kill = 0x7FFF0000, 0x00050000 | errno.EPERM, 0x80000000

    def ask(number: int, *arguments: int) -> int:
        return run_filter(program, arch, number, *arguments)

    for call in confine["_FORBIDDEN"].values():
        number = getattr(call, machine)
        if number is not None:
            assert ask(number) == deny
    assert run_filter(program, 0x40000003, 1) == kill  # 32-bit code counts its calls otherwise
    assert (ask(clone, 0x3D0F00), ask(clone, 17)) == (allow, deny)
    assert ask(435) == 0x00050000 | errno.ENOSYS
    assert (ask(tgkill, 4711), ask(tgkill, 1)) == (allow, deny)
    assert (ask(prlimit, 0, 7, 0), ask(prlimit, 0, 7, 4096), ask(prlimit, 0, 7, 1 << 40)) == (
        allow, deny, deny)
    for number in {"x86_64": (0, 1, 9, 202, 257, 318), "aarch64": (63, 64, 222, 98, 56, 278)}[
            machine]:  # read, write, mmap, futex, openat, getrandom
        assert ask(number) == allow
    if machine == "x86_64":
        assert ask(0x40000000 | 41) == deny  # the same calls by their x32 numbers


def test_every_format_is_read_under_it(store, upload) -> None:
    """Whatever a reader imports late must still be found."""
    from tests.hostile.seeds import SEEDS

    names = ("latin.csv", "rows.jsonl", "zstd.parquet", "book.xlsx", "packed.npz", "images.zip")
    for name in names:
        data = read_files([upload(name, SEEDS[name]())], ReadOptions(), store, silent)
        assert data.n >= 1, name
    pictures = [upload(name, SEEDS[name]()) for name in SEEDS
                if name.rsplit(".", 1)[1] in ("png", "jpeg", "gif", "bmp", "tiff", "webp")]
    assert read_files(pictures, ReadOptions(), store, silent).n == len(pictures)


def test_nothing_of_the_server_is_handed_down(store, upload, monkeypatch) -> None:
    monkeypatch.setenv("EXPLORER_SECRET", "s3cret")
    seen: list[bytes] = []

    def look(fraction: float, text: str) -> None:
        import psutil

        for child in psutil.Process().children():
            seen.append(Path(f"/proc/{child.pid}/environ").read_bytes())

    read_files([Upload("a.csv", upload("a.csv", b"a,b\n1,x y\n").path)], ReadOptions(), store, look)
    assert any(seen)
    assert not any(b"s3cret" in environment for environment in seen)
    assert os.environ["EXPLORER_SECRET"] == "s3cret"
