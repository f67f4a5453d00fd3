"""Downloads by links of our own: one session's, from disk, gone with the page."""

from __future__ import annotations

import asyncio
import time
from pathlib import Path

import pytest
from starlette.requests import Request
from starlette.responses import FileResponse

from explorer.ui import downloads


@pytest.fixture
def sessions(monkeypatch):
    """Who is asking and who is connected: Streamlit's side of it."""
    connected = {"ada", "bob"}
    asking = type("Context", (), {"session_id": "ada"})()
    runtime = type("Runtime", (), {"is_active_session": lambda _, name: name in connected})()
    monkeypatch.setattr(downloads, "get_script_run_ctx", lambda: asking)
    monkeypatch.setattr(downloads, "exists", lambda: True)
    monkeypatch.setattr(downloads, "get_instance", lambda: runtime)
    monkeypatch.setattr(downloads, "_offers", {})
    return asking, connected


def fetch(address: str):
    scope = {"type": "http", "method": "GET", "headers": [], "path": address,
             "path_params": {"token": address.rsplit("/", 1)[1]}}
    return asyncio.run(downloads.send_file(Request(scope)))


def test_x09_a_link_is_the_same_at_every_rerun_and_another_for_everybody(sessions, tmp_path):
    asking, _ = sessions
    path = tmp_path / "a.zip"
    path.write_bytes(b"zip")
    mine = downloads.offer(path, "a.zip", "application/zip")
    assert downloads.offer(path, "a.zip", "application/zip") == mine
    assert downloads.offer(path, "b.zip", "application/zip") != mine
    asking.session_id = "bob"
    assert downloads.offer(path, "a.zip", "application/zip") != mine
    found = fetch(mine)
    assert isinstance(found, FileResponse)
    assert found.path == path
    assert found.headers["content-disposition"] == 'attachment; filename="a.zip"'
    assert found.headers["cache-control"] == "private, no-store"


def test_s05_a_link_ends_with_its_page_and_after_twelve_hours(sessions, tmp_path, monkeypatch):
    _, connected = sessions
    path = tmp_path / "a.zip"
    path.write_bytes(b"zip")
    mine = downloads.offer(path, "a.zip", "application/zip")
    now = time.monotonic()
    connected.discard("ada")
    monkeypatch.setattr(time, "monotonic", lambda: now + 200)
    assert fetch(mine).status_code == 200  # a connection that dropped for a while
    monkeypatch.setattr(time, "monotonic", lambda: now + 400)
    assert fetch(mine).status_code == 404
    connected.add("ada")
    again = downloads.offer(path, "a.zip", "application/zip")
    monkeypatch.setattr(time, "monotonic", lambda: now + 11 * 3600)
    assert fetch(again).status_code == 200
    monkeypatch.setattr(time, "monotonic", lambda: now + 13 * 3600)
    assert fetch(again).status_code == 404


def test_a_file_that_is_gone_is_said(sessions, tmp_path: Path):
    found = fetch(downloads.offer(tmp_path / "gone.zip", "gone.zip", "application/zip"))
    assert found.status_code == 404
    assert b"Export page" in found.body
    assert str(tmp_path).encode() not in found.body
