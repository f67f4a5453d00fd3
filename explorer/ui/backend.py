"""What every session shares: store, job records, workspaces and the engine process."""

from __future__ import annotations

import gc
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import streamlit as st

from explorer import engine
from explorer.jobs import Jobs
from explorer.store import Store, home
from explorer.workspace import Workspaces

WARM = ("explorer.project.umap:warm_up",)


@dataclass(frozen=True)
class Backend:
    """The doors to everything outside this process. Nothing in it belongs to one session."""

    folder: Path
    store: Store
    jobs: Jobs
    workspaces: Workspaces
    engine: Any


@st.cache_resource(show_spinner=False)
def backend() -> Backend:
    """The one Backend of this server; starts the engine process at the first call."""
    folder = home()
    store = Store(folder)
    store.sweep()
    jobs = Jobs(folder)
    workspaces = Workspaces(folder)
    running = engine.start(folder, warm=WARM)
    gc.collect()
    gc.freeze()  # with runner.postScriptGC=false: 40-54 ms CPU a rerun -> 3-5 ms (measured)
    return Backend(folder, store, jobs, workspaces, running)
