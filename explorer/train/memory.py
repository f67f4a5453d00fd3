"""Whether an error says that memory did not suffice: PyTorch has no one class for it."""

from __future__ import annotations

_WORDS = ("not enough memory", "can't allocate memory", "out of memory", "bad_alloc",
          "ALLOC_FAILED")


def is_no_memory(error: BaseException) -> bool:
    """Of Python, numpy, PyTorch on the CPU (a RuntimeError) or on a GPU."""
    if isinstance(error, MemoryError):
        return True
    return isinstance(error, RuntimeError) and any(
        words in str(error)[:1000] for words in _WORDS)
