"""The front end's arithmetic against slow and obvious Python, on many random cases a call."""

import base64
from fractions import Fraction

import numpy as np


def cloud(rng, n=None):
    """n points in [-1, 1], in float32: scattered, on a coarse grid, or all in one place."""
    n = int(rng.integers(0, 120)) if n is None else n
    kind = rng.integers(3)
    points = rng.uniform(-1, 1, (n, 2))
    if kind == 1:
        points = np.round(points * 4) / 4
    elif kind == 2:
        points = np.tile(rng.uniform(-1, 1, 2), (n, 1))
    return points.astype(np.float32)


def flat(points):
    return [float(value) for value in points.ravel()]


def test_bits_are_those_of_numpy(bench):
    rng = np.random.default_rng(0)
    cases = [rng.integers(0, 2, n).tolist() for n in (0, 1, 7, 8, 9, 63, 64, 1000, 70_001)]
    told = bench.run("""({pick}, cases) => cases.map((flags) => {
        const text = pick.packBits(Uint8Array.from(flags));
        return [text, [...pick.unpackBits(text, flags.length)], pick.count(flags)];
    })""", cases)
    for flags, (text, back, count) in zip(cases, told, strict=True):
        assert base64.b64decode(text) == np.packbits(np.array(flags, dtype=bool)).tobytes()
        assert back == flags
        assert count == sum(flags)


def crossings(x, y, polygon):
    """Even-odd by exact fractions; None on an edge, where either answer is right."""
    inside = False
    for (ax, ay), (bx, by) in zip(polygon, polygon[1:] + polygon[:1], strict=True):
        side = (bx - ax) * (y - ay) - (by - ay) * (x - ax)
        if side == 0 and min(ax, bx) <= x <= max(ax, bx) and min(ay, by) <= y <= max(ay, by):
            return None
        if (ay > y) != (by > y) and x < (bx - ax) * (y - ay) / (by - ay) + ax:
            inside = not inside
    return inside


def outline(rng):
    """A polygon: any (it may cross itself), on a grid, degenerate, or larger than the plane."""
    corners = rng.uniform(-1.2, 1.2, (int(rng.integers(3, 9)), 2))
    kind = rng.integers(4)
    if kind == 1:
        corners = np.round(corners * 4) / 4
    elif kind == 2:
        corners[1:] = corners[0] + np.outer(np.arange(1, len(corners)), rng.uniform(-.3, .3, 2))
    elif kind == 3:
        corners = np.repeat(corners * 3, 2, axis=0)
    return corners.tolist()


def test_a_polygon_holds_what_even_odd_says(bench):
    rng = np.random.default_rng(1)
    cases = [(cloud(rng), outline(rng)) for _ in range(90)]
    told = bench.run("""({pick}, cases) => cases.map(([flat, polygon]) => {
        const points = Float32Array.from(flat);
        return [...pick.inPolygon(points, pick.buildGrid(points), polygon, (i) => i % 7 !== 3)];
    })""", [[flat(points), polygon] for points, polygon in cases])
    checked = 0
    for (points, polygon), found in zip(cases, told, strict=True):
        exact = [(Fraction(x), Fraction(y)) for x, y in polygon]
        for i, (x, y) in enumerate(points.astype(float).tolist()):
            inside = crossings(Fraction(x), Fraction(y), exact)
            if i % 7 == 3:
                assert found[i] == 0, "hidden"
            elif inside is not None:
                assert found[i] == inside, (x, y, polygon)
                checked += inside
    assert checked > 300


def test_a_box_and_the_nearest_are_those_of_a_look_at_every_point(bench):
    rng = np.random.default_rng(2)
    cases = []
    for _ in range(200):
        points = cloud(rng)
        left, right = np.sort(rng.choice([-1.5, -1, -.5, .25, 1, *rng.uniform(-1, 1, 4)], 2))
        bottom, top = np.sort(rng.choice([-1.5, -1, -.5, .25, 1, *rng.uniform(-1, 1, 4)], 2))
        cases.append((points, {"left": left, "right": right, "bottom": bottom, "top": top},
                      *rng.uniform(-1.1, 1.1, 2), rng.uniform(0, .4)))
    told = bench.run("""({pick}, cases) => cases.map(([flat, box, x, y, reach]) => {
        const points = Float32Array.from(flat);
        const grid = pick.buildGrid(points);
        const odd = (i) => i % 3 !== 1;
        const inside = pick.inBox(points, grid, box, odd);
        return [[...inside], pick.nearest(points, grid, x, y, reach, odd),
            pick.someInBox(points, grid, box, 5, odd), pick.boxOfFlags(points, inside)];
    })""", [[flat(points), box, x, y, reach] for points, box, x, y, reach in cases])
    for (points, box, x, y, reach), (inside, nearest, some, around) in zip(cases, told,
                                                                           strict=True):
        points = points.astype(float)
        odd = np.arange(len(points)) % 3 != 1
        wanted = (odd & (points[:, 0] >= box["left"]) & (points[:, 0] <= box["right"])
                  & (points[:, 1] >= box["bottom"]) & (points[:, 1] <= box["top"]))
        assert inside == wanted.astype(int).tolist()
        assert len(set(some)) == len(some) == min(5, wanted.sum())
        assert wanted[some].all()
        distances = np.where(odd, ((points - (x, y)) ** 2).sum(axis=1), np.inf)
        if len(points) and distances.min() <= reach * reach:
            assert nearest == distances.argmin()
        else:
            assert nearest == -1
        if wanted.any():
            assert around == {"left": points[wanted, 0].min(), "right": points[wanted, 0].max(),
                              "bottom": points[wanted, 1].min(), "top": points[wanted, 1].max()}
        else:
            assert around is None


