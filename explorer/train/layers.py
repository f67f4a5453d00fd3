"""A decoder as plain data: what a browser, or anything else without torch, needs to compute it.

A layer is a dict with its `kind` and what that kind needs; `weight` and `bias` are names among the
network's weights. The rows of numbers that go in are called codes.
    linear          weight (outputs x inputs), bias or null
    convolution     weight (outputs x inputs x height x width, odd), bias or null; step 1, zeros
                    around it so that the size stays
    group_norm      groups, eps, weight, bias (one number for each channel)
    layer_norm      eps, weight, bias: over all the numbers of a row
    upsample        size [height, width]: nearest neighbour, pixel p is floor(p * before / after)
    unflatten       size [channels, height, width]
    flatten         all numbers of a row in one line
    gelu            x / 2 * (1 + erf(x / sqrt 2));  relu, silu, tanh, sigmoid
    other           name: one that is not known here
Dropout and identity do nothing once a network is trained and are left out.
"""

from __future__ import annotations

import json
import math
from collections.abc import Iterator, Mapping, Sequence
from typing import TYPE_CHECKING, Any

import numpy as np

from explorer.errors import DataError

if TYPE_CHECKING:
    from torch import nn

Layer = dict[str, Any]
KINDS = frozenset({"linear", "convolution", "group_norm", "layer_norm", "upsample", "unflatten",
                   "flatten", "gelu", "relu", "silu", "tanh", "sigmoid"})
MOST_BYTES = 8 * 2**20
"""Of weights in single precision; larger decoders are packed in half precision, and it is said."""
_PLAIN = {"ReLU": "relu", "SiLU": "silu", "Tanh": "tanh", "Sigmoid": "sigmoid"}
_NOTHING = {"Identity", "Dropout", "Dropout1d", "Dropout2d"}


def layers_of(module: nn.Module, name: str = "decoder") -> tuple[Layer, ...]:
    """The layers of a module that is `name` in its network, in the order they are computed. To be
    called where torch may be; it is not imported here. What is not known becomes a layer of kind
    'other', which `pack` refuses."""
    return tuple(_read(module, name))


def unknown(layers: Sequence[Layer]) -> tuple[str, ...]:
    """The names of the layers that cannot be computed without torch."""
    return tuple(str(layer.get("name", layer["kind"])) for layer in layers
                 if layer["kind"] not in KINDS)


def pack(layers: Sequence[Layer], weights: Mapping[str, np.ndarray],
         about: Mapping[str, Any] | None = None) -> bytes:
    """A decoder as bytes: the length of a text (uint32, little endian), the text (JSON padded with
    blanks to a multiple of 4), then the weights in the order of `arrays` in that text, each in
    single or, beyond MOST_BYTES in all, half precision.

    The text holds {layers, arrays: [{name, shape}], half, **about}. Raises DataError LAYER_UNKNOWN
    where a layer cannot be computed outside torch.
    """
    strange = unknown(layers)
    if strange or not layers:
        raise DataError("LAYER_UNKNOWN", "A decoder must be made of layers the browser can "
                                         f"compute, got {', '.join(strange) or 'none'}.",
                        hint="Train the network again with a version that knows its layers.")
    names = [layer[part] for layer in layers for part in ("weight", "bias") if layer.get(part)]
    half = 4 * sum(weights[name].size for name in names) > MOST_BYTES
    kind = "<f2" if half else "<f4"
    text = json.dumps({**(about or {}), "layers": list(layers), "half": half,
                       "arrays": [{"name": name, "shape": list(weights[name].shape)}
                                  for name in names]}, allow_nan=False).encode()
    text += b" " * (-len(text) % 4)
    # Half precision ends at 65,504: no weight of a network that learned anything is near it.
    largest = float(np.finfo(kind).max)
    return b"".join((len(text).to_bytes(4, "little"), text, *(
        np.clip(weights[name], -largest, largest).astype(kind).tobytes() for name in names)))


def _read(module: nn.Module, name: str) -> Iterator[Layer]:
    kind: str = type(module).__name__
    if kind == "Sequential":
        for place, inner in module.named_children():
            yield from _read(inner, f"{name}.{place}")
    elif kind not in _NOTHING:
        yield _layer(kind, module, name)


def _layer(kind: str, module: Any, name: str) -> Layer:
    named = {"weight": f"{name}.weight",
             "bias": f"{name}.bias" if getattr(module, "bias", None) is not None else None}
    found: Layer | None = None
    if kind == "Linear":
        found = {"kind": "linear", **named}
    elif kind == "Conv2d" and _keeps_size(module):
        found = {"kind": "convolution", **named}
    elif kind == "GroupNorm" and module.affine:
        found = {"kind": "group_norm", "groups": module.num_groups, "eps": module.eps, **named}
    elif kind == "LayerNorm" and len(module.normalized_shape) == 1 and named["bias"]:
        found = {"kind": "layer_norm", "eps": module.eps, **named}
    elif kind == "Upsample" and module.mode == "nearest" and module.size is not None:
        size = module.size if isinstance(module.size, tuple) else (module.size, module.size)
        found = {"kind": "upsample", "size": [int(side) for side in size]}
    elif kind == "Unflatten" and module.dim == 1 and len(module.unflattened_size) == 3:
        found = {"kind": "unflatten", "size": [int(side) for side in module.unflattened_size]}
    elif kind == "Flatten" and module.start_dim == 1:
        found = {"kind": "flatten"}
    elif kind == "GELU" and module.approximate == "none":
        found = {"kind": "gelu"}
    elif kind in _PLAIN:
        found = {"kind": _PLAIN[kind]}
    return found or {"kind": "other", "name": kind}


def _keeps_size(module: Any) -> bool:
    return (module.stride == (1, 1) and module.dilation == (1, 1) and module.groups == 1
            and module.padding_mode == "zeros" and all(side % 2 for side in module.kernel_size)
            and module.padding == tuple(side // 2 for side in module.kernel_size))


def multiplications(layers: Sequence[Layer], weights: Mapping[str, np.ndarray]) -> int:
    """How many it takes to decode one row."""
    pixels, count = 1, 0
    for layer in layers:
        if layer["kind"] in ("unflatten", "upsample"):
            pixels = math.prod(layer["size"][-2:])
        elif layer["kind"] == "flatten":
            pixels = 1
        elif layer["kind"] == "linear":
            count += weights[layer["weight"]].size
        elif layer["kind"] == "convolution":
            count += pixels * weights[layer["weight"]].size
    return count
