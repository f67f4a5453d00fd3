"""What every answer of the server carries, and which requests get none."""

from __future__ import annotations

import base64
import hashlib
import re
from pathlib import Path
from urllib.parse import urlsplit

import streamlit as st
from starlette.datastructures import Headers, MutableHeaders
from starlette.responses import PlainTextResponse
from starlette.types import ASGIApp, Message, Receive, Scope, Send
from streamlit.web.server.server_util import is_allowed_origin
from streamlit.web.server.starlette.starlette_websocket import is_host_allowed

from explorer.ui.access import Access, is_local

_HEALTH = "/_stcore/health"
"""Asked by machines that know an address only; it tells nothing."""
_SAFE = ("GET", "HEAD", "OPTIONS")
_INLINE = re.compile(r"<script>(.*?)</script>", re.DOTALL)


class Guard:
    """ASGI middleware: answers on this machine only unless told otherwise, to known host names
    only, and with headers that keep a page from fetching, framing or telling anything."""

    def __init__(self, app: ASGIApp, access: Access) -> None:
        self.app = app
        self.access = access
        self.headers = security_headers()

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Serve one connection, or refuse it with 403 (from another machine, or sent by another
        page) or 400 (unknown host)."""
        if scope["type"] not in ("http", "websocket"):
            await self.app(scope, receive, send)
            return

        async def send_guarded(message: Message) -> None:
            if message["type"] in ("http.response.start", "websocket.http.response.start"):
                headers = MutableHeaders(scope=message)
                for name, value in self.headers.items():
                    headers.setdefault(name, value)
            await send(message)

        status, words = self._refusal(scope)
        if not words:
            await self.app(scope, receive, send_guarded)
        elif scope["type"] == "websocket":
            await send({"type": "websocket.close", "code": 1008, "reason": words})
        else:
            await PlainTextResponse(words, status)(scope, receive, send_guarded)

    def _refusal(self, scope: Scope) -> tuple[int, str]:
        # The address the connection came in on, whatever a configuration says of it.
        server = scope.get("server")
        if not self.access.public and server is not None and not is_local(server[0]):
            return 403, "This server answers on its own machine only (see SECURITY.md)."
        headers = Headers(scope=scope)
        host, origin = headers.get("host"), headers.get("origin")
        if scope["path"] != _HEALTH and not is_host_allowed(host):
            return 400, "This host name is not served here (server.allowedHosts)."
        # Streamlit (1.67) takes a page on any port of this machine for one of its own.
        changes = scope["type"] == "websocket" or scope["method"] not in _SAFE
        if changes and origin and urlsplit(origin).netloc != host and not is_allowed_origin(origin):
            return 403, "This page comes from elsewhere (server.corsAllowedOrigins)."
        return 0, ""


def security_headers() -> dict[str, str]:
    """Name -> value. Pages load everything from this server and nothing from elsewhere."""
    policy = {
        "default-src": "'self'",
        # Plotly's WebGL (regl) makes its drawing functions from text of its own: without this a
        # map is an empty box that says WebGL is missing.
        "script-src": " ".join(("'self'", "'unsafe-eval'", "blob:", *_inline_scripts())),
        "style-src": "'self' 'unsafe-inline'",  # emotion writes styles at run time
        "img-src": "'self' data: blob:",
        "font-src": "'self' data:",
        "connect-src": "'self'",  # the WebSocket of the same host is 'self' too (CSP 3)
        "worker-src": "'self' blob:",
        "media-src": "'none'", "object-src": "'none'", "frame-src": "'none'",
        "base-uri": "'none'", "form-action": "'self'", "frame-ancestors": "'self'",
    }
    return {
        "Content-Security-Policy": "; ".join(f"{name} {of}" for name, of in policy.items()),
        "X-Content-Type-Options": "nosniff",
        "X-Frame-Options": "SAMEORIGIN",
        "Referrer-Policy": "no-referrer",  # the address names the workspace
        "Permissions-Policy": "camera=(), microphone=(), geolocation=(), usb=(), payment=(), "
                              "clipboard-read=(), display-capture=()",
        "Cross-Origin-Opener-Policy": "same-origin",
        "Cross-Origin-Resource-Policy": "same-origin",
    }


def _inline_scripts() -> list[str]:
    """The scripts inside Streamlit's own index.html, by their hashes."""
    page = Path(st.__file__).with_name("static") / "index.html"
    return [f"'sha256-{base64.b64encode(hashlib.sha256(script.encode()).digest()).decode()}'"
            for script in _INLINE.findall(page.read_text(encoding="utf-8"))]
