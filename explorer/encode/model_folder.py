"""A model folder as it stands on disk: what it reads, and what about it is refused unseen."""

from __future__ import annotations

import json
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Literal

from explorer.encode.weights import check_weights
from explorer.errors import DataError, Where

Kind = Literal["text", "image", "multimodal"]

_MOST_FILES = 5_000
_LARGEST_JSON = 50_000_000
_TOKENIZERS = ("tokenizer.json", "tokenizer_config.json", "vocab.txt", "vocab.json",
               "tokenizer.model", "spiece.model", "sentencepiece.bpe.model",
               "whitespacetokenizer_config.json")
_PREPROCESSORS = ("preprocessor_config.json", "processor_config.json")
_MODULES = ("Transformer", "Pooling", "Normalize", "Dense", "LayerNorm", "Dropout",
            "WeightedLayerPooling", "StaticEmbedding", "WordEmbeddings", "BoW", "CNN", "LSTM")
"""What modules.json may name. Others (Router) read lists of modules of their own."""
_CODE_FORMATS = (".bin", ".pt", ".pth", ".ckpt", ".pkl")


@dataclass(frozen=True)
class LocalModel:
    """A model that can be loaded. `name` is what a recipe says: the folder's name under its root
    or the hub id. `kind` is what it reads, `bytes` the size of its weights, `dimensions` the
    length of its vectors where the configuration says it, `architecture` its `model_type`."""

    name: str
    path: Path
    kind: Kind
    bytes: int
    dimensions: int | None = None
    architecture: str = ""


def read_model(name: str, path: Path, root: Path) -> LocalModel:
    """What a model folder says of itself, without loading it.

    Raises DataError NOT_A_MODEL naming what is missing, UNSAFE_WEIGHTS when weights are only there
    in a form that can run code, UNSAFE_MODEL for files outside `root` or code of its own,
    MODEL_DAMAGED when the header of its weights lies.
    """
    files = _files_within(name, path, root)
    parts = [path / part for part in _module_folders(name, path)]
    weights = [file for file in files if file.suffix == ".safetensors"]
    config = _read_json(name, parts[0] / "config.json", {})
    for file in files:
        if file.suffix == ".json" and "config" in file.name:
            _refuse_code(name, _read_json(name, file, {}))
    if any(file.name == "adapter_config.json" for file in files):
        raise _not_a_model(name, "the whole model (this is an adapter to another one)")
    for part in parts:
        inside = [file for file in files if file.parent == part]
        if (any(file.suffix in _CODE_FORMATS for file in inside)
                and not any(file.suffix == ".safetensors" for file in inside)):
            raise DataError("UNSAFE_WEIGHTS", "Weights must be in safetensors files, got "
                            f"only {', '.join(sorted(file.name for file in inside))[:200]}.",
                            Where(file=name), "Files of other formats can run code: convert the "
                            "model with safetensors, or take another one.")
    if not any(file.parent == parts[0] for file in weights):
        raise _not_a_model(name, "model.safetensors")
    for file in weights:
        check_weights(name, file)
    return LocalModel(name, path, _kind(name, path, parts[0]),
                      sum(file.stat().st_size for file in weights),
                      _dimensions(name, parts, config), _architecture(config))


def _files_within(name: str, path: Path, root: Path) -> list[Path]:
    """All files of the folder; links that lead out of `root` are refused, not followed."""
    inner = root.resolve()
    files: list[Path] = []
    for entry in path.rglob("*"):
        if not entry.resolve().is_relative_to(inner):
            raise DataError("UNSAFE_MODEL", "A model's files must lie in its own folder, got a "
                            f"link that leads out of it ({entry.relative_to(path)}).",
                            Where(file=name), "Copy the files instead of linking them.")
        if entry.is_file():
            files.append(entry)
        if len(files) > _MOST_FILES:
            raise DataError("NOT_A_MODEL", f"A model folder must have at most {_MOST_FILES:,} "
                                           "files, got more.", Where(file=name))
    if not path.resolve().is_relative_to(inner):
        raise DataError("UNSAFE_MODEL", "A model's folder must lie in a folder for models, got a "
                        "link that leads out of it.", Where(file=name),
                        "Name the folder it leads to in EXPLORER_MODEL_ROOTS.")
    return files


