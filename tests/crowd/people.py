"""What people do: come by a link or with data of their own, look, colour, choose, rename, change.

Everything is random from a seed, so that a crowd can be called back.
"""

from __future__ import annotations

import asyncio
import random
import time
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from dataclasses import dataclass, field

from tests.crowd.client import Answer, Tab, TabError, link

SAMPLE = "digits"


@dataclass
class Tally:
    """What a crowd went through."""

    renders: list[float] = field(default_factory=list)
    reruns: list[Answer] = field(default_factory=list)
    errors: list[str] = field(default_factory=list)
    jobs: int = 0
    bytes: int = 0

    def take(self, tab: Tab) -> None:
        """The answers a tab got."""
        for answer in tab.answers:
            if answer.what == "first render":
                self.renders.append(answer.seconds)
            else:
                self.reruns.append(answer)

    def complain(self, tab: Tab) -> None:
        """Note exceptions and red cards on the page, and a lost connection."""
        self.errors += [f"{tab.name}: {problem}" for problem in tab.problems()]
        if tab.closed:
            self.errors.append(f"{tab.name}: connection gone: {tab.closed}")


@asynccontextmanager
async def opened(url: str, page: str = "", query: str = "") -> AsyncIterator[Tab]:
    """A tab for the time of the block."""
    tab = Tab(url)
    try:
        await tab.open(page, query)
        yield tab
    finally:
        await tab.close()


async def bring_sample(tab: Tab, sample: str = SAMPLE) -> None:
    """Take a sample and make its map; returns when the map is there."""
    await tab.click(key=f"sample.{sample}")
    await tab.wait_for(lambda tab: tab.all("button", "Make the map"), "a proposal")
    await tab.click("Make the map")
    await tab.wait_for(shows_map, "the map", 300)


async def prepare(url: str, sample: str = SAMPLE) -> str:
    """A workspace with everything computed: the link that is passed round."""
    async with opened(url) as tab:
        await bring_sample(tab, sample)
        return tab.workspace


def shows_map(tab: Tab) -> bool:
    """Whether the map is on the page."""
    return bool(tab.all("bidi_component", key="map"))


async def live(tab: Tab, think: float, until: float, draws: random.Random, *, own: bool) -> None:
    """Work on a map until the clock says `until`. In a workspace of many (`own` False) the recipe
    is looked at and not changed: a change of another's is a conflict, and rightly shown."""
    async def pause() -> None:
        await asyncio.sleep(draws.uniform(0.5, 1.5) * think)

    while time.monotonic() < until:
        for act in (_look_at_map, _look_at_recipe, _look_at_clusters):
            async for _ in act(tab, draws, own):
                await pause()
                if time.monotonic() > until:
                    return


async def _look_at_map(tab: Tab, draws: random.Random, own: bool) -> AsyncIterator[None]:
    yield await _done(tab.go("map"))
    for colouring in ("Colour: Silhouette", "Colour: Cluster"):
        yield await _done(tab.choose(colouring, key="color_by"))
    for view in ("map", "silhouette"):
        rows = sorted(draws.sample(range(150), 40))
        yield await _done(tab.lasso(view, rows))
        # Hovering asks for cards, beside the script.
        await asyncio.to_thread(tab.fetch, f"{tab.told(view)['card']}/{draws.choice(rows)}")
        yield await _done(tab.click(key="selection.clear"))
    for panel in ("Columns", "Selection"):
        yield await _done(tab.choose(panel, key="panel"))


async def _look_at_recipe(tab: Tab, draws: random.Random, own: bool) -> AsyncIterator[None]:
    yield await _done(tab.go("recipe"))
    fields = tab.all("number_input", "Clusters")
    if own and fields:
        before = fields[0].value if fields[0].set_value else fields[0].default
        yield await _done(tab.type_number(draws.randint(3, 12), "Clusters"))
        yield await _done(tab.type_number(before, "Clusters"))


async def _look_at_clusters(tab: Tab, draws: random.Random, own: bool) -> AsyncIterator[None]:
    yield await _done(tab.go("clusters"))
    name = f"{draws.choice(('round', 'tall', 'open', 'closed'))} {draws.randint(1, 99)}"
    yield await _done(tab.edit_table({0: {"name": name}}))
    yield await _done(tab.edit_table({1: {"pick": True}}))
    if tab.all("number_input", "Page"):
        yield await _done(tab.type_number(2, "Page"))
    yield await _done(tab.click("Show on map"))
    if tab.all("button", key="selection.clear"):
        yield await _done(tab.click(key="selection.clear"))


async def _done(answer: Awaitable[Answer]) -> None:
    await answer


async def person(url: str, number: int, shared: str, think: float, until: float,
                 tally: Tally, *, sample: str = SAMPLE) -> None:
    """One of the crowd: every second one brings the sample into a workspace of their own."""
    draws = random.Random(number)
    own = bool(number % 2)
    tab = Tab(url)
    try:
        if own:
            await tab.open()
            await bring_sample(tab, sample)
        else:
            await tab.open("map", link(shared))
            if not shows_map(tab):
                raise TabError(f"{tab.name}: no map behind the link: {tab.texts()[:9]}")
        await live(tab, think, until, draws, own=own)
        tally.complain(tab)
    except (TabError, OSError) as error:
        tally.errors.append(str(error))
    finally:
        tally.take(tab)
        tally.bytes += tab.received
        await tab.close()


async def busy(url: str, number: int, until: Callable[[], bool], tally: Tally,
               sample: str = SAMPLE) -> None:
    """Somebody who computes maps all the time: another seed, Run, wait, again."""
    method = ("tsne", "umap")[number % 2]
    seed = 1000 * (number + 1)
    tab = Tab(url, name=f"busy{number}", patience=300)
    try:
        await tab.open()
        await bring_sample(tab, sample)
        await tab.go("recipe")
        titles = {"umap": "UMAP", "tsne": "t-SNE"}
        await tab.choose(titles[method], key="projector.method")
        while not until():
            seed += 1
            await tab.type_number(seed, key=f"projector.{method}.seed")
            await tab.click("Run")
            await tab.wait_for(lambda tab: tab.all("button", "See the map") or until(),
                               "the result", 300)
            tally.jobs += 1
        tally.complain(tab)
    except (TabError, OSError) as error:
        tally.errors.append(str(error))
    finally:
        await tab.close()
