"""The architectures of image models that are known here, and what each makes of an image."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

Pooling = Literal["automatic", "class token", "mean"]


@dataclass(frozen=True)
class ImageKind:
    """`title` as people call it; `vector`: what an image's vector is. `joint`: trained with texts,
    which it places in the same space. `tokens`: its last layer gives a class token and one token
    for each patch, so that pooling is a choice."""

    title: str
    vector: str
    joint: bool = False
    tokens: bool = False


_FIRST = "the class token of the last layer"
_MEAN = "the mean of the last feature map"
IMAGE_KINDS: dict[str, ImageKind] = {
    "clip": ImageKind("CLIP", "the projection into the space it shares with texts", joint=True),
    "clip_vision_model": ImageKind("CLIP without its text half", "the projection, or the class "
                                                                 "token where it has none"),
    "siglip": ImageKind("SigLIP", "the attention pooling, in the space it shares with texts",
                        joint=True),
    "siglip_vision_model": ImageKind("SigLIP without its text half", "the attention pooling"),
    "dinov2": ImageKind("DINOv2", _FIRST, tokens=True),
    "dinov2_with_registers": ImageKind("DINOv2 with registers", _FIRST, tokens=True),
    "vit": ImageKind("ViT", _FIRST, tokens=True),
    "resnet": ImageKind("ResNet", _MEAN),
    "convnext": ImageKind("ConvNeXt", _MEAN),
    "convnextv2": ImageKind("ConvNeXt V2", _MEAN),
}
"""By `model_type` of config.json. SigLIP 2 of one size is 'siglip' there; of any size it is not."""


def listed_kinds() -> str:
    """'CLIP, SigLIP, ...': for people."""
    titles = [kind.title for kind in IMAGE_KINDS.values() if "without" not in kind.title]
    return ", ".join(titles)
