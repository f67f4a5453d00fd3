"""A decoder as plain data: computed with numpy alone it gives what torch gives."""

import json
import math

import numpy as np
import pytest

from explorer.encode import encoders
from explorer.encode.trained import TrainedEncoder
from explorer.errors import DataError
from explorer.train import layers as layers_module
from explorer.train.layers import layers_of, multiplications, pack, unknown

SHAPES = [(5,), (1, 8, 8), (1, 13, 12), (3, 16, 16)]
erf = np.vectorize(math.erf)


def moments(values, axis, eps):
    return (values - values.mean(axis=axis, keepdims=True)) / np.sqrt(
        values.var(axis=axis, keepdims=True) + eps)


def convolved(values, weight, bias):
    """Every output number is one sum, as the definition has it."""
    high, wide = weight.shape[2:]
    framed = np.pad(values, ((0, 0), (0, 0), (high // 2,) * 2, (wide // 2,) * 2))
    windows = np.lib.stride_tricks.sliding_window_view(framed, (high, wide), axis=(2, 3))
    made = np.einsum("ncyxhw,ochw->noyx", windows, weight)
    return made if bias is None else made + bias[:, None, None]


def evaluated(layers, weights, codes):
    """The layers one after the other, in float64, as `explorer.train.layers` says what they are."""
    now = np.asarray(codes, dtype=np.float64)
    for layer in layers:
        weight, bias = (None if layer.get(part) is None else weights[layer[part]].astype(float)
                        for part in ("weight", "bias"))
        kind = layer["kind"]
        if kind == "linear":
            now = now @ weight.T + (0 if bias is None else bias)
        elif kind == "convolution":
            now = convolved(now, weight, bias)
        elif kind == "group_norm":
            grouped = now.reshape(len(now), layer["groups"], -1)
            now = moments(grouped, 2, layer["eps"]).reshape(now.shape)
            now = now * weight[:, None, None] + bias[:, None, None]
        elif kind == "layer_norm":
            now = moments(now, 1, layer["eps"]) * weight + bias
        elif kind == "upsample":
            (high, wide), (height, width) = layer["size"], now.shape[2:]
            now = now[:, :, np.arange(high) * height // high][..., np.arange(wide) * width // wide]
        elif kind == "unflatten":
            now = now.reshape(len(now), *layer["size"])
        elif kind == "flatten":
            now = now.reshape(len(now), -1)
        else:
            now = {"gelu": lambda x: x / 2 * (1 + erf(x / math.sqrt(2))),
                   "relu": lambda x: np.maximum(x, 0), "silu": lambda x: x / (1 + np.exp(-x)),
                   "tanh": np.tanh, "sigmoid": lambda x: 1 / (1 + np.exp(-x))}[kind](now)
    return now


def plain(modules):
    return {name: tensor.detach().numpy() for name, tensor in modules.state_dict().items()}


def learners():
    return [cls for cls in encoders() if issubclass(cls, TrainedEncoder)]


@pytest.mark.parametrize("shape", SHAPES, ids=str)
@pytest.mark.parametrize("cls", learners(), ids=lambda cls: cls.key)
def test_every_decoder_there_is_is_known_and_exact(cls, shape):
    method = cls.create(seed=3)
    if not method.rebuilds:
        assert method.layout(shape) == ()
        return
    modules = method.made(shape)
    weights = plain(modules)
    layers = method.layout(shape)
    assert layers == tuple(json.loads(json.dumps(layers)))
    assert unknown(layers) == ()
    latent = weights[layers[0]["weight"]].shape[1]
    codes = np.random.default_rng(0).normal(size=(3, latent)).astype(np.float32)
    expected = method.decoded(codes, shape, weights)
    found = evaluated(layers, weights, codes).reshape(expected.shape)
    np.testing.assert_allclose(found, expected, atol=2e-6, rtol=2e-5)


def mixed():
    from torch import nn

    return nn.Sequential(
        nn.Linear(3, 24), nn.LayerNorm(24), nn.ReLU(), nn.Dropout(0.5), nn.Unflatten(1, (4, 2, 3)),
        nn.Upsample(size=(5, 7), mode="nearest"), nn.Conv2d(4, 6, (5, 3), padding=(2, 1)),
        nn.GroupNorm(2, 6), nn.SiLU(), nn.Identity(), nn.Conv2d(6, 2, 3, padding=1, bias=False),
        nn.Tanh(), nn.Flatten(), nn.Linear(70, 4, bias=False), nn.Sigmoid())


def test_layers_no_decoder_of_ours_has_yet():
    import torch

    torch.manual_seed(0)
    module = mixed().eval()
    layers = layers_of(module, "made")
    weights = {f"made.{name}": array for name, array in plain(module).items()}
    assert [layer["kind"] for layer in layers] == [
        "linear", "layer_norm", "relu", "unflatten", "upsample", "convolution", "group_norm",
        "silu", "convolution", "tanh", "flatten", "linear", "sigmoid"]
    codes = torch.randn(4, 3)
    with torch.no_grad():
        expected = module(codes).numpy()
    np.testing.assert_allclose(evaluated(layers, weights, codes.numpy()), expected, atol=1e-6)
    assert multiplications(layers, weights) == 3 * 24 + 35 * (6 * 4 * 15 + 2 * 6 * 9) + 4 * 70


def test_what_is_not_known_is_refused_by_its_name():
    from torch import nn

    strange = [nn.ConvTranspose2d(4, 2, 3), nn.Conv2d(4, 4, 3, stride=2, padding=1),
               nn.Conv2d(4, 4, 3), nn.Conv2d(4, 4, 3, padding=1, groups=2), nn.PixelShuffle(2),
               nn.Upsample(size=4, mode="bilinear"), nn.GELU(approximate="tanh")]
    for module in strange:
        layers = layers_of(nn.Sequential(nn.Linear(2, 4), module), "decoder")
        assert unknown(layers) == (type(module).__name__,)
        with pytest.raises(DataError, match=type(module).__name__) as refused:
            pack(layers, {})
        assert refused.value.code == "LAYER_UNKNOWN"
    with pytest.raises(DataError):
        pack((), {})


def unpacked(content):
    length = int.from_bytes(content[:4], "little")
    told = json.loads(content[4:4 + length])
    assert length % 4 == 0
    at, found = 4 + length, {}
    for array in told["arrays"]:
        kind, count = "<f2" if told["half"] else "<f4", math.prod(array["shape"])
        found[array["name"]] = np.frombuffer(content, kind, count, at).reshape(array["shape"])
        at += found[array["name"]].nbytes
    assert at == len(content)
    return told, found


def test_packed_weights_come_back_and_large_ones_in_half_precision(monkeypatch):
    from torch import nn

    module = nn.Sequential(nn.Linear(3, 5), nn.GELU(), nn.Linear(5, 4, bias=False))
    layers = layers_of(module, "made")
    weights = {f"made.{name}": array for name, array in plain(module).items()}
    weights["other"] = np.zeros(3, dtype=np.float32)
    told, found = unpacked(pack(layers, weights, {"shape": [4]}))
    assert told["shape"] == [4]
    assert tuple(told["layers"]) == layers
    assert not told["half"]
    assert list(found) == ["made.0.weight", "made.0.bias", "made.2.weight"]
    assert all(np.array_equal(array, weights[name]) for name, array in found.items())
    monkeypatch.setattr(layers_module, "MOST_BYTES", 10)
    weights["made.0.bias"] = np.array([1e6, -1e6, 0, 1, 2], dtype=np.float32)
    told, found = unpacked(pack(layers, weights))
    assert told["half"]
    assert found["made.0.bias"].tolist() == [65504, -65504, 0, 1, 2]
    np.testing.assert_allclose(found["made.0.weight"], weights["made.0.weight"], rtol=1e-3)
