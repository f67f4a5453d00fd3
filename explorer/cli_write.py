"""What the command line writes: results to stdout, progress and errors to stderr."""

from __future__ import annotations

import sys
import time
from collections.abc import Iterable, Sequence
from typing import TextIO

from explorer.values import Score

_REDRAW_SECONDS = 0.1


class Meter:
    """A progress that people can read: one line redrawn on a terminal, else a line when a step
    ('t-SNE: step 50 of 750') begins and at every quarter of the whole."""

    def __init__(self, stream: TextIO | None = None) -> None:
        self.stream = stream or sys.stderr
        self.live = self.stream.isatty()
        self.said = ("", -1)
        self.drawn = 0.0

    def __call__(self, fraction: float, text: str) -> None:
        step = text.split(":", 1)[0] if ":" in text else ""
        quarter = (step, int(fraction * 4))
        if self.live:
            now = time.monotonic()
            if now - self.drawn >= _REDRAW_SECONDS:
                self.drawn = now
                self.stream.write(f"\r\x1b[K{fraction:4.0%} {_one_line(text)[:100]}")
                self.stream.flush()
        elif quarter != self.said:
            self.said = quarter
            self.stream.write(f"{fraction:4.0%} {_one_line(text)}\n")
            self.stream.flush()

    def close(self) -> None:
        """Leave the line clean for what comes next."""
        if self.live and self.drawn:
            self.stream.write("\r\x1b[K")
            self.stream.flush()


def say(text: str = "") -> None:
    """A line of the answer, on stdout."""
    sys.stdout.write(text + "\n")
    sys.stdout.flush()


def remark(text: str) -> None:
    """A line beside the answer, on stderr."""
    sys.stderr.write(_one_line(text) + "\n")


def table(head: Sequence[str], rows: Iterable[Sequence[object]]) -> str:
    """A Markdown table."""
    return "\n".join([table_row(head), "|" + "---|" * len(head), *map(table_row, rows)])


def table_row(cells: Sequence[object]) -> str:
    """One line of a Markdown table."""
    return "| " + " | ".join(_cell(cell) for cell in cells) + " |"


def score_table(scores: Iterable[Score]) -> str:
    """Scores with all that makes them true."""
    return table(
        ("score", "value", "better", "space", "metric", "rows used", "noise", "seed"),
        [(score.name, value_of(score), score.better, score.space, score.metric,
          f"{score.sample:,} of {score.total:,}", score.noise,
          "none" if score.seed is None else score.seed) for score in scores])


def value_of(score: Score) -> str:
    """'0.1234', or 'not defined: why'."""
    return f"{score.value:.6g}" if score.value is not None else f"not defined: {score.why}"


def _cell(content: object) -> str:
    return _one_line(str(content)).replace("|", "\\|")


def _one_line(text: str) -> str:
    return " ".join(text.split())
