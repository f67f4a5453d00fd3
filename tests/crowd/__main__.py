"""`python -m tests.crowd`: a crowd on the app, and one honest line about each thing measured.

Without --url the app is started on a fresh home and ended afterwards, and its memory, handles,
threads and children are told before and after. Say at least one of: --sessions (a crowd working),
--open-at-once, --churn, --flood, --leak.
"""

from __future__ import annotations

import argparse
import asyncio
import os
import platform
import sys
from collections.abc import Sequence
from contextlib import nullcontext

from tests.crowd import leak, measure
from tests.crowd.people import SAMPLE, prepare
from tests.crowd.server import Server, serving


def main(arguments: Sequence[str] | None = None) -> int:
    """Run what was asked for; the exit status is 1 when anything failed that is not a time."""
    asked = _options(arguments)
    with nullcontext(None) if asked.url else serving() as server:
        url = asked.url or server.url
        print(f"machine: {os.cpu_count()} cores, load {os.getloadavg()[0]:.1f}, "
              f"Python {platform.python_version()}, {url}", flush=True)
        return asyncio.run(_measure(asked, url, server))


async def _measure(asked: argparse.Namespace, url: str, server: Server | None) -> int:
    failed = 0
    shared = await prepare(url, asked.sample)
    await asyncio.sleep(asked.settle)
    if asked.open_at_once:
        failed += await measure.rush(url, shared, asked.open_at_once)
    if asked.sessions:
        failed += await measure.crowd(url, shared, asked, server)
    if asked.churn:
        failed += await measure.churn(url, shared, asked.churn, asked.together, server)
    if asked.flood:
        failed += await measure.flood(url, shared, server)
    if asked.leak:
        failed += await leak.look(url, server)
    if failed and server is not None:
        print(f"the logs end with:\n{server.log()[-6_000:]}")
    return 1 if failed else 0


def _options(arguments: Sequence[str] | None) -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="python -m tests.crowd", description=__doc__)
    parser.add_argument("--url", help="an app that runs already (http://host:port)")
    parser.add_argument("--sample", default=SAMPLE, help="the sample everybody looks at")
    parser.add_argument("--sessions", type=int, default=0, help="tabs of a working crowd")
    parser.add_argument("--think", type=float, default=2.0, help="seconds between two actions")
    parser.add_argument("--seconds", type=float, default=120.0, help="how long the crowd works")
    parser.add_argument("--jobs", type=int, default=2, help="jobs running all the time beside it")
    parser.add_argument("--settle", type=float, default=10.0,
                        help="seconds to let warm-ups end before measuring")
    parser.add_argument("--open-at-once", type=int, default=0, metavar="N",
                        help="N tabs open the shared link in the same moment")
    parser.add_argument("--churn", type=int, default=0, metavar="N",
                        help="N tabs opened and closed, --together at a time")
    parser.add_argument("--together", type=int, default=10)
    parser.add_argument("--flood", action="store_true",
                        help="garbage frames, 26 MB messages, 100 reruns a second from one client")
    parser.add_argument("--leak", action="store_true",
                        help="nothing of one person's data in any byte another receives")
    asked = parser.parse_args(arguments)
    if not any((asked.sessions, asked.open_at_once, asked.churn, asked.flood, asked.leak)):
        parser.error("say what to do: --sessions, --open-at-once, --churn, --flood or --leak")
    return asked


if __name__ == "__main__":
    sys.exit(main())
