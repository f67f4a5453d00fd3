"""The server's beginning and end: the engine starts before the first visitor and stops last."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Any

from streamlit.runtime.pages_manager import PagesManager

from explorer.ui.backend import backend


@asynccontextmanager
async def lifespan(app: Any) -> AsyncIterator[None]:
    """Start what every session shares; stop the engine process with the server."""
    # With a folder named pages/ the first session after a start runs the old multipage way and
    # greets a deep link with 'Page not found'. st.navigation turns that off, one visitor too late.
    PagesManager.uses_pages_directory = False
    shared = await asyncio.to_thread(backend)
    try:
        yield
    finally:
        await asyncio.to_thread(shared.engine.stop)
