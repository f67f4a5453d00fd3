"""What a gallery says about one row: its tile, its card, its picture. By dataset row: a gallery
shows rows without a vector too."""

from __future__ import annotations

from dataclasses import dataclass, replace
from functools import cached_property

import numpy as np

from explorer.escape import shown
from explorer.plot.palette import cluster_color
from explorer.run import Run, name_of
from explorer.ui.rows_of_map import RowsOfMap
from explorer.ui.served import Card, Tile

_TITLE = 200
_END = 18
_NAME = 40
_TEXT = 400


@dataclass(frozen=True)
class GalleryRows:
    """All rows of a run's dataset, with people's names of its clusters."""

    run: Run
    names: dict[int, str]

    def tile(self, place: int) -> Tile:
        """Raises IndexError."""
        data, label = self.run.dataset, self._label(place)
        # Of 'truck/0094.jpg' the end tells rows apart.
        name = data.row_ids[place]
        end = name.rsplit("/", 1)[-1] or name
        return Tile(
            title=f"Row {_cut(name, _TITLE)}",
            end=shown(end if len(end) <= _END else f"…{end[1 - _END:]}"),
            cluster="no vector" if label is None else _cut(name_of(label, self.names), _NAME),
            color=None if label is None else cluster_color(label),
            text="" if data.has_images else _cut("\n".join(
                data.text(column.name, place) for column in data.with_role("text")), _TEXT),
            picture=self._has_picture(place))

    def card(self, place: int) -> Card:
        """What Enter opens: as on the map. Raises IndexError."""
        data = self.run.dataset
        if self._label(place) is not None:
            position = int(self.run.positions(np.array([place]))[0])
            return replace(RowsOfMap(self.run, self.names).card(position),
                           picture=self._has_picture(place))
        return Card(title=f"Row {_cut(data.row_ids[place], _TITLE)}", color=None,
                    picture=self._has_picture(place),
                    texts=tuple(_cut(data.text(column.name, place), _TEXT) or "(empty)"
                                for column in data.with_role("text")),
                    facts=(("vector", "none: left out when encoding"),))

    def picture(self, place: int) -> bytes:
        """The row's thumbnail; b'' where it has none. Raises IndexError."""
        self._check(place)
        return self.run.dataset.thumbnail(place) if self.run.dataset.has_images else b""

    @cached_property
    def _labels(self) -> np.ndarray:
        """n int64 over the data set; -2 without a vector."""
        labels = np.full(self.run.dataset.n, -2, dtype=np.int64)
        if self.run.clustering is not None:
            labels[self.run.rows] = self.run.clustering.labels
        return labels

    def _label(self, place: int) -> int | None:
        self._check(place)
        label = int(self._labels[place])
        return None if label < -1 else label

    def _has_picture(self, place: int) -> bool:
        return self.run.dataset.has_images and bool(self.picture(place))

    def _check(self, place: int) -> None:
        if not 0 <= place < self.run.dataset.n:
            raise IndexError(place)


def _cut(text: str, most: int) -> str:
    return shown(text if len(text) <= most else f"{text[:most - 1]}…")
