"""Texts through a sentence-transformers model: loaded from a folder, offline, run in batches."""

from __future__ import annotations

import hashlib
from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path
from typing import Any

import numpy as np

from explorer.encode import Placed
from explorer.encode.foreign import loading, stay_offline
from explorer.encode.forward import Forward, in_precision, precision_of
from explorer.encode.precision import Resolved, in_words
from explorer.encode.texts import Texts, read_question
from explorer.encode.tokens import BUDGET, Tokens, tokenise
from explorer.encode.unfinished import unfinished
from explorer.encode.unit import counted
from explorer.spec import Progress, silent
from explorer.train.threads import all_threads

TEXTS_A_SECOND = 80
"""MiniLM on a CPU: for news of 55 tokens 78 on one quiet core and 60 a second of CPU on a busy one
(all 7,600 of AG News); 290 on two cores for short texts."""


@dataclass(frozen=True)
class Encoded:
    """n x d float32 `vectors` in the order of the texts, and `notes` on what the model did."""

    vectors: np.ndarray
    notes: tuple[str, ...]


@lru_cache(maxsize=2)
def load_model(folder: Path, digest: str, precision: Resolved = "float32") -> Any:
    """The SentenceTransformer of a folder that `model_folder.read_model` accepted, on the CPU.

    `digest` is the folder's checksum: other weights in the same place are another model. Nothing
    is fetched, no code of the model is run, weights are read from safetensors only. Its transformer
    computes in `precision`, all after it in float32. Raises DataError MODEL_DAMAGED with the
    library's own words.
    """
    stay_offline()
    from sentence_transformers import SentenceTransformer
    from transformers.utils import logging

    logging.disable_progress_bar()  # type: ignore[no-untyped-call]
    model = loading(folder.name, lambda: SentenceTransformer(
        str(folder), device="cpu", trust_remote_code=False, local_files_only=True,
        model_kwargs={"use_safetensors": True, "dtype": "float32"}).eval())
    return in_precision(model, precision)


def encode_texts(model: Any, texts: Texts, progress: Progress, prompt: str = "",
                 max_tokens: int = 0) -> Encoded:
    """Every text as the model's vector.

    Equal texts are encoded once, in batches by falling length. Texts beyond the model's limit (or
    `max_tokens`, where that is less and not 0) are cut; how many is said. Finished batches are
    kept, see `unfinished`: an attempt that was stopped goes on from there.
    """
    unique = sorted(set(texts.values))
    prompt = prompt or model.prompts.get(model.default_prompt_name or "", "")
    tokens = tokenise(model, unique, prompt, max_tokens, progress)
    forward = Forward(model, unique, tokens, prompt)
    kept = unfinished(str(BUDGET), _digest(unique))
    taken, total, done, count = kept.taken(), float(tokens.paid.sum()), 0.0, 0
    vectors: np.ndarray | None = None
    with all_threads():  # to the bit the same vectors (measured, 1 and 2 threads)
        for number, batch in enumerate(tokens.batches()):
            if number < len(taken):
                found = taken[number]
            else:
                again = f" ({len(taken):,} batches from before)" if taken else ""
                progress(done / total,
                         f"{count:,} of {counted(len(unique), 'different text')} encoded{again}")
                found = forward.vectors(batch)
                kept.add(found)
            if vectors is None:
                vectors = np.empty((len(unique), found.shape[1]), dtype=np.float32)
            vectors[batch] = found
            done, count = done + float(tokens.paid[batch].sum()), count + len(batch)
    assert vectors is not None  # texts are never empty
    progress(1.0, f"{counted(len(unique), 'different text')} encoded")
    places = {text: place for place, text in enumerate(unique)}
    rows = np.array([places[text] for text in texts.values])
    notes = _notes(tokens, rows, prompt, model, max_tokens)
    return Encoded(vectors[rows], (*notes, *forward.notes, in_words(precision_of(model))))


def place_text(model: Any, text: str, prompt: str = "", max_tokens: int = 0) -> Placed:
    """One typed text as the model's vector. Raises ParameterError, see `read_question`."""
    question = Texts([read_question(text)], np.zeros(1, dtype=np.int64), "", ())
    encoded = encode_texts(model, question, silent, prompt, max_tokens)
    cut = any("cut off" in note for note in encoded.notes)
    return Placed(encoded.vectors[0],
                  ("The text is longer than this model reads: its end was cut off.",) if cut
                  else ())


def _digest(texts: list[str]) -> str:
    whole = hashlib.sha256()
    for text in texts:
        whole.update(text.encode("utf-8", "surrogatepass") + b"\0")
    return whole.hexdigest()


def _notes(tokens: Tokens, rows: np.ndarray, prompt: str, model: Any,
           most: int) -> tuple[str, ...]:
    notes: tuple[str, ...] = ()
    repeated = len(rows) - len(tokens.counts)
    if repeated:
        notes += (f"{counted(repeated, 'text')} repeat another one and were encoded once.",)
    if prompt:
        notes += (f"Before every text stood {prompt!r}.",)
    own = model.max_seq_length
    if isinstance(own, int) and most > own:
        notes += (f"max_tokens {most:,} is more than the {own:,} tokens this model reads: {own:,} "
                  "were read.",)
    if tokens.limit is not None:
        counts = tokens.counts[rows]
        over = np.maximum(counts - tokens.limit, 0)
        cut = int(np.count_nonzero(over))
        if cut:
            notes += (f"{cut:,} of {counted(len(rows), 'text')} are longer than the "
                      f"{tokens.limit} tokens this model reads: their ends were cut off, "
                      f"{cut / len(rows):.1%} of the texts and {over.sum() / counts.sum():.1%} of "
                      f"all tokens (the longest has {int(counts.max()):,} tokens).",)
    return notes