def _module_folders(name: str, path: Path) -> list[str]:
    """The folders modules.json names, in order; the folder itself for a plain transformer."""
    if not (path / "modules.json").exists():
        if not (path / "config.json").exists():
            raise _not_a_model(name, "modules.json or config.json")
        return [""]
    modules = _read_json(name, path / "modules.json", [])
    if not (isinstance(modules, list) and modules and all(
            isinstance(module, dict) and isinstance(module.get("path"), str)
            and isinstance(module.get("type"), str) for module in modules)):
        raise _not_a_model(name, "a modules.json that lists modules with type and path")
    for module in modules:
        words = module["type"].split(".")
        if words[0] != "sentence_transformers" or words[-1] not in _MODULES:
            raise _unsafe(name, f"a module of type {module['type'][:80]!r}")
        folder = Path(module["path"])
        if folder.is_absolute() or ".." in folder.parts or "\\" in module["path"]:
            raise _unsafe(name, f"a module in {module['path'][:80]!r}, outside its folder")
    return [module["path"] for module in modules]


def _refuse_code(name: str, config: Any) -> None:
    """A configuration may name a hub repository as its attention kernel, whose code transformers
    would then run without asking (CVE-2026-4372 and its neighbours)."""
    if isinstance(config, dict):
        for key, value in config.items():
            kernel = "attn_implementation" in key and "/" in str(value)
            if kernel or (key == "trust_remote_code" and value):
                raise _unsafe(name, f"{key} = {str(value)[:80]!r}")
            _refuse_code(name, value)
    elif isinstance(config, list):
        for value in config:
            _refuse_code(name, value)


def _kind(name: str, path: Path, first: Path) -> Kind:
    def has(names: tuple[str, ...]) -> bool:
        return any((folder / file).exists() for folder in (path, first) for file in names)

    if has(_TOKENIZERS):
        return "multimodal" if has(_PREPROCESSORS) else "text"
    if has(_PREPROCESSORS):
        return "image"
    raise _not_a_model(name, "a tokeniser (tokenizer.json) or an image processor "
                             "(preprocessor_config.json)")


def _dimensions(name: str, parts: list[Path], config: Any) -> int | None:
    for part in reversed(parts[1:]):
        inner = _read_json(name, part / "config.json", {})
        if isinstance(inner, dict):
            width = inner.get("out_features") or inner.get("word_embedding_dimension")
            if isinstance(width, int):
                modes = sum(value is True for key, value in inner.items()
                            if key.startswith("pooling_mode_"))
                return width * max(modes, 1)
            if isinstance(inner.get("embedding_dimension"), int):
                return int(inner["embedding_dimension"])
    return _width(config) if isinstance(config, dict) else None


def _width(config: dict[str, Any]) -> int | None:
    """Of the vectors a plain transformers model gives; of image and text models the space both
    share."""
    sizes = config.get("hidden_sizes")  # of ResNet and ConvNeXt, stage by stage
    found = config.get("hidden_size") or (sizes[-1] if isinstance(sizes, list) and sizes else None)
    inner = config.get("vision_config")
    if "CLIPVisionModelWithProjection" in (config.get("architectures") or ()):
        found = config.get("projection_dim")
    elif isinstance(inner, dict):
        found = (inner.get("hidden_size") if config.get("model_type") == "siglip"
                 else config.get("projection_dim"))
    return found if isinstance(found, int) else None


def _architecture(config: Any) -> str:
    found = config.get("model_type") if isinstance(config, dict) else ""
    return found if isinstance(found, str) else ""


def _read_json(name: str, path: Path, default: Any) -> Any:
    if not path.exists():
        return default
    if path.stat().st_size > _LARGEST_JSON:
        raise _not_a_model(name, f"a {path.name} of ordinary size")
    try:
        return json.loads(path.read_bytes())
    except (ValueError, RecursionError) as error:
        raise _not_a_model(name, f"a {path.name} that is valid JSON") from error


def _not_a_model(name: str, missing: str) -> DataError:
    return DataError("NOT_A_MODEL", f"A model folder must have {missing}, got one without.",
                     Where(file=name, parameter="model"),
                     "Choose a folder saved by sentence-transformers or transformers, with its "
                     "weights as safetensors.")


def _unsafe(name: str, given: str) -> DataError:
    return DataError("UNSAFE_MODEL", "A model must not bring code of its own, got "
                                     f"{given}.", Where(file=name, parameter="model"),
                     "Choose another model: the code of a model is never run here.")
