"""Texts through a sentence-transformers model: loaded from a folder, offline, run in batches."""

from __future__ import annotations

import os
from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path
from typing import Any

import numpy as np

from explorer.encode import Placed
from explorer.encode.texts import Texts, read_question
from explorer.encode.unit import counted
from explorer.errors import DataError, Where
from explorer.spec import Progress, silent
from explorer.train.threads import all_threads

BATCH = 32
TEXTS_A_SECOND = 80
"""MiniLM on a CPU: for news of 55 tokens 78 on one quiet core and 60 a second of CPU on a busy one
(all 7,600 of AG News); 290 on two cores for short texts."""
_OFFLINE = {"HF_HUB_OFFLINE": "1", "TRANSFORMERS_OFFLINE": "1", "HF_HUB_DISABLE_TELEMETRY": "1",
            "HF_HUB_DISABLE_PROGRESS_BARS": "1", "TOKENIZERS_PARALLELISM": "false"}


@dataclass(frozen=True)
class Encoded:
    """n x d float32 `vectors` in the order of the texts, and `notes` on what the model did."""

    vectors: np.ndarray
    notes: tuple[str, ...]


@dataclass(frozen=True)
class _Lengths:
    """Tokens of each text as the model counts them, and its `limit` (None: none known)."""

    tokens: np.ndarray
    limit: int | None


@lru_cache(maxsize=2)
def load_model(folder: Path, digest: str) -> Any:
    """The SentenceTransformer of a folder that `model_folder.read_model` accepted, on the CPU.

    `digest` is the folder's checksum: other weights in the same place are another model. Nothing
    is fetched, no code of the model is run, weights are read from safetensors only. Raises
    DataError MODEL_DAMAGED with the library's own words.
    """
    os.environ.update(_OFFLINE)  # read once, when huggingface_hub is imported
    from sentence_transformers import SentenceTransformer
    from transformers.utils import logging

    logging.disable_progress_bar()  # type: ignore[no-untyped-call]
    try:
        return SentenceTransformer(str(folder), device="cpu", trust_remote_code=False,
                                   local_files_only=True,
                                   model_kwargs={"use_safetensors": True}).eval()
    except Exception as error:  # what a foreign folder can make the libraries raise has no end
        said = " ".join(str(error).split())[:300]
        if "trust_remote_code" in str(error):
            raise DataError("UNSAFE_MODEL", "A model must not need code of its own, got one that "
                                            "does.", Where(file=folder.name, parameter="model"),
                            "Choose another model: the code of a model is never run "
                            "here.") from error
        raise DataError("MODEL_DAMAGED", "The model's files must fit each other, got "
                                         f"{type(error).__name__}: {said}",
                        Where(file=folder.name, parameter="model"),
                        "Copy the model again or choose another one.") from error


def encode_texts(model: Any, texts: Texts, progress: Progress, prompt: str = "") -> Encoded:
    """Every text as the model's vector.

    Equal texts are encoded once. Batches are filled by falling length, so that little is padding,
    in an order that does not depend on the order of the rows. Texts beyond the model's limit are
    cut by it; how many is said.
    """
    unique = sorted(set(texts.values))
    prompt = prompt or model.prompts.get(model.default_prompt_name or "", "")
    lengths = _measure(model, unique, prompt, progress)
    order = np.argsort(-lengths.tokens, kind="stable")
    paid = np.minimum(lengths.tokens, lengths.limit or lengths.tokens.max())
    total, done = float(paid.sum()), 0.0
    vectors: np.ndarray | None = None
    with all_threads():  # to the bit the same vectors (measured, 1 and 2 threads)
        for start in range(0, len(order), BATCH):
            batch = order[start:start + BATCH]
            progress(done / total, f"{start:,} of {counted(len(unique), 'different text')} encoded")
            result = model.encode(_inputs(model, [unique[index] for index in batch]),
                                  prompt=prompt or None, batch_size=BATCH, show_progress_bar=False)
            if vectors is None:
                vectors = np.empty((len(unique), result.shape[1]), dtype=np.float32)
            vectors[batch] = result
            done += float(paid[batch].sum())
    assert vectors is not None  # texts are never empty
    progress(1.0, f"{counted(len(unique), 'different text')} encoded")
    places = {text: place for place, text in enumerate(unique)}
    rows = np.array([places[text] for text in texts.values])
    return Encoded(vectors[rows], _notes(lengths, rows))


def place_text(model: Any, text: str, prompt: str = "") -> Placed:
    """One typed text as the model's vector. Raises ParameterError, see `read_question`."""
    question = Texts([read_question(text)], np.zeros(1, dtype=np.int64), "", ())
    encoded = encode_texts(model, question, silent, prompt)
    cut = ("The text is longer than this model reads: its end was cut off.",)
    return Placed(encoded.vectors[0], cut if encoded.notes else ())


def _inputs(model: Any, texts: list[str]) -> list[Any]:
    """Texts marked as texts: a bare string such as 'http://...' or a path is fetched and read by
    models that take images too. Modules other than Transformer know texts only, as strings."""
    from sentence_transformers.base.modules import Transformer

    return [{"text": text} for text in texts] if isinstance(model[0], Transformer) else list(texts)


def _measure(model: Any, unique: list[str], prompt: str, progress: Progress) -> _Lengths:
    tokenizer = getattr(model[0], "tokenizer", None)
    if not callable(tokenizer):
        return _Lengths(np.array([max(len(text), 1) for text in unique]), None)
    tokens = np.empty(len(unique), dtype=np.int64)
    for start in range(0, len(unique), 512):
        progress(0.0, f"Measuring {counted(len(unique), 'text')}")
        part = [prompt + text for text in unique[start:start + 512]]
        ids = tokenizer(part, truncation=False, return_attention_mask=False, verbose=False)
        tokens[start:start + 512] = [len(one) for one in ids["input_ids"]]
    limit = model.max_seq_length
    return _Lengths(np.maximum(tokens, 1), limit if isinstance(limit, int) else None)


def _notes(lengths: _Lengths, rows: np.ndarray) -> tuple[str, ...]:
    notes: tuple[str, ...] = ()
    repeated = len(rows) - len(lengths.tokens)
    if repeated:
        notes += (f"{counted(repeated, 'text')} repeat another one and were encoded once.",)
    if lengths.limit is not None:
        cut = int(np.count_nonzero(lengths.tokens[rows] > lengths.limit))
        if cut:
            notes += (f"{cut:,} of {counted(len(rows), 'text')} are longer than the "
                      f"{lengths.limit} tokens this model reads: their ends were cut off (the "
                      f"longest has {int(lengths.tokens.max()):,} tokens).",)
    return notes
