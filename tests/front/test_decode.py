"""A click on the empty space of the map: the code of that place, decoded and shown."""

import json

import numpy as np
import pytest

from explorer.train.layers import pack
from tests.front.test_view import Known

WEIGHT = np.array([[.5, 0], [0, .5], [.25, .25], [0, 0]], dtype=np.float32)
BIAS = np.array([.5, .5, .25, 1], dtype=np.float32)
PLACE = (0.05, 0.52)
MATHS = """async ([flat, asked, codes, latent]) => {
    const { fewNearest, onPlane, weighted } = await import("/front/decode_inverse.js");
    return asked.map(([x, y]) => {
        const near = fewNearest(Float32Array.from(flat), x, y, 5, (i) => i % 4 !== 3);
        return [near.map((one) => one.place),
            near.length ? weighted(Float32Array.from(codes), latent, near) : null,
            onPlane({ origin: [1, -2, 0.5], along: [[1, 2, 3], [0, -1, 4]] }, [x, y])];
    });
}"""


def test_nearest_rows_and_their_weighted_mean(bench):
    for seed in range(6):
        rng = np.random.default_rng(seed)
        points = rng.uniform(-1, 1, (30, 2)).astype(np.float32)
        if seed == 1:
            points = np.round(points * 3) / 3  # many ties
        codes = rng.normal(size=(30, 3)).astype(np.float32)
        asked = [*rng.uniform(-1, 1, (6, 2)).tolist(), points[4].tolist(), points[8].tolist()]
        told = bench.tab.evaluate(MATHS, [points.ravel().tolist(), asked,
                                          codes.ravel().tolist(), 3])
        shown = np.flatnonzero(np.arange(30) % 4 != 3)
        for (x, y), (near, code, plane) in zip(asked, told, strict=True):
            squares = ((points.astype(float) - (x, y)) ** 2).sum(axis=1)
            expected = shown[np.argsort(squares[shown], kind="stable")[:5]]
            assert near == expected.tolist()
            away = np.sqrt(squares[expected])
            weights = (away == 0).astype(float) if (away == 0).any() else 1 / away
            np.testing.assert_allclose(code, weights @ codes[expected] / weights.sum(), atol=1e-6)
            np.testing.assert_allclose(plane, [1 + x, -2 + 2 * x - y, .5 + 3 * x + 4 * y])


@pytest.fixture
def opened(bench):
    """A map and the panel under it; the decoder is one linear layer to pictures of 2 x 2."""
    known = Known(bench)
    names = {"decoder.weight": WEIGHT, "decoder.bias": BIAS}
    layers = ({"kind": "linear", "weight": "decoder.weight", "bias": "decoder.bias"},)
    about = {"latent": 2, "shape": [1, 2, 2], "names": [], "center": [0.0], "spread": [1.0],
             "middle": None, "unit": None}
    codes = np.random.default_rng(5).uniform(-1, 1, (known.n, 2)).astype("<f4")
    for row in range(known.n):
        bench.put(f"/cards/{row}", {"title": f"Row {row + 1}"})
    data = {"group": "d", "axes": ["latent 1", "latent 2"], "notes": [], "cards": "/cards",
            "geometry": {"key": known.name, "middle": [2.0, -1.0], "unit": [2.0, 4.0]},
            "decoder": {"key": "k", "url": bench.put("/decoder", pack(layers, names, about))},
            "pictures": None,
            "way": {"kind": "plane", "origin": [0, 0], "along": [[1, 0], [0, 1]],
                    "words": "Exact."}}
    near = {"codes": {"url": bench.put("/codes", codes.tobytes())},
            "way": {"kind": "near", "words": "Approximated:"}}
    view = bench.open("map").show(known.data())
    panel = bench.open("panel", "decode", height=200)

    def show(told):
        bench.tab.evaluate("(data) => draw('panel', 'decode', data)", told)
        panel.find(".decode-view[data-ready]").wait_for()
    return known, codes, view, panel, lambda: show(data), lambda: show(
        {**data, **near, "decoder": {**data["decoder"], "key": "near"}})


def decoded(panel, times):
    """The code last decoded, and the picture's pixels, after so many."""
    panel.find(f".decode-view[data-decoded='{times}']").wait_for()
    pixels = panel.tab.evaluate(
        """() => { const canvas = document.querySelector("#panel canvas.pixels");
        const told = canvas.getContext("2d").getImageData(0, 0, canvas.width, canvas.height).data;
        return [...told].filter((_, at) => at % 4 === 0); }""")
    return json.loads(panel.find(".decode-view").get_attribute("data-code")), pixels


def test_a_click_beside_all_points_decodes_that_place(opened):
    known, _, view, panel, exact, _ = opened
    exact()
    view.tab.mouse.click(*view.place(*PLACE))
    code, pixels = decoded(panel, 1)
    np.testing.assert_allclose(code, [2 + 2 * PLACE[0], -1 + 4 * PLACE[1]], atol=0.02)
    expected = np.clip(WEIGHT @ code + BIAS, 0, 1) * 255
    np.testing.assert_allclose(pixels, expected, atol=1)
    assert panel.find(".way").inner_text() == "Exact."
    assert view.ask("(view) => [view.decoded.near.length, view.decoded.picture.width]") == [0, 2]
    assert not view.sent("chosen")
    point = known.points[known.inside(0)[0]]
    view.tab.mouse.click(*view.place(*point))  # a row is selected, as ever, and nothing decoded
    assert len(view.chosen()) == 1
    assert panel.find(".decode-view").get_attribute("data-decoded") == "1"
    panel.find(".at-x").fill("1.5")  # the way without a mouse
    code, _ = decoded(panel, 2)
    assert code[0] == 1.5
    view.tab.mouse.move(*view.place(-.05, .4))
    assert panel.find(".decode-view").get_attribute("data-decoded") == "2"
    panel.find(".follow").check()
    view.tab.mouse.move(*view.place(*PLACE))
    code, _ = decoded(panel, 3)
    np.testing.assert_allclose(code, [2 + 2 * PLACE[0], -1 + 4 * PLACE[1]], atol=0.02)


def test_a_map_without_an_inverse_names_the_rows_it_asks(opened):
    known, codes, view, panel, _, near = opened
    near()
    view.tab.mouse.click(*view.place(*PLACE))
    code, _ = decoded(panel, 1)
    far = np.hypot(*(known.points.astype(float) - PLACE).T)
    nearest = np.argsort(far, kind="stable")[:5]
    expected = (1 / far[nearest]) @ codes[nearest] / (1 / far[nearest]).sum()
    np.testing.assert_allclose(code, expected, atol=0.02)
    assert set(view.ask("(view) => view.decoded.near")) == set(nearest.tolist())
    for row in nearest.tolist():
        panel.find(".row").filter(has_text=f"Row {row + 1}").first.wait_for()
    assert panel.find(".way").inner_text() == "Approximated:"
