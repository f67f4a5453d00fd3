"""What a map says about one row: its card and its picture."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np

from explorer.plot.palette import cluster_color
from explorer.run import Run, name_of
from explorer.ui.served import picture_address

_TEXT = 300
_VALUE = 80
_FACTS = 6


@dataclass(frozen=True)
class RowsOfMap:
    """The rows of a run by their place in its results; `token` is where their pictures are."""

    run: Run
    names: dict[int, str]
    token: str

    def card(self, place: int) -> dict[str, Any]:
        """Title, texts cut at 300 characters, facts. Raises IndexError."""
        row = self._row(place)
        data = self.run.dataset
        label = None if self.run.clustering is None else int(self.run.clustering.labels[place])
        facts = self._standing(place, label)
        for column in data.with_role("label", "category", "number", "coordinate")[:_FACTS]:
            if column.place == "table":
                facts.append([column.original or column.name,
                              _cut(data.text(column.name, row), _VALUE)])
        return {
            "title": f"Row {_cut(data.row_ids[row], 60)}",
            "color": None if label is None else cluster_color(label),
            "image": f"{picture_address(self.token)}/{place}" if data.has_images else None,
            "texts": [_cut(data.text(column.name, row), _TEXT) or "(empty)"
                      for column in data.with_role("text")],
            "facts": facts,
        }

    def picture(self, place: int) -> bytes:
        """The row's thumbnail. Raises IndexError."""
        row = self._row(place)
        if not self.run.dataset.has_images:
            raise IndexError(place)
        return self.run.dataset.thumbnail(row)

    def _row(self, place: int) -> int:
        if not 0 <= place < len(self.run.rows):
            raise IndexError(place)
        return int(self.run.rows[place])

    def _standing(self, place: int, label: int | None) -> list[list[str]]:
        facts: list[list[str]] = []
        if label is not None:
            facts.append(["cluster", name_of(label, self.names)])
        if self.run.silhouette is not None:
            value = float(self.run.silhouette.per_row["silhouette"][place])
            facts.append(["silhouette", "not defined" if np.isnan(value) else f"{value:.3f}"])
        return facts


def _cut(text: str, most: int) -> str:
    return text if len(text) <= most else f"{text[:most - 1]}…"
