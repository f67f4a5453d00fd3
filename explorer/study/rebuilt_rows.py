"""The rows of a run through its network and back, block by block, and what that says of each."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field

import numpy as np

from explorer.encode import encoders
from explorer.encode.material import Material, in_shape, scaled_as
from explorer.encode.reading import ReadingEncoder
from explorer.encode.trained import TrainedEncoder
from explorer.errors import DataError
from explorer.judge.rebuilding import (
    Linear,
    linear_baseline,
    similarities,
    squared_errors,
)
from explorer.spec import Progress, part
from explorer.study.subject import Subject
from explorer.values import Embedding

MOST_KEPT = 160_000_000
"""Bytes of rebuilt rows that are stored: 60,000 rows of MNIST take 94 MB."""
_BLOCK_VALUES = 4_000_000


@dataclass(frozen=True)
class Lesson:
    """What is needed to rebuild the n rows of a run: the network, the rows as they were `read`
    (Embedding) and as the network sees them (`material`), which were `held` back (n bool; none
    where it was not `trained_here`)."""

    method: TrainedEncoder
    weights: dict[str, np.ndarray]
    read: Embedding
    material: Material
    held: np.ndarray
    pictures: bool
    trained_here: bool

    @property
    def n(self) -> int:
        return len(self.material.values)

    @property
    def numbers(self) -> int:
        """How many numbers a row has."""
        return int(np.prod(self.material.shape))

    def given(self, places: slice | np.ndarray) -> np.ndarray:
        """The rows at these places in the units of the reader, in the network's shape."""
        found = self.read.vectors[places]
        if not self.pictures:
            return found
        channels, height, width = self.material.shape
        return in_shape(found, (height, width, channels))

    def blocks(self) -> Iterator[slice]:
        step = max(1, _BLOCK_VALUES // max(1, self.numbers))
        for start in range(0, self.n, step):
            yield slice(start, min(start + step, self.n))

    def noisy(self, block: slice, seed: int) -> np.ndarray | None:
        """The rows of a block with noise, as the network sees them: the same for the same seed."""
        drawn = np.random.SeedSequence([seed, block.start]).generate_state(1)
        return self.method.worsened(self.material.values[block], int(drawn[0]))


def lesson_of(subject: Subject) -> Lesson:
    """The rows and the network of a run. Raises DataError NOT_TRAINED, NO_DECODER."""
    model = subject.model
    method = encoders().create(model.method["method"], model.method["parameters"])
    encoder = subject.recipe.encoding
    assert isinstance(encoder, ReadingEncoder)
    if not isinstance(method, TrainedEncoder):  # PCA: nothing was trained
        raise DataError("NOT_TRAINED", "The run's encoder must be a network trained here, got "
                                       f"{method.title}.",
                        hint="Train one on the Train page, or choose one in the recipe.")
    if not method.rebuilds:
        raise DataError("NO_DECODER", f"The run's network must have a decoder, got {method.title}, "
                                      "which rebuilds nothing.",
                        hint="Autoencoders have one: train one on the Train page.")
    read, rows = subject.read, np.asarray(subject.embedding.rows)
    if not np.array_equal(read.rows, rows):  # the encoder left rows out
        read = Embedding(read.vectors[np.searchsorted(read.rows, rows)], rows, read.title,
                         read.features, read.notes)
    material = scaled_as(model, encoder.reader(subject.dataset), read)
    held = np.isin(rows, model.held) if encoder.trains else np.zeros(len(rows), dtype=bool)
    return Lesson(method, model.weights, read, material, held, model.pictures,
                  encoder.trains)


@dataclass
class Measured:
    """Of each of n rows, float64: mean squared `errors` in the units of the reader, `scaled` in the
    network's, `deviation` from the mean row in the latter, `linear` of PCA (of images in the units
    of the reader, else in the network's); of images `similarity` (SSIM); of models of chances
    `bounds` (n x 2); of denoising networks the errors of `noisy` and `denoised` rows, in the units
    of the reader."""

    errors: np.ndarray
    scaled: np.ndarray
    linear: np.ndarray
    deviation: np.ndarray
    similarity: np.ndarray | None = None
    bounds: np.ndarray | None = None
    noisy: np.ndarray | None = None
    denoised: np.ndarray | None = None


def measure(lesson: Lesson, components: int, seed: int, progress: Progress) -> Measured:
    """Every row rebuilt by the network and by PCA of as many components, fitted on the rows the
    network was trained on."""
    flat = lesson.material.values.reshape(lesson.n, -1)
    trained = np.flatnonzero(~lesson.held)
    linear = linear_baseline(flat, trained, components, seed, part(progress, 0.0, 0.2))
    found = Measured(*(np.full(lesson.n, np.nan) for _ in range(4)))
    blocks = list(lesson.blocks())
    for place, block in enumerate(blocks):
        _measure_block(lesson, linear, block, seed, found, part(
            progress, 0.2 + 0.8 * place / len(blocks), 0.2 + 0.8 * (place + 1) / len(blocks)))
    return found


def _measure_block(lesson: Lesson, linear: Linear, block: slice, seed: int, found: Measured,
                   progress: Progress) -> None:
    values, given = lesson.material.values[block], lesson.given(block)
    made = lesson.method.reconstructions(values, lesson.weights, part(progress, 0.0, 0.4))
    restored = lesson.material.restored(made)
    found.errors[block] = squared_errors(given, restored)
    found.scaled[block] = squared_errors(values, made)
    flat = values.reshape(len(values), -1)
    found.deviation[block] = squared_errors(flat, np.broadcast_to(linear.mean, flat.shape))
    by_lines = linear.rebuilt(flat).reshape(values.shape)
    found.linear[block] = squared_errors(given, lesson.material.restored(by_lines)) \
        if lesson.pictures else squared_errors(values, by_lines)
    if lesson.pictures:
        found.similarity = _room(found.similarity, lesson.n)
        found.similarity[block] = similarities(given, restored)
    bounds = lesson.method.bounds(values, lesson.weights, part(progress, 0.4, 0.7))
    if bounds is not None:
        if found.bounds is None:
            found.bounds = np.full((lesson.n, 2), np.nan)
        found.bounds[block] = bounds
    worse = lesson.noisy(block, seed)
    if worse is not None:
        clean = lesson.method.reconstructions(worse, lesson.weights, part(progress, 0.7, 1.0))
        found.noisy, found.denoised = _room(found.noisy, lesson.n), _room(found.denoised, lesson.n)
        found.noisy[block] = squared_errors(given, lesson.material.restored(worse))
        found.denoised[block] = squared_errors(given, lesson.material.restored(clean))


def _room(array: np.ndarray | None, n: int) -> np.ndarray:
    return np.full(n, np.nan) if array is None else array


@dataclass(frozen=True)
class KeptRows:
    """Rebuilt rows in the units of the reader: those at `places` (int64, ascending), in `arrays`
    ('rebuilt'; for denoising networks 'noisy' and 'denoised'), images as float16."""

    places: np.ndarray
    arrays: dict[str, np.ndarray] = field(default_factory=dict)


def keep_rows(lesson: Lesson, errors: np.ndarray, seed: int, progress: Progress,
              most: int = MOST_KEPT) -> KeptRows:
    """All rows rebuilt, where they take at most `most` bytes together; else the ones with the
    highest errors, as many with the lowest, and as many at random (`seed`)."""
    first = lesson.noisy(slice(0, 1), seed)
    kind = np.dtype(np.float16 if lesson.pictures else np.float32)
    names = ("rebuilt",) if first is None else ("rebuilt", "noisy", "denoised")
    room = max(3, most // max(1, lesson.numbers * kind.itemsize * len(names)))
    places = _chosen(errors, room, seed)
    arrays = {name: np.empty((len(places), *lesson.material.shape), dtype=kind) for name in names}
    blocks = list(lesson.blocks())
    for count, block in enumerate(blocks):
        step = part(progress, count / len(blocks), (count + 1) / len(blocks))
        here = slice(*np.searchsorted(places, [block.start, block.stop]).tolist())
        picked = places[here]
        if not len(picked):
            continue
        made = {"rebuilt": lesson.method.reconstructions(
            lesson.material.values[picked], lesson.weights, part(step, 0.0, 0.5))}
        worse = lesson.noisy(block, seed)
        if worse is not None:
            made["noisy"] = worse[picked - block.start]
            made["denoised"] = lesson.method.reconstructions(
                made["noisy"], lesson.weights, part(step, 0.5, 1.0))
        for name, values in made.items():
            arrays[name][here] = lesson.material.restored(values)
    return KeptRows(places, arrays)


def _chosen(errors: np.ndarray, room: int, seed: int) -> np.ndarray:
    if len(errors) <= room:
        return np.arange(len(errors), dtype=np.int64)
    order = np.argsort(-errors, kind="stable")
    ends = np.concatenate([order[:room // 3], order[-(room // 3):]])
    rest = np.setdiff1d(np.arange(len(errors)), ends)
    drawn = np.random.default_rng(seed).choice(rest, room - len(ends), replace=False)
    return np.sort(np.concatenate([ends, drawn])).astype(np.int64)

