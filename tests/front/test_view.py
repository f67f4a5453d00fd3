"""The whole map in Chromium with known points: what people do, and what it tells the server."""

import numpy as np
import pytest
from playwright.sync_api import expect

from explorer.plot.palette import NOISE_COLOR, cluster_color
from tests.front.bench import DARK, packed

PALETTE = [cluster_color(i) for i in range(4)] + [NOISE_COLOR]
CORNERS = [(-.5, -.5), (.5, -.5), (-.5, .5), (.5, .5)]
AROUND = {at: [(x - .3, y - .3), (x + .3, y - .3), (x + .3, y + .3), (x - .3, y + .3)]
          for at, (x, y) in enumerate(CORNERS)}


class Known:
    """40 points in each of four corners, shuffled, and 10 of noise along the middle."""

    def __init__(self, bench, seed=0, n=40):
        rng = np.random.default_rng(seed)
        spread = rng.uniform(-.15, .15, (4 * n, 2))
        labels = np.repeat(np.arange(4), n)
        points = np.concatenate([np.array(CORNERS)[labels] + spread,
                                 np.column_stack([np.linspace(-.9, .9, 10), np.zeros(10)]),
                                 [(-1, -1), (1, 1)]])
        labels = np.concatenate([labels, np.full(12, 4)])
        order = rng.permutation(len(points))
        self.points, self.labels = points[order].astype("<f4"), labels[order].astype(np.uint8)
        self.n, self.bench, self.name = len(points), bench, f"p{seed}"
        bench.put(f"/{self.name}", self.points.tobytes())
        for i in range(self.n):
            bench.put(f"/card/{i}", {"title": f"Row {i}", "color": "#0072B2", "image": None,
                                     "texts": [f"text of {i}"], "facts": [["cluster", "A"]]})

    def inside(self, corner):
        return np.flatnonzero(self.labels == corner)

    def data(self, **changes):
        codes = self.bench.put(f"/{self.name}-codes", self.labels.tobytes())
        return {"group": "d", "rows": "e", "card": "/card", "names": [], "chosen": None,
                "title": "", "n": self.n,
                "geometry": {"key": self.name, "url": f"/{self.name}", "half": [1, 1]},
                "colors": {"key": "c", "url": codes, "bytes": 1, "palette": PALETTE, "grey": 4,
                           "title": "cluster", "kind": "category",
                           "items": [{"code": i, "name": f"Cluster {i}"} for i in range(4)]
                           + [{"code": 4, "name": "Noise"}]},
                **changes}

    def by_number(self):
        """Colours of numbers: the codes are the rows' numbers."""
        url = self.bench.put("/numbers", np.arange(self.n).astype(np.uint8).tobytes())
        return {"key": "numbers", "url": url, "bytes": 1,
                "palette": ["#440154"] * 254 + [NOISE_COLOR], "grey": -1, "title": "score",
                "kind": "number", "low": "0", "high": "1",
                "levels": 254, "missing": ""}

    def only(self, passing):
        url = self.bench.put(f"/filter{np.sum(passing)}", np.packbits(passing).tobytes())
        return {"key": url, "url": url}


@pytest.fixture
def known(bench):
    return Known(bench)


@pytest.fixture
def view(bench, known):
    return bench.open("map").show(known.data())


def lasso(view, corner, **how):
    view.find(".tool-lasso").click()
    path = AROUND[corner]
    view.drag([*path, path[0]], **how)


def test_a_lasso_returns_the_rows_it_surrounds_whatever_else_was_done(view, known):
    lasso(view, 2)
    assert view.chosen().tolist() == known.inside(2).tolist()
    assert view.find(".count").inner_text() == f"40 of {known.n} selected"
    message = view.sent("chosen")[0]
    assert (message["rows"], message["count"], message["how"]) == ("e", 40, "replace")

    view.show(known.data(colors=known.by_number(), chosen=view.echo()))
    assert view.find(".count").inner_text() == f"40 of {known.n} selected"
    lasso(view, 1)
    assert view.chosen(2).tolist() == known.inside(1).tolist()

    passing = np.arange(known.n) % 3 != 0
    view.show(known.data(filter=known.only(passing), chosen=view.echo()))
    lasso(view, 0)
    wanted = [row for row in known.inside(0) if passing[row]]
    assert view.chosen(3).tolist() == wanted
    assert view.find(".count").inner_text() == \
        f"{passing.sum()} of {known.n} shown · {len(wanted)} of {known.n} selected"

    view.show(known.data(chosen=view.echo()))
    view.ask("(view) => { view.viewport.place = { x: 0.4, y: 0.3, zoom: 1.7 }; view.moved(); }")
    lasso(view, 3)
    assert view.chosen(4).tolist() == known.inside(3).tolist()


