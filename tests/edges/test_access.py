"""Who may reach the server: addresses, the environment, what logs may hold, downloads."""

from __future__ import annotations

import asyncio
import logging
import os
import re
import subprocess
import sys
from pathlib import Path

import pytest

from explorer.clean_logs import keep_logs_clean
from explorer.errors import ParameterError
from explorer.ui.access import Access, is_local
from explorer.ui.guard import Guard
from tests.browser.conftest import ROOT
from tests.edges.conftest import Server, ask_for_run


@pytest.mark.parametrize(("address", "local"), [
    ("127.0.0.1", True), ("127.8.8.8", True), ("::1", True), ("localhost", True),
    ("/run/explorer.sock", True), ("0.0.0.0", False), ("::", False), ("192.168.1.5", False),
    (None, False), ("", False), ("127.0.0.1.evil.example", False), ("explorer", False)])
def test_only_this_machine_is_local(address, local):
    assert is_local(address) is local
    assert (Access().refusal(address) == "") is local
    assert Access(public=True).refusal(address) == ""
    assert (Access(public=True).caution(address) == "") is local
    assert Access().caution(address) == ""


@pytest.mark.parametrize(("name", "value"), [
    ("EXPLORER_PUBLIC", "yes"), ("EXPLORER_DEMO", "true"), ("EXPLORER_SESSION_UPLOAD_BYTES", "1e9"),
    ("EXPLORER_SESSION_UPLOAD_BYTES", "0"), ("EXPLORER_TOTAL_UPLOAD_BYTES", "-1"),
    ("EXPLORER_TOTAL_UPLOAD_BYTES", "²")])
def test_a_setting_that_is_none_is_refused_by_name(name, value):
    with pytest.raises(ParameterError) as caught:
        Access.from_environment({name: value})
    assert caught.value.where.parameter == name
    assert caught.value.code == "OUT_OF_RANGE"


def test_settings_are_read():
    assert Access.from_environment({}) == Access()
    assert Access.from_environment({
        "EXPLORER_PUBLIC": "1", "EXPLORER_DEMO": "1", "EXPLORER_SESSION_UPLOAD_BYTES": "5",
        "EXPLORER_TOTAL_UPLOAD_BYTES": "6"}) == Access(True, True, 5, 6)


def answer(guard: Guard, kind: str, server: tuple[str, int] | None) -> int | str:
    """What a connection that came in on `server` gets: an HTTP status, or 'closed'."""
    told = []

    async def send(message):
        told.append(message)

    scope = {"type": kind, "path": "/", "method": "GET", "server": server,
             "headers": [(b"host", b"localhost")]}
    asyncio.run(guard(scope, None, send))
    return told[0].get("status", "closed")


@pytest.mark.parametrize(("server", "inside"), [
    (("127.0.0.1", 8501), True), (("::1", 8501), True), (("/run/x.sock", None), True),
    (("192.168.1.5", 8501), False), (("0.0.0.0", 8501), False)])
def test_a_connection_from_outside_is_refused_however_the_server_was_started(server, inside):
    async def app(scope, receive, send):
        await send({"type": "http.response.start", "status": 200, "headers": []})

    assert answer(Guard(app, Access()), "http", server) == (200 if inside else 403)
    assert answer(Guard(app, Access(public=True)), "http", server) == 200
    assert answer(Guard(app, Access()), "websocket", server) == (200 if inside else "closed")


def start(*flags: str, **environment: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [sys.executable, "-m", "streamlit", "run", "app.py", "--server.headless", "true",
         "--browser.serverAddress", "localhost", *flags], cwd=ROOT, timeout=60, check=False,
        env={**os.environ, **environment}, capture_output=True, text=True)


def test_the_server_does_not_start_where_others_could_reach_it():
    ended = start("--server.address", "0.0.0.0", "--server.port", "1")
    assert ended.returncode == 1
    assert "EXPLORER_PUBLIC=1" in ended.stderr
    assert "Traceback" not in ended.stderr


