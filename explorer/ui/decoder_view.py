"""A run's decoder for the browser, which computes it itself: torch is not in this process.

The front end (`front/decoder.js`, `decoder_live.js`, `decoder_paint.js`) is given the address of
one file (`train.layers.pack`): the layers, their weights, and how to get from the network's numbers
to the units of the rows.
"""

from __future__ import annotations

from typing import Any

import numpy as np

from explorer.errors import DataError
from explorer.escape import shown
from explorer.model import Model
from explorer.run import Run
from explorer.train.layers import MOST_BYTES, multiplications, pack, unknown
from explorer.ui.kept import Kept
from explorer.ui.map_data import digest
from explorer.ui.served import shelf

HALF_NOTE = ("The decoder has more than {million:.1f} million weights; they come to the browser in "
             "half precision, so a decoded number may differ in its fourth digit.")
_units: Kept[tuple[np.ndarray, np.ndarray]] = Kept(32)


def decoder_content(run: Run) -> dict[str, str]:
    """{key, url} of the decoder of a run whose encoder is a trained network: `openDecoder(url)` of
    `front/decoder_live.js` makes a decoder of it. Raises DataError LAYER_UNKNOWN, NO_DECODER."""
    model, key = run.model, run.plan.model
    if model is None or key is None or not model.decoder:
        raise DataError("NO_DECODER", "The run's encoder must be a network with a decoder, got "
                                      f"{run.recipe.encoding.title}"
                                      f"{' without one' if model is not None else ''}.",
                        hint="Train an autoencoder on the Train page.")
    if unknown(model.decoder):
        pack(model.decoder, model.weights)
    name = ("decoder", key, run.plan.read, run.dataset.id, tuple(run.dataset.roles.items()))
    return {"key": digest(name),
            "url": shelf.put(name, lambda: pack(model.decoder, model.weights, _about(run, model)))}


def _about(run: Run, model: Model) -> dict[str, Any]:
    """What the browser is told beside the layers."""
    middle, unit = units_of(run)
    return {"latent": latent_of(model), "shape": list(model.shape),
            "names": [shown(name) for name in model.names],
            "center": _plain(model.center), "spread": _plain(model.spread),
            "middle": _plain(middle) or None, "unit": _plain(unit) or None, **_ends(run)}


def latent_of(model: Model) -> int:
    """How many numbers the decoder is given."""
    return int(model.weights[model.decoder[0]["weight"]].shape[1])


def notes_of(model: Model) -> tuple[str, ...]:
    """What there is to say of the decoder in the browser."""
    size = sum(model.weights[layer[part]].size for layer in model.decoder
               for part in ("weight", "bias") if layer.get(part))
    return (HALF_NOTE.format(million=MOST_BYTES / 4e6),) if 4 * size > MOST_BYTES else ()


def work_of(model: Model) -> int:
    """Multiplications for one row."""
    return multiplications(model.decoder, model.weights)


def units_of(run: Run) -> tuple[np.ndarray, np.ndarray]:
    """`middle` and `unit` (d float64): a number x of a row as the reader gives it is
    middle + unit * x in the units of its column. 0 and 1 for all but number columns, which readers
    scale: every scaling is linear, so the ends of a column and of what was read of it say it."""
    model, read = run.model, run.read
    assert model is not None
    assert read is not None
    count = len(model.names) if len(model.shape) == 1 else 0

    def find() -> tuple[np.ndarray, np.ndarray]:
        middle, unit = np.zeros(count), np.ones(count)
        numbers = {column.name for column in run.dataset.with_role("number")}
        for place, name in enumerate(model.names[:count]):
            if name not in numbers:
                continue
            given, seen = run.dataset.numbers(name)[read.rows], read.vectors[:, place]
            known = np.isfinite(given)
            if not known.any():
                continue
            low, high = given[known].argmin(), given[known].argmax()
            ends, scaled = given[known][[low, high]], seen[known][[low, high]].astype(np.float64)
            if scaled[1] > scaled[0]:
                unit[place] = (ends[1] - ends[0]) / (scaled[1] - scaled[0])
                middle[place] = ends[0] - unit[place] * scaled[0]
        return middle, unit
    return _units.get((run.plan.read, run.dataset.id), find)




def _ends(run: Run) -> dict[str, list[float]]:
    """The least and the largest value of each number among the rows, as the reader gives it; of
    images nothing: pixels go from 0 to 1."""
    assert run.model is not None
    assert run.read is not None
    if run.model.pictures:
        return {}
    vectors = run.read.vectors
    return {"low": _plain(vectors.min(axis=0)), "high": _plain(vectors.max(axis=0))}


def _plain(numbers: np.ndarray) -> list[float]:
    return [float(number) for number in np.asarray(numbers).ravel()]
