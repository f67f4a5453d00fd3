"""What a session may go through: reload, lost connections, a restarted server, two quick clicks."""

import asyncio
import sqlite3
from contextlib import closing

from tests.crowd import server as servers
from tests.crowd.client import Tab, link
from tests.crowd.people import bring_sample, opened, prepare, shows_map

SEED = "projector.tsne.seed"
DROPS = 15


def jobs(server, kind="project"):
    """State and attempts of every job of that kind, in the order they were asked for."""
    with closing(sqlite3.connect(server.home / "workspace.sqlite3")) as connection:
        return connection.execute("SELECT key, state, attempts FROM jobs WHERE kind = ?"
                                  " ORDER BY seq", (kind,)).fetchall()


async def start_long_job(tab, seed):
    """Ask for a t-SNE that takes some seconds; the tab then shows its progress."""
    await tab.go("recipe")
    await tab.choose("t-SNE", key="projector.method")
    await tab.type_number(2_500, key="projector.tsne.iterations")
    await tab.type_number(seed, key=SEED)
    await tab.click("Run")
    await tab.wait_for(lambda tab: tab.says("Computing the recipe"), "the progress")


def test_s01_a_reload_shows_the_same_job_and_starts_no_other(server):
    async def reload():
        async with opened(server.url) as tab:
            await bring_sample(tab, "wine")
            before = len(jobs(server))
            await start_long_job(tab, 11)
            workspace = tab.workspace
            again = Tab(server.url)
            await again.open("recipe", link(workspace))
            assert again.session != tab.session
            assert again.says("Computing the recipe") or again.all("button", "See the map")
            await again.wait_for(lambda tab: tab.all("button", "See the map"), "the result", 120)
            await again.close()
            assert len(jobs(server)) == before + 1
            assert jobs(server)[-1][1:] == ("done", 1)
    asyncio.run(reload())


def test_s02_fifteen_lost_connections_keep_session_job_and_upload(server):
    async def lose():
        async with opened(server.url) as tab:
            await tab.upload("rows.csv", b"a,b\n" + b"1,2\n3,4\n5,9\n" * 20)
            session, workspace = tab.session, tab.workspace
            for _ in range(DROPS // 3):
                await tab.drop()
                await tab.reconnect()
                assert tab.all("button", "Read"), "the upload is still there"
            await tab.click("Read")
            await tab.wait_for(lambda tab: tab.all("button", "Make the map"), "the import", 60)
            await tab.click("Start with other data")
            await bring_sample(tab, "wine")
            before = len(jobs(server))
            await start_long_job(tab, 12)
            for _ in range(DROPS - DROPS // 3):
                await tab.drop()
                await asyncio.sleep(0.1)
                await tab.reconnect()
                assert tab.session == session
            await tab.wait_for(lambda tab: tab.all("button", "See the map"), "the result", 120)
            assert tab.workspace != workspace
            assert not tab.problems()
            assert [job[1:] for job in jobs(server)[before:]] == [("done", 1)]
    asyncio.run(lose())


def test_s04_a_new_session_opens_what_was_saved(server):
    async def sleep():
        async with opened(server.url) as tab:
            await bring_sample(tab, "wine")
            await tab.go("recipe")
            await tab.type_number(5, "Clusters")
            workspace = tab.workspace
        async with opened(server.url, "recipe", link(workspace)) as tab:
            box = tab.find("number_input", "Clusters")
            assert (box.value if box.set_value else box.default) == 5
            await tab.go("map")
            assert shows_map(tab)
            assert tab.workspace == workspace
    asyncio.run(sleep())


def test_s13_many_quick_presses_start_one_job_and_no_conflict(server):
    async def press():
        async with opened(server.url) as tab:
            await bring_sample(tab, "wine")
            await tab.go("recipe")
            await tab.choose("t-SNE", key="projector.method")
            for seed in range(21, 27):
                await tab.type_number(seed, key=SEED)
                before = len(jobs(server))
                await tab.press_often(8, 0.004, "Run")
                await tab.wait_for(lambda tab: tab.all("button", "See the map"), "the result", 60)
                assert not tab.problems()
                assert len(jobs(server)) == before + 1
                assert jobs(server)[-1][1:] == ("done", 1)
    asyncio.run(press())


def test_s03_open_tabs_come_back_to_what_was_saved_after_a_restart(tmp_path):
    home, port = tmp_path / "home", servers.free_port()
    first = servers.start(home, port, EXPLORER_WORKERS="1")
    second = None

    async def restart():
        nonlocal second
        tab = Tab(first.url)
        await tab.open()
        await tab.click(key="sample.wine")
        await tab.wait_for(lambda tab: tab.all("button", "Make the map"), "the proposal")
        await tab.go("recipe")
        await tab.type_number(7, "Clusters")
        workspace, session = tab.workspace, tab.session
        first.kill()
        second = servers.start(home, port, EXPLORER_WORKERS="1")
        await tab.drop()
        await tab.reconnect()  # same tab, same address, a session the new server does not know
        assert tab.session != session
        assert tab.workspace == workspace
        assert not tab.problems()
        async with opened(second.url, "recipe", link(workspace)) as other:
            for seen in (tab, other):
                assert seen.says("**Wines**")
                box = seen.find("number_input", "Clusters")
                assert (box.value if box.set_value else box.default) == 7
        await tab.close()
    try:
        asyncio.run(restart())
    finally:
        first.kill()
        if second is not None:
            second.stop()


def test_s14_a_session_id_is_a_key_and_is_not_in_the_log(server):
    """What holds and what does not: without a login whoever knows a session's id gets it (Streamlit
    1.67); the id is nowhere but in the browser and the server's memory."""
    async def take_over():
        shared = await prepare(server.url, "wine")
        async with opened(server.url, "map", link(shared)) as owner:
            thief = Tab(server.url, session=owner.session)
            await thief.open()
            assert thief.session == owner.session
            await thief.close()
            assert owner.session not in server.log()
            assert shared not in server.log()
    asyncio.run(take_over())
