"""What is measured on a running app: a working crowd, a rush, comings and goings, a flood."""

from __future__ import annotations

import argparse
import asyncio
import os
import random
import time
from collections import defaultdict
from collections.abc import Iterable, Sequence
from dataclasses import dataclass

import websockets

from tests.crowd.client import Answer, Tab, TabError, link
from tests.crowd.people import Tally, busy, opened, person, shows_map
from tests.crowd.server import Server, Vitals, healthy


async def crowd(url: str, shared: str, asked: argparse.Namespace, server: Server | None) -> int:
    """S07: `--sessions` people with think time, `--jobs` jobs running beside them."""
    before = server.vitals() if server else None
    tally = await work(url, shared, asked.sessions, asked.think, asked.seconds, asked.jobs,
                       asked.sample)
    print(f"crowd: {asked.sessions} sessions, {asked.think:g} s think time, {asked.jobs} jobs "
          f"running ({tally.jobs} finished), {asked.seconds:g} s, load {os.getloadavg()[0]:.1f}")
    print(f"  first render {spread(tally.renders)}")
    print(f"  rerun        {spread([answer.seconds for answer in tally.reruns])}")
    for what, seconds in sorted(_slowest(tally.reruns).items(), key=lambda pair: -pair[1][1])[:5]:
        print(f"    {what}: {seconds[0]} times, p95 {seconds[1]:.3f} s")
    print(f"  {tally.bytes / 1e6:,.0f} MB received, errors: {len(tally.errors)}")
    for error in tally.errors[:10]:
        print(f"    {error[:500]}")
    _told(server, before)
    return len(tally.errors)


async def work(url: str, shared: str, sessions: int, think: float, seconds: float, jobs: int,
               sample: str) -> Tally:
    """A crowd at work: people come in the first seconds, then all of them act until the end."""
    tally = Tally()
    done = asyncio.Event()
    workers = [asyncio.create_task(busy(url, number, done.is_set, tally, sample))
               for number in range(jobs)]
    until = time.monotonic() + seconds

    async def come(number: int) -> None:
        # Spread over a few think times: a rush is measured by itself.
        await asyncio.sleep(random.Random(number).uniform(0, min(3 * think, seconds / 4)))
        await person(url, number, shared, think, until, tally, sample=sample)

    await asyncio.gather(*(come(number) for number in range(sessions)))
    done.set()
    await asyncio.gather(*workers)
    return tally


async def rush(url: str, shared: str, count: int) -> int:
    """S08: `count` people open the shared link in the same moment."""
    tabs = [Tab(url) for _ in range(count)]
    started = time.perf_counter()
    ends = await asyncio.gather(*(_come(tab, shared) for tab in tabs), return_exceptions=True)
    times = [end - started for end in ends if isinstance(end, float)]
    bare = sum(not shows_map(tab) for tab in tabs)
    errors = [str(end) for end in ends if isinstance(end, BaseException)]
    print(f"rush: {count} tabs at once, the last one rendered after {max(times, default=0):.2f} s "
          f"({spread(times)}), without a map: {bare}, errors: {len(errors)} {errors[:2]}, "
          f"load {os.getloadavg()[0]:.1f}")
    await asyncio.gather(*(tab.close() for tab in tabs))
    return bare + len(errors)


async def _come(tab: Tab, shared: str) -> float:
    await tab.open("map", link(shared))
    return time.perf_counter()


@dataclass(frozen=True)
class Turnover:
    """What comings and goings left behind: vitals after every tenth of them."""

    vitals: tuple[Vitals, ...]
    errors: tuple[str, ...]