def test_what_the_legend_hides_or_the_filter_takes_is_neither_chosen_nor_pointed_at(view, known):
    row = int(known.inside(2)[0])
    spot = view.place(*known.points[row])
    view.find(".item[data-code='2']").dblclick()
    lasso(view, 2)
    assert view.chosen().size == 0
    view.tab.mouse.move(*spot)
    assert view.ask("(view) => view.hovered") == -1
    view.find(".all").click()
    view.find(".item[data-code='1']").click()  # isolated: the others are context
    lasso(view, 2)
    assert view.chosen(2).size == 0
    lasso(view, 1)
    assert view.chosen(3).tolist() == known.inside(1).tolist()
    view.find(".item[data-code='1']").click()
    passing = np.ones(known.n, dtype=bool)
    passing[row] = False
    view.show(known.data(filter=known.only(passing)))
    expect(view.find(".item[data-code='2'] .number")).to_have_text("39 of 40")
    lasso(view, 2)
    assert view.chosen(4).tolist() == [one for one in known.inside(2) if one != row]
    assert view.ask("(view, [x, y]) => view.at(...view.viewport.toScreen(x, y))",
                    known.points[row].tolist()) != row


def test_shift_adds_alt_takes_away_and_escape_forgets(view, known):
    lasso(view, 0)
    lasso(view, 1, keys=["Shift"])
    both = np.sort(np.concatenate([known.inside(0), known.inside(1)]))
    assert view.chosen(2).tolist() == both.tolist()
    lasso(view, 0, keys=["Alt"])
    assert view.chosen(3).tolist() == known.inside(1).tolist()
    view.find(".invert").click()
    others = np.setdiff1d(np.arange(known.n), known.inside(1))
    assert view.chosen(4).tolist() == others.tolist()
    view.find(".stage").focus()
    view.tab.keyboard.press("Escape")
    assert view.chosen(5).size == 0
    assert view.find(".count").inner_text() == ""
    assert view.find(".invert").is_disabled()


def test_escape_gives_up_a_lasso_under_way_and_keeps_the_selection(view, known):
    lasso(view, 0)
    view.tab.mouse.move(*view.place(.3, .3))
    view.tab.mouse.down()
    view.tab.mouse.move(*view.place(.6, .6), steps=3)
    view.tab.keyboard.press("Escape")
    view.tab.mouse.up()
    assert view.chosen().tolist() == known.inside(0).tolist()


def test_a_box_and_a_click(view, known):
    view.find(".tool-box").click()
    view.drag([(.2, .2), (.8, .8)])
    assert view.chosen().tolist() == known.inside(3).tolist()
    row = int(known.inside(0)[0])
    view.tab.mouse.click(*view.place(*known.points[row]))
    assert view.chosen(2).tolist() == [row]
    view.find(".card.pinned").get_by_text(f"Row {row}", exact=True).wait_for()
    view.tab.mouse.move(*view.place(*known.points[int(known.inside(3)[0])]))
    assert view.find(".card .title").inner_text() == f"Row {row}", "a pinned card stays"


