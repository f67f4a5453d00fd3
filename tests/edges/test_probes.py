"""Forged and odd requests against the running app: S14, S15, S16, and what every answer carries."""

from __future__ import annotations

import http.client
import socket
import time
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest
from websockets.exceptions import InvalidStatus
from websockets.sync.client import connect

from tests.edges.conftest import Server, ask_for_run

PATHS = ["/app/static/../../etc/passwd", "//etc/passwd", "//evil.example/x", "/%2e%2e/%2e%2e/etc/",
         "/app/static/%2e%2e/%2e%2e/app.py", "/static/..%2f..%2fapp.py",
         "/%252e%252e/%252e%252e/etc/passwd", "/static/%252e%252e%252fapp.py",
         "/..%5c..%5capp.py", "/static/..\\..\\app.py", "/a%00b", "/static/%00", "/media/../app.py",
         "/component/../app.py", "/component/x/%2e%2e/%2e%2e/app.py", "/download/%2e%2e%2fx",
         "/download/..%2f..%2fworkspace.sqlite3", "/.streamlit/config.toml%00.png"]


@pytest.mark.parametrize("path", PATHS)
def test_s15_no_path_reads_a_file(server: Server, path: str) -> None:
    found = server.ask("GET", path)
    assert found.status in (400, 404) or "<title>Streamlit</title>" in found.body, found
    assert "root:" not in found.body
    assert "draw_frame" not in found.body
    assert "server" not in found.headers.get("content-type", "")
    if "%2e%2e" in path or "\\" in path or "%5c" in path or "%00" in path or path[:2] == "//":
        assert found.status in (400, 404), found


@pytest.mark.parametrize("line", [
    b"GET http://evil.example/ HTTP/1.1\r\nHost: localhost\r\n\r\n", b"GET / HTTP/1.1\r\n\r\n",
    b"GET /\x00 HTTP/1.1\r\nHost: x\r\n\r\n", b"\x16\x03\x01\x02\x00\x01\x00",
    b"GET / HTTP/9.9\r\n\r\n",
    b"POST / HTTP/1.1\r\nHost: localhost\r\nContent-Length: -1\r\n\r\n"])
def test_s15_garbage_is_refused_and_the_server_lives(server: Server, line: bytes) -> None:
    assert server.raw(line + b"\r\n").status in (0, 200, 400, 404, 405)
    assert server.ask("GET", "/_stcore/health").status == 200


@pytest.mark.parametrize("host", ["evil.example", "127.0.0.1.evil.example", "", "[::1",
                                  "localhost@evil.example", "localhost:80:80", "169.254.169.254"])
def test_s14_another_host_name_gets_no_page(server: Server, host: str) -> None:
    assert server.ask("GET", "/", Host=host).status == 400
    assert server.ask("GET", "/_stcore/health", Host=host).status == 200  # tells nothing
    assert server.ask("GET", "/", Host="localhost").status == 200


def handshake(server: Server, **options: object) -> int:
    try:
        with connect(f"{server.url.replace('http', 'ws')}/_stcore/stream", max_size=None,
                     subprotocols=["streamlit", "x"], **options) as link:
            ask_for_run(link)
    except InvalidStatus as error:
        return error.response.status_code
    return 101


def test_s14_a_socket_from_another_page_or_host_is_refused(server: Server) -> None:
    assert handshake(server, origin=server.url) == 101
    for origin in ("http://evil.example", "null", f"{server.url}.evil.example", "file://",
                   "http://127.0.0.1:1", "http://localhost:8888"):  # other programs' pages
        assert handshake(server, origin=origin) == 403, origin
    for host in ("evil.example", "127.0.0.1.evil.example:80"):
        # A page whose name was made to point here: its Origin and Host agree.
        with socket.create_connection(server.place) as link:
            link.sendall(f"GET /_stcore/stream HTTP/1.1\r\nHost: {host}\r\nUpgrade: websocket\r\n"
                         f"Origin: http://{host}\r\nConnection: Upgrade\r\n"
                         "Sec-WebSocket-Key: AAAAAAAAAAAAAAAAAAAAAA==\r\n"
                         "Sec-WebSocket-Version: 13\r\n\r\n".encode())
            response = http.client.HTTPResponse(link)
            response.begin()
            assert response.status == 403


def test_s14_an_upload_needs_the_token_and_a_session_that_is_there(server: Server) -> None:
    with server.tab() as tab:
        assert tab.put(b"a\n1\n").status == 204
        assert tab.put(b"a\n1\n", cookie="").status == 403
        assert tab.put(b"a\n1\n", origin="http://evil.example").status == 403
        assert tab.put(b"a\n1\n", cookie="_streamlit_xsrf=forged").status == 403
        assert tab.put(b"a\n1\n", session="00000000-0000-0000-0000-000000000000").status == 400
        assert tab.put(b"a\n1\n", session="..%2f..%2fx").status in (400, 404)


