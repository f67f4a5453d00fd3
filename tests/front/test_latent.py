"""The latent space in the browser: ways between codes, sliders, grid and walk on a real decoder."""

import io

import numpy as np
import pytest
from PIL import Image
from scipy.spatial.distance import pdist
from scipy.stats import norm

from explorer.encode.vae import VariationalAutoencoder
from explorer.ui.served import FRONT
from tests.front.bench import LIGHT
from tests.front.test_decoder import decoder_of

SPACE = """async (value) => {
    const { Space, spherical, straight, gaussianSteps } = await import("/front/latent_space.js");
    const { rows, codes, asked, a, b, shares, count } = value;
    const d = codes[0].length;
    const space = new Space({ rows: Uint32Array.from(rows), d,
        codes: Float32Array.from(codes.flat()) });
    return { nearest: asked.map((code) => space.nearest(code)),
        places: [-1, 0, 3, 4, 5, 99].map((row) => space.placeOf(row)),
        ways: shares.map((share) => [straight(a, b, share), spherical(a, b, share)]),
        lone: spherical(a, a.map((one) => -one), 0.5), shares: [0.5, 2, 3].map(
            (length) => space.shareNearer(length)), normal: gaussianSteps(count) };
}"""
METHOD, SHAPE = VariationalAutoencoder.create(dimensions=3), (1, 8, 8)
CODES = np.random.default_rng(5).normal(size=(40, 3)).astype(np.float32)
ROWS = np.arange(40) * 2
LOW, HIGH, MEAN = np.percentile(CODES, 0.5, 0), np.percentile(CODES, 99.5, 0), CODES.mean(0)


def test_ways_and_distances_are_those_of_numpy(bench):
    rng = np.random.default_rng(0)
    codes = rng.normal(size=(50, 4)).astype(np.float32)
    asked = rng.normal(size=(8, 4))
    a, b = rng.normal(size=4), rng.normal(size=4)
    shares = [0.0, 0.25, 0.7, 1.0]
    told = bench.tab.evaluate(SPACE, {
        "rows": [3, 4, *range(10, 58)], "codes": codes.tolist(), "asked": asked.tolist(),
        "a": a.tolist(), "b": b.tolist(), "shares": shares, "count": 15})
    apart = np.linalg.norm(codes[None] - asked[:, None], axis=2)
    assert [one["place"] for one in told["nearest"]] == apart.argmin(axis=1).tolist()
    np.testing.assert_allclose([one["distance"] for one in told["nearest"]], apart.min(axis=1),
                               rtol=1e-6)
    assert told["places"] == [-1, -1, 0, 1, -1, -1]
    one, two = a / np.linalg.norm(a), b / np.linalg.norm(b)
    angle = np.arccos(one @ two)
    for share, (straight, spherical) in zip(shares, told["ways"], strict=True):
        np.testing.assert_allclose(straight, (1 - share) * a + share * b, atol=1e-12)
        turned = (np.sin((1 - share) * angle) * one + np.sin(share * angle) * two) / np.sin(angle)
        reach = (1 - share) * np.linalg.norm(a) + share * np.linalg.norm(b)
        np.testing.assert_allclose(spherical, reach * turned, atol=1e-9)
    np.testing.assert_allclose(told["lone"], np.zeros(4), atol=1e-9)  # opposite: no one circle
    nearer = [(pdist(codes) < length).mean() for length in (0.5, 2, 3)]
    np.testing.assert_allclose(told["shares"], nearer, atol=0.04)
    np.testing.assert_allclose(told["normal"], norm.ppf((np.arange(15) + 0.5) / 15), atol=1e-7)


