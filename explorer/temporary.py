"""Names of folders being written: they say whose they are, so that the dead leave nothing."""

from __future__ import annotations

import hashlib
import os
import socket
import uuid
from functools import cache
from pathlib import Path


@cache
def machine() -> str:
    """This machine since its last start, as processes see it that share a clock and a list of
    process ids."""
    boot = Path("/proc/sys/kernel/random/boot_id")  # Linux; elsewhere the name must do
    started = boot.read_text(encoding="ascii").strip() if boot.exists() else ""
    processes = Path("/proc/self/ns/pid")  # a container has a list of its own
    listed = str(processes.stat().st_ino) if processes.exists() else ""
    return " ".join(filter(None, (socket.gethostname(), started, listed)))


def name_temporary() -> str:
    """A new name that tells this process."""
    return f"{_mark()}-{os.getpid()}-{uuid.uuid4().hex}"


def is_abandoned(name: str) -> bool:
    """Whether the process that gave this name is certainly gone; False when that cannot be known
    from here (another machine, another list of processes, a name of another kind)."""
    words = name.split("-")
    if len(words) != 3 or words[0] != _mark() or not words[1].isdigit():
        return False
    return not Path(f"/proc/{words[1]}").exists() and Path("/proc/self").exists()


@cache
def _mark() -> str:
    return hashlib.blake2b(machine().encode(), digest_size=6).hexdigest()
