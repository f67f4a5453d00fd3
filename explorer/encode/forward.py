"""One batch of texts through a sentence-transformers model.

The library tokenises every batch again and pads by characters; here the tokens are there already.
That goes past its `encode`, so it is done only where it is certain to be the same: on the first
batch the library's own input must equal ours, else every batch goes through the library.
"""

from __future__ import annotations

from typing import Any, cast

import numpy as np

from explorer.encode.precision import Resolved
from explorer.encode.tokens import Tokens
from explorer.train.memory import is_no_memory


class Forward:
    """The texts of one encoding on their way through `model`; `notes` on what had to be done."""

    def __init__(self, model: Any, texts: list[str], tokens: Tokens, prompt: str) -> None:
        self._model = model
        self._texts = texts
        self._tokens = tokens
        self._prompt = prompt or None
        self._rest: dict[str, Any] | None = None
        if tokens.ids is not None and _is_transformer(model):
            self._rest = self._agreed(next(tokens.batches()))
        self._halved = False

    @property
    def notes(self) -> tuple[str, ...]:
        return ("Memory did not suffice for whole batches: they were halved.",) \
            if self._halved else ()

    def vectors(self, batch: np.ndarray) -> np.ndarray:
        """B x d float32. Where memory does not suffice the batch is halved; for a single text what
        was raised is raised on."""
        try:
            return self._direct(batch) if self._rest is not None else self._by_library(batch)
        except (MemoryError, RuntimeError) as error:
            if len(batch) == 1 or not is_no_memory(error):
                raise
        self._halved = True
        middle = len(batch) // 2
        return np.concatenate([self.vectors(batch[:middle]), self.vectors(batch[middle:])])

    def _direct(self, batch: np.ndarray) -> np.ndarray:
        import torch

        model = self._model
        with torch.inference_mode():
            found = model[0]({**self._features(batch), **(self._rest or {})})
            found = {name: value.float() if torch.is_tensor(value) and value.is_floating_point()
                     else value for name, value in found.items()}
            for module in list(model.children())[1:]:
                found = module(found)
            vectors = found["sentence_embedding"]
            if model.truncate_dim is not None:
                vectors = vectors[:, :model.truncate_dim]
            return cast(np.ndarray, vectors.float().numpy())

    def _by_library(self, batch: np.ndarray) -> np.ndarray:
        import torch

        inputs = self._inputs(batch)
        half = precision_of(self._model) == "bfloat16"
        with torch.autocast("cpu", torch.bfloat16, enabled=half):
            found = self._model.encode(inputs, prompt=self._prompt, batch_size=len(inputs),
                                       show_progress_bar=False, **self._cutting())
        return np.asarray(found, dtype=np.float32)

    def _inputs(self, batch: np.ndarray) -> list[Any]:
        """Texts marked as texts: a bare string such as 'http://...' or a path is fetched and read
        by models that take images too. Modules other than Transformer know texts only, as
        strings."""
        texts = [self._texts[place] for place in batch]
        return [{"text": text} for text in texts] if _is_transformer(self._model) else list(texts)

    def _features(self, batch: np.ndarray) -> dict[str, Any]:
        import torch

        tokenizer = self._model[0].tokenizer
        ids, mask = self._tokens.padded(batch, tokenizer.pad_token_id or 0,
                                        tokenizer.padding_side == "left")
        features = {"input_ids": torch.from_numpy(ids), "attention_mask": torch.from_numpy(mask)}
        if "token_type_ids" in tokenizer.model_input_names:
            features["token_type_ids"] = torch.zeros_like(features["input_ids"])
        return features

    def _agreed(self, batch: np.ndarray) -> dict[str, Any] | None:
        """What the library's input has besides its tensors, where those equal ours; else None."""
        import torch

        theirs = self._model.preprocess(self._inputs(batch), prompt=self._prompt,
                                        **self._cutting())
        tensors = {name: value for name, value in theirs.items() if torch.is_tensor(value)}
        ours = self._features(batch)
        same = ours.keys() == tensors.keys() and all(
            torch.equal(ours[name], tensors[name]) for name in ours)
        return {name: value for name, value in theirs.items() if name not in tensors} \
            if same else None

    def _cutting(self) -> dict[str, Any]:
        if not _is_transformer(self._model) or self._tokens.limit is None:
            return {}
        return {"processing_kwargs": {"text": {"max_length": self._tokens.limit}}}


def in_precision(model: Any, precision: Resolved) -> Any:
    """The model, its transformer in `precision`. Averaging and what follows stays in float32:
    in bfloat16 a text of 256 tokens would lose two digits more."""
    if precision == "bfloat16" and _is_transformer(model):
        import torch

        model[0].to(torch.bfloat16)
    return model


def precision_of(model: Any) -> Resolved:
    """What the model's first module computes in; modules other than transformers stay float32."""
    first = next(iter(model[0].parameters()), None)
    return "bfloat16" if first is not None and "bfloat16" in str(first.dtype) else "float32"


def _is_transformer(model: Any) -> bool:
    from sentence_transformers.base.modules import Transformer

    return isinstance(model[0], Transformer)