async def churn(url: str, shared: str, count: int, together: int, server: Server | None) -> int:
    """S09: tabs opened and closed; the server's vitals over time."""
    found = await turn_over(url, shared, count, together, server)
    errors = list(found.errors)
    print(f"churn: {count} tabs opened and closed, {together} at a time, errors: {len(errors)} "
          f"{errors[:2]}")
    for number, vitals in enumerate(found.vitals):
        print(f"  after {round(count * number / 10):>5}: {vitals.words()}")
    if not found.vitals:
        return len(errors)
    # A tab closed stays for a while (server.disconnectedSessionTTL, at most 128 of them), so what
    # counts is growth from the moment these are full.
    half, end = found.vitals[len(found.vitals) // 2], found.vitals[-1]
    grown = [what for what, allowed in (("rss", 0.2 * half.rss), ("fds", 20), ("threads", 8),
                                        ("children", 0))
             if getattr(end, what) > getattr(half, what) + allowed]
    print(f"  second half: {'flat' if not grown else 'GREW: ' + ', '.join(grown)}")
    return len(errors) + len(grown)


async def turn_over(url: str, shared: str, count: int, together: int,
                    server: Server | None) -> Turnover:
    """Open and close `count` tabs on the shared map."""
    errors: list[str] = []
    vitals = [server.vitals()] if server else []

    async def visit() -> None:
        try:
            async with opened(url, "map", link(shared)) as tab:
                if not shows_map(tab):
                    errors.append(f"no map: {tab.texts()[:5]}")
        except (TabError, OSError) as error:
            errors.append(str(error))

    for part in range(10):
        left = count * (part + 1) // 10 - count * part // 10
        while left > 0:
            await asyncio.gather(*(visit() for _ in range(min(together, left))))
            left -= together
        if server:
            vitals.append(server.vitals())
    return Turnover(tuple(vitals), tuple(errors))


async def flood(url: str, shared: str, server: Server | None, seconds: float = 10.0,
                quiet: int = 8) -> int:
    """S10: one client does its worst while others work."""
    before = server.vitals() if server else None
    alone = await _others(url, shared, quiet, seconds)
    beside = asyncio.create_task(_others(url, shared, quiet, seconds))
    closed = [int(code) for code in await asyncio.gather(*(garbage(url, kind)
                                                           for kind in GARBAGE))]
    many = await hammer(url, shared, seconds)
    others = await beside
    well = await asyncio.to_thread(healthy, url)
    print(f"flood: closed with {dict(zip(GARBAGE, closed, strict=True))}; {many} reruns asked for "
          f"in {seconds:g} s; health {'200 within 1 s' if well else 'BAD'}; others' rerun "
          f"{spread([answer.seconds for answer in alone.reruns])} before, "
          f"{spread([answer.seconds for answer in others.reruns])} beside it, "
          f"errors: {len(others.errors)} {others.errors[:2]}")
    _told(server, before)
    wrong = [kind for kind, code in zip(GARBAGE, closed, strict=True) if code not in GARBAGE[kind]]
    return len(others.errors) + len(wrong) + (not well)


GARBAGE = {"random bytes": (1002,), "text": (1000, 1006), "26 MB": (1009,)}
"""What is sent and the codes the connection may be closed with."""


async def garbage(url: str, kind: str) -> int:
    """Send a frame no browser sends; the code the server closes the connection with."""
    tab = Tab(url)
    await tab.open()
    socket = tab._socket
    assert socket is not None
    draws = random.Random(0)
    content: str | bytes = "hello"
    if kind == "random bytes":
        content = b"\xff" + draws.randbytes(2_000)
    elif kind == "26 MB":
        content = bytes(26_000_000)
    try:
        await socket.send(content)
        await asyncio.wait_for(socket.wait_closed(), 20)
    except (TimeoutError, websockets.ConnectionClosed):
        pass
    code = socket.close_code or 0
    await tab.close()
    return code


async def hammer(url: str, shared: str, seconds: float) -> int:
    """One client asks for a hundred reruns a second and never waits; how many it asked for."""
    tab = Tab(url)
    await tab.open("map", link(shared))
    asked = 0
    until = time.monotonic() + seconds
    while time.monotonic() < until and not tab.closed:
        await tab._send()
        asked += 1
        await asyncio.sleep(0.01)
    await tab.close()
    return asked


async def _others(url: str, shared: str, count: int, seconds: float) -> Tally:
    return await work(url, shared, count, 0.5, seconds, 0, "wine")


def spread(seconds: Sequence[float]) -> str:
    """'n=120 p50 0.021 p95 0.080 max 0.200 s'."""
    if not seconds:
        return "n=0"
    ordered = sorted(seconds)
    return (f"n={len(ordered)} p50 {ordered[len(ordered) // 2]:.3f} "
            f"p95 {ordered[int(0.95 * (len(ordered) - 1))]:.3f} max {ordered[-1]:.3f} s")


def _slowest(answers: Iterable[Answer]) -> dict[str, tuple[int, float]]:
    grouped: dict[str, list[float]] = defaultdict(list)
    for answer in answers:
        grouped[answer.what].append(answer.seconds)
    return {what: (len(times), sorted(times)[int(0.95 * (len(times) - 1))])
            for what, times in grouped.items()}


def _told(server: Server | None, before: Vitals | None) -> None:
    if server is not None and before is not None:
        print(f"  server before: {before.words()}\n  server after:  {server.vitals().words()}")
