"""The running app with small upload quotas, and what a rude client does to it."""

from __future__ import annotations

import http.client
import os
import socket
import uuid
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from urllib.parse import urlsplit

import pytest
from streamlit.proto.BackMsg_pb2 import BackMsg
from streamlit.proto.ForwardMsg_pb2 import ForwardMsg
from websockets.sync.client import ClientConnection, connect

from tests.browser.conftest import ROOT, serving

SESSION_BYTES, TOTAL_BYTES = 3_000_000, 5_000_000


@dataclass(frozen=True)
class Reply:
    """What came back of a request; status 0: the connection was closed without an answer."""

    status: int
    headers: dict[str, str]
    body: str


@dataclass(frozen=True)
class Server:
    """The running app."""

    url: str
    folder: str

    @property
    def place(self) -> tuple[str, int]:
        found = urlsplit(self.url)
        return str(found.hostname), int(found.port or 0)

    def ask(self, method: str, path: str, body: bytes | None = None, **headers: str) -> Reply:
        """One request, the path sent as it stands."""
        connection = http.client.HTTPConnection(*self.place, timeout=30)
        try:
            connection.putrequest(method, path, skip_host="Host" in headers,
                                  skip_accept_encoding=True)
            for name, value in headers.items():
                connection.putheader(name.replace("_", "-"), value)
            if body is not None and "Transfer_Encoding" not in headers:
                connection.putheader("Content-Length", str(len(body)))
            connection.endheaders(body)
            return _reply(connection.getresponse())
        finally:
            connection.close()

    def raw(self, request: bytes) -> Reply:
        """Bytes as they are, for what http.client would not send."""
        with socket.create_connection(self.place, timeout=30) as link:
            link.sendall(request)
            response = http.client.HTTPResponse(link)
            try:
                response.begin()
            except (http.client.HTTPException, ConnectionError):
                return Reply(0, {}, "")
            return _reply(response)

    @contextmanager
    def tab(self, existing: str = "", **headers: str) -> Iterator[Tab]:
        """A session: page rendered, socket open; it claims to be the `existing` one."""
        cookie = self.ask("GET", "/_stcore/health").headers["set-cookie"].split(";")[0]
        token = cookie.partition("=")[2]
        with connect(f"{self.url.replace('http', 'ws')}/_stcore/stream", max_size=None,
                     subprotocols=["streamlit", token, *([existing] if existing else [])],
                     origin=self.url, additional_headers={"Cookie": cookie, **headers}) as link:
            yield Tab(self, link, cookie, token, ask_for_run(link))


@dataclass(frozen=True)
class Tab:
    """A session of its own, with what its uploads need."""

    server: Server
    link: ClientConnection
    cookie: str
    token: str
    session: str

    def put(self, content: bytes, *, session: str = "", file: str = "", chunked: bool = False,
            cookie: str | None = None, origin: str = "") -> Reply:
        """Upload bytes as the page's widget does."""
        edge = uuid.uuid4().hex
        head = (f'--{edge}\r\nContent-Disposition: form-data; name="f"; filename="a.csv"\r\n'
                "Content-Type: text/csv\r\n\r\n")
        body = head.encode() + content + f"\r\n--{edge}--\r\n".encode()
        path = f"/_stcore/upload_file/{session or self.session}/{file or uuid.uuid4()}"
        headers = {"Cookie": self.cookie if cookie is None else cookie,
                   "X_Xsrftoken": self.token,
                   "Content_Type": f"multipart/form-data; boundary={edge}"}
        if origin:
            headers["Origin"] = origin
        if chunked:
            pieces = [body[at:at + 500_000] for at in range(0, len(body), 500_000)]
            body = b"".join(b"%x\r\n%s\r\n" % (len(piece), piece) for piece in [*pieces, b""])
            headers["Transfer_Encoding"] = "chunked"
        return self.server.ask("PUT", path, body, **headers)


def ask_for_run(link: ClientConnection) -> str:
    """Have the page run and wait for its end; the session's id where it was told."""
    ask = BackMsg()
    ask.rerun_script.query_string = ""
    link.send(ask.SerializeToString())
    found = ""
    while True:
        told = ForwardMsg()
        told.ParseFromString(link.recv(timeout=60))
        if told.WhichOneof("type") == "new_session":
            found = told.new_session.initialize.session_id
        if told.WhichOneof("type") == "script_finished":
            return found


def _reply(response: http.client.HTTPResponse) -> Reply:
    headers = {name.lower(): value for name, value in response.getheaders()}
    return Reply(response.status, headers, response.read().decode(errors="replace"))


@pytest.fixture(scope="package")
def server(tmp_path_factory):
    """The app with small quotas and an empty store."""
    home = tmp_path_factory.mktemp("edges")
    with serving(ROOT / "app.py", home, EXPLORER_HOME=str(home),
                 EXPLORER_SESSION_UPLOAD_BYTES=str(SESSION_BYTES),
                 EXPLORER_TOTAL_UPLOAD_BYTES=str(TOTAL_BYTES), PYTHONPATH=os.pathsep.join(
                     filter(None, (str(ROOT), os.environ.get("PYTHONPATH"))))) as url:
        yield Server(url, str(home))
