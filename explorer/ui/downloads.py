"""Files of the store sent from disk piece by piece: a download costs the server no memory.

A link is a secret of one session: it works while its page is open (and five minutes more, for a
connection that drops), at most 12 hours.
"""

from __future__ import annotations

import secrets
import threading
import time
from dataclasses import dataclass
from pathlib import Path

from starlette.requests import Request
from starlette.responses import FileResponse, PlainTextResponse, Response
from starlette.routing import Route
from streamlit import config
from streamlit.runtime import exists, get_instance
from streamlit.runtime.scriptrunner import get_script_run_ctx

_LIVES, _ALONE = 12 * 3600.0, 300.0
_lock = threading.Lock()


@dataclass
class _Offer:
    session: str
    path: Path
    name: str
    mime: str
    made: float
    seen: float
    """When the session was last known to be connected."""


_offers: dict[str, _Offer] = {}
"""Token -> what it opens. Only of this process: a session never leaves the process either."""


def offer(path: Path, name: str, mime: str) -> str:
    """An address under which the open session may fetch the file; the same one at every rerun.

    `name` is what the browser calls it; it must have gone through `safe_filename`.
    """
    context = get_script_run_ctx()
    session = context.session_id if context is not None else ""
    with _lock:
        _prune()
        for token, known in _offers.items():
            if (known.session, known.path, known.name) == (session, path, name):
                return _address(token)
        token = secrets.token_urlsafe(24)
        now = time.monotonic()
        _offers[token] = _Offer(session, path, name, mime, now, now)
    return _address(token)


async def send_file(request: Request) -> Response:
    """The offered file, with its ranges; 404 with a way on when there is no such offer."""
    with _lock:
        _prune()
        found = _offers.get(request.path_params["token"])
    if found is None or not found.path.is_file():
        return PlainTextResponse("This download is not offered any more. Open the Export page "
                                 "again; it prepares the file anew where needed.", 404)
    return FileResponse(found.path, media_type=found.mime, filename=found.name,
                        headers={"Cache-Control": "private, no-store"})


ROUTES = tuple(Route(path, send_file, methods=["GET", "HEAD"])
               for path in ("/download/{token}", "/{base:path}/download/{token}"))


def _address(token: str) -> str:
    base = str(config.get_option("server.baseUrlPath") or "").strip("/")
    return f"/{base}/download/{token}" if base else f"/download/{token}"


def _prune() -> None:
    now = time.monotonic()
    for token, known in list(_offers.items()):
        if exists() and get_instance().is_active_session(known.session):
            known.seen = now
        if now - known.made > _LIVES or now - known.seen > _ALONE:
            del _offers[token]