def test_s14_a_download_link_that_was_never_given_opens_nothing(server: Server) -> None:
    for token in ("x", "A" * 32, "A" * 5000, "%00"):
        found = server.ask("GET", f"/download/{token}")
        assert found.status in (400, 404)
        assert "/" not in found.body.removeprefix("http")[:200]


def test_finding_11_one_session_cannot_pile_up_files(server: Server) -> None:
    with server.tab() as tab:
        assert [tab.put(bytes(900_000)).status for _ in range(5)] == [204] * 3 + [413] * 2
        said = tab.put(bytes(900_000))
        assert "at most 3 MB together" in said.body
        with server.tab() as other:  # who has not used theirs up
            assert other.put(bytes(900_000)).status == 204
        assert tab.put(b"a\n", chunked=True).status == 204


def test_finding_11_replacing_a_file_counts_it_once_and_empty_files_count(server: Server) -> None:
    with server.tab() as tab:
        assert [tab.put(bytes(900_000), file="one").status for _ in range(6)] == [204] * 6
        codes = [tab.put(b"").status for _ in range(200)]
    assert codes[0] == 204
    assert codes[-1] == 413


def test_finding_11_a_body_without_a_length_is_counted_as_it_comes(server: Server) -> None:
    with server.tab() as tab:
        assert tab.put(bytes(2_000_000), chunked=True).status == 204
        assert tab.put(bytes(2_000_000), chunked=True).status == 413
        assert tab.put(bytes(500_000), chunked=True).status == 204  # nothing of it was kept


def test_s16_all_together_have_a_quota_and_who_left_makes_room(server: Server) -> None:
    with server.tab() as first, server.tab() as second:
        assert [first.put(bytes(900_000)).status for _ in range(3)] == [204] * 3
        codes = [second.put(bytes(900_000)).status for _ in range(3)]
        assert codes == [204, 204, 413]
    with server.tab() as third:  # the tabs are closed: their files go first
        assert [third.put(bytes(900_000)).status for _ in range(3)] == [204] * 3


def test_s16_fifty_uploads_at_once_keep_the_quota(server: Server) -> None:
    with server.tab() as tab, ThreadPoolExecutor(16) as pool:
        codes = list(pool.map(lambda _: tab.put(bytes(250_000)).status, range(50)))
        assert set(codes) == {204, 413}
        assert 4 <= codes.count(204) <= 12
        assert tab.put(bytes(2_900_000)).status == 413
    assert server.ask("GET", "/_stcore/health").status == 200


def test_s16_an_upload_cut_off_leaves_nothing(server: Server) -> None:
    with server.tab() as tab:
        for _ in range(4):  # each would fill the quota if its bytes stayed counted
            with socket.create_connection(server.place) as link:
                link.sendall(
                    f"PUT /_stcore/upload_file/{tab.session}/cut HTTP/1.1\r\nHost: localhost\r\n"
                    f"Cookie: {tab.cookie}\r\nX-Xsrftoken: {tab.token}\r\n"
                    "Content-Type: multipart/form-data; boundary=b\r\n"
                    "Content-Length: 2000000\r\n\r\n"
                    '--b\r\nContent-Disposition: form-data; name="f"; filename="a.csv"\r\n\r\n'
                    .encode() + bytes(1_980_000))
        deadline = time.monotonic() + 10
        while tab.put(bytes(2_800_000)).status != 204:  # until the server has seen the cuts
            assert time.monotonic() < deadline
            time.sleep(0.1)


HEADERS = {"x-content-type-options": "nosniff", "referrer-policy": "no-referrer",
           "x-frame-options": "SAMEORIGIN", "cross-origin-resource-policy": "same-origin"}


@pytest.mark.parametrize("path", ["/", "/export", "/_stcore/health", "/%2e%2e/x", "/download/x",
                                  "/static/js/none.js"])
def test_every_answer_carries_the_headers(server: Server, path: str) -> None:
    told = server.ask("GET", path).headers
    assert {name: told.get(name) for name in HEADERS} == HEADERS
    policy = dict(part.split(" ", 1) for part in told["content-security-policy"].split("; "))
    assert policy["default-src"] == policy["connect-src"] == policy["form-action"] == "'self'"
    assert policy["img-src"] == "'self' data: blob:"
    assert policy["object-src"] == policy["base-uri"] == policy["frame-src"] == "'none'"
    assert policy["frame-ancestors"] == "'self'"
    assert "unsafe-inline" not in policy["script-src"]
    assert "http" not in told["content-security-policy"]


def test_finding_10_no_log_line_holds_a_session_or_workspace_id(server: Server) -> None:
    with server.tab() as tab:
        tab.put(b"a\n1\n")
        tab.put(bytes(4_000_000))
        server.ask("GET", "/?w=0123456789abcdef")
        with server.tab(existing=tab.session):  # Streamlit warns of it, by the id
            pass
        logs = [path.read_text(errors="replace") for path in Path(server.folder).rglob("*.log")]
    assert any("already connected" in text for text in logs)
    for text in logs:
        assert tab.session not in text
        assert "0123456789abcdef" not in text