def test_drag_wheel_and_double_click_move_zoom_and_reset(view):
    place = view.ask("(view) => view.viewport.place")
    x, y = view.place(.4, .4)
    view.drag([(.0, .25), (.2, .25)])
    moved = view.ask("(view) => view.viewport.place")
    assert moved["x"] == pytest.approx(-.2, abs=.01)
    assert moved["zoom"] == 1
    x, y = view.place(.4, .4)
    view.tab.mouse.move(x, y)
    view.tab.mouse.wheel(0, -300)
    view.tab.wait_for_function("async () => (await viewOf('map')).viewport.zoom > 1.5")
    assert view.place(.4, .4) == pytest.approx((x, y), abs=1), "what is under the mouse stays"
    view.tab.mouse.dblclick(*view.place(.05, .25))
    assert view.ask("(view) => view.viewport.place") == place
    assert not view.sent("chosen")


def test_the_keyboard_does_what_the_mouse_does(view, known):
    view.find(".stage").focus()
    press = view.tab.keyboard.press
    press("ArrowRight")
    press("ArrowDown")
    assert view.ask("(view) => [view.viewport.x > 0, view.viewport.y < 0]") == [True, True]
    press("+")
    assert view.ask("(view) => view.viewport.zoom") == 1.5
    press("0")
    assert view.ask("(view) => view.viewport.place") == {"x": 0, "y": 0, "zoom": 1}
    press("a")
    assert view.chosen().tolist() == list(range(known.n))
    row = int(known.inside(1)[3])
    view.ask("(view, [x, y]) => { view.viewport.place = { x, y, zoom: 5 }; }",
             known.points[row].tolist())
    press("Enter")
    assert view.chosen(2).tolist() == [row]
    press("0")
    lasso(view, 1)
    press("z")
    shown = view.ask("(view) => view.viewport.box")
    chosen = known.points[view.chosen(3)]
    assert shown["left"] <= chosen[:, 0].min() <= chosen[:, 0].max() <= shown["right"]
    press("l")
    assert view.find(".tool-lasso").get_attribute("aria-pressed") == "true"
    view.find(".item[data-code='3']").focus()
    press("h")
    assert view.ask("(view) => [...view.legend.hiding.hidden]") == [3]
    assert view.ask("(view) => view.root.getRootNode().activeElement.dataset.code") == "3"


def test_an_older_selection_of_the_server_does_not_undo_a_newer_one_here(view, known):
    lasso(view, 0)
    first = view.sent("chosen")[0]
    lasso(view, 1)
    second = view.sent("chosen")[1]
    late = {"key": "k0", "bits": first["bits"], "origin": first["origin"], "turn": first["turn"]}
    view.show(known.data(chosen=late))
    assert view.find(".count").inner_text() == f"40 of {known.n} selected"
    assert view.ask("(view) => view.chosen.indexOf(1)") == known.inside(1)[0]
    view.show(known.data(chosen={**late, "key": "k1", "bits": second["bits"],
                                 "turn": second["turn"]}))
    assert view.ask("(view) => view.chosen.indexOf(1)") == known.inside(1)[0]
    elsewhere = packed(np.arange(known.n) == 5)
    view.show(known.data(chosen={"key": "k2", "bits": elsewhere, "origin": "", "turn": 0}))
    assert view.find(".count").inner_text() == f"1 of {known.n} selected"
    view.show(known.data())
    assert view.find(".count").inner_text() == ""
    assert len(view.sent("chosen")) == 2, "what the server says is not told back to it"


def test_colours_and_selection_cross_without_the_points(view, known, bench):
    view.ask("(view) => { view.viewport.place = { x: 0.4, y: 0.3, zoom: 1.7 }; }")
    bench.asked.clear()
    view.show(known.data(chosen={"key": "k", "bits": packed(np.arange(known.n) < 7), "origin": "",
                                 "turn": 0}))
    assert bench.asked == []
    view.show(known.data(colors=known.by_number()))
    assert bench.asked == ["/numbers"]
    assert view.ask("(view) => view.viewport.place") == {"x": .4, "y": .3, "zoom": 1.7}


