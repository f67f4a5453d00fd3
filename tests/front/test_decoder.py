"""The decoder the browser computes: torch's own numbers, for every kind of decoder there is."""

import numpy as np
import pytest

from explorer.encode.autoencoder import Autoencoder
from explorer.encode.vae import VariationalAutoencoder
from explorer.train import layers as layers_module
from explorer.train.layers import layers_of, pack

DECODE = """async ([path, codes]) => {
    const { Decoder } = await import("/front/decoder.js");
    const decoder = new Decoder(await (await fetch(path)).arrayBuffer());
    return codes.map((code) => [Array.from(decoder.raw(code)), Array.from(decoder.decode(code))]);
}"""
LIVE = """async ([path, codes]) => {
    const { openDecoder } = await import("/front/decoder_live.js");
    const decoder = await openDecoder(path);
    const found = { one: [], grid: [], dropped: [], worker: decoder.worker instanceof Worker };
    const ask = (name, into, some) => new Promise((done) => decoder.ask(name, some,
        (row, place) => { found[into][place] = Array.from(row); }, done));
    const dropped = ask("one", "dropped", [codes[1]]);  // overtaken by the next
    const grid = ask("grid", "grid", codes);
    const late = new Promise((_, fail) => setTimeout(() => fail(new Error("too late")), 20_000));
    await Promise.race([late, Promise.all([grid, ask("one", "one", [codes[0]])])]);
    decoder.end();
    return found;
}"""


def decoder_of(method, shape):
    """Its file, and what it does in torch."""
    modules = method.made(shape)
    weights = {name: tensor.numpy() for name, tensor in modules.state_dict().items()}
    center = np.full((shape[0], 1, 1) if len(shape) == 3 else shape, 0.3)
    spread = np.full((1, 1, 1) if len(shape) == 3 else shape, 0.5)
    told = {"shape": shape, "center": center.ravel().tolist(), "spread": spread.ravel().tolist(),
            "names": [], "unit": None, "middle": None}
    if len(shape) == 1:
        told |= {"unit": [2.0] * shape[0], "middle": [10.0] * shape[0]}

    def expected(codes):
        raw = method.decoded(codes, shape, weights)
        rows = raw * spread + center
        return raw, np.clip(rows, 0, 1) if len(shape) == 3 else 10 + 2 * rows
    return pack(method.layout(shape), weights, told), weights, expected


@pytest.mark.parametrize(("method", "shape"), [
    (Autoencoder.create(layers=0), (4,)),
    (VariationalAutoencoder.create(dimensions=2), (1, 8, 8)),
    (VariationalAutoencoder.create(dimensions=3), (1, 28, 28)),
    (Autoencoder.create(dimensions=5), (3, 13, 12)),
], ids=["linear", "dense", "digits", "odd sides in colour"])
def test_the_browser_decodes_as_torch_does(bench, method, shape):
    content, _, expected = decoder_of(method, shape)
    codes = np.random.default_rng(1).normal(size=(3, method.latent(shape))).astype(np.float32)
    told = bench.tab.evaluate(DECODE, [bench.put("/decoder", content), codes.tolist()])
    for place, (raw, rows) in enumerate(told):
        exact, restored = expected(codes[place:place + 1])
        assert np.abs(np.array(raw) - exact.ravel()).max() < 1e-5
        assert np.abs(np.array(rows) - restored.ravel()).max() < 1e-5


def test_layers_beyond_those_of_today(bench):
    import torch

    from tests.train.test_layers import mixed

    torch.manual_seed(4)
    module = mixed().eval()
    weights = {f"decoder.{name}": value.numpy() for name, value in module.state_dict().items()}
    codes = torch.randn(2, 3)
    with torch.no_grad():
        expected = module(codes).numpy()
    told = {"shape": [4], "center": [0] * 4, "spread": [1] * 4, "unit": None}
    content = pack(layers_of(module), weights, told)
    found = bench.tab.evaluate(DECODE, [bench.put("/decoder", content), codes.tolist()])
    np.testing.assert_allclose([raw for raw, _ in found], expected, atol=1e-6)


def test_half_precision_differs_in_the_fourth_digit_at_most(bench, monkeypatch):
    monkeypatch.setattr(layers_module, "MOST_BYTES", 0)
    content, _, expected = decoder_of(Autoencoder.create(dimensions=4), (6,))
    codes = np.random.default_rng(2).normal(size=(2, 4)).astype(np.float32)
    found = bench.tab.evaluate(DECODE, [bench.put("/decoder", content), codes.tolist()])
    apart = np.abs(np.array([raw for raw, _ in found]) - expected(codes)[0])
    assert 0 < apart.max() < 2e-3


def test_beside_the_page_only_the_newest_of_a_name_is_decoded(bench):
    method = VariationalAutoencoder.create(dimensions=2)
    content, _, expected = decoder_of(method, (1, 16, 16))
    codes = np.random.default_rng(3).normal(size=(12, 2)).astype(np.float32)
    found = bench.tab.evaluate(LIVE, [bench.put("/decoder", content), codes.tolist()])
    assert found["worker"]
    assert found["dropped"] == []
    exact = expected(codes)[1].reshape(12, -1)
    assert np.abs(np.array(found["grid"]) - exact).max() < 1e-5
    assert np.abs(np.array(found["one"]) - exact[:1]).max() < 1e-5
