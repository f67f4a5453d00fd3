"""What a model hub has under an id: asked only when a person presses for it.

Two endpoints of the hub's protocol are used: the description of a repository with its files, sizes
and checksums, and the files themselves (fetch.py). No account, no token, no cookie is sent. The hub
is https://huggingface.co, or another one of the same protocol in HF_ENDPOINT.
"""

from __future__ import annotations

import http.client
import json
import os
import re
import urllib.error
import urllib.request
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any
from urllib.parse import quote, urlsplit

from explorer.encode.models import model_roots
from explorer.errors import DataError, ParameterError, Where
from explorer.store import home

SECONDS = 20.0
"""To wait for an answer; then it is said that there is none."""
_ID = re.compile(r"[A-Za-z0-9][\w.-]{0,95}(/[A-Za-z0-9][\w.-]{0,95})?")
_REVISION = re.compile(r"[0-9a-f]{40}")
_SHA256, _SHA1 = re.compile(r"[0-9a-f]{64}"), re.compile(r"[0-9a-f]{40}")
_LARGEST_ANSWER = 20_000_000
_MOST_FILES = 500
_SMALL = {".json", ".txt"}
_NAMED = {"spiece.model", "sentencepiece.bpe.model", "tokenizer.model", "readme.md", "license"}
_WEIGHTS = re.compile(r"model(-\d{5}-of-\d{5})?\.safetensors")
_FOLDER = re.compile(r"\d+_[A-Za-z]+")
_CODE = (".bin", ".pt", ".pth", ".ckpt", ".pkl", ".h5", ".msgpack", ".onnx")


@dataclass(frozen=True)
class HubFile:
    """A file of a repository: its `path`, `bytes`, and the checksum it must have (`kind`: sha256
    of the content for large files, git's sha1 of 'blob <size>' and the content for small ones)."""

    path: str
    bytes: int
    kind: str
    checksum: str


@dataclass(frozen=True)
class Offer:
    """What would be fetched: `files` of the repository `name` at `revision` (a commit) from
    `host`; `licence` and `task` as its page says ('' where it does not)."""

    name: str
    revision: str
    host: str
    licence: str
    task: str
    files: tuple[HubFile, ...]

    @property
    def bytes(self) -> int:
        """All of it."""
        return sum(file.bytes for file in self.files)

    def plain(self) -> dict[str, Any]:
        """As JSON; `offer_from` is the way back."""
        return asdict(self)


def offer_from(plain: dict[str, Any]) -> Offer:
    """The offer of `Offer.plain`; its id, paths and checksums are checked again."""
    files = tuple(HubFile(**file) for file in plain["files"])
    offer = Offer(**{**plain, "files": files})
    check_id(offer.name)
    good = _REVISION.fullmatch(offer.revision) and files and all(
        wanted(file.path) and _checksum_fits(file) and file.bytes >= 0 for file in files)
    if not good:
        raise _odd(offer.name)
    return offer


def downloads_refused() -> str:
    """Why nothing may be fetched on this server; '' where it may."""
    for name in ("EXPLORER_OFFLINE", "HF_HUB_OFFLINE"):
        # The worker that encoded texts has set the library's own switch for itself.
        if os.environ.get(name, "").strip().lower() in ("1", "true", "yes", "on"):
            return f"{name} is set on this server: nothing is downloaded."
    if os.environ.get("EXPLORER_DEMO", "") == "1":
        return "This is a demonstration: nothing is downloaded."
    return ""


def endpoint() -> str:
    """The hub's address, without a slash at its end."""
    return os.environ.get("HF_ENDPOINT", "https://huggingface.co").strip().rstrip("/")


def host() -> str:
    """The hub's name, as a person reads it."""
    return urlsplit(endpoint()).netloc or endpoint()


def download_folder() -> Path:
    """Where a fetched model will lie: `models` in the home where that is a folder for models, else
    the first of `model_roots()`."""
    roots, own = model_roots(), (home() / "models").absolute()
    return own if own in roots else roots[0]


def check_id(name: str) -> None:
    """Raises ParameterError BAD_MODEL_NAME for what cannot be a hub id; no connection is made."""
    if not _ID.fullmatch(name) or ".." in name or "--" in name or name.endswith((".", ".git")):
        raise ParameterError("BAD_MODEL_NAME", "The id must be 'owner/name' as on the hub's page, "
                                               f"got {name[:80]!r}.", Where(parameter="id"),
                             "For example sentence-transformers/all-mpnet-base-v2.")


def look_up(name: str) -> Offer:
    """Ask the hub what it has under an id: one request, at most SECONDS.

    Raises ParameterError BAD_MODEL_NAME, DataError OFFLINE where nothing may be fetched or nobody
    answers, NO_SUCH_MODEL, UNSAFE_WEIGHTS where there are no safetensors, ODD_ANSWER.
    """
    check_id(name)
    refused = downloads_refused()
    if refused:
        raise DataError("OFFLINE", refused, hint="Copy the model's folder by hand, see above.")
    answer = _asked(name)
    if answer.get("gated") or answer.get("private"):
        raise refused_by_hub(name, 403)
    offer = _offer(name, answer)
    if not any(_WEIGHTS.fullmatch(Path(file.path).name) for file in offer.files):
        there = sorted({Path(str(one.get("rfilename", ""))).suffix for one in answer["siblings"]}
                       & {*_CODE, ".safetensors"})
        raise DataError("UNSAFE_WEIGHTS", f"{name} must have its weights as model.safetensors, got "
                        f"{', '.join(there) or 'no weights'}.", Where(parameter="id"),
                        "Files of other formats can run code and are not fetched: take another "
                        "model, or another revision made by the hub's converter.")
    return offer