def test_two_maps_of_different_rows_share_selection_and_hover(bench, known):
    rows = np.sort(np.random.default_rng(3).choice(known.n, 90, replace=False))
    bench.put("/part", known.points[rows][:, ::-1].tobytes())
    bench.put("/part-codes", known.labels[rows].tobytes())
    bench.put("/part-ids", rows.astype("<u4").tobytes())
    one = bench.open("one", width=480, height=330).show(known.data())
    data = known.data(rows="other", ids={"key": "i", "url": "/part-ids"})
    data["geometry"] = {"key": "part", "url": "/part", "half": [1, 1]}
    data["colors"] = {**data["colors"], "url": "/part-codes"}
    two = bench.open("two", width=480, height=330).show(data)
    lasso(one, 1)
    both = np.flatnonzero(np.isin(rows, known.inside(1)))
    assert two.ask("(view) => Array.from(view.chosen).flatMap((one, i) => one ? [i] : [])") == \
        both.tolist()
    lasso(two, 3, keys=["Shift"])
    assert two.chosen().tolist() == np.flatnonzero(np.isin(known.labels[rows], [1, 3])).tolist()
    told = one.ask("(view) => Array.from(view.chosen).flatMap((one, i) => one ? [i] : [])")
    assert set(told) == set(known.inside(1)) | set(rows[known.labels[rows] == 3])
    row = int(rows[40])
    one.tab.mouse.move(*one.place(*known.points[row]))
    assert two.ask("(view) => view.hovered") == 40


def test_maps_of_the_same_points_move_together_when_they_are_linked(bench, known):
    one = bench.open("one", width=480, height=330).show(known.data(linked=True))
    two = bench.open("two", width=480, height=330).show(known.data(linked=True))
    three = bench.open("three", width=480, height=330).show(known.data(linked=False))
    one.drag([(.0, .25), (.2, .25)])
    place = one.ask("(view) => view.viewport.place")
    assert place["x"] != 0
    assert two.ask("(view) => view.viewport.place") == place
    assert three.ask("(view) => view.viewport.x") == 0


def test_a_link_keeps_the_view_and_opens_it_once(view, known, bench):
    view.ask("(view) => { view.viewport.place = { x: 0.25, y: -0.125, zoom: 3 }; view.moved(); }")
    view.find(".item[data-code='2']").dblclick()
    view.find(".link").click()
    told = view.sent("link")[0]
    assert told == {"viewport": {"x": .25, "y": -.125, "zoom": 3}, "hidden": [2], "alone": []}
    data = known.data(place={"key": "a", "viewport": told["viewport"], "hidden": [2]}, panel="b")
    other = bench.open("other").show(data)
    assert other.ask("(view) => view.place") == told
    other.find(".home").click()
    other.find(".all").click()
    other.show({**data, "title": "again"})
    assert other.ask("(view) => view.viewport.zoom") == 1
    assert other.ask("(view) => [...view.legend.hiding.hidden]") == []


def test_a_card_is_text_whatever_is_in_it(view, known, bench):
    row = int(known.inside(0)[0])
    evil = "<img src=x onerror=\"window.broken=1\"><script>window.broken=1</script>"
    bench.put(f"/card/{row}", {"title": evil, "color": "red;background:url(http://evil.test/)",
                               "image": None, "texts": [evil], "facts": [[evil, evil]]})
    view.tab.mouse.move(*view.place(*known.points[row]))
    view.find(".card .text").wait_for()
    assert view.find(".card .text").inner_text() == evil
    assert view.find(".card img, .card script").count() == 0
    assert view.tab.evaluate("window.broken") is None
    bench.asked.clear()
    view.tab.mouse.move(*view.place(.0, .25))
    view.tab.mouse.move(*view.place(*known.points[row]))
    view.find(".card .text").wait_for()
    assert bench.asked == [], "a card is asked for once"


def test_names_and_titles_are_drawn_as_text(bench, known):
    evil = "<img src=x onerror=window.broken=1>"
    data = known.data(title=evil, names=[{"name": evil, "x": 0, "y": 0, "count": 9, "code": 0}])
    data["colors"]["items"][0]["name"] = data["colors"]["title"] = evil
    view = bench.open("map").show(data)
    assert view.find(".words").inner_text() == evil
    assert view.find("img").count() == 0
    assert view.tab.evaluate("window.broken") is None


