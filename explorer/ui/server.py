"""The server: what stands around Streamlit, its beginning and its end."""

from __future__ import annotations

import asyncio
import logging
import signal
import sys
import threading
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Any

import streamlit as st
from starlette.middleware import Middleware
from streamlit.runtime.pages_manager import PagesManager

from explorer.clean_logs import keep_logs_clean
from explorer.errors import ExplorerError, ParameterError
from explorer.ui.access import Access
from explorer.ui.backend import backend, close
from explorer.ui.guard import Guard
from explorer.ui.quota import UploadQuota
from explorer.ui.wire import prepare_for_many


def edges() -> list[Middleware]:
    """What every request passes first."""
    access = _access()
    return [Middleware(Guard, access), Middleware(UploadQuota, access)]


def refuse_open_address() -> None:
    """End the process with a sentence when it would listen where others can reach it and nobody
    said they may; say so where somebody did. After the App is made, which finds the configuration
    beside its script."""
    access, address = _access(), st.config.get_option("server.address")
    refusal = access.refusal(address)
    if refusal:
        sys.exit(refusal)
    caution = access.caution(address)
    if caution:
        sys.stderr.write(f"{caution}\n")


def end_in_order() -> None:
    """A server that is told to end (SIGTERM, Ctrl-C) ends with status 0 once it has cleaned up."""
    # uvicorn shuts down first, our lifespan with it, and then sends itself the signal once more.
    if threading.current_thread() is threading.main_thread():
        for number in (signal.SIGTERM, signal.SIGINT):
            signal.signal(number, lambda *_: sys.exit(0))


def _access() -> Access:
    try:
        return Access.from_environment()
    except ParameterError as error:
        sys.exit(str(error))


@asynccontextmanager
async def lifespan(app: Any) -> AsyncIterator[None]:
    """Start what every session shares; stop the engine process with the server."""
    # With a folder named pages/ the first session after a start runs the old multipage way and
    # greets a deep link with 'Page not found'. st.navigation turns that off, one visitor too late.
    PagesManager.uses_pages_directory = False
    keep_logs_clean()
    prepare_for_many()
    await asyncio.to_thread(_open)
    try:
        yield
    finally:
        await asyncio.to_thread(close)


def _open() -> None:
    try:
        backend()
    except ExplorerError as error:  # the pages say so too, and offer the way out
        logging.getLogger(__name__).error("%s", error)
