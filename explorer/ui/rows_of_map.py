"""What a map says about one row: its card and its picture."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from explorer.escape import shown
from explorer.measures import in_a_sentence, measures
from explorer.plot.palette import cluster_color
from explorer.run import Run, name_of
from explorer.ui.served import Card

_TEXT = 300
_VALUE = 80
_FACTS = 6
_MEASURES = 8


@dataclass(frozen=True)
class RowsOfMap:
    """What a run says of the dataset rows `rows` (n int64; None: those it covers), by their place
    among them; `names` are people's names of its clusters."""

    run: Run
    names: dict[int, str]
    rows: np.ndarray | None = None

    def card(self, place: int) -> Card:
        """Title, texts cut at 300 characters, facts. Raises IndexError."""
        row = self._row(place)
        data = self.run.dataset
        at = self.run.positions(np.array([row]))
        label = int(self.run.clustering.labels[at[0]]) if (
            self.run.clustering is not None and len(at)) else None
        facts = [] if label is None else self._standing(int(at[0]), label)
        for column in data.with_role("label", "category", "number", "coordinate")[:_FACTS]:
            if column.place == "table":
                facts.append((_cut(column.original or column.name, _VALUE),
                              _cut(data.text(column.name, row), _VALUE)))
        return Card(
            title=f"Row {_cut(data.row_ids[row], 60)}",
            color=None if label is None else cluster_color(label),
            picture=data.has_images,
            texts=tuple(_cut(data.text(column.name, row), _TEXT) or "(empty)"
                        for column in data.with_role("text")),
            facts=tuple(facts))

    def picture(self, place: int) -> bytes:
        """The row's thumbnail; b'' where it has none. Raises IndexError."""
        row = self._row(place)
        return self.run.dataset.thumbnail(row) if self.run.dataset.has_images else b""

    def _row(self, place: int) -> int:
        rows = self.run.rows if self.rows is None else self.rows
        if not 0 <= place < len(rows):
            raise IndexError(place)
        return int(rows[place])

    def _standing(self, at: int, label: int) -> list[tuple[str, str]]:
        facts = [("cluster", _cut(name_of(label, self.names), _VALUE))]
        # The second-best cluster is said with the row as a whole.
        known = [one for one in measures(self.run).values() if one.key != "second"]
        return facts + [(in_a_sentence(one.title), _cut(one.in_words(at, self.names), _VALUE))
                        for one in known[:_MEASURES]]


def _cut(text: str, most: int) -> str:
    """The beginning of a text as it may stand on a page: nothing invisible in it turns round or
    hides what stands beside it."""
    return shown(text if len(text) <= most else f"{text[:most - 1]}…")