@pytest.fixture
def view(bench):
    """The page's view of 40 rows, and what torch decodes."""
    content, _, expected = decoder_of(METHOD, SHAPE)
    for row in ROWS.tolist():
        card = {"title": f"Row {row + 1} <b>", "color": None, "picture": False, "texts": [],
                "facts": [["label", "7"]]}
        bench.put(f"/cards/{row}", card)
    data = {"key": "one", "decoder": {"key": "d", "url": bench.put("/decoder", content)},
            "notes": [], "n": 40, "total": 40, "rows": bench.put("/rows", ROWS.astype(
                "<u4").tobytes()), "codes": bench.put("/codes", CODES.tobytes()),
            "low": LOW.tolist(), "high": HIGH.tolist(), "mean": MEAN.tolist(), "order": [2, 0, 1],
            "worth": {"title": "KL", "unit": "nats", "values": [0.5, 0.001, 2.0]},
            "gaussian": True, "chosen": {"count": 0, "rows": []}, "cards": "/cards",
            "pictures": None, "most": 80, "tiles": None}
    html = (FRONT / "latent.html").read_text()
    css = (FRONT / "latent.css").read_text()
    bench.tab.evaluate("""([html, css, style]) => {
        document.body.innerHTML = `<div id="latent" style="${style}"><style>${css}</style>${html}`;
    }""", [html, css, f"width:960px;{LIGHT}"])
    show(bench, data)
    return bench, data, lambda code: expected(np.array([code], np.float32))[1].ravel()


def show(bench, data):
    bench.tab.evaluate("(data) => draw('latent', 'latent', data)", data)
    bench.tab.wait_for_function("document.querySelector('.latent-view').dataset.ready === 'one'")


def decoded(bench, times=1):
    """Wait until so many pictures more were decoded, then the last one's grey values."""
    seen = int(bench.tab.get_attribute(".latent-view", "data-decoded") or 0)
    bench.tab.wait_for_function("(n) => Number(document.querySelector('.latent-view').dataset"
                                ".decoded ?? 0) >= n", arg=max(times, seen))
    return np.array(bench.tab.evaluate("""() => {
        const canvas = document.querySelector(".made canvas");
        return [...canvas.getContext("2d").getImageData(0, 0, 8, 8).data];
    }""")).reshape(64, 4)[:, 0]


def sliders(bench):
    """The latent numbers as the sliders stand, by number."""
    found = bench.tab.evaluate("() => [...document.querySelectorAll('.slider input')]"
                               ".map((one) => [one.id, Number(one.value)])")
    return dict(found)


def test_sliders_grid_and_walk_are_one(view):
    bench, _, expected = view
    tab = bench.tab
    assert list(sliders(bench)) == ["latent-z3", "latent-z1", "latent-z2"]
    assert np.abs(decoded(bench) - 255 * expected(MEAN)).max() <= 1
    nearest = ROWS[np.linalg.norm(CODES - MEAN, axis=1).argmin()]
    tab.wait_for_selector(f".near .title:text-is('Row {nearest + 1} <b>')")

    tab.fill("#latent-z3", str(float(HIGH[2])))
    moved = [MEAN[0], MEAN[1], HIGH[2]]
    tab.wait_for_function("document.querySelector('.latent-view').dataset.decoded === '2'")
    assert np.abs(decoded(bench, 2) - 255 * expected(moved)).max() <= 1

    # Up is more: the first cell is low across (z3) and high up (z1), by equal shares.
    tab.click(".tab-grid")
    tab.wait_for_selector(".grid .mosaic[data-done='225']")
    tab.click(".grid canvas", position={"x": 3, "y": 3})
    ends = norm.ppf([0.5 / 15, 14.5 / 15, 1.5 / 15])
    assert sliders(bench)["latent-z3"] == pytest.approx(ends[0], abs=1e-5)
    assert sliders(bench)["latent-z1"] == pytest.approx(ends[1], abs=1e-5)
    assert sliders(bench)["latent-z2"] == pytest.approx(MEAN[1], abs=1e-5)
    tab.press(".grid canvas", "ArrowRight")
    assert sliders(bench)["latent-z3"] == pytest.approx(ends[2], abs=1e-5)
    with tab.expect_download() as kept:
        tab.click(".grid .keep")
    with Image.open(io.BytesIO(kept.value.path().read_bytes())) as picture:
        assert picture.size[0] >= 15 * 8
    assert kept.value.suggested_filename == "latent-grid.png"

    tab.click(".tab-walk")
    tab.select_option(".way select", "straight")
    for end, row in (("a", 7), ("b", 11)):  # rows 6 and 10 of the data set, counted from 1
        tab.fill(f".row-{end}", str(row))
        tab.press(f".row-{end}", "Enter")
    tab.wait_for_selector(".strip[data-done='9']")
    tab.fill(".where", "0.5")
    middle = (CODES[3] + CODES[5]) / 2
    for number, value in enumerate(middle):
        assert sliders(bench)[f"latent-z{number + 1}"] == pytest.approx(value, abs=1e-5)
    apart = np.linalg.norm(CODES[3] - CODES[5])
    assert f"{apart:.2f} apart" in tab.inner_text(".apart")
    assert not tab.is_visible(".read")
    tab.fill(".row-a", "8")  # row 7 has no code
    tab.press(".row-a", "Enter")
    assert "no code" in tab.eval_on_selector(".row-a", "(input) => input.validationMessage")


