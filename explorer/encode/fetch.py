"""A model from the hub onto this disk: the job behind the button Download.

Files come one after the other into a hidden folder beside the others, each with its checksum; what
is there already is not fetched again, so a job that was stopped goes on where it was. Only when all
of it is there, verified and accepted by `read_model`, the folder gets its name.
"""

from __future__ import annotations

import hashlib
import http.client
import os
import shutil
import time
import urllib.error
import urllib.request
from pathlib import Path
from typing import Any, BinaryIO

from explorer.disk import check_space, disk_error, size_in_words
from explorer.encode.hub import (
    SECONDS,
    HubFile,
    Offer,
    address_of,
    downloads_refused,
    offer_from,
    refused_by_hub,
    unreachable,
)
from explorer.encode.model_folder import read_model
from explorer.encode.models import model_roots
from explorer.errors import DataError, Where
from explorer.spec import Progress

_BROKEN = (urllib.error.URLError, http.client.HTTPException, TimeoutError, ConnectionError)
"""What a connection that ends early can raise."""
SPARE = 500_000_000
"""Bytes that stay free on the disk."""
_PIECE = 1 << 18
_TRIES = 4


def execute(payload: dict[str, Any], home: str, progress: Progress) -> None:
    """Fetch the offer of `payload` into its folder. See `fetch`."""
    folder = Path(payload["folder"])
    if folder not in model_roots():
        raise DataError("NO_FOLDER", f"Models must go into a folder for models, got {folder.name}.",
                        hint="Look the model up again.")
    fetch(offer_from(payload["offer"]), folder, progress)


def fetch(offer: Offer, root: Path, progress: Progress) -> Path:
    """The folder of the model, complete. What is missing is fetched.

    Raises DataError OFFLINE, NO_SUCH_MODEL, CHECKSUM (a file arrived that is not the one promised),
    what `read_model` raises for a folder that cannot be used, StoreError DISK_FULL and others.
    """
    goal = root / offer.name
    if goal.exists():
        read_model(offer.name, goal, root)
        progress(1.0, "it is there already")
        return goal
    refused = downloads_refused()
    # The switch of the library is set in every worker that has encoded: only ours counts here.
    if refused and not refused.startswith("HF_HUB_OFFLINE"):
        raise DataError("OFFLINE", refused)
    part = unfinished_folder(offer, root)
    try:
        part.mkdir(parents=True, exist_ok=True, mode=0o700)
        check_space("fetch the model", root, offer.bytes - _there(part) + SPARE)
        _Fetching(offer, part, progress).run()
        read_model(offer.name, part, root)
        goal.parent.mkdir(parents=True, exist_ok=True)
        os.replace(part, goal)
    except _BROKEN as error:
        raise unreachable(error) from error
    except OSError as error:
        raise disk_error("keep the model", root, error) from error
    progress(1.0, f"{size_in_words(offer.bytes)} fetched and verified")
    return goal


def unfinished_folder(offer: Offer, root: Path) -> Path:
    """Where the files lie until all are there; a leading dot keeps it out of every list."""
    return root / f".{offer.name.replace('/', '--')}.{offer.revision[:12]}"


def remove_unfinished(offer: Offer, root: Path) -> None:
    """Give up what was fetched of it."""
    shutil.rmtree(unfinished_folder(offer, root), ignore_errors=True)


class _Fetching:
    def __init__(self, offer: Offer, part: Path, progress: Progress) -> None:
        self._offer, self._part, self._progress = offer, part, progress
        self._done = 0

    def run(self) -> None:
        # The weights last: what is small and wrong is known before what is large is paid for.
        for file in sorted(self._offer.files, key=lambda file: (file.bytes, file.path)):
            path = self._part / file.path
            path.parent.mkdir(parents=True, exist_ok=True)
            before = self._done
            if not (path.exists() and path.stat().st_size == file.bytes
                    and self._checksum(path, file) == file.checksum):
                self._fetch(file, path)
            self._done = before + file.bytes
            self._say()

    def _fetch(self, file: HubFile, path: Path) -> None:
        coming = path.with_name(path.name + ".coming")
        before = self._done
        for left in reversed(range(_TRIES)):
            self._done = before + (coming.stat().st_size if coming.exists() else 0)
            try:
                self._receive(file, coming)
                break
            except _BROKEN as error:
                if isinstance(error, urllib.error.HTTPError):
                    raise refused_by_hub(self._offer.name, error.code) from error
                if not left:
                    raise
                self._progress(self._fraction(), "the connection broke; trying again")
                time.sleep(0.5 * (_TRIES - left))
        found = self._checksum(coming, file)
        if coming.stat().st_size != file.bytes or found != file.checksum:
            coming.unlink()
            raise DataError("CHECKSUM", f"{Path(file.path).name} must have the checksum "
                            f"{file.checksum[:16]}... the hub promised, got {found[:16]}... .",
                            Where(file=file.path), "Nothing of it is used. Look the model up and "
                            "fetch it again; if it stays so, do not trust this network.")
        os.replace(coming, path)

    def _receive(self, file: HubFile, coming: Path) -> None:
        """The rest of a file, from where the last attempt ended."""
        start = coming.stat().st_size if coming.exists() else 0
        if start >= file.bytes > 0 or (start and not file.bytes):
            return
        headers = {"User-Agent": "embedding-explorer", "Accept-Encoding": "identity"}
        if start:
            headers["Range"] = f"bytes={start}-"
        request = urllib.request.Request(address_of(self._offer, file),  # noqa: S310 - checked
                                         headers=headers)
        with urllib.request.urlopen(request, timeout=SECONDS) as reply:  # noqa: S310 - as above
            resumed = reply.status == 206
            self._done -= 0 if resumed else start
            with open(coming, "ab" if resumed else "wb") as out:
                self._copy(reply, out, file.bytes - (start if resumed else 0))

    def _copy(self, reply: Any, out: BinaryIO, most: int) -> None:
        while most > 0:
            piece = reply.read(min(_PIECE, most))
            if not piece:
                raise ConnectionError("the connection ended before the file")
            out.write(piece)
            most -= len(piece)
            self._done += len(piece)
            self._say()

    def _checksum(self, path: Path, file: HubFile) -> str:
        whole = hashlib.sha256() if file.kind == "sha256" else hashlib.sha1(usedforsecurity=False)
        if file.kind == "git":
            whole.update(f"blob {path.stat().st_size}\0".encode())
        with open(path, "rb") as content:
            while piece := content.read(1 << 22):
                whole.update(piece)
                self._progress(self._fraction(), f"verifying {Path(file.path).name}")
        return whole.hexdigest()

    def _fraction(self) -> float:
        return min(self._done / max(self._offer.bytes, 1), 0.99)

    def _say(self) -> None:
        self._progress(self._fraction(), f"{size_in_words(self._done)} of "
                                         f"{size_in_words(self._offer.bytes)}")


def _there(part: Path) -> int:
    return sum(file.stat().st_size for file in part.rglob("*") if file.is_file())
