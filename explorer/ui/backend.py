"""What every session shares: store, job records, workspaces, backups and the engine process."""

from __future__ import annotations

import gc
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import streamlit as st

from explorer import engine
from explorer.backups import Keeper
from explorer.jobs import Jobs
from explorer.store import Store, home
from explorer.tidy import store_quota, tidy_step
from explorer.uploads import sweep_uploads
from explorer.workspace import Workspaces

WARM = ("explorer.project.umap:warm_up",)
_opened: list[Backend] = []


@dataclass(frozen=True)
class Backend:
    """The doors to everything outside this process. Nothing in it belongs to one session."""

    folder: Path
    store: Store
    jobs: Jobs
    workspaces: Workspaces
    engine: Any
    keeper: Any
    read_only: bool = False
    """Opened in a folder that cannot be written: no engine runs, no backup is made."""


class Resting:
    """In the place of the engine and the backups where nothing can be written."""

    pid = None

    def stop(self) -> None:
        """Nothing runs."""

    def wait_ready(self, seconds: float = 0.0) -> bool:
        """It never is."""
        return False


@st.cache_resource(show_spinner=False)
def backend() -> Backend:
    """The one Backend of this server; starts the engine process at the first call.

    Raises StoreError where the folder or the workspace file cannot be used; asked again, it looks
    again.
    """
    folder = home()
    store = Store(folder)
    workspaces = Workspaces(folder)
    # All of it now: else SQLite meets a broken page some day in the middle of somebody's work.
    workspaces.verify(rows=False)
    jobs = Jobs(folder)
    if workspaces.read_only:
        made = Backend(folder, store, jobs, workspaces, Resting(), Resting(), read_only=True)
    else:
        store.sweep()
        sweep_uploads(folder)
        if store_quota() is not None:
            jobs.submit([tidy_step()], owner="")
        made = Backend(folder, store, jobs, workspaces, engine.start(folder, warm=WARM),
                       Keeper(folder))
    _opened.append(made)
    gc.collect()
    gc.freeze()  # with runner.postScriptGC=false: 40-54 ms CPU a rerun -> 3-5 ms (measured)
    return made


def close() -> None:
    """Stop whatever this server has started."""
    while _opened:
        made = _opened.pop()
        made.engine.stop()
        made.keeper.stop()


def open_again() -> None:
    """Forget the Backend: the next call looks at the folder anew."""
    close()
    backend.clear()
