from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from typing import ClassVar, Self

import numpy as np
from pydantic import Field

from explorer.dataset import Column, Dataset
from explorer.encode import Placed
from explorer.encode.image_batches import different_images, encode_images, encode_one
from explorer.encode.image_kinds import IMAGE_KINDS, Pooling, listed_kinds
from explorer.encode.image_network import ImageNetwork, load_network
from explorer.encode.model_folder import LocalModel
from explorer.encode.models import digest_of, find_model, list_models, model_roots
from explorer.encode.pixels import image_columns
from explorer.encode.precision import PRECISION, Precision, resolve
from explorer.encode.texts import read_question
from explorer.encode.unit import UnitLength, counted, left_out, listed
from explorer.errors import DataError, ParameterError, Where
from explorer.spec import Cost, Facts, Progress, advanced, part
from explorer.values import Embedding

_BASE_BYTES = 343_000_000
"""Of ViT-B/16, whose speed is known."""
_IMAGES_A_SECOND = 6.0
"""Of ViT-B/16 at 224 pixels on two ordinary cores."""
_PICTURE_HALF = 0.5
"""Of the weights of models that know texts too, so much works on an image."""
_FIRST_LOOK = 300.0
"""Seconds; what takes longer is not proposed, but can be chosen."""
_GUESSED_WIDTH = 768
_SMALL = ("Words and images meet at small cosines, about 0.2 to 0.35 with CLIP and less with "
          "SigLIP: the order of the rows counts, not the height.")


