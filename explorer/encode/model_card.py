"""What a model's own files tell people about it: architecture, licence, what it needs in memory."""

from __future__ import annotations

import json
import re
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from explorer.encode.model_folder import LocalModel

_LONGEST = 2_000_000
_LICENCE = re.compile(r"^license:[ \t]*[\"']?([\w .+-]{1,60}?)[\"']?[ \t]*$", re.MULTILINE)
_LIBRARIES = 400_000_000
"""Bytes that torch and transformers take before any model is loaded (measured, torch 2.13 CPU)."""


@dataclass(frozen=True)
class Card:
    """`architecture` and `licence` as its files say ('' where they do not); `tokens` it reads of a
    text (None: not said); `memory` in bytes that a worker needs for it, without the rows."""

    architecture: str
    licence: str
    tokens: int | None
    memory: int


def read_card(model: LocalModel) -> Card:
    """The card of a model that `read_model` accepted; nothing of it is loaded. What cannot be read
    is as good as not said."""
    folders = [model.path, *sorted(path for path in model.path.glob("[0-9]*_*") if path.is_dir())]
    configs = [_json(folder / "config.json") for folder in folders]
    named = [str(config["architectures"][0]) for config in configs
             if isinstance(config.get("architectures"), list) and config["architectures"]]
    return Card(architecture=(named or [model.architecture])[0][:80],
                licence=licence_of(model.path), tokens=_tokens(folders, configs),
                # float32 in memory; a file of half precision doubles.
                memory=_LIBRARIES + 2 * model.bytes)


def licence_of(folder: Path) -> str:
    """The licence the model's page names in its header, else 'see LICENSE', else ''."""
    head = _text(folder / "README.md")
    if head.startswith("---"):
        found = _LICENCE.search(head[3:].split("\n---", 1)[0])
        if found:
            return found[1].strip()
    files = (path.name for path in folder.iterdir() if path.name.upper().startswith("LICEN"))
    return next((f"see {name}" for name in sorted(files)), "")


def _tokens(folders: list[Path], configs: list[dict[str, Any]]) -> int | None:
    told = [_json(folder / "sentence_bert_config.json").get("max_seq_length")
            for folder in folders]
    told += [config.get("max_position_embeddings") for config in configs]
    return next((one for one in told if isinstance(one, int) and one > 0), None)


def _json(path: Path) -> dict[str, Any]:
    try:
        found = json.loads(_text(path) or "{}")
    except (ValueError, RecursionError):
        return {}
    return found if isinstance(found, dict) else {}


def _text(path: Path) -> str:
    """The beginning of a text file; '' where there is none that can be read."""
    try:
        with open(path, encoding="utf-8", errors="replace") as file:
            return file.read(_LONGEST)
    except OSError:
        return ""
