"""Tiny random models, saved as the libraries save them."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

WORDS = ["[PAD]", "[UNK]", "[CLS]", "[SEP]", "[MASK]", "red", "blue", "cat", "dog", "the", "sat",
         "http", ":", "/", "query", *"abcdefghijklmnopqrstuvwxyz",
         *(f"##{letter}" for letter in "abcdefghijklmnopqrstuvwxyz")]


def save_transformer(folder: Path, seed: int = 0, **config: Any) -> None:
    """A BERT of 16 dimensions and 32 tokens: config.json, model.safetensors, the tokeniser."""
    import torch
    from transformers import BertConfig, BertModel, BertTokenizer

    folder.mkdir(parents=True, exist_ok=True)
    (folder / "vocab.txt").write_text("\n".join(WORDS), encoding="utf-8")
    torch.manual_seed(seed)
    BertModel(BertConfig(vocab_size=len(WORDS), hidden_size=16, num_hidden_layers=1,
                         num_attention_heads=2, intermediate_size=16,
                         max_position_embeddings=32)).save_pretrained(folder)
    BertTokenizer(str(folder / "vocab.txt"), model_max_length=32).save_pretrained(folder)
    if config:
        change_json(folder / "config.json", **config)


def save_sentence_model(folder: Path, seed: int = 0) -> None:
    """The same with modules.json and mean pooling."""
    save_transformer(folder, seed)
    (folder / "1_Pooling").mkdir()
    (folder / "1_Pooling" / "config.json").write_text(json.dumps(
        {"word_embedding_dimension": 16, "pooling_mode_cls_token": False,
         "pooling_mode_mean_tokens": True}))
    (folder / "modules.json").write_text(json.dumps([
        {"idx": 0, "name": "0", "path": "", "type": "sentence_transformers.models.Transformer"},
        {"idx": 1, "name": "1", "path": "1_Pooling",
         "type": "sentence_transformers.models.Pooling"}]))


def change_json(path: Path, **changes: Any) -> None:
    path.write_text(json.dumps({**json.loads(path.read_text()), **changes}))


def fake_model(folder: Path) -> None:
    """A folder that looks like a text model without being loadable: quick to write."""
    folder.mkdir(parents=True)
    (folder / "config.json").write_text('{"model_type": "bert", "hidden_size": 16}')
    (folder / "tokenizer.json").write_text("{}")
    write_weights(folder / "model.safetensors")


def write_weights(path: Path, fill: bytes = b"0", size: int = 100) -> None:
    """A safetensors file of `size` bytes with one tensor of `fill`."""
    tensor = {"dtype": "U8", "shape": [20], "data_offsets": [0, 20]}
    header = json.dumps({"w": tensor}).encode().ljust(size - 28)
    path.write_bytes(len(header).to_bytes(8, "little") + header + fill * 20)
