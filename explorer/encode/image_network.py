"""A pretrained image model, loaded from a folder that `model_folder.read_model` accepted.

Nothing is fetched, no code of the model is run, weights are read from safetensors only.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from explorer.encode.foreign import damaged, loading, stay_offline
from explorer.encode.image_kinds import IMAGE_KINDS, ImageKind, Pooling
from explorer.encode.image_prepare import Preparation, preparation_of
from explorer.errors import DataError, Where

if TYPE_CHECKING:
    import torch

_LONGEST_TEXT = 512


@dataclass(frozen=True)
class ImageNetwork:
    """The network, on the graphics card where there is one, and how its images are prepared."""

    name: str
    folder: Path
    kind: ImageKind
    module: Any
    preparation: Preparation
    device: str
    precision: str
    digest: str

    def vectors(self, images: np.ndarray, pooling: Pooling = "automatic") -> np.ndarray:
        """B x d float32 of B x 3 x height x width prepared images; see `ImageKind.vector`.
        'mean' is over the tokens of the patches, without class token and registers. Raises
        DataError MODEL_DAMAGED where the network cannot take images so prepared."""
        import torch

        pixels = torch.from_numpy(images).to(self.device, next(self.module.parameters()).dtype)
        try:
            with torch.inference_mode():
                found = self._pooled(pixels, pooling)
        except (ValueError, IndexError) as error:
            raise damaged(self.name, error) from error
        rows: np.ndarray = found.flatten(1).float().cpu().numpy()
        return rows

    def text_vector(self, text: str) -> TextVector:
        """The place of a text in the space of the images; only of a `joint` kind. Raises DataError
        NO_TEXT_SPACE, MODEL_DAMAGED."""
        import torch

        tokenizer = _load_tokenizer(self.name, self.folder, self.digest)
        limit = min(self.module.config.text_config.max_position_embeddings, _LONGEST_TEXT)
        # SigLIP was trained on texts filled up to its full length, CLIP ends at the last token.
        filled = "max_length" if self.module.config.model_type == "siglip" else "longest"
        tokens = tokenizer([text], padding=filled, truncation=True, max_length=limit,
                           return_tensors="pt")
        length = len(tokenizer(text, truncation=False, verbose=False)["input_ids"])
        wanted = {name: tokens[name].to(self.device) for name in ("input_ids", "attention_mask")
                  if name in tokens and not (filled == "max_length" and name != "input_ids")}
        try:
            with torch.inference_mode():
                found = self.module.get_text_features(**wanted).pooler_output
        except (ValueError, IndexError) as error:
            raise damaged(self.name, error) from error
        return TextVector(found[0].float().cpu().numpy(), cut=length > limit)

    def _pooled(self, pixels: torch.Tensor, pooling: Pooling) -> Any:
        if self.kind.joint:
            return self.module.get_image_features(pixel_values=pixels).pooler_output
        found = self.module(pixel_values=pixels)
        if not self.kind.tokens:
            projected = getattr(found, "image_embeds", None)
            return found.pooler_output if projected is None else projected
        tokens = found.last_hidden_state
        registers = getattr(self.module.config, "num_register_tokens", 0)
        return tokens[:, 1 + registers:].mean(dim=1) if pooling == "mean" else tokens[:, 0]


@dataclass(frozen=True)
class TextVector:
    """d float32; `cut` where the text was longer than the model reads."""

    vector: np.ndarray
    cut: bool


@lru_cache(maxsize=2)
def load_network(name: str, folder: Path, digest: str, architecture: str,
                 precision: str) -> ImageNetwork:
    """The network of a folder. `digest` is the folder's checksum: other weights in the same place
    are another network. Raises DataError MODEL_DAMAGED with the library's own words or naming the
    weights that are not there, UNSUPPORTED_MODEL, UNSAFE_MODEL."""
    stay_offline()
    import torch
    from transformers import AutoImageProcessor
    from transformers.utils import logging

    said: Any = logging
    said.disable_progress_bar()
    said.set_verbosity_error()  # the gaps it would report are looked for below
    loaded = loading(name, lambda: _class_of(architecture, folder).from_pretrained(
        folder, local_files_only=True, trust_remote_code=False, use_safetensors=True,
        dtype=torch.float32, output_loading_info=True,
        **({"add_pooling_layer": False} if architecture == "vit" else {})))
    module, told = loaded
    _refuse_gaps(name, told)
    processors: Any = AutoImageProcessor
    processor = loading(name, lambda: processors.from_pretrained(
        folder, local_files_only=True, trust_remote_code=False, backend="pil"))
    device = "cuda" if torch.cuda.is_available() else "cpu"
    module = module.to(device, getattr(torch, precision)).eval()
    return ImageNetwork(name, folder, IMAGE_KINDS[architecture], module,
                        preparation_of(processor, name), device, precision, digest)


@lru_cache(maxsize=2)
def _load_tokenizer(name: str, folder: Path, digest: str) -> Any:
    from transformers import AutoTokenizer, PreTrainedTokenizerFast

    given: dict[str, Any] = {"local_files_only": True, "trust_remote_code": False}
    try:
        return AutoTokenizer.from_pretrained(folder, **given)
    except ImportError as error:  # SigLIP's class wants the package sentencepiece
        if (folder / "tokenizer.json").exists():
            return loading(name, lambda: PreTrainedTokenizerFast.from_pretrained(folder, **given))
        raise DataError("NO_TEXT_SPACE", "The model's tokeniser must come as tokenizer.json, got "
                                         "one that needs a package which is not installed.",
                        Where(file=name, parameter="model"),
                        "Add the model's tokenizer.json to its folder.") from error
    except Exception as error:  # what a foreign folder can make the libraries raise has no end
        raise damaged(name, error) from error


def _class_of(architecture: str, folder: Path) -> Any:
    from transformers import AutoConfig, AutoModel, CLIPVisionModelWithProjection

    config = AutoConfig.from_pretrained(folder, local_files_only=True, trust_remote_code=False)
    projects = "CLIPVisionModelWithProjection" in (config.architectures or ())
    return CLIPVisionModelWithProjection if architecture == "clip_vision_model" and projects \
        else AutoModel


def _refuse_gaps(name: str, told: Mapping[str, Any]) -> None:
    """Weights a file lacks would be random numbers, and so would be every vector."""
    lacking = sorted(told["missing_keys"]) + sorted(str(key[0]) for key in told["mismatched_keys"])
    if lacking:
        more = f" and {len(lacking) - 1:,} more" if len(lacking) > 1 else ""
        raise DataError("MODEL_DAMAGED", "Weights must be there for every layer of the network, "
                                         f"got none for {lacking[0][:80]}{more}.",
                        Where(file=name, parameter="model"),
                        "Copy the model again: the copy may have stopped half-way.")
