"""Texts as the token ids of a sentence-transformers model: counted, cut, and put into batches."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

import numpy as np

from explorer.encode.unit import counted
from explorer.spec import Progress

BUDGET = 2048
"""Tokens of a batch, padding included: enough that products of matrices are as fast as they get
(measured with MiniLM: 1,024 to 4,096 within 5 %), little enough to stay in the cache."""
_MOST_TEXTS = 256
_CHARACTERS = 4
"""Of a token, roughly, where a model has no tokeniser of the usual kind."""
_AT_ONCE = 512


@dataclass(frozen=True)
class Tokens:
    """m different texts as tokens: `counts` (m int64) before anything is cut, the `limit` they are
    cut at (None: none known); `ids` (int32) of all texts after that, one after the other, each
    from `starts[i]` to `starts[i + 1]`; None where the model has no tokeniser of the usual kind."""

    counts: np.ndarray
    limit: int | None
    ids: np.ndarray | None
    starts: np.ndarray

    @property
    def paid(self) -> np.ndarray:
        """Tokens of each text that are computed with (m int64)."""
        return np.minimum(self.counts, self.limit or self.counts.max())

    def batches(self) -> Iterator[np.ndarray]:
        """Places of the texts of each batch, by falling length, so that little is padding; in an
        order that does not depend on the order of the rows."""
        paid = self.paid
        order = np.argsort(-self.counts, kind="stable")
        start = 0
        while start < len(order):
            size = min(max(1, BUDGET // int(paid[order[start]])), _MOST_TEXTS)
            yield order[start:start + size]
            start += size

    def padded(self, batch: np.ndarray, fill: int, left: bool) -> tuple[np.ndarray, np.ndarray]:
        """B x L int64 ids of a batch, short ones filled up, and the same shape of 1 (a token) and
        0 (filled)."""
        assert self.ids is not None
        lengths = self.starts[batch + 1] - self.starts[batch]
        width = int(lengths.max())
        ids = np.full((len(batch), width), fill, dtype=np.int64)
        mask = np.zeros((len(batch), width), dtype=np.int64)
        for row, (place, length) in enumerate(zip(batch, lengths, strict=True)):
            start = width - length if left else 0
            ids[row, start:start + length] = self.ids[self.starts[place]:self.starts[place + 1]]
            mask[row, start:start + length] = 1
        return ids, mask


def tokenise(model: Any, texts: list[str], prompt: str, most: int, progress: Progress) -> Tokens:
    """Every text once; those beyond the limit a second time, as the tokeniser itself cuts them.

    `most` tokens are read of a text (0: as many as the model takes).
    """
    tokenizer = getattr(model[0], "tokenizer", None)
    if not callable(tokenizer):
        rough = np.array([max(len(text) // _CHARACTERS, 1) for text in texts])
        return Tokens(rough, None, None, np.zeros(1, dtype=np.int64))
    limit = limit_of(model, most)
    counts = np.empty(len(texts), dtype=np.int64)
    kept: list[np.ndarray] = []
    for start in range(0, len(texts), _AT_ONCE):
        progress(0.0, f"Measuring {counted(len(texts), 'text')}")
        part = [prompt + text for text in texts[start:start + _AT_ONCE]]
        found = _ids(tokenizer, part)
        counts[start:start + len(part)] = [len(one) for one in found]
        over = [place for place, one in enumerate(found) if limit and len(one) > limit]
        if over:
            shorter = _ids(tokenizer, [part[place] for place in over], limit)
            for place, one in zip(over, shorter, strict=True):
                found[place] = one
        kept += [np.asarray(one, dtype=np.int32) for one in found]
    starts = np.concatenate([[0], np.cumsum([len(one) for one in kept])])
    return Tokens(np.maximum(counts, 1), limit, np.concatenate(kept), starts)


def limit_of(model: Any, most: int) -> int | None:
    """The tokens a model reads of a text, at most `most` (0: all it can); None: no limit known."""
    own = model.max_seq_length
    known = [limit for limit in (own, most) if isinstance(limit, int) and limit > 0]
    return min(known, default=None)


def _ids(tokenizer: Any, texts: list[str], limit: int | None = None) -> list[list[int]]:
    options: dict[str, Any] = {"truncation": False} if limit is None else \
        {"truncation": True, "max_length": limit}
    found = tokenizer(texts, return_attention_mask=False, return_token_type_ids=False,
                      verbose=False, **options)
    return list(found["input_ids"])