def test_small_categories_are_drawn_last_and_noise_first(bench):
    rng = np.random.default_rng(3)
    cases = [(rng.integers(0, rng.integers(1, 300), int(rng.integers(0, 500))).tolist(),
              int(rng.integers(-1, 5))) for _ in range(40)]
    told = bench.run("({pick}, cases) => cases.map(([codes, grey]) => "
                     "[...pick.drawOrder(Uint16Array.from(codes), grey)])", cases)
    for (codes, grey), order in zip(cases, told, strict=True):
        counts = np.bincount(codes, minlength=1)
        wanted = sorted(range(len(codes)), key=lambda i, codes=codes, grey=grey, counts=counts: (
            codes[i] != grey, -counts[codes[i]], codes[i], i))
        assert order == wanted


def test_a_selection_is_replaced_added_to_and_taken_from(bench):
    rng = np.random.default_rng(4)
    before, found = rng.integers(0, 2, (2, 60)).tolist()
    told = bench.run("""({pick}, [before, found]) => ["replace", "add", "subtract"].flatMap((how) =>
        [before, null].map((had) => [...pick.combine(had, found, how)]))""", [before, found])
    had, new = np.array(before, dtype=bool), np.array(found, dtype=bool)
    none = np.zeros(60, dtype=bool)
    assert [np.array(one, dtype=bool).tolist() for one in told] == [
        one.tolist() for one in (new, new, had | new, new, had & ~new, none)]


def test_the_legend_hides_and_isolates_as_a_small_model_does(bench):
    rng = np.random.default_rng(8)
    acts = [[str(rng.choice(["isolate", "more", "hide"])), int(rng.integers(4))]
            for _ in range(500)]
    told = bench.run("""({hiding}, acts) => {
        const legend = new hiding.Hiding();
        return acts.map(([act, code]) => {
            if (act === "hide") legend.hide(code);
            else legend.isolate(code, act === "more");
            return [0, 1, 2, 3, 4].map((one) => legend.stateOf(one));
        });
    }""", acts)
    hidden, alone = set(), set()
    for (act, code), states in zip(acts, told, strict=True):
        if act == "hide":
            hidden |= {code}
            alone -= {code}
        elif code in hidden:
            hidden -= {code}
        elif act == "more":
            alone ^= {code}
        else:
            alone = set() if alone == {code} else {code}
        assert states == [2 if one in hidden else 4 if alone and one not in alone else 0
                          for one in range(5)]


