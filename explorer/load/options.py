"""What is to be read and how: the request to the reader process."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import Literal

Header = Literal["auto", "yes", "no"]
Delimiter = Literal["auto", ",", ";", "tab", "|"]


@dataclass(frozen=True)
class ReadOptions:
    """How to read the files; plain data, `ReadOptions(**asdict(options))` is the same again.

    `header` auto sees a first row that looks like the others. `encoding` auto takes UTF-8, a
    UTF-16 mark, else guesses cp1252 and says so. `skip_bad_rows` leaves rows with too many cells,
    and lines that are no JSON, out and lists them; otherwise they are refused. `array` names the
    array of an npz or the sheet of an xlsx. `join` None or 'order' puts several files side by side
    by row order, else it is the name of an id column all of them have.
    """

    header: Header = "auto"
    encoding: str = "auto"
    delimiter: Delimiter = "auto"
    skip_bad_rows: bool = False
    array: str | None = None
    join: str | None = None


@dataclass(frozen=True)
class Upload:
    """One uploaded file: its name as the person knows it, and where its bytes are."""

    name: str
    path: Path

    @property
    def stem(self) -> str:
        """The name without folders and ending."""
        return Path(self.name.replace("\\", "/")).stem or self.name

    @property
    def ending(self) -> str:
        """The lower-case ending without its dot; '' when there is none."""
        return Path(self.name).suffix.lower().removeprefix(".")

    @property
    def bytes(self) -> int:
        return self.path.stat().st_size
