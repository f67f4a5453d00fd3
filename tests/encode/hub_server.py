"""A hub on this machine: the two endpoints of the protocol that are used, real sockets."""

from __future__ import annotations

import hashlib
import json
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from urllib.parse import unquote

REVISION = "c" * 40
_LARGE = 4_000


class Hub(ThreadingHTTPServer):
    """Serves folders `root/owner/name`. `requests` lists what was asked; `cut` breaks the next
    answers of a file after so many bytes; `lie` serves other bytes than promised; `told` is
    said of every repository."""

    def __init__(self, root: Path) -> None:
        super().__init__(("127.0.0.1", 0), _Handler)
        self.root = root
        self.requests: list[tuple[str, str]] = []
        self.cut: dict[str, list[int]] = {}
        self.lie: set[str] = set()
        self.told: dict = {}

    @property
    def address(self) -> str:
        return f"http://127.0.0.1:{self.server_address[1]}"


@contextmanager
def serving(root: Path) -> Iterator[Hub]:
    hub = Hub(root)
    thread = threading.Thread(target=hub.serve_forever, args=(0.02,), daemon=True)
    thread.start()
    try:
        yield hub
    finally:
        hub.shutdown()
        hub.server_close()
        thread.join()


def described(folder: Path, name: str) -> dict:
    """What the hub says of a repository."""
    siblings = []
    for path in sorted(folder.rglob("*")):
        if not path.is_file():
            continue
        content = path.read_bytes()
        one = {"rfilename": path.relative_to(folder).as_posix(), "size": len(content),
               "blobId": hashlib.sha1(f"blob {len(content)}\0".encode() + content).hexdigest()}
        if len(content) > _LARGE:
            one["lfs"] = {"sha256": hashlib.sha256(content).hexdigest(), "size": len(content),
                          "pointerSize": 130}
        siblings.append(one)
    return {"id": name, "sha": REVISION, "siblings": siblings, "pipeline_tag": "feature-extraction",
            "tags": ["bert", "license:mit"]}


class _Handler(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"

    def do_GET(self) -> None:
        hub: Hub = self.server
        path = unquote(self.path)
        hub.requests.append((path, self.headers.get("Range", "")))
        if path.startswith("/api/models/"):
            name = path.removeprefix("/api/models/").split("?")[0]
            folder = hub.root / name
            if not folder.is_dir():
                return self._answer(401, b"{}")
            told = described(folder, name) | hub.told
            return self._answer(200, json.dumps(told).encode())
        name, _, file = path.partition(f"/resolve/{REVISION}/")
        content = (hub.root / name.strip("/") / file).read_bytes()
        if file in hub.lie:
            content = bytes(reversed(content))
        start = int(self.headers.get("Range", "bytes=0-").removeprefix("bytes=").split("-")[0])
        self._answer(206 if start else 200, content[start:],
                     (hub.cut.get(file) or [None]).pop(0) if hub.cut.get(file) else None)
        return None

    def _answer(self, status: int, content: bytes, cut: int | None = None) -> None:
        self.send_response(status)
        self.send_header("Content-Length", str(len(content)))
        self.end_headers()
        self.wfile.write(content[:cut])
        if cut is not None:
            self.close_connection = True

    def log_message(self, *told: object) -> None:
        """Silent."""