def test_the_selection_is_gone_to_and_a_row_shown_on_the_map(view):
    bench, data, _ = view
    tab = bench.tab
    chosen = [{"row": 12, "code": CODES[6].tolist()}, {"row": 70, "code": CODES[35].tolist()}]
    show(bench, {**data, "chosen": {"count": 5, "rows": chosen}})
    tab.wait_for_function("document.querySelector('.latent-view').dataset.nearest === '12'")
    assert (tab.input_value(".row-a"), tab.input_value(".row-b")) == ("13", "71")
    tab.click("button.mean")
    assert sliders(bench)["latent-z1"] == pytest.approx(MEAN[0], abs=1e-5)
    show(bench, {**data, "chosen": {"count": 5, "rows": chosen}})  # told again: nothing moves
    assert sliders(bench)["latent-z1"] == pytest.approx(MEAN[0], abs=1e-5)
    tab.fill("input.row", "71")
    tab.press("input.row", "Enter")
    tab.wait_for_selector(".near .title:text-is('Row 71 <b>')")
    tab.click("button.map")
    assert tab.evaluate("sent") == [["latent", "map", 70]]


def test_of_texts_the_walk_reads_the_nearest_rows(view):
    bench, data, _ = view
    bench.put("/tiles", [{"title": f"Row {at}", "text": f"text {at}"} for at in range(9)])
    bench.tab.evaluate("(data) => draw('latent', 'latent', data)", {**data, "key": "two",
                                                                    "tiles": "/tiles"})
    bench.tab.wait_for_selector(".read li >> nth=8")
    steps = np.linspace(0, 1, 9)[:, None]
    lengths = np.linalg.norm(CODES[[0, 20]], axis=1)
    one, two = CODES[[0, 20]] / lengths[:, None]
    angle = np.arccos(one @ two)  # of a variational network the walk is along the sphere
    ways = (np.sin((1 - steps) * angle) * one + np.sin(steps * angle) * two) / np.sin(angle)
    ways *= (1 - steps) * lengths[0] + steps * lengths[1]
    near = np.linalg.norm(CODES - ways[:, None], axis=2).argmin(axis=1)
    texts = bench.tab.locator(".read .said").all_inner_texts()
    assert texts == [f"text {at}" if not at or near[at] != near[at - 1] else "the same row"
                     for at in range(9)]
    assert len(set(near)) > 2


def test_one_number_at_a_time_and_what_it_is_worth(view):
    bench, data, _ = view
    tab = bench.tab
    tab.click(".tab-lines")
    tab.wait_for_selector(".lines .mosaic[data-done='27']")
    labels = tab.locator(".labels div")
    assert [text.split() for text in labels.all_inner_texts()] == [
        ["z3", "KL", "2.0", "nats"], ["z1", "KL", "0.50", "nats"], ["z2", "KL", "0.0010", "nats"]]
    tab.press(".tab-lines", "ArrowRight")
    assert tab.get_attribute(".tab-walk", "aria-selected") == "true"
    show(bench, {**data, "order": [0, 1, 2]})
    assert next(iter(sliders(bench))) == "latent-z1"
