"""What TF-IDF + SVD learned of its texts, as arrays: words, their weights, the kept directions."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import numpy as np


def pack_words(words: Sequence[str], weights: np.ndarray,
               directions: np.ndarray) -> dict[str, np.ndarray]:
    """`words` in the order of the w `weights` (float64) and of the columns of the k x w
    `directions` (float32). Words are kept as UTF-8 on end: an array of text would give each the
    length of the longest."""
    encoded = [word.encode("utf-8", "surrogatepass") for word in words]
    return {"words": np.frombuffer(b"".join(encoded), dtype=np.uint8),
            "ends": np.cumsum([len(word) for word in encoded], dtype=np.int64),
            "weights": np.asarray(weights, dtype=np.float64),
            "directions": np.asarray(directions, dtype=np.float32)}


def unpack_words(learned: Mapping[str, np.ndarray]) -> list[str]:
    """The words of `pack_words`, in their order."""
    whole = learned["words"].tobytes()
    ends = learned["ends"].tolist()
    return [whole[start:end].decode("utf-8", "surrogatepass")
            for start, end in zip([0, *ends], ends, strict=False)]
