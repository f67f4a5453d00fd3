from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace
from pathlib import Path
from typing import ClassVar

from pydantic import Field

from explorer.dataset import Dataset
from explorer.encode import Encoder
from explorer.encode.material import scaled_as
from explorer.encode.network_file import (
    declared,
    digest_of,
    find_network,
    keep_model,
    list_networks,
    read_model_file,
    reader_of,
    write_model,
)
from explorer.encode.reading import ReadingEncoder
from explorer.encode.unit import counted
from explorer.errors import DataError, Where
from explorer.model import Model
from explorer.spec import Cost, Facts, Progress, part
from explorer.values import Embedding

__all__ = ["SavedModel", "keep_model", "read_model_file", "write_model"]


class SavedModel(ReadingEncoder):
    """Uses a network that was trained before, on these rows or on others, and kept: nothing is
    trained. New rows find their places among the old ones."""

    key: ClassVar[str] = "saved_model"
    title: ClassVar[str] = "Kept network"
    rank: ClassVar[int] = 79

    network: str = Field("", description="The name under which the network was kept.")

    @classmethod
    def offers(cls, dataset: Dataset) -> Mapping[str, Sequence[str]]:
        return {"network": list_networks()}

    def check(self, facts: Facts) -> tuple[str, ...]:
        """Also refuses a network that is not there or not one, see `network_file`."""
        notes = super().check(facts)
        if self.network:
            self._reader()
        return notes

    def fingerprint(self) -> str:
        """sha256 of the network's file."""
        return digest_of(find_network(self.network))

    def reader(self, dataset: Dataset) -> Encoder:
        return self._reader()

    def model(self, reader: Encoder, read: Embedding, home: Path, name: str,
              progress: Progress) -> Model:
        """The kept network, held against the rows it shall encode. Raises what `read_model_file`
        and `scaled_as` raise, DataError OTHER_COLUMNS, OTHER_SPACE or NOT_A_NETWORK."""
        from explorer.train.weights import fits

        progress(0.0, f"opening {self.network}")
        kept = read_model_file(find_network(self.network))
        notes = (*_apart(kept, reader, read), *kept.notes)
        scaled_as(kept, reader, replace(read, vectors=read.vectors[:1], rows=read.rows[:1]))
        method = declared(kept)
        if not fits(method.made(kept.shape), kept.weights):
            raise DataError("NOT_A_NETWORK", f"The weights must be those of a network that "
                                             f"{method.title} builds, got others.",
                            Where(file=self.network, parameter="network"),
                            "Train it again with this version of the app.")
        progress(1.0, "network ready")
        return replace(kept, notes=notes, decoder=method.layout(kept.shape))

    def embed(self, reader: Encoder, read: Embedding, model: Model,
              progress: Progress) -> Embedding:
        method = declared(model)
        codes = method.codes(scaled_as(model, reader, read).values, model.weights, progress)
        title = f"{self.network} ({method.title} of {model.title}, {codes.shape[1]}-d)"
        return self.finish(codes, read.rows, title, (), model.notes)

    def encode(self, dataset: Dataset, progress: Progress) -> Embedding:
        """All three steps at once, keeping none; a recipe keeps each."""
        reader = self.reader(dataset)
        read = reader.encode(dataset, part(progress, 0.0, 0.5))
        model = self.model(reader, read, Path(), "", part(progress, 0.5, 0.6))
        return self.embed(reader, read, model, part(progress, 0.6, 1.0))

    def _reader(self) -> Encoder:
        return reader_of(find_network(self.network))

    def estimate_model(self, n: int, d: int) -> Cost:
        return Cost(seconds=2.0, bytes=400_000_000)

    def estimate(self, n: int, d: int) -> Cost:
        first, last = self.estimate_model(n, d), self.estimate_embedding(n, d)
        return Cost(first.seconds + last.seconds, max(first.bytes, last.bytes))


def _apart(model: Model, reader: Encoder, read: Embedding) -> tuple[str, ...]:
    """What to know of rows that a reader measured against each other: the network knows other
    rows."""
    if reader.stands_alone:
        return ()
    if not model.names:
        raise DataError("OTHER_SPACE", f"A kept network must see rows that are read one by one, "
                                       f"got {reader.title}, which learns from all rows what their "
                                       "numbers mean.", Where(parameter="network"),
                        "Train a network on these rows, or keep one that reads images, vectors, "
                        "texts by meaning, or columns.")
    if read.features != model.names:
        missing = sorted(set(model.names) - set(read.features))
        more = sorted(set(read.features) - set(model.names))
        told = "; ".join(filter(None, (
            f"missing: {_listed(missing)}" if missing else "",
            f"not known to it: {_listed(more)}" if more else ""))) or "in another order"
        raise DataError("OTHER_COLUMNS", "The rows must have the "
                        f"{counted(len(model.names), 'number')} the network was trained on, got "
                        f"{len(read.features):,} ({told}).",
                        Where(parameter="network"),
                        "Give the columns the same names and roles, and every category the same "
                        "levels.")
    return ("The columns were brought to a common scale by the rows of this data set, not by those "
            "the network was trained on: where the two differ, places are not exactly the same.",)


def _listed(names: Sequence[str]) -> str:
    more = f" and {len(names) - 5:,} more" if len(names) > 5 else ""
    return f"{', '.join(name[:60] for name in names[:5])}{more}"