def test_lines_are_drawn_with_their_ends_ringed(bench, known):
    view = bench.open("map").show(known.data())
    start, end = (int(known.inside(corner)[0]) for corner in (0, 3))
    middle = (known.points[start].astype(float) + known.points[end]) / 2
    assert view.pixel(*middle) == (255, 255, 255)
    view.show(known.data(lines={"from": start, "to": [end, known.n + 5]}))
    assert sum(view.pixel(*middle)) < 300


def test_lost_and_false_neighbours_have_looks_of_their_own(bench, known):
    view = bench.open("map").show(known.data())
    start, lost, false = (int(known.inside(corner)[0]) for corner in (0, 3, 1))
    view.show(known.data(lines={"from": start, "to": [], "lost": [lost], "false": [false]}))
    along = np.linspace(.35, .65, 31)[:, None]
    solid, dashed = (np.array([view.pixel(*(known.points[start] * (1 - t) + known.points[end] * t))
                               for t in along]).astype(int) for end in (lost, false))
    assert (solid.sum(axis=1) < 760).mean() > .9
    assert (solid[:, 0] >= solid[:, 2]).all()  # vermillion
    assert .1 < (dashed.sum(axis=1) < 760).mean() < .9
    assert (dashed[:, 2] >= dashed[:, 0]).all()  # sky blue, and gaps


@pytest.mark.parametrize("theme", ["light", "dark"])
def test_points_have_the_palettes_colours_and_noise_lies_behind(bench, known, theme):
    known.points[known.labels == 4] = (0, 0)   # noise, and one point of each cluster upon it
    known.points[known.inside(3)[0]] = (0, 0)
    bench.put(f"/{known.name}", known.points.tobytes())
    view = bench.open("map", **({"theme": DARK} if theme == "dark" else {})).show(known.data())
    view.ask("(view) => { view.factor = 2; view.redraw(); }")
    ground = np.array((14, 17, 23) if theme == "dark" else (255, 255, 255))
    assert view.pixel(-.9, .9) == pytest.approx(tuple(ground), abs=2)
    wanted = np.array([int(PALETTE[3][at:at + 2], 16) for at in (1, 3, 5)])
    seen = np.array(view.pixel(0, 0))
    # Not opaque: what is below shows a little.
    assert np.abs(seen - wanted).max() < 45
    view.find(".item[data-code='3']").dblclick()
    view.ask("(view) => view.redraw()")
    seen = np.array(view.pixel(0, 0))
    assert np.ptp(seen) < 6, "grey"
    assert np.abs(seen - ground).max() > 40


def test_a_lost_context_comes_back_with_everything(view, known):
    row = int(known.inside(1)[0])
    lasso(view, 1)
    spot = known.points[row].tolist()
    before = view.pixel(*spot)
    view.ask("""async (view) => {
        const lose = view.drawing.gl.getExtension("WEBGL_lose_context");
        const canvas = view.find("points");
        const until = (name) => new Promise((go) =>
            canvas.addEventListener(name, go, { once: true }));
        let done = until("webglcontextlost");
        lose.loseContext();
        await done;
        view.redraw();
        await new Promise((go) => setTimeout(go, 50));
        done = until("webglcontextrestored");
        lose.restoreContext();
        await done;
        await new Promise((go) => setTimeout(go, 100));
    }""")
    assert view.pixel(*spot) == before != (255, 255, 255)
    lasso(view, 0)
    assert view.chosen(2).tolist() == known.inside(0).tolist()


def test_without_webgl_it_says_so(bench, known):
    bench.tab.evaluate("""() => {
        const real = HTMLCanvasElement.prototype.getContext;
        HTMLCanvasElement.prototype.getContext = function (kind, ...rest) {
            return kind === "webgl2" ? null : real.call(this, kind, ...rest);
        };
    }""")
    view = bench.open("map")
    bench.tab.evaluate("([data]) => draw('map', 'view', data)", [known.data()])
    view.find(".status").get_by_text("WebGL").wait_for()
    assert view.sent("nowebgl") == [True]
    assert view.ask("(view) => { view.redraw(); view.hover(5, 5); view.fit(); return true; }")


