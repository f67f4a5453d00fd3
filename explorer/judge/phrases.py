"""Numbers and values as a person reads them in a short phrase."""

from __future__ import annotations

import math


def short(text: str, longest: int = 60) -> str:
    """The text, cut with a mark when it is longer."""
    return text if len(text) <= longest else text[:longest - 1] + "…"


def percent(share: float) -> str:
    """A share of 0..1; what is not quite none or all is not shown as such."""
    if 0 < share < 0.005:
        return "under 1 %"
    if 0.995 <= share < 1:
        return "over 99 %"
    return f"{100 * share:.0f} %"


def two_numbers(here: float, elsewhere: float) -> str:
    """Both with three digits, or as many as it takes to tell them apart."""
    for digits in range(3, 17):
        first, second = number(here, digits), number(elsewhere, digits)
        if first != second:
            break
    return f"{first} here, {second} elsewhere"


def number(value: float, digits: int) -> str:
    """At least so many significant digits, no exponent for ordinary sizes, thousands marked from
    10,000 on (so that years stay years)."""
    size = math.floor(math.log10(abs(value))) if value else 0
    if not -5 <= size <= 12:
        return f"{value:.{digits}g}"
    comma = "," if size >= 4 else ""
    text = f"{value:{comma}.{max(0, digits - 1 - size)}f}"
    return text.rstrip("0").rstrip(".") if "." in text else text