class ImageModel(UnitLength):
    """Places images by what they show with a pretrained model that is on this machine: CLIP,
    SigLIP, DINOv2, ViT, ResNet or ConvNeXt. With CLIP and SigLIP words find images too. Nothing is
    downloaded and no code of the model is run."""

    key: ClassVar[str] = "image_model"
    title: ClassVar[str] = "Pretrained image encoder"
    rank: ClassVar[int] = 50

    model: str = Field("", description="The folder's name, or the model's id in the cache.")
    pooling: Pooling = advanced(
        "automatic", description="What stands for the whole image. Automatic takes what the model "
                                 "was made for: the space shared with texts (CLIP, SigLIP), the "
                                 "class token (DINOv2, ViT), the mean of the last feature map "
                                 "(ResNet, ConvNeXt). DINOv2 and ViT leave a choice: the class "
                                 "token or the mean of all patches.")
    precision: Precision = advanced("automatic", description=PRECISION)

    @classmethod
    def offers(cls, dataset: Dataset) -> Mapping[str, Sequence[str]]:
        return {"model": [model.name for model in image_models()]}

    @classmethod
    def usual(cls, dataset: Dataset) -> Self:
        """With the model that is soonest done: of those whose images words can find, if any."""
        image_columns(dataset)
        there = [cls(model=model.name) for model in image_models()]
        if not there:
            raise _not_chosen([])
        one = min(there, key=lambda method: (not method.places_words(dataset),
                                             method.estimate(dataset.n, 1).seconds, method.model))
        seconds = one.estimate(dataset.n, 1).seconds
        if seconds > _FIRST_LOOK:
            raise DataError("TOO_SLOW", f"{cls.title} with {one.model} would take about "
                                        f"{seconds / 60:,.0f} minutes here: choose it in the "
                                        "recipe if you have them.")
        return one

    @property
    def stands_alone(self) -> bool:
        return True

    def columns(self, dataset: Dataset) -> tuple[Column, ...]:
        """The image column. Raises DataError NO_IMAGES."""
        return image_columns(dataset)

    def check(self, facts: Facts) -> tuple[str, ...]:
        """Also refuses a model that is not there or not one for images, see `_find`."""
        notes = super().check(facts)
        if self.model:
            self._find()
        return notes

    def encode(self, dataset: Dataset, progress: Progress) -> Embedding:
        self.columns(dataset)
        different = different_images(dataset, part(progress, 0.0, 0.02))
        progress(0.02, f"Loading {self.model}")
        network = self._network()
        made = encode_images(network, self.pooling, dataset, different, part(progress, 0.05, 1.0))
        unread = np.isin(different.places, list(made.unread))
        rows = np.flatnonzero(~unread).astype(np.int64)
        notes = tuple(left_out(_rows_of(different.places, places), why)
                      for why, places in _by_reason(made.unread).items())
        stretched = _rows_of(different.places, made.stretched)
        if len(stretched):
            notes += (f"{counted(len(stretched), 'image')} with numbers of unknown range: smallest "
                      f"and largest became 0 and 1 ({listed(stretched)}).",)
        repeated = dataset.n - len(different.first)
        if repeated:
            notes += (f"{counted(repeated, 'image')} repeat another one and were encoded once.",)
        vectors = made.vectors[different.places[rows]]
        where = "graphics card" if network.device == "cuda" else "processor"
        return self.finish(vectors, rows, f"{network.name} ({vectors.shape[1]}-d)", (), (
            *notes, *made.notes, f"The vector of an image is {self._vector(network)}.",
            f"Computed in {network.precision} on the {where}."))

    def places_words(self, dataset: Dataset) -> bool:
        found = self._find()
        return IMAGE_KINDS[found.architecture].joint and found.kind == "multimodal"

    def places_pictures(self, dataset: Dataset) -> bool:
        return True

    def place(self, text: str, learned: Mapping[str, np.ndarray]) -> Placed:
        network = self._network()
        if not network.kind.joint or self._find().kind != "multimodal":
            raise DataError("NO_TEXT_SPACE", "A model must be trained with texts, and come with "
                                             f"its tokeniser, to place words, got {network.name} "
                                             f"({network.kind.title}).",
                            Where(file=network.name, parameter="model"),
                            "Choose a CLIP or SigLIP model, or search by an image.")
        found = network.text_vector(read_question(text))
        cut = ("The text is longer than this model reads: its end was cut off.",)
        return self._placed(found.vector, (_SMALL, *(cut if found.cut else ())))

    def place_image(self, data: bytes, learned: Mapping[str, np.ndarray]) -> Placed:
        return self._placed(encode_one(self._network(), self.pooling, data))

    def estimate(self, n: int, d: int) -> Cost:
        known = [model for model in list_models() if model.name == self.model]
        size = float(known[0].bytes if known else _BASE_BYTES)
        if known and known[0].architecture in IMAGE_KINDS:
            size *= _PICTURE_HALF if IMAGE_KINDS[known[0].architecture].joint else 1.0
        return Cost(seconds=5 + n / _IMAGES_A_SECOND * size / _BASE_BYTES,
                    bytes=1_500_000_000 + 3 * int(size) + 8 * _GUESSED_WIDTH * n)

    def fingerprint(self) -> str:
        """sha256 over the model's files, and the precision: other weights under the same name, or
        the same ones computed with less exact numbers, are another result."""
        return f"{digest_of(self._find())} {resolve(self.precision)}"

    def _placed(self, vector: np.ndarray, notes: tuple[str, ...] = ()) -> Placed:
        finished = self.finish(vector[None, :], np.zeros(1, dtype=np.int64), "")
        return Placed(finished.vectors[0], notes)

    def _vector(self, network: ImageNetwork) -> str:
        return ("the mean of the tokens of its patches in the last layer" if self.pooling == "mean"
                else network.kind.vector)

    def _network(self) -> ImageNetwork:
        found = self._find()
        return load_network(found.name, found.path, digest_of(found), found.architecture,
                            resolve(self.precision))

    def _find(self) -> LocalModel:
        """The model. Raises ParameterError NO_MODEL and BAD_POOLING, DataError NOT_AN_IMAGE_MODEL
        and UNSUPPORTED_MODEL, and what `find_model` raises."""
        if not self.model:
            raise _not_chosen([model.name for model in image_models()])
        found = find_model(self.model)
        where = Where(file=found.name, parameter="model")
        if found.kind == "text":
            raise DataError("NOT_AN_IMAGE_MODEL", "The model must read images (CLIP, SigLIP, "
                                                  "DINOv2, ...), got one for texts.", where,
                            "Choose an image model; this one is for the encoder "
                            "'Sentence-transformers model'.")
        kind = IMAGE_KINDS.get(found.architecture)
        if kind is None:
            raise DataError("UNSUPPORTED_MODEL", f"The model must be one of {listed_kinds()}, got "
                                                 f"{found.architecture[:40] or 'another'!r}.",
                            where, "Choose a model of one of these.")
        if self.pooling != "automatic" and not kind.tokens:
            raise ParameterError("BAD_POOLING", f"pooling must be automatic for {kind.title}, got "
                                                f"{self.pooling!r}.", Where(parameter="pooling"),
                                 f"Its vector is {kind.vector}.")
        return found


def image_models() -> tuple[LocalModel, ...]:
    """The models on this machine that the encoder can use, by name."""
    return tuple(model for model in list_models()
                 if model.kind != "text" and model.architecture in IMAGE_KINDS)


def _rows_of(places: np.ndarray, chosen: Collection[int]) -> np.ndarray:
    return np.flatnonzero(np.isin(places, list(chosen)))


def _by_reason(unread: Mapping[int, str]) -> dict[str, list[int]]:
    found: dict[str, list[int]] = {}
    for place, why in unread.items():
        found.setdefault(why, []).append(place)
    return found


def _not_chosen(there: Sequence[str]) -> ParameterError:
    if there:
        return ParameterError("NO_MODEL", f"model must be one of {', '.join(there)}, got none.",
                              Where(parameter="model"), "Choose one.")
    places = " or ".join(str(root) for root in model_roots())
    return ParameterError("NO_MODEL", "model must be the name of an image model on this machine; "
                                      "none was found.", Where(parameter="model"),
                          f"Copy a model's folder under {places}, or use scaled pixels or a "
                          "network trained here instead: nothing is downloaded.")