def test_t07_and_finding_10_logs_hold_no_ids_and_no_commands_to_a_terminal(caplog):
    before = logging.getLogRecordFactory()
    try:
        keep_logs_clean()
        keep_logs_clean()  # once more changes nothing
        log = logging.getLogger("some.library")
        log.error("%s - \"%s %s\" %d", "1.2.3.4", "PUT",
                  "/_stcore/upload_file/e078cd6e-29b0-49e1-a1bb-f40f07459ed6/abc", 204)
        log.error("session %s", "e078cd6e-29b0-49e1-a1bb-f40f07459ed6")
        log.error("GET %s", "/map?w=B9mP4mUP63178us7&x=1")
        log.error("GET %s", "/download/" + "A" * 32)
        log.error("GET %s", "/map-data/card/" + "A" * 32 + "/7")
        log.error("reader of %s", "a\x1b[31m\u202eb\x00.csv")
    finally:
        logging.setLogRecordFactory(before)
    said = [record.getMessage() for record in caplog.records]
    assert said == ['1.2.3.4 - "PUT /_stcore/upload_file/..." 204', "session ...",
                    "GET /map?w=...&x=1", "GET /download/...",
                    "GET /map-data/card/...",
                    "reader of a\ufffd[31m\ufffdb\ufffd.csv"]


def test_s14_a_session_id_alone_takes_nobody_over_behind_a_login(tmp_path):
    """Tier B: the proxy names the person in a header, and a session belongs to its person."""
    from tests.browser.conftest import serving

    with serving(ROOT / "app.py", tmp_path, EXPLORER_HOME=str(tmp_path),
                 STREAMLIT_SERVER_TRUSTED_USER_HEADERS='{"X-Forwarded-User": "user"}') as url:
        server = Server(url, str(tmp_path))
        ada, bob = {"X-Forwarded-User": "ada"}, {"X-Forwarded-User": "bob"}
        with server.tab(**ada) as mine:
            with server.tab(existing=mine.session, **bob) as other:
                assert other.session != mine.session
            ask_for_run(mine.link)  # and was not thrown out
        with server.tab(existing=mine.session, **bob) as other:
            assert other.session != mine.session
        with server.tab(existing=mine.session, **ada) as again:
            assert again.session == mine.session
    assert not re.search(r"[0-9a-f]{8}-[0-9a-f]{4}-", (tmp_path / "server.log").read_text())


def test_the_switch_for_a_demo_refuses_uploads(tmp_path):
    from tests.browser.conftest import serving

    with serving(ROOT / "app.py", tmp_path, EXPLORER_HOME=str(tmp_path),
                 EXPLORER_DEMO="1") as url, Server(url, "").tab() as tab:
        said = tab.put(b"a\n1\n")
    assert said.status == 403
    assert "switched off" in said.body


def test_every_setting_is_in_security_md():
    named = set(re.findall(r"EXPLORER_[A-Z_]+", (ROOT / "SECURITY.md").read_text("utf-8")))
    read = {name for path in ROOT.glob("explorer/**/*.py")
            for name in re.findall(r"[\"']?(EXPLORER_[A-Z_]+)\b", path.read_text("utf-8"))}
    assert read - INNER <= named, sorted(read - INNER - named)
    assert named <= read, sorted(named - read)


INNER = {"EXPLORER_DEBUG", "EXPLORER_ENGINE_HOME", "EXPLORER_THREADS", "EXPLORER_WARM",
         "EXPLORER_WORKER_PID"}
"""Set by the app for its own processes, or of no weight here."""


def test_the_proxy_of_security_md_lets_the_largest_upload_pass():
    text = (ROOT / "SECURITY.md").read_text("utf-8")
    allowed = re.search(r"client_max_body_size (\d+)m", text)
    largest = re.search(r"maxUploadSize = (\d+)", (ROOT / ".streamlit/config.toml").read_text())
    assert allowed
    assert largest
    assert int(allowed[1]) > int(largest[1])
    assert Path(ROOT / "SECURITY.md").stat().st_size > 3000
