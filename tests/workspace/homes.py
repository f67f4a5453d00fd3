"""Homes for tests of what a disk can do: read-only, tiny, opened by another process."""

import os
import subprocess
import sys
from contextlib import contextmanager, suppress

import pytest


def mounted(*words):
    """Run mount or umount; skips where this process may not."""
    done = subprocess.run(words, capture_output=True, text=True)
    if done.returncode:
        pytest.skip(f"needs the right to mount: {' '.join(words[:2])}: {done.stderr.strip()}")


@contextmanager
def read_only(folder):
    """The folder as a disk that nobody, root too, can write."""
    mounted("mount", "--bind", str(folder), str(folder))
    try:
        mounted("mount", "-o", "remount,ro,bind", str(folder))
        yield folder
    finally:
        subprocess.run(["umount", "-l", str(folder)], check=True)


@contextmanager
def tiny_disk(folder, size="2m"):
    """A disk of its own that is full soon."""
    folder.mkdir(exist_ok=True)
    mounted("mount", "-t", "tmpfs", "-o", f"size={size},mode=0700", "tmpfs", str(folder))
    try:
        yield folder
    finally:
        subprocess.run(["umount", "-l", str(folder)], check=True)


def fill(folder, leave=0):
    """Use up what is free there but `leave` bytes; returns the file to remove for more."""
    path = folder / "filler"
    with open(path, "wb", buffering=0) as file, suppress(OSError):
        while True:
            file.write(b"\0" * 65_536)
    if leave:
        os.truncate(path, max(0, path.stat().st_size - leave))
    return path


def in_another_process(code, *words, **limits):
    """Run Python code in a fresh interpreter; its standard output. It must end well."""
    done = subprocess.run([sys.executable, "-c", code, *map(str, words)], capture_output=True,
                          text=True, timeout=120, **limits)
    assert done.returncode == 0, done.stderr[-3000:]
    return done.stdout.strip()
