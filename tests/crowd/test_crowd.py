"""The load client against the real app, small enough for every commit. Times are never asserted:
`python -m tests.crowd` measures them."""

import asyncio
import base64
import os
import struct

import pytest

from tests.crowd import leak, measure
from tests.crowd.client import Tab, TabError, link
from tests.crowd.people import opened, prepare, shows_map
from tests.crowd.server import healthy


@pytest.fixture(scope="module")
def shared(server):
    """The link of a finished workspace."""
    return asyncio.run(prepare(server.url, "wine"))


def test_s07_a_crowd_works_beside_a_job_without_an_error(server, shared):
    before = server.vitals()
    tally = asyncio.run(measure.work(server.url, shared, sessions=8, think=0.5, seconds=12, jobs=1,
                                     sample="wine"))
    assert tally.errors == []
    assert len(tally.renders) == 8
    assert tally.jobs >= 1
    assert len(tally.reruns) > 8
    after = server.vitals()
    assert after.threads <= before.threads + 16
    assert after.fds <= before.fds + 9 * 5  # of each closed session a loop stays for a while
    assert after.children <= before.children + 1


def test_s08_many_open_the_link_at_once_and_all_see_the_map(server, shared):
    assert asyncio.run(measure.rush(server.url, shared, 12)) == 0


def test_s09_comings_and_goings_leave_nothing_but_what_streamlit_keeps(server, shared):
    found = asyncio.run(measure.turn_over(server.url, shared, 40, 8, server))
    assert found.errors == ()
    first, last = found.vitals[1], found.vitals[-1]
    assert last.threads <= first.threads + 8
    assert last.fds <= first.fds + 36 * 4  # 4 a session: every mapped array would be another
    assert last.children <= first.children


def test_s05_nothing_of_one_person_reaches_another(server):
    assert asyncio.run(leak.look(server.url, server, rounds=1)) == 0


@pytest.mark.parametrize("kind", measure.GARBAGE)
def test_s10_garbage_closes_its_own_connection_only(server, shared, kind):
    async def send():
        async with opened(server.url, "map", link(shared)) as other:
            assert await measure.garbage(server.url, kind) in measure.GARBAGE[kind]
            await other.rerun()
            assert shows_map(other)
    asyncio.run(send())
    assert healthy(server.url)


def test_s10_a_flood_of_reruns_leaves_others_their_page(server, shared):
    async def hammer():
        async with opened(server.url, "map", link(shared)) as other:
            flood = asyncio.create_task(measure.hammer(server.url, shared, 2))
            await other.choose("Colour: Silhouette", key="color_by")
            assert shows_map(other)
            assert not other.problems()
            assert await flood > 20
    asyncio.run(hammer())
    assert healthy(server.url, 5)


def test_the_client_says_what_the_app_refuses(server):
    """A check that cannot fail is none: wrong page, wrong button, unknown workspace."""
    async def ask():
        async with opened(server.url, "", link("not-there")) as tab:
            assert tab.problems()
            with pytest.raises(TabError, match="no page"):
                await tab.go("nowhere")
            with pytest.raises(TabError, match="0 of button"):
                await tab.click("No such button")
    asyncio.run(ask())


def test_the_ear_hears_what_is_said():
    told = leak.Secrets.draw()
    ear = leak.Ear(told.needles("w0rk"))
    ear(told.table())
    assert ear.found == {"column", "cell", "number as text"}
    coded = base64.b64encode
    for shift in range(3):
        heard = leak.Ear(told.needles(""))
        heard(coded(os.urandom(3 + shift) + struct.pack("<d", told.number) + b"ab"))
        assert any(name.startswith("number in base64") for name in heard.found), shift


def test_a_tab_counts_what_it_receives(server, shared):
    heard = []

    async def listen():
        tab = Tab(server.url, seen=heard.append)
        await tab.open("map", link(shared))
        await tab.close()
        return tab.received
    assert asyncio.run(listen()) == sum(map(len, heard)) > 10_000
