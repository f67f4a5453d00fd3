"""Starts, watches and ends the reader process. Nothing uploaded is parsed outside of it."""

from __future__ import annotations

import json
import logging
import os
import re
import signal
import site
import stat
import subprocess
import sys
import threading
import time
from collections import deque
from collections.abc import Sequence
from dataclasses import asdict, replace
from pathlib import Path
from typing import IO, Any

from explorer.errors import ExplorerError, InputError, Where, error_from_dict
from explorer.load.child import REFUSAL, RESULT
from explorer.load.content import offer
from explorer.load.limits import (
    MAX_META_BYTES,
    MAX_RESULT_BYTES,
    READER_CPU_SECONDS,
    READER_WALL_SECONDS,
    reader_memory,
)
from explorer.load.options import ReadOptions, Upload
from explorer.spec import Progress

_START = Path(__file__).with_name("start.py")
_ROOT = str(_START.parent.parent.parent)
_PASSED_ON = ("PATH", "LANG", "LC_ALL", "LD_LIBRARY_PATH", "SYSTEMROOT")
_ONE_THREAD = dict.fromkeys(("OMP_NUM_THREADS", "OPENBLAS_NUM_THREADS", "MKL_NUM_THREADS",
                             "ARROW_IO_THREADS"), "1")
_EXPECTED = re.compile(r"rows\.parquet|matrix-\d{1,6}\.npy|(images|thumbs)\.(bin|npy)")
_PAUSE = 0.1
_LINE_BYTES = 10_000
_KEPT_LINES = 40
_SENTENCE = 2_000
"""A reader taken over by its file may say as much as it likes; so much is shown."""
_OUT_OF_MEMORY = ("MemoryError", "bad_alloc", "Cannot allocate memory", "failed to map segment",
                  "out of memory", "Resource temporarily unavailable")
_log = logging.getLogger(__name__)


def run_reader(uploads: Sequence[Upload], options: ReadOptions, folder: Path,
               progress: Progress) -> dict[str, Any]:
    """Read the uploads in a fresh limited process that works in `folder`; returns the manifest's
    meta, the canonical files lie in `folder`.

    `progress` is called ten times a second; when it raises, the process is killed. Raises the
    reader's refusal, or InputError MEMORY_LIMIT, TIME_LIMIT, READER_CRASHED.
    """
    request = {"uploads": [{"name": upload.name, "path": str(upload.path.resolve())}
                           for upload in uploads], "options": asdict(options)}
    process = _start(folder)
    try:
        watch = _Watch(process)
        _send(process, request)
        _wait(process, watch, uploads, progress)
    finally:
        _end(process)
    watch.finish()
    return _take_result(process.returncode, watch, uploads, folder)


class _Watch:
    """Reads what the process says, in threads, so that full pipes never stop it."""

    def __init__(self, process: subprocess.Popen[bytes]) -> None:
        self.fraction = 0.0
        self.text = "Starting the reader"
        self.errors: deque[str] = deque(maxlen=_KEPT_LINES)
        assert process.stdout is not None
        assert process.stderr is not None
        self._threads = [threading.Thread(target=self._listen, args=(process.stdout,), daemon=True),
                         threading.Thread(target=self._collect, args=(process.stderr,),
                                          daemon=True)]
        for thread in self._threads:
            thread.start()

    def finish(self) -> None:
        """Wait until everything said is heard."""
        for thread in self._threads:
            thread.join(timeout=5)

    def _listen(self, stream: IO[bytes]) -> None:
        with stream:
            while line := stream.readline(_LINE_BYTES):
                try:
                    said = json.loads(line)
                    fraction, text = float(said["fraction"]), str(said["text"])
                except (ValueError, KeyError, TypeError):
                    continue  # a library's own chatter
                self.fraction = min(1.0, max(self.fraction, fraction))
                self.text = text[:200]

    def _collect(self, stream: IO[bytes]) -> None:
        with stream:
            while line := stream.readline(_LINE_BYTES):
                self.errors.append(line.decode("utf-8", "replace").rstrip())


def _start(folder: Path) -> subprocess.Popen[bytes]:
    given = {name: os.environ[name] for name in _PASSED_ON if name in os.environ}
    # The system's allocator: Arrow's own reserves address space in large pieces and meets the limit
    # long before the memory is used.
    environment = {**given, **_ONE_THREAD, "ARROW_DEFAULT_MEMORY_POOL": "system",
                   "HOME": str(folder), "TMPDIR": str(folder), "TEMP": str(folder)}
    paths = [_ROOT]
    if site.ENABLE_USER_SITE and site.getusersitepackages() in sys.path:
        paths.append(site.getusersitepackages())  # -I leaves it out
    return subprocess.Popen(
        [sys.executable, "-I", "-B", str(_START), str(reader_memory()), str(READER_CPU_SECONDS),
         str(MAX_RESULT_BYTES), *paths],
        cwd=folder, env=environment, stdin=subprocess.PIPE, stdout=subprocess.PIPE,
        stderr=subprocess.PIPE, start_new_session=True)


