"""What the map fetches by itself: for those who know the address, bounded, inert."""

import json
import re
from collections.abc import Callable

import numpy as np
import pytest
import streamlit as st
from starlette.applications import Starlette
from starlette.middleware import Middleware
from starlette.testclient import TestClient

from explorer.imports import open_data
from explorer.propose import propose
from explorer.run import run
from explorer.ui import served
from explorer.ui.access import Access
from explorer.ui.guard import Guard
from explorer.ui.rows_of_map import RowsOfMap
from explorer.ui.served import Card, Shelf

HOSTILE = '<img src=x onerror="window.canary=1"><script>window.canary=2</script>\u202etxt.exe\x00'


@pytest.fixture
def shelf(monkeypatch):
    found = Shelf()
    monkeypatch.setattr(served, "shelf", found)
    return found


@pytest.fixture
def client(shelf):
    return TestClient(Starlette(routes=served.ROUTES, middleware=[
        Middleware(Guard, Access(public=True))]), base_url="http://localhost")


class OneRow:
    """A row whose picture is not one."""

    def card(self, place: int) -> Card:
        if place:
            raise IndexError(place)
        return Card(HOSTILE, None, True, (HOSTILE,), (("fact", HOSTILE),))

    def picture(self, place: int) -> bytes:
        if place > 1:
            raise IndexError(place)
        return b"" if place else HOSTILE.encode()


def test_addresses_are_long_and_of_one_server_only(shelf):
    mine = shelf.put(("points", "a"), lambda: b"1")
    assert re.fullmatch(r"/map-data/bytes/[0-9a-f]{32}", mine)
    assert shelf.put(("points", "a"), lambda: pytest.fail("it is there")) == mine
    assert Shelf().put(("points", "a"), lambda: b"1") != mine
    others = {shelf.put((kind, name), lambda: b"2") for kind in "ab" for name in range(20)}
    assert len(others | {mine}) == 41
    # Not the same name for bytes and for rows: one would open the other.
    assert not mine.endswith(shelf.put_rows(("points", "a"), OneRow))


def test_what_is_asked_for_is_given_with_its_headers(shelf, client):
    content = np.arange(6, dtype="<f4").tobytes()
    answer = client.get(shelf.put("points", lambda: content))
    assert (answer.status_code, answer.content) == (200, content)
    assert answer.headers["content-type"] == "application/octet-stream"
    assert answer.headers["cache-control"].startswith("private, max-age=43200")
    assert answer.headers["x-content-type-options"] == "nosniff"
    assert "frame-ancestors 'self'" in answer.headers["content-security-policy"]  # by the Guard
    module = client.get(served.module_address("view.js"))
    assert module.status_code == 200
    assert module.headers["content-type"].startswith("text/javascript")


@pytest.mark.parametrize("address", [
    lambda shelf: "/map-data/bytes/" + "0" * 32,
    lambda shelf: "/map-data/card/" + "0" * 32 + "/0",
    lambda shelf: "/map-data/picture/" + "0" * 32 + "/0",
    lambda shelf: served.card_address(shelf.put_rows("r", OneRow)) + "/1",
    lambda shelf: served.card_address(shelf.put_rows("r", OneRow)) + "/-1",
    lambda shelf: served.picture_address(shelf.put_rows("r", OneRow)) + "/1",
    lambda shelf: served.picture_address(shelf.put_rows("r", OneRow)) + "/2",
    lambda shelf: "/map-data/bytes/" + shelf.put_rows("r", OneRow),
    lambda shelf: served.module_address("view.html"),
    lambda shelf: served.module_address("..%2fserved.py"),
    lambda shelf: served.module_address("../../served.py"),
])
def test_all_else_is_not_there(shelf, client, address: Callable[[Shelf], str]):
    answer = client.get(address(shelf))
    assert answer.status_code == 404
    assert b"import" not in answer.content


def test_the_guard_stands_before_it(shelf, client):
    address = shelf.put("points", lambda: b"1")
    assert client.get(address, headers={"host": "evil.example"}).status_code == 400
    assert client.post(address).status_code == 405


def test_what_was_let_go_is_404_until_a_rerun_puts_it_back(client, monkeypatch):
    small = Shelf(most_bytes=100, most_rows=2)
    monkeypatch.setattr(served, "shelf", small)
    first = small.put("first", lambda: b"a" * 60)
    second = small.put("second", lambda: b"b" * 60)
    assert small.weight <= 100
    gone = client.get(first)
    assert gone.status_code == 404
    assert gone.headers["cache-control"] == "no-store"  # else it would stay gone
    assert client.get(second).content == b"b" * 60
    assert small.put("first", lambda: b"a" * 60) == first
    assert client.get(first).content == b"a" * 60
    tokens = [small.put_rows(name, OneRow) for name in range(3)]
    assert [small.rows_of(token) is not None for token in tokens] == [False, True, True]


def test_addresses_work_below_a_path(shelf, client):
    before = st.config.get_option("server.baseUrlPath")
    try:
        st.config.set_option("server.baseUrlPath", "maps/here")
        address = shelf.put("points", lambda: b"1")
        assert address.startswith("/maps/here/map-data/bytes/")
        assert served.card_address("x") == "/maps/here/map-data/card/x"
        assert client.get(address).content == b"1"
        assert client.get(served.module_address("view.js")).status_code == 200
    finally:
        st.config.set_option("server.baseUrlPath", before)


def test_a_hostile_row_is_inert(shelf, client):
    token = shelf.put_rows("rows", OneRow)
    card = client.get(f"{served.card_address(token)}/0")
    assert card.headers["content-type"] == "application/json"
    assert card.headers["x-content-type-options"] == "nosniff"
    picture = client.get(card.json()["image"])
    assert picture.headers["content-type"] == "image/jpeg"  # never what its content looks like
    assert picture.headers["x-content-type-options"] == "nosniff"


def test_cards_say_what_the_row_holds(shelf, client, tmp_path):
    """Against the file itself, with what would turn words round made visible."""
    lines = [json.dumps({"id": f"r{at}", "note": f"{HOSTILE} number {at} " + "long words " * 40,
                         "kind": "ab"[at % 2], "size": at * 1.5}) for at in range(12)]
    path = tmp_path / "rows.jsonl"
    path.write_text("\n".join(lines))
    data = open_data([path], served_store(tmp_path))
    result = run(propose(data).recipe, data, served_store(tmp_path))
    token = shelf.put_rows("rows", lambda: RowsOfMap(result, {0: f"A {HOSTILE}"}))
    for place in (0, 7, 11):
        card = client.get(f"{served.card_address(token)}/{place}").json()
        assert card["image"] is None
        (text,) = card["texts"]
        assert text.startswith(HOSTILE.replace("\u202e", "\ufffd").replace("\x00", "\ufffd")[:40])
        assert len(text) <= 302
        assert not re.search("[\u202a-\u202e\x00-\x08]", json.dumps(card, ensure_ascii=False))
        facts = dict(card["facts"])
        assert facts["kind"] == "ab"[place % 2]
        assert float(facts["size"]) == place * 1.5
        label = int(result.clustering.labels[place])
        assert facts["cluster"].startswith("A <img" if label == 0 else f"Cluster {label}")


def served_store(folder):
    from explorer.store import Store

    return Store(folder / "home")
