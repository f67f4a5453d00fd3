"""What the map's front end fetches by itself: its modules, points, colours, cards and pictures.

An address is a keyed hash of what lies behind it: nobody can guess one, and one content has one
address for as long as the server lives, so browsers keep what they have.
"""

from __future__ import annotations

import hashlib
import secrets
from collections.abc import Callable
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Protocol, runtime_checkable

from starlette.requests import Request
from starlette.responses import JSONResponse, Response
from starlette.routing import Route
from streamlit import config

from explorer.ui.kept import Kept

FRONT = Path(__file__).with_name("front")
_PREFIX = "/map-data"
_BYTES = 256 * 2**20
_SOURCES = 200
TILES = 256
_SAFE = {"X-Content-Type-Options": "nosniff"}
_FOREVER = {"Cache-Control": "private, max-age=31536000, immutable", **_SAFE}
_TODAY = {"Cache-Control": "private, max-age=43200, immutable", **_SAFE}
"""Of what people uploaded: an address ends with the server, so a copy is of no use for long."""
_KIND = {".js": "text/javascript", ".css": "text/css"}


@dataclass(frozen=True)
class Card:
    """What hovering shows of one row, as text: `facts` are name and value, `picture` says whether
    the row may have one."""

    title: str
    color: str | None
    picture: bool
    texts: tuple[str, ...]
    facts: tuple[tuple[str, str], ...]


class Rows(Protocol):
    """What answers for single rows of a map, by their place in it."""

    def card(self, place: int) -> Card:
        """What hovering shows. Raises IndexError."""

    def picture(self, place: int) -> bytes:
        """A small picture of the row (PNG or JPEG); b'' where it has none. Raises IndexError."""


@dataclass(frozen=True)
class Tile:
    """One row in a gallery, as text: its name whole (`title`) and the `end` that tells rows apart,
    its cluster, the beginning of its text; `picture` says whether it has one."""

    title: str
    end: str
    cluster: str
    color: str | None
    text: str
    picture: bool


@runtime_checkable
class Tiled(Rows, Protocol):
    """Rows that a gallery shows, by their number in the data set."""

    def tile(self, place: int) -> Tile:
        """What stands on one tile. Raises IndexError."""


class Shelf:
    """What is served, the least recently used let go first. Safe for several threads.

    What was let go is put back, under the same address, by the next rerun of a page that shows it.
    """

    def __init__(self, most_bytes: int = _BYTES, most_rows: int = _SOURCES) -> None:
        self._secret = secrets.token_bytes(32)
        self._bytes: Kept[bytes] = Kept(most_bytes, len)
        self._rows: Kept[Rows] = Kept(most_rows)

    def put(self, key: object, make: Callable[[], bytes]) -> str:
        """The address of the bytes of that key; `make` is called when they are not here.

        `key` must name all of the content, and nobody may be able to name what is not theirs: it
        is made of the names of stored results, which are hashes of what people uploaded.
        """
        token = self._token("bytes", key)
        self._bytes.get(token, make)
        return f"{_prefix()}/bytes/{token}"

    def put_rows(self, key: object, make: Callable[[], Rows]) -> str:
        """The token of what answers for single rows, for `card_address` and `picture_address`."""
        token = self._token("rows", key)
        self._rows.get(token, make)
        return token

    def bytes_of(self, token: str) -> bytes | None:
        """The bytes of an address; None when they were let go, or never were."""
        return self._bytes.find(token)

    def rows_of(self, token: str) -> Rows | None:
        """What answers under that token."""
        return self._rows.find(token)

    @property
    def weight(self) -> int:
        """The bytes held now."""
        return self._bytes.weight

    def _token(self, kind: str, key: object) -> str:
        return hashlib.blake2b(repr((kind, key)).encode(), key=self._secret,
                               digest_size=16).hexdigest()


shelf = Shelf()


def card_address(token: str) -> str:
    """Where the cards of these rows are: + '/<place>'."""
    return f"{_prefix()}/card/{token}"


def picture_address(token: str) -> str:
    """Where the pictures of these rows are: + '/<place>'."""
    return f"{_prefix()}/picture/{token}"


def tiles_address(token: str) -> str:
    """Where the tiles of these rows are: + '?rows=<place>,<place>...', at most TILES of them."""
    return f"{_prefix()}/tiles/{token}"


def module_address(name: str) -> str:
    """Where a module of the front end is; the address changes with the content of all of them."""
    return f"{_prefix()}/front/{_VERSION}/{name}"


def front_file(name: str) -> str:
    """A file of the front end as text."""
    return (FRONT / name).read_text(encoding="utf-8")


def _prefix() -> str:
    base = str(config.get_option("server.baseUrlPath") or "").strip("/")
    return f"/{base}{_PREFIX}" if base else _PREFIX


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
        return _gone()
    return Response(known[name].read_bytes(), media_type=_KIND[known[name].suffix],
                    headers=_FOREVER)


def _bytes(request: Request) -> Response:
    content = shelf.bytes_of(request.path_params["token"])
    if content is None:
        return _gone()
    return Response(content, media_type="application/octet-stream", headers=_TODAY)


def _card(request: Request) -> Response:
    token, place = request.path_params["token"], request.path_params["place"]
    rows = shelf.rows_of(token)
    try:
        card = rows.card(place) if rows is not None else None
    except IndexError:
        card = None
    if card is None:
        return _gone()
    image = f"{picture_address(token)}/{place}" if card.picture else None
    return JSONResponse({**asdict(card), "image": image}, headers=_TODAY)


def _picture(request: Request) -> Response:
    rows = shelf.rows_of(request.path_params["token"])
    try:
        content = rows.picture(request.path_params["place"]) if rows is not None else b""
    except IndexError:
        content = b""
    if not content:
        return _gone()
    kind = "image/png" if content[:4] == b"\x89PNG" else "image/jpeg"
    return Response(content, media_type=kind, headers=_TODAY)


def _tiles(request: Request) -> Response:
    rows = shelf.rows_of(request.path_params["token"])
    places = request.query_params.get("rows", "").split(",")
    if not isinstance(rows, Tiled) or len(places) > TILES:
        return _gone()
    try:
        tiles = [asdict(rows.tile(int(place))) for place in places]
    except (IndexError, ValueError):
        return _gone()
    return JSONResponse(tiles, headers=_TODAY)


def _gone() -> Response:
    return Response("Not here, or not any more. Reload the page.", 404, media_type="text/plain",
                    headers={"Cache-Control": "no-store", **_SAFE})


ROUTES = tuple(
    Route(base + _PREFIX + path, answer)
    for base in ("", "/{base:path}")
    for path, answer in (("/front/{version}/{name}", _module), ("/bytes/{token}", _bytes),
                         ("/card/{token}/{place:int}", _card),
                         ("/picture/{token}/{place:int}", _picture),
                         ("/tiles/{token}", _tiles)))