def _send(process: subprocess.Popen[bytes], request: dict[str, Any]) -> None:
    assert process.stdin is not None
    try:
        process.stdin.write(json.dumps(request).encode() + b"\n")
        process.stdin.flush()  # and stays open: its end tells the reader that we are gone
    except BrokenPipeError:
        return  # it died before it listened; its exit code says why


def _wait(process: subprocess.Popen[bytes], watch: _Watch, uploads: Sequence[Upload],
          progress: Progress) -> None:
    deadline = time.monotonic() + READER_WALL_SECONDS
    while True:
        progress(watch.fraction, watch.text)
        try:
            process.wait(_PAUSE)
            return
        except subprocess.TimeoutExpired:
            if time.monotonic() > deadline:
                raise _too_slow(uploads) from None


def _end(process: subprocess.Popen[bytes]) -> None:
    if process.poll() is None:
        try:
            os.killpg(process.pid, signal.SIGKILL)
        except (ProcessLookupError, AttributeError):  # already gone; no groups on Windows
            process.kill()
    process.wait()
    if process.stdin is not None:
        try:
            process.stdin.close()
        except BrokenPipeError:
            _log.debug("the reader was gone before its request was sent")


def _take_result(code: int, watch: _Watch, uploads: Sequence[Upload],
                 folder: Path) -> dict[str, Any]:
    said = "\n".join(watch.errors)
    if said:
        _log.warning("reader of %s: %s", [upload.name for upload in uploads][:5], said)
    if code != 0:
        raise _crash(code, said, uploads)
    if (folder / REFUSAL).exists():
        raise _refusal(folder)
    meta = _read_json(folder / RESULT)
    (folder / RESULT).unlink()
    for path in folder.iterdir():
        plain = stat.S_ISREG(path.lstat().st_mode) and path.lstat().st_nlink == 1
        if not plain or not _EXPECTED.fullmatch(path.name):
            raise _bad_output(f"the file {path.name[:60]!r}")
    return meta


def _refusal(folder: Path) -> ExplorerError:
    try:
        said = error_from_dict(_read_json(folder / REFUSAL))
        return replace(said, message=_sentence(said.message), hint=_sentence(said.hint),
                       choices=offer(map(_sentence, said.choices)))
    except (KeyError, TypeError, AttributeError, ValueError) as error:
        return _bad_output(f"a refusal without {error}")


def _sentence(text: str) -> str:
    return text[:_SENTENCE].encode("utf-8", "replace").decode()


def _read_json(path: Path) -> dict[str, Any]:
    try:
        if not stat.S_ISREG(path.lstat().st_mode) or path.stat().st_size > MAX_META_BYTES:
            raise ValueError("no plain file of sensible size")
        content = json.loads(path.read_bytes())
        if not isinstance(content, dict):
            raise ValueError("no object")
    except (OSError, ValueError, RecursionError) as error:
        raise _bad_output(f"{path.name}: {type(error).__name__}") from None
    return content


def _crash(code: int, said: str, uploads: Sequence[Upload]) -> InputError:
    name = uploads[0].name
    where = Where(file=name)
    if code in (-getattr(signal, "SIGXCPU", 24),):
        return _too_slow(uploads)
    if code == -getattr(signal, "SIGKILL", 9) or any(word in said for word in _OUT_OF_MEMORY):
        return InputError("MEMORY_LIMIT", f"{name} must be readable within "
                                          f"{reader_memory() / 2**20:,.0f} MiB of memory, got "
                                          "more.", where,
                          "Upload a part of it, or raise EXPLORER_READER_MEMORY.")
    reason = f"signal {-code}" if code < 0 else f"exit code {code}"
    return InputError("READER_CRASHED", f"{name} must be readable, but the reader process ended "
                                        f"with {reason}.", where,
                      "The file is damaged in a way nobody expected. Save it in another format.")


def _too_slow(uploads: Sequence[Upload]) -> InputError:
    return InputError("TIME_LIMIT", f"{uploads[0].name} must be read within {READER_CPU_SECONDS} "
                                    "seconds of computing, got more.", Where(file=uploads[0].name),
                      "Upload a part of it.")


def _bad_output(what: str) -> InputError:
    return InputError("READER_CRASHED", f"The reader must leave a plain data set, got {what}.",
                      hint="Try again; if it happens again, the file is to blame.")
