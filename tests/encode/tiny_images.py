"""Tiny random image models of every architecture, saved as transformers saves them."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np

from tests.builders import png

KINDS = ("clip", "clip_vision_model", "clip_vision_projection", "siglip", "siglip_vision_model",
         "dinov2", "dinov2_with_registers", "vit", "vit_classifier", "resnet", "convnext",
         "convnextv2")
JOINT = ("clip", "siglip")
WORDS = ["<pad>", "<unk>", "<s>", "</s>", "a", "photo", "of", "red", "blue", "cat", "dog"]
_VISION = {"hidden_size": 32, "intermediate_size": 48, "num_hidden_layers": 2,
           "num_attention_heads": 2, "image_size": 32, "patch_size": 8}
_TEXT = {"hidden_size": 24, "intermediate_size": 32, "num_hidden_layers": 1,
         "num_attention_heads": 2, "vocab_size": len(WORDS), "max_position_embeddings": 12,
         "bos_token_id": 2, "eos_token_id": 3, "pad_token_id": 0}


def save_image_model(folder: Path, kind: str, seed: int = 0) -> Any:
    """config.json, model.safetensors, preprocessor_config.json and, for `JOINT` kinds, the
    tokeniser. Returns the network."""
    import torch

    folder.mkdir(parents=True, exist_ok=True)
    torch.manual_seed(seed)
    network = _network(kind).eval()
    with torch.no_grad():  # batch norms that have seen something, biases that are not zero
        for name, values in network.state_dict().items():
            if name.endswith(("running_mean", "bias")):
                values.normal_(0, 0.1)
    network.save_pretrained(folder)
    _processor(kind).save_pretrained(folder)
    if kind in JOINT:
        tokenizer().save_pretrained(folder)
    return network


def tokenizer() -> Any:
    """Words in small letters, one token each, closed by '</s>'."""
    from tokenizers import Tokenizer, models, normalizers, pre_tokenizers, processors
    from transformers import PreTrainedTokenizerFast

    made = Tokenizer(models.WordLevel({word: at for at, word in enumerate(WORDS)}, "<unk>"))
    made.normalizer = normalizers.Lowercase()
    made.pre_tokenizer = pre_tokenizers.Whitespace()
    made.post_processor = processors.TemplateProcessing("$A </s>", special_tokens=[("</s>", 3)])
    return PreTrainedTokenizerFast(tokenizer_object=made, unk_token="<unk>", pad_token="<pad>",
                                   bos_token="<s>", eos_token="</s>", model_max_length=12)


def pictures(count: int = 7, seed: int = 0) -> list[bytes]:
    """PNG files of different shapes, in colour and in grey."""
    draws = np.random.default_rng(seed)
    made = []
    for place in range(count):
        height, width = draws.integers(9, 60, 2).tolist()
        shape = (height, width) if place % 3 == 2 else (height, width, 3)
        made.append(png(draws.integers(0, 256, shape, dtype=np.uint8)))
    return made


def _network(kind: str) -> Any:
    import transformers as library

    tokens = {**_VISION, "num_channels": 3}
    stages: dict[str, Any] = {"hidden_sizes": [8, 8, 16, 24], "depths": [1, 1, 1, 1]}
    dino = {name: value for name, value in tokens.items() if name != "intermediate_size"}
    if kind == "clip":
        return library.CLIPModel(library.CLIPConfig(text_config=_TEXT, vision_config=_VISION,
                                                    projection_dim=20))
    if kind == "siglip":
        text = {**_TEXT, "projection_size": 32}
        return library.SiglipModel(library.SiglipConfig(text_config=text, vision_config=_VISION))
    made = {
        "clip_vision_model": (library.CLIPVisionModel, library.CLIPVisionConfig, _VISION),
        "clip_vision_projection": (library.CLIPVisionModelWithProjection,
                                   library.CLIPVisionConfig, {**_VISION, "projection_dim": 20}),
        "siglip_vision_model": (library.SiglipVisionModel, library.SiglipVisionConfig, _VISION),
        "dinov2": (library.Dinov2Model, library.Dinov2Config, {**dino, "image_size": 56}),
        "dinov2_with_registers": (library.Dinov2WithRegistersModel,
                                  library.Dinov2WithRegistersConfig,
                                  {**dino, "num_register_tokens": 3}),
        "vit": (library.ViTModel, library.ViTConfig, tokens),
        "vit_classifier": (library.ViTForImageClassification, library.ViTConfig, tokens),
        "resnet": (library.ResNetModel, library.ResNetConfig, {"embedding_size": 8, **stages}),
        "convnext": (library.ConvNextModel, library.ConvNextConfig, stages),
        "convnextv2": (library.ConvNextV2Model, library.ConvNextV2Config, stages)}
    network, config, given = made[kind]
    return network(config(**given))


def _processor(kind: str) -> Any:
    import transformers as library

    if kind.startswith("clip"):
        return library.CLIPImageProcessorPil(size={"shortest_edge": 32},
                                             crop_size={"height": 32, "width": 32})
    if kind.startswith("siglip"):
        return library.SiglipImageProcessorPil(size={"height": 32, "width": 32})
    if kind.startswith("dinov2"):
        return library.BitImageProcessorPil(size={"shortest_edge": 36},
                                            crop_size={"height": 32, "width": 32})
    if kind.startswith("vit"):
        return library.ViTImageProcessorPil(size={"height": 32, "width": 32})
    return library.ConvNextImageProcessorPil(size={"shortest_edge": 32}, crop_pct=0.8)
