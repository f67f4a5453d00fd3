"""Models of other people, loaded by their libraries: nothing fetched, no code of theirs run."""

from __future__ import annotations

import os
from collections.abc import Callable
from typing import TypeVar

from explorer.errors import DataError, ExplorerError, Where

_OFFLINE = {"HF_HUB_OFFLINE": "1", "TRANSFORMERS_OFFLINE": "1", "HF_HUB_DISABLE_TELEMETRY": "1",
            "HF_HUB_DISABLE_PROGRESS_BARS": "1", "TOKENIZERS_PARALLELISM": "false"}

T = TypeVar("T")


def stay_offline() -> None:
    """Before the libraries are imported: huggingface_hub reads it once, then."""
    os.environ.update(_OFFLINE)


def loading(name: str, load: Callable[[], T]) -> T:
    """What `load` makes of the folder of the model `name`. Raises DataError UNSAFE_MODEL,
    MODEL_DAMAGED with the library's own words; an ExplorerError as it is."""
    try:
        return load()
    except ExplorerError:
        raise
    except Exception as error:  # what a foreign folder can make the libraries raise has no end
        if "trust_remote_code" in str(error):
            raise DataError("UNSAFE_MODEL", "A model must not need code of its own, got one that "
                                            "does.", Where(file=name, parameter="model"),
                            "Choose another model: the code of a model is never run "
                            "here.") from error
        raise damaged(name, error) from error


def damaged(name: str, error: Exception) -> DataError:
    """What a library said about files that do not fit each other."""
    said = " ".join(str(error).split())[:300]
    return DataError("MODEL_DAMAGED", "The model's files must fit each other, got "
                                      f"{type(error).__name__}: {said}",
                     Where(file=name, parameter="model"),
                     "Copy the model again or choose another one.")
