"""What the command line writes: results to stdout, progress and errors to stderr."""

from __future__ import annotations

import os
import shutil
import sys
import time
import uuid
from collections.abc import Callable, Iterable, Sequence
from pathlib import Path
from typing import TextIO

from explorer.disk import disk_error, sync_folder
from explorer.escape import log_line
from explorer.values import Score

_LAST = "manifest.json"
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
    """Lines of the answer, on stdout."""
    sys.stdout.write("\n".join(log_line(line) for line in text.split("\n")) + "\n")
    sys.stdout.flush()


def remark(text: str) -> None:
    """A line beside the answer, on stderr."""
    sys.stderr.write(_one_line(text) + "\n")


def write_folder(folder: Path, write: Callable[[Path], Sequence[Path]]) -> list[Path]:
    """The files `write` makes in the folder it is given, moved to `folder` when all are there.

    A new folder appears whole. In one that is there the manifest goes first and comes last: files
    without it are of an export that was cut short. Raises StoreError where the disk refuses.
    """
    part = folder.parent / f".{folder.name}.{uuid.uuid4().hex}.part"
    try:
        folder.parent.mkdir(parents=True, exist_ok=True)
        part.mkdir()
        made = write(part)
        for path in made:
            with open(path, "rb") as file:
                os.fsync(file.fileno())
        sync_folder(part)
        _move(part, folder, sorted((path.name for path in made), key=lambda name: name == _LAST))
    except OSError as error:
        raise disk_error("write the files", folder, error) from error
    finally:
        shutil.rmtree(part, ignore_errors=True)
    return [folder / path.name for path in made]


def _move(part: Path, folder: Path, names: Sequence[str]) -> None:
    if not folder.exists():
        os.rename(part, folder)
        sync_folder(folder.parent)
        return
    (folder / _LAST).unlink(missing_ok=True)
    sync_folder(folder)
    for name in names:
        os.replace(part / name, folder / name)
    sync_folder(folder)


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
    """'0.1234', '0.1234 (95 % interval 0.12 to 0.13)', or 'not defined: why'."""
    if score.value is None:
        return f"not defined: {score.why}"
    return f"{score.value:.6g}" + (f" (95 % interval {score.interval})" if score.interval else "")


def _cell(content: object) -> str:
    return _one_line(str(content)).replace("|", "\\|")


def _one_line(text: str) -> str:
    return " ".join(log_line(text).split())
