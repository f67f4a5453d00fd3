from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import ClassVar

import numpy as np
from pydantic import Field

from explorer.dataset import Column, Dataset
from explorer.encode import Placed
from explorer.encode.model_folder import LocalModel
from explorer.encode.models import digest_of, find_model, list_models, model_roots
from explorer.encode.precision import PRECISION, Precision, resolve, width_in_words
from explorer.encode.sentences import TEXTS_A_SECOND, encode_texts, load_model, place_text
from explorer.encode.texts import read_texts, text_columns
from explorer.encode.unit import UnitLength
from explorer.errors import DataError, ParameterError, Where
from explorer.spec import Cost, Facts, Progress, advanced, part
from explorer.values import Embedding

_MINILM_BYTES = 91_000_000


class SentenceTransformerModel(UnitLength):
    """Places texts by meaning with a sentence-transformers model that is on this machine: a folder
    for models, or one already in the Hugging Face cache. Nothing is downloaded and no code of the
    model is run."""

    key: ClassVar[str] = "sentence_transformer"
    title: ClassVar[str] = "Sentence-transformers model"
    version: ClassVar[int] = 2
    rank: ClassVar[int] = 30
    places_texts: ClassVar[bool] = True

    model: str = Field("", description="The folder's name, or the model's id in the cache. The "
                                       "page Models shows those on this machine and gets others.")
    prompt: str = advanced(
        "", description="Words to put before every text, where the model's makers ask for them "
                        "(for example 'query: '). Empty takes the model's own default.")
    max_tokens: int = advanced(
        0, ge=0, le=100_000, description="Tokens read of each text; the rest of it is cut off. 0 "
                                         "takes as many as the model reads.")
    precision: Precision = advanced("automatic", description=PRECISION)

    @classmethod
    def offers(cls, dataset: Dataset) -> Mapping[str, Sequence[str]]:
        return {"model": [model.name for model in list_models() if model.kind != "image"]}

    @property
    def stands_alone(self) -> bool:
        return True

    def columns(self, dataset: Dataset) -> tuple[Column, ...]:
        """The text columns. Raises DataError NO_TEXT."""
        return text_columns(dataset)

    def check(self, facts: Facts) -> tuple[str, ...]:
        """Also refuses a model that is not there or not one, see `models.find_model`."""
        notes = super().check(facts)
        if self.model:
            self._find()
        return notes

    def encode(self, dataset: Dataset, progress: Progress) -> Embedding:
        found = self._find()
        texts = read_texts(dataset)
        progress(0.0, f"Loading {found.name}")
        resolved = resolve(self.precision)
        model = load_model(found.path, digest_of(found), resolved)
        encoded = encode_texts(model, texts, part(progress, 0.02, 1.0), self.prompt,
                               self.max_tokens)
        notes = texts.notes + encoded.notes
        if not (found.path / "modules.json").exists():
            notes += ("The model names no pooling: the vectors of a text's tokens were averaged.",)
        return self.finish(encoded.vectors, texts.rows,
                           f"{found.name} ({width_in_words(encoded.vectors.shape[1], resolved)})",
                           (), notes)

    def place(self, text: str, learned: Mapping[str, np.ndarray]) -> Placed:
        found = self._find()
        model = load_model(found.path, digest_of(found), resolve(self.precision))
        # Models that tell questions from answers bring the words to put before a question.
        placed = place_text(model, text, model.prompts.get("query") or self.prompt,
                            self.max_tokens)
        finished = self.finish(placed.vector[None, :], np.zeros(1, dtype=np.int64), "")
        return Placed(finished.vectors[0], placed.notes)

    def estimate(self, n: int, d: int) -> Cost:
        known = [model for model in list_models() if model.name == self.model]
        size = known[0].bytes if known else _MINILM_BYTES
        return Cost(seconds=5 + n / TEXTS_A_SECOND * size / _MINILM_BYTES,
                    bytes=600_000_000 + 2 * size + 2 * 4 * 768 * n)

    def fingerprint(self) -> str:
        """sha256 over the model's files, for other weights under the same name are another
        result, and the precision they are computed in on this machine."""
        return f"{digest_of(self._find())} {resolve(self.precision)}"

    def _find(self) -> LocalModel:
        if not self.model:
            raise _not_chosen([model.name for model in list_models() if model.kind != "image"])
        found = find_model(self.model)
        if found.kind == "image":
            raise DataError("NOT_A_TEXT_MODEL", "The model must read texts, got one for images.",
                            Where(file=found.name, parameter="model"), "Choose a text model.")
        return found


def _not_chosen(there: Sequence[str]) -> ParameterError:
    if there:
        return ParameterError("NO_MODEL", f"model must be one of {', '.join(there)}, got none.",
                              Where(parameter="model"), "Choose one.")
    places = " or ".join(str(root) for root in model_roots())
    return ParameterError("NO_MODEL", "model must be the name of a model on this machine; none was "
                                      "found.", Where(parameter="model"),
                          f"Get one on the page Models, copy a model's folder under {places}, or "
                          "use MiniLM or TF-IDF + SVD instead.")