def address_of(offer: Offer, file: HubFile) -> str:
    """Where a file of the offered revision lies."""
    return f"{endpoint()}/{quote(offer.name)}/resolve/{offer.revision}/{quote(file.path)}"


def wanted(path: str) -> bool:
    """Whether a file is fetched: weights, configuration, tokeniser, the page with the licence; in
    the repository itself or in a folder of a sentence-transformers module ('1_Pooling')."""
    *folders, name = path.split("/")
    if len(folders) > 1 or (folders and not _FOLDER.fullmatch(folders[0])) or name.startswith("."):
        return False
    return bool(Path(name).suffix in _SMALL or name.lower() in _NAMED or _WEIGHTS.fullmatch(name))


def _asked(name: str) -> dict[str, Any]:
    request = urllib.request.Request(  # noqa: S310 - the scheme is checked
        f"{_checked_endpoint()}/api/models/{quote(name)}?blobs=true",
        headers={"User-Agent": "embedding-explorer"})
    try:
        with urllib.request.urlopen(request, timeout=SECONDS) as reply:  # noqa: S310 - see above
            content = reply.read(_LARGEST_ANSWER + 1)
    except urllib.error.HTTPError as error:
        raise refused_by_hub(name, error.code) from error
    except (OSError, http.client.HTTPException) as error:  # no network, no such host, no answer
        raise unreachable(error) from error
    try:
        answer = json.loads(content) if len(content) <= _LARGEST_ANSWER else None
    except (ValueError, RecursionError):
        answer = None
    if not isinstance(answer, dict) or not isinstance(answer.get("siblings"), list):
        raise DataError("ODD_ANSWER", f"{host()} must answer with a model's description, got "
                                      "something else.", hint="Is there a login page between this "
                        "machine and the network? Open the hub in a browser.")
    return answer


def unreachable(error: Exception) -> DataError:
    """Nobody answers, in words."""
    why = getattr(error, "reason", None) or error
    return DataError("OFFLINE", f"{host()} must be reachable, got no answer "
                                f"({str(why)[:120] or type(error).__name__}).",
                     hint="Use what is on this machine: MiniLM on board, TF-IDF + SVD, the models "
                          "in the list, or copy a model's folder by hand.")


def refused_by_hub(name: str, code: int) -> DataError:
    """The hub's 'no', in words."""
    if code in (401, 403, 404):
        return DataError("NO_SUCH_MODEL", f"{host()} must have a model {name!r} that anybody may "
                         f"fetch, got {code} (no such model, or one behind a login).",
                         Where(parameter="id"), "Check the id on the hub's page. Models behind a "
                         "login are fetched there by hand and copied into a folder for models.")
    return DataError("OFFLINE", f"{host()} must answer, got error {code}.",
                     hint="Try again later.")


def _checked_endpoint() -> str:
    if urlsplit(endpoint()).scheme not in ("https", "http"):
        raise ParameterError("BAD_ENDPOINT", f"HF_ENDPOINT must be an https address, got "
                                             f"{endpoint()[:80]!r}.")
    return endpoint()


def _offer(name: str, answer: dict[str, Any]) -> Offer:
    found = [_file(one) for one in answer["siblings"][:_MOST_FILES * 10]
             if isinstance(one, dict) and wanted(str(one.get("rfilename", "")))]
    files = tuple(file for file in found if file is not None)
    revision = str(answer.get("sha", ""))
    if not _REVISION.fullmatch(revision) or len(files) < len(found) or len(files) > _MOST_FILES:
        raise _odd(name)
    tags = [str(tag) for tag in answer.get("tags") or []]
    licence = next((tag.removeprefix("license:") for tag in tags if tag.startswith("license:")), "")
    return Offer(name, revision, host(), licence[:60],
                 str(answer.get("pipeline_tag") or "")[:60], files)


def _file(told: dict[str, Any]) -> HubFile | None:
    large = told.get("lfs")
    if isinstance(large, dict):
        file = HubFile(told["rfilename"], large.get("size", -1), "sha256",
                       str(large.get("sha256") or large.get("oid") or ""))
    else:
        file = HubFile(told["rfilename"], told.get("size", -1), "git", str(told.get("blobId", "")))
    good = isinstance(file.bytes, int) and file.bytes >= 0 and _checksum_fits(file)
    return file if good else None


def _checksum_fits(file: HubFile) -> bool:
    form = {"sha256": _SHA256, "git": _SHA1}.get(file.kind)
    return bool(form and form.fullmatch(file.checksum))


def _odd(name: str) -> DataError:
    return DataError("ODD_ANSWER", f"The hub must name size and checksum of every file of "
                                   f"{name[:80]}, got none for some.",
                     hint="Fetch it by hand and copy its folder into a folder for models.")
