"""The first lines of the reader process: limits and no network before anything else is imported.

Run as `python -I start.py MEMORY CPU_SECONDS FILE_BYTES ROOT PACKAGES...`: our package lies in
ROOT, further ones in the other folders. A plain script of the standard library: importing it from
the package would import the package first. The request stands on the first line of stdin, for the
kernel must be told which files may be read.
"""

from __future__ import annotations

import json
import os
import runpy
import socket
import sys
from importlib import util
from typing import Any, NoReturn

_OPEN_FILES = 256
_OOM_SCORE = "900"


class NoSocket:
    """Stands where sockets were: a reader has no business on the network."""

    def __init__(self, *given: Any, **named: Any) -> None:
        raise PermissionError("the reader process has no network")


def refuse(*given: Any, **named: Any) -> NoReturn:
    """Stands where the functions that open connections were."""
    raise PermissionError("the reader process has no network")


def close_network() -> None:
    """No Python code after this can open a connection by the socket module."""
    socket.socket = NoSocket  # type: ignore[misc,assignment]
    socket.create_connection = refuse
    socket.socketpair = refuse
    socket.getaddrinfo = refuse


def set_limits(memory: int, seconds: int, file_bytes: int) -> None:
    """Address space, CPU time, file size, open files, no core dump; first to go when memory runs
    out. On systems without these limits (Windows) the parent's wall clock is the only one."""
    try:
        import resource
    except ImportError:
        return
    wanted = {resource.RLIMIT_AS: (memory, memory), resource.RLIMIT_CPU: (seconds, seconds + 5),
              resource.RLIMIT_FSIZE: (file_bytes, file_bytes), resource.RLIMIT_CORE: (0, 0),
              resource.RLIMIT_NOFILE: (_OPEN_FILES, _OPEN_FILES)}
    for kind, (soft, hard) in wanted.items():
        ceiling = resource.getrlimit(kind)[1]
        if ceiling != resource.RLIM_INFINITY:
            soft, hard = min(soft, ceiling), min(hard, ceiling)
        try:
            resource.setrlimit(kind, (soft, hard))
        except (ValueError, OSError) as error:  # macOS refuses RLIMIT_AS
            sys.stderr.write(f"limit {kind} not set: {error}\n")
    try:
        with open("/proc/self/oom_score_adj", "w", encoding="ascii") as file:
            file.write(_OOM_SCORE)
    except OSError as error:
        sys.stderr.write(f"oom score not set: {error}\n")


def shut(request: dict[str, Any], root: str, packages: list[str]) -> None:
    """What the kernel can forbid: see confine.py. Of `root` only our own package is readable, for
    a checkout holds everybody's results beside it."""
    here = os.path.dirname(os.path.abspath(__file__))
    confine = runpy.run_path(os.path.join(here, "confine.py"))["confine"]
    readable = [upload["path"] for upload in request["uploads"]]
    for missing in confine([*readable, *packages, os.path.join(root, "explorer")], os.getcwd()):
        sys.stderr.write(f"not in force: {missing}\n")


def take_package(root: str) -> None:
    """Our package by its place: to find it by name Python would list `root`, which is shut."""
    folder = os.path.join(root, "explorer")
    spec = util.spec_from_file_location("explorer", os.path.join(folder, "__init__.py"),
                                        submodule_search_locations=[folder])
    assert spec is not None
    assert spec.loader is not None
    sys.modules["explorer"] = util.module_from_spec(spec)
    spec.loader.exec_module(sys.modules["explorer"])


def main() -> None:
    """Close the network, set the limits, shut the files, then read."""
    close_network()
    set_limits(*map(int, sys.argv[1:4]))
    request = json.loads(sys.stdin.buffer.readline())
    shut(request, sys.argv[4], sys.argv[5:])
    sys.path[:0] = sys.argv[5:]
    take_package(sys.argv[4])
    from explorer.load.child import main as read

    read(request)
    sys.stdout.flush()
    sys.stderr.flush()
    # Without the libraries' farewells: Arrow's threads, still starting when they are torn down,
    # can end a short run with an abort (seen in 2 of 12 on a busy machine).
    os._exit(0)


if __name__ == "__main__":
    main()
