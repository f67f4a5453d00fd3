"""How many bytes of uploads the server holds in memory: for one session, and for all together.

Streamlit limits a file, not a session: it keeps every file put to it, chosen by a widget or not,
until the session ends.
"""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Sequence
from typing import Any

from starlette.datastructures import Headers
from starlette.exceptions import HTTPException
from starlette.responses import PlainTextResponse
from starlette.types import ASGIApp, Message, Receive, Scope, Send
from streamlit.runtime import get_instance
from streamlit.runtime.scriptrunner import get_script_run_ctx

from explorer.ui.access import Access

_UPLOAD = re.compile(r".*/_stcore/upload_file/([^/]+)/([^/]+)", re.DOTALL)
_LEAST = 16_384
"""A file counts at least so much: a million empty ones are not free."""


class UploadQuota:
    """ASGI middleware: a PUT that would go beyond a quota ends with 413 and words, whether it says
    its length or not; with uploads switched off, every PUT ends with 403."""

    def __init__(self, app: ASGIApp, access: Access) -> None:
        self.app = app
        self.access = access
        self.coming: Counter[str] = Counter()
        """Session -> bytes of its uploads under way."""

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Serve one request, counting the body of an upload as it comes."""
        found = _UPLOAD.fullmatch(scope["path"]) if scope["type"] == "http" else None
        if found is None or scope["method"] != "PUT":
            await self.app(scope, receive, send)
            return
        if self.access.demo:
            await PlainTextResponse("Uploads are switched off on this server.", 403)(
                scope, receive, send)
            return
        session, file = found[1], found[2]
        counted = max(_declared(scope), _LEAST)
        refused = self._refusal(session, file, counted)
        if refused:
            await PlainTextResponse(refused, 413)(scope, receive, send)
            return
        self.coming[session] += counted
        arrived = 0

        async def receive_counted() -> Message:
            nonlocal arrived, counted
            message = await receive()
            arrived += len(message.get("body", b""))
            if arrived > counted:  # sent in chunks, or longer than it said
                self.coming[session] += arrived - counted
                counted = arrived
                refused = self._refusal(session, file, 0)
                if refused:
                    raise HTTPException(413, refused)
            return message

        try:
            await self.app(scope, receive_counted, send)
        finally:
            self.coming[session] -= counted
            if self.coming[session] <= 0:
                del self.coming[session]

    def _refusal(self, session: str, file: str, more: int) -> str:
        """Why `more` bytes do not fit; '' when they do."""
        held = held_bytes(except_for=(session, file))
        mine = held.get(session, 0) + self.coming[session] + more
        if mine > self.access.session_bytes:
            return (f"One person's uploads must be at most {_size(self.access.session_bytes)} "
                    f"together, got {_size(mine)}. Read what is there, or remove some files.")
        total = sum(held.values()) + sum(self.coming.values()) + more
        if total > self.access.total_bytes:
            total -= forget_left_sessions()
        if total > self.access.total_bytes:
            return ("This server holds as many uploads as it may "
                    f"({_size(self.access.total_bytes)}). Try again in a minute.")
        return ""


def held_bytes(except_for: tuple[str, str] = ("", "")) -> dict[str, int]:
    """Session -> bytes of the files Streamlit keeps for it, without one (session, file) that is
    being replaced."""
    storage: dict[str, dict[str, Any]] = _manager().file_storage
    return {session: sum(max(len(kept.data), _LEAST) for name, kept in list(files.items())
                         if (session, name) != except_for)
            for session, files in list(storage.items())}


def forget_left_sessions() -> int:
    """Drop the uploads of sessions nobody is connected to (Streamlit does so minutes after a tab
    is closed, and only when another session does something). Returns the bytes."""
    runtime = get_instance()
    left = {session: size for session, size in held_bytes().items()
            if not runtime.is_active_session(session)}
    for session in left:
        _manager().remove_session_files(session)
    return sum(left.values())


def let_go(files: Sequence[Any]) -> None:
    """Take files of this session out of the server's memory: they are on disk now."""
    context = get_script_run_ctx()
    if context is None:
        return
    for file in files:
        context.uploaded_file_mgr.remove_file(context.session_id, file.file_id)  # type: ignore[attr-defined]


def _manager() -> Any:
    return get_instance().uploaded_file_mgr


def _declared(scope: Scope) -> int:
    said = Headers(scope=scope).get("content-length", "0")
    return int(said) if said.isascii() and said.isdigit() else 0


def _size(count: int) -> str:
    return f"{count / 1e9:,.1f} GB" if count >= 1e9 else f"{count / 1e6:,.0f} MB"