def test_pixels_and_plane_are_two_ways_of_saying_one_thing(bench):
    rng = np.random.default_rng(5)
    cases = [{"size": rng.uniform(50, 2000, 2).tolist(),
              "half": rng.permutation([1., rng.uniform(.1, 1)]).tolist(),
              "spot": rng.uniform(-1, 1, 2).tolist(), "factor": float(rng.uniform(.3, 30)),
              "box": np.sort(rng.uniform(-1, 1, (2, 2)), axis=1).tolist()} for _ in range(60)]
    told = bench.run("""({viewport}, cases) => cases.map(({size, half, spot, factor, box}) => {
        const view = new viewport.Viewport();
        view.setExtent(...half);
        view.resize(...size);
        const whole = view.box;
        const [px, py] = view.toScreen(...spot);
        const back = view.toPlane(px, py);
        const middle = view.toPlane(0.4 * size[0], 0.6 * size[1]);
        view.zoomAt(0.4 * size[0], 0.6 * size[1], factor);
        const after = view.toScreen(...middle);
        const held = Math.max(Math.abs(view.x), Math.abs(view.y)) >= 1.5;
        const place = JSON.parse(JSON.stringify(view.place));
        view.show({ left: box[0][0], right: box[0][1], bottom: box[1][0], top: box[1][1] });
        const shown = view.box;
        view.place = place;
        const same = JSON.stringify(view.place) === JSON.stringify(place);
        for (const bad of [{}, { x: NaN, y: 0, zoom: 1 }, { x: 0, y: "0", zoom: 1 },
          { x: 0, y: 0, zoom: Infinity }]) view.place = bad;
        const unmoved = JSON.stringify(view.place) === JSON.stringify(place);
        return { whole, back, after, held, shown, same, unmoved };
    })""", cases)
    for case, found in zip(cases, told, strict=True):
        (width, height), (x, y) = case["size"], case["half"]
        assert found["whole"]["left"] <= -x
        assert found["whole"]["right"] >= x
        assert found["whole"]["bottom"] <= -y
        assert found["whole"]["top"] >= y
        np.testing.assert_allclose(found["back"], case["spot"], atol=1e-9)
        if not found["held"]:  # the map does not leave the screen, so there the pixel may move
            np.testing.assert_allclose(found["after"], [.4 * width, .6 * height], atol=1e-6)
        (left, right), (bottom, top) = case["box"]
        assert found["shown"]["left"] <= left
        assert found["shown"]["right"] >= right
        assert found["shown"]["bottom"] <= bottom
        assert found["shown"]["top"] >= top
        assert found["same"]
        assert found["unmoved"]


def test_contours_run_where_the_density_has_their_level(bench):
    rng = np.random.default_rng(6)
    points = np.concatenate([rng.normal((-.4, .3), .15, (400, 2)),
                             rng.normal((.5, -.2), .1, (90, 2))]).astype(np.float32)
    shown = np.arange(len(points)) % 5 != 0
    segments = np.array(bench.run("""({contours}, [flat, shown]) =>
        [...contours.contours(Float32Array.from(flat), (i) => shown[i])]""",
        [flat(points), shown.tolist()])).reshape(-1, 2)
    side = 128
    cells = np.round((points[shown].astype(float) + 1.1) / 2.2 * (side - 1)).astype(int)
    field = np.zeros((side, side))
    np.add.at(field, (cells[:, 1], cells[:, 0]), 1)
    for _ in range(3):
        for axis in (1, 0):
            shifted = [np.roll(field, off, axis) for off in range(-2, 3)]
            field = np.mean(shifted, axis=0)  # nothing lies near the border here
    at = (segments + 1.1) / 2.2 * (side - 1)
    low = np.clip(np.floor(at + 1e-6).astype(int), 0, side - 2)
    part = at - low
    value = ((1 - part[:, 1]) * ((1 - part[:, 0]) * field[low[:, 1], low[:, 0]]
                                 + part[:, 0] * field[low[:, 1], low[:, 0] + 1])
             + part[:, 1] * ((1 - part[:, 0]) * field[low[:, 1] + 1, low[:, 0]]
                             + part[:, 0] * field[low[:, 1] + 1, low[:, 0] + 1]))
    levels = np.array([.08, .2, .4, .65]) * field.max()
    off = np.abs(value[:, None] - levels).min(axis=1)
    assert len(segments) > 200
    assert off.max() < 1e-4 * field.max()
    assert {int(np.abs(levels - one).argmin()) for one in value} == {0, 1, 2, 3}


def test_rows_of_one_embedding_are_found_in_another(bench):
    rng = np.random.default_rng(7)
    cases = []
    for _ in range(40):
        rows = [np.sort(rng.choice(30, int(rng.integers(1, 31)), replace=False)) for _ in range(2)]
        cases.append({"rows": [one.tolist() for one in rows],
                      "chosen": [rng.integers(0, 2, len(one)).tolist() for one in rows],
                      "how": str(rng.choice(["replace", "add", "subtract"]))})
    told = bench.run("""({links}, cases) => cases.map(({rows, chosen, how}) => {
        const [from, to] = rows.map((one, at) => ({ n: one.length,
            chosen: Uint8Array.from(chosen[at]),
            ids: new links.Ids(one.length, Uint32Array.from(one), String(at)) }));
        const flags = links.translate(from, to, how);
        return flags && [...flags];
    })""", cases)
    for case, flags in zip(cases, told, strict=True):
        source = dict(zip(case["rows"][0], case["chosen"][0], strict=True))
        kept = dict(zip(case["rows"][1], case["chosen"][1], strict=True))
        wanted = [source.get(row, 0 if case["how"] == "replace" else kept[row])
                  for row in case["rows"][1]]
        assert flags == (wanted if any(wanted) else None)