def test_what_the_server_let_go_is_asked_for_again(bench, known):
    content = bench.files.pop("/p0")
    view = bench.open("map")
    bench.tab.evaluate("([data]) => draw('map', 'view', data)", [known.data()])
    bench.tab.wait_for_function("() => sent.some(([host, name]) => name === 'lost')")
    bench.put("/p0", content)
    bench.tab.wait_for_function("async () => (await viewOf('map')).n > 0")
    drawn = view.frames()
    view.ask("(view) => view.redraw()")  # the frame after its legend has taken its room
    bench.tab.wait_for_function("(before) => Number(document.querySelector('.map-view')"
                                ".dataset.frames ?? 0) > before", arg=drawn)
    assert view.sent("lost") == [True]
    lasso(view, 1)
    assert view.chosen().tolist() == known.inside(1).tolist()


def test_a_view_ends_with_its_last_call_and_starts_again_where_it_stood(view, known, bench):
    view.show(known.data(title="second"))
    view.tab.evaluate("() => { window.second = window.calls.map; }")
    view.show(known.data(title="third"))
    view.tab.evaluate("() => window.second()")  # overtaken: ends nothing
    lasso(view, 2)
    assert view.chosen().tolist() == known.inside(2).tolist()
    view.ask("(view) => { view.viewport.place = { x: 0.1, y: 0, zoom: 2 }; view.moved(); }")
    view.tab.wait_for_timeout(300)
    view.tab.evaluate("() => { calls.map(); document.getElementById('map').remove(); }")
    again = bench.open("map").show(known.data())
    assert again.ask("(view) => view.viewport.place") == {"x": .1, "y": 0, "zoom": 2}
    assert again.ask("(view) => view.drawing.gl.isContextLost()") is False


def test_numbers_are_chosen_by_brushing_their_histogram(bench, known):
    view = bench.open("map").show(known.data(colors=known.by_number()))
    box = view.find(".frame").bounding_box()
    y = box["y"] + 20
    view.tab.mouse.move(box["x"] + box["width"] * 20.5 / 254, y)
    view.tab.mouse.down()
    view.tab.mouse.move(box["x"] + box["width"] * 60.5 / 254, y, steps=3)
    view.tab.mouse.up()
    assert view.chosen().tolist() == list(range(20, 61))
    view.find(".frame").focus()
    view.tab.keyboard.press("ArrowRight")
    view.tab.keyboard.press("Enter")
    assert view.chosen(2).tolist() == list(range(24, 65))


def test_in_a_narrow_panel_the_map_has_most_of_the_room(bench, known):
    view = bench.open("map", width=484, height=520).show(known.data())
    stage = view.find(".stage").bounding_box()
    assert stage["width"] >= 480
    assert stage["height"] >= 400
    view.find(".heading").click()
    assert not view.find(".item").first.is_visible()
    assert view.find(".stage").bounding_box()["height"] > stage["height"]


def test_two_fingers_zoom_and_a_screen_of_two_pixels_a_pixel_is_drawn_fully(sharp):
    known = Known(sharp)
    view = sharp.open("map").show(known.data())
    canvas = view.ask("(view) => [view.find('points').width, view.find('stage').clientWidth]")
    assert canvas[0] == 2 * canvas[1]
    driver = sharp.context.new_cdp_session(view.tab)
    (ax, ay), (bx, by) = view.place(-.1, 0), view.place(.1, 0)

    def touch(kind, apart):
        fingers = [] if apart is None else [{"x": ax - apart, "y": ay, "id": 0},
                                            {"x": bx + apart, "y": by, "id": 1}]
        driver.send("Input.dispatchTouchEvent", {"type": kind, "touchPoints": fingers})

    touch("touchStart", 0)
    for apart in (10, 30, 60):
        touch("touchMove", apart)
    touch("touchEnd", None)
    wanted = (bx - ax + 120) / (bx - ax)
    assert view.ask("(view) => view.viewport.zoom") == pytest.approx(wanted, rel=.05)
    assert not view.sent("chosen")
    view.find(".home").click()
    lasso(view, 1)
    assert view.chosen().tolist() == known.inside(1).tolist()
