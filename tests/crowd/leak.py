"""S05: nothing of one person's data, names or workspace in any byte another person receives."""

from __future__ import annotations

import asyncio
import base64
import secrets
import struct
from collections.abc import Iterator
from dataclasses import dataclass, field

from tests.crowd.client import Tab
from tests.crowd.people import bring_sample, shows_map
from tests.crowd.server import Server


@dataclass
class Ear:
    """Everything one tab receives, searched for strings as it comes."""

    wanted: dict[str, bytes]
    bytes: int = 0
    found: set[str] = field(default_factory=set)

    def __call__(self, data: bytes) -> None:
        self.bytes += len(data)
        for name, needle in self.wanted.items():
            if needle in data:
                self.found.add(name)


@dataclass(frozen=True)
class Secrets:
    """What only A has: in a header, in cells, as a number, in a file's name, as a cluster's."""

    column: str
    cell: str
    file: str
    cluster: str
    number: float

    @classmethod
    def draw(cls) -> Secrets:
        words = [f"zq{secrets.token_hex(8)}" for _ in range(4)]
        return cls(*words, number=secrets.randbelow(10**9) + 0.5078125)

    def table(self) -> bytes:
        """A table of 120 rows whose numbers make three groups; one number is the secret."""
        lines = [f"{self.column},x,y,note"]
        for row in range(120):
            group = row % 3
            lines.append(f"{self.cell}{row},{group * 9 + row / 100},{group * 5 - row / 70},"
                         f"{self.cell} note {row}")
        lines[1] = f"{self.cell}0,{self.number!r},0.5,{self.cell} note 0"
        return "\n".join(lines).encode()

    def needles(self, workspace: str) -> dict[str, bytes]:
        """Each secret as the bytes it would travel as; the number as text and in typed arrays."""
        plain = {"column": self.column, "cell": self.cell, "file": self.file,
                 "cluster": self.cluster, "number as text": repr(self.number)}
        if workspace:
            plain["workspace"] = workspace
        found = {name: text.encode() for name, text in plain.items()}
        found["number as float64"] = struct.pack("<d", self.number)
        for shift, core in enumerate(_coded(struct.pack("<d", self.number))):
            found[f"number in base64, {shift}"] = core
        return found


def _coded(raw: bytes) -> Iterator[bytes]:
    """The part of base64 text that eight bytes leave at each of the three places they can have."""
    for shift in range(3):
        text = base64.b64encode(bytes(shift) + raw)
        first, last = -(-shift * 4 // 3), (shift + len(raw)) * 4 // 3
        yield text[first + (1 if shift else 0):last]


async def look(url: str, server: Server | None, rounds: int = 3) -> int:
    """A brings data full of secrets, B goes `rounds` times through everything beside; returns how
    many secrets reached B or a log, and those not even A was sent (then nothing was tested)."""
    told = Secrets.draw()
    ear_of_a = Ear({})
    ear_of_b = Ear({})
    a, b = Tab(url, seen=ear_of_a, name="A"), Tab(url, seen=ear_of_b, name="B")
    await a.open()
    workspace = a.workspace
    ear_of_a.wanted = ear_of_b.wanted = told.needles(workspace)
    await b.open()
    await asyncio.gather(_work_of_a(a, told), _work_of_b(b, rounds))
    await _see_all(b)  # once more, with A's work done
    logs = [name for name, needle in told.needles(workspace).items()
            if server is not None and needle in server.log().encode()]
    sessions = [name for name, needle in (("A's session", a.session), ("B's session", b.session))
                if server is not None and needle and needle in server.log()]
    await asyncio.gather(a.close(), b.close())
    must = {"column", "cell", "file", "cluster", "number as text"}
    deaf = must - ear_of_a.found
    print(f"leak: {len(ear_of_b.wanted)} secrets of A sought in {ear_of_b.bytes / 1e6:.1f} MB that "
          f"B received: {sorted(ear_of_b.found) or 'none found'}; in the logs: "
          f"{sorted(logs + sessions) or 'none found'}; in A's own {ear_of_a.bytes / 1e6:.1f} MB: "
          f"{len(ear_of_a.found)} found{f', NOT SEEN THERE: {sorted(deaf)}' if deaf else ''}")
    return len(ear_of_b.found) + len(logs) + len(sessions) + len(deaf)


async def _work_of_a(tab: Tab, told: Secrets) -> None:
    await tab.upload(f"{told.file}.csv", told.table())
    await tab.click("Read")
    await tab.wait_for(lambda tab: tab.all("button", "Make the map"), "the proposal", 120)
    await tab.click("Make the map")
    await tab.wait_for(shows_map, "the map", 300)
    await tab.go("clusters")
    await tab.edit_table({0: {"name": told.cluster}})
    await _see_all(tab)
    await tab.go("")


async def _work_of_b(tab: Tab, rounds: int) -> None:
    await bring_sample(tab, "wine")
    for _ in range(rounds - 1):
        await _see_all(tab)


async def _see_all(tab: Tab) -> None:
    """Every page, some ways to colour the map, the rows, every picture and download on it."""
    for page in list(tab.pages):
        await tab.go(page)
        await _fetch_all(tab)
    await tab.go("map")
    for option in tab.find("selectbox", key="color_by").options[:5]:
        await tab.choose(option, key="color_by")
    offers = tab.all("button", "All ")
    if offers:
        await tab.click(offers[-1].label)
        await _fetch_all(tab)
        await tab.click("Clear")


async def _fetch_all(tab: Tab) -> None:
    addresses = [image.url for element in tab.elements("imgs") for image in element.imgs]
    addresses += [element.url for element in tab.elements("download_button")]
    for address in addresses:
        if address.startswith("/"):
            await asyncio.to_thread(tab.fetch, address)
