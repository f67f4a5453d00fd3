"""What the map's front end fetches by itself: its modules, points, colours, cards and pictures.

An address is a keyed hash of what lies behind it: nobody can guess one, and one content has one
address for as long as the server lives, so browsers keep what they have.
"""

from __future__ import annotations

import hashlib
import secrets
import threading
from collections import OrderedDict
from collections.abc import Callable
from pathlib import Path
from typing import Any, Protocol

from starlette.requests import Request
from starlette.responses import JSONResponse, Response
from starlette.routing import Route

FRONT = Path(__file__).with_name("front")
_PREFIX = "/map-data"
_BYTES = 256 * 2**20
_SOURCES = 200
_FOREVER = {"Cache-Control": "private, max-age=31536000, immutable",
            "X-Content-Type-Options": "nosniff"}
_KIND = {".js": "text/javascript", ".css": "text/css"}


class Rows(Protocol):
    """What answers for single rows of a map, by their place in it."""

    def card(self, place: int) -> dict[str, Any]:
        """What hovering shows. Raises IndexError."""

    def picture(self, place: int) -> bytes:
        """A small picture of the row. Raises IndexError."""


class Shelf:
    """What is served, the least recently used let go first. Safe for several threads."""

    def __init__(self) -> None:
        self._secret = secrets.token_bytes(32)
        self._guard = threading.Lock()
        self._bytes: OrderedDict[str, bytes] = OrderedDict()
        self._rows: OrderedDict[str, Rows] = OrderedDict()
        self._held = 0

    def put(self, key: object, make: Callable[[], bytes]) -> str:
        """The address of the bytes of that key; `make` is called when they are not here."""
        token = self._token(key)
        with self._guard:
            if token in self._bytes:
                self._bytes.move_to_end(token)
                return f"{_PREFIX}/bytes/{token}"
        content = make()
        with self._guard:
            if token not in self._bytes:
                self._bytes[token] = content
                self._held += len(content)
            while self._held > _BYTES and len(self._bytes) > 1:
                self._held -= len(self._bytes.popitem(last=False)[1])
        return f"{_PREFIX}/bytes/{token}"

    def put_rows(self, key: object, make: Callable[[], Rows]) -> str:
        """The token of what answers for single rows."""
        token = self._token(key)
        with self._guard:
            found = self._rows.get(token)
        rows = found or make()
        with self._guard:
            self._rows[token] = rows
            self._rows.move_to_end(token)
            while len(self._rows) > _SOURCES:
                self._rows.popitem(last=False)
        return token

    def bytes_of(self, token: str) -> bytes | None:
        """The bytes of an address; None when they were let go, or never were."""
        with self._guard:
            return self._bytes.get(token)

    def rows_of(self, token: str) -> Rows | None:
        """What answers under that token."""
        with self._guard:
            return self._rows.get(token)

    def _token(self, key: object) -> str:
        return hashlib.blake2b(repr(key).encode(), key=self._secret, digest_size=16).hexdigest()


shelf = Shelf()


def card_address(token: str) -> str:
    """Where the cards of these rows are: + '/<place>'."""
    return f"{_PREFIX}/card/{token}"


def picture_address(token: str) -> str:
    """Where the pictures of these rows are: + '/<place>'."""
    return f"{_PREFIX}/picture/{token}"


def module_address(name: str) -> str:
    """Where a module of the front end is; the address changes with the content of all of them."""
    return f"{_PREFIX}/front/{_VERSION}/{name}"


def front_file(name: str) -> str:
    """A file of the front end as text."""
    return (FRONT / name).read_text(encoding="utf-8")


def _version() -> str:
    digest = hashlib.sha256()
    for path in sorted(FRONT.iterdir()):
        digest.update(path.read_bytes())
    return digest.hexdigest()[:16]


_VERSION = _version()


def _module(request: Request) -> Response:
    name = request.path_params["name"]
    known = {path.name: path for path in FRONT.iterdir() if path.suffix in _KIND}
    if name not in known:
        return Response(status_code=404)
    return Response(known[name].read_bytes(), media_type=_KIND[known[name].suffix],
                    headers=_FOREVER)


def _bytes(request: Request) -> Response:
    content = shelf.bytes_of(request.path_params["token"])
    if content is None:
        return Response("gone", status_code=404)
    return Response(content, media_type="application/octet-stream", headers=_FOREVER)


def _card(request: Request) -> Response:
    rows = shelf.rows_of(request.path_params["token"])
    try:
        if rows is not None:
            return JSONResponse(rows.card(request.path_params["place"]), headers=_FOREVER)
    except IndexError:
        pass
    return Response("gone", status_code=404)


def _picture(request: Request) -> Response:
    rows = shelf.rows_of(request.path_params["token"])
    try:
        if rows is not None:
            content = rows.picture(request.path_params["place"])
            kind = "image/png" if content[:4] == b"\x89PNG" else "image/jpeg"
            return Response(content, media_type=kind, headers=_FOREVER)
    except IndexError:
        pass
    return Response("gone", status_code=404)


ROUTES = [
    Route(_PREFIX + "/front/{version}/{name}", _module),
    Route(_PREFIX + "/bytes/{token}", _bytes),
    Route(_PREFIX + "/card/{token}/{place:int}", _card),
    Route(_PREFIX + "/picture/{token}/{place:int}", _picture),
]
