"""In what numbers a network computes: single precision, or bfloat16 where the processor has it."""

from __future__ import annotations

from functools import cache
from pathlib import Path
from typing import Literal

Precision = Literal["automatic", "float32", "bfloat16"]
Resolved = Literal["float32", "bfloat16"]

PRECISION = ("In what numbers the network computes. bfloat16 keeps 8 binary digits instead of 24; "
             "automatic takes it only on processors with AMX, where it is faster.")
"""The description of the parameter."""


def resolve(precision: Precision) -> Resolved:
    """What is computed in on this machine; always the same there, and part of the result's key.

    Automatic is bfloat16 on processors with tiles for it (amx_bf16) only: with avx512_bf16 alone,
    MiniLM was slower in it than in single precision (measured, torch 2.13: products of matrices at
    84 against 140 GFLOP a second on one core).
    """
    if precision != "automatic":
        return precision
    return "bfloat16" if "amx_bf16" in _processor() else "float32"


def in_words(resolved: Resolved) -> str:
    """The note of an embedding."""
    return f"Computed in {resolved}." if resolved == "float32" else \
        "Computed in bfloat16, averaged in float32."


def width_in_words(width: int, resolved: Resolved) -> str:
    """'384-d', or '384-d, bfloat16': what stands in an embedding's title."""
    return f"{width}-d" if resolved == "float32" else f"{width}-d, {resolved}"


@cache
def _processor() -> frozenset[str]:
    """The features this machine's processor says it has (Linux only; nothing elsewhere)."""
    try:
        lines = Path("/proc/cpuinfo").read_text(encoding="ascii", errors="replace").splitlines()
    except OSError:
        return frozenset()
    flags = next((line for line in lines if line.startswith("flags")), "")
    return frozenset(flags.split())
