"""The gallery alone in Chromium: what is in sight, what is asked for, what is chosen."""

import io
import json
from urllib.parse import parse_qs, urlsplit

import numpy as np
import pytest
from PIL import Image

from explorer.ui.served import FRONT
from tests.front.bench import DARK, LIGHT, ORIGIN, packed, unpacked

HOSTILE = "<img src=x onerror=window.hurt=1><script>window.hurt=1</script>"


def picture():
    buffer = io.BytesIO()
    Image.new("L", (8, 8), 90).save(buffer, "PNG")
    return buffer.getvalue()


class Gallery:
    """A gallery on a bench, with the rows (`asked`) and the pictures (`pictures`) it asked for."""

    def __init__(self, bench, host="g"):
        self.bench, self.tab, self.host = bench, bench.tab, host
        self.asked, self.pictures = [], []
        self.text = "text of row {}"
        self.broken = False
        bench.tab.unroute_all()
        bench.tab.route(f"{ORIGIN}/**", bench._answer)
        bench.tab.route(f"{ORIGIN}/tiles?**", self.answer_tiles)
        bench.tab.route(f"{ORIGIN}/pictures/*", self.answer_picture)

    def answer_tiles(self, route):
        if self.broken:
            return route.fulfill(status=404)
        asked = parse_qs(urlsplit(route.request.url).query)["rows"][0]
        rows = [int(row) for row in asked.split(",")]
        self.asked += rows
        return route.fulfill(body=json.dumps([
            {"title": f"Row {row}", "end": f"…{row}", "cluster": f"Cluster {row % 3}",
             "color": "#0072B2", "text": self.text.format(row), "picture": row % 5 > 0}
            for row in rows]))

    def answer_picture(self, route):
        row = int(urlsplit(route.request.url).path.rsplit("/", 1)[1])
        self.pictures.append(row)
        return route.fulfill(body=b"no picture" if row % 7 == 0 else picture(),
                             content_type="image/png")

    def open(self, order, *, values=None, groups=(), pictures=False, n=None, chosen=None,
             theme=LIGHT, width=800, height=400, settled=True,
             fixed=False):
        html = (FRONT / "gallery.html").read_text()
        css = (FRONT / "view.css").read_text() + (FRONT / "gallery.css").read_text()
        self.tab.evaluate("""([host, html, css, style]) => {
            const place = document.createElement("div");
            place.id = host;
            place.style = style;
            place.innerHTML = `<style>${css}</style>${html}`;
            document.body.append(place);
        }""", [self.host, html, css, f"width:{width}px;{theme}"])
        order = np.asarray(order)
        self.bench.put("/order", order.astype("<u4").tobytes())
        if values is not None:
            self.bench.put("/values", np.asarray(values, dtype="<f8").tobytes())
        self.data = {
            "group": "all", "n": n or int(order.max()) + 1, "key": "first", "height": height,
            "order": "/order", "values": None if values is None else "/values",
            "groups": list(groups), "sorted": "", "tiles": "/tiles", "card": "/card",
            "pictures": "/pictures" if pictures else None, "chosen": chosen,
            "fixed": fixed}
        self.show() if settled else self.draw()

    def draw(self):
        self.tab.evaluate("([host, data]) => draw(host, 'gallery', data)", [self.host, self.data])

    def show(self, **changes):
        self.data |= changes
        self.draw()
        self.settle()
        self.tab.evaluate("() => new Promise(requestAnimationFrame)")

    def settle(self):
        """Wait until all tiles in sight say what they are."""
        self.tab.wait_for_function("""(host) => {
            const tiles = [...document.querySelectorAll(`#${host} .tile`)];
            return tiles.length && tiles.every((tile) => tile.dataset.filled);
        }""", arg=self.host)

    def find(self, css):
        return self.tab.locator(f"#{self.host} {css}")

    def tile(self, position):
        return self.find(f'.tile[data-position="{position}"]')

    def rows(self):
        """The rows on tiles that exist, by position."""
        told = self.tab.evaluate("""(host) => [...document.querySelectorAll(`#${host} .tile`)]
            .map((tile) => [Number(tile.dataset.position), Number(tile.dataset.row)])""", self.host)
        return dict(told)

    def chosen(self):
        told = [value for host, name, value in self.tab.evaluate("sent")
                if host == self.host and name == "chosen"]
        return unpacked(told[-1]).tolist() if told else None

    def marked(self):
        """The rows marked as chosen, once the frame is drawn."""
        self.tab.evaluate("() => new Promise((go) => requestAnimationFrame(() => "
                          "requestAnimationFrame(go)))")
        return sorted(int(row) for row in self.find(".tile.chosen").evaluate_all(
            "(tiles) => tiles.map((tile) => tile.dataset.row)"))

    def scroll(self, top):
        self.find(".shelf").evaluate("(shelf, top) => { shelf.scrollTop = top; }", top)
        self.tab.wait_for_timeout(150)
        self.settle()


@pytest.fixture
def gallery(bench):
    yield Gallery(bench)
    bench.tab.unroute_all()
    bench.tab.route(f"{ORIGIN}/**", bench._answer)


def test_only_rows_in_sight_exist_and_are_asked_for(gallery):
    order = np.random.default_rng(0).permutation(100_000)
    gallery.open(order)
    rows = gallery.rows()
    assert len(rows) < 60
    assert all(order[position] == row for position, row in rows.items())
    assert sorted(gallery.asked) == sorted(rows.values())
    gallery.scroll(1e9)
    gallery.tile(99_999).wait_for()
    rows = gallery.rows()
    assert rows[99_999] == order[-1]
    assert len(gallery.asked) < 120
    last = gallery.tile(99_999).bounding_box()
    shelf = gallery.find(".shelf").bounding_box()
    assert last["y"] + last["height"] <= shelf["y"] + shelf["height"] + 1
    assert "100,000 rows" in gallery.find(".said").inner_text()


def test_a_million_rows_have_more_pixels_than_an_element_can(gallery):
    order = np.arange(1_000_000)[::-1]
    gallery.open(order)
    gallery.find("input").evaluate("""(range) => { range.value = 192;
        range.dispatchEvent(new Event("input")); }""")
    gallery.settle()
    assert gallery.find(".room").bounding_box()["height"] == 8_000_000
    gallery.scroll(4_000_000)
    assert all(row == 999_999 - at and 480_000 < at < 520_000
               for at, row in gallery.rows().items())
    before = min(gallery.rows())
    box = gallery.find(".shelf").bounding_box()
    gallery.tab.mouse.move(box["x"] + 50, box["y"] + 50)
    gallery.tab.mouse.wheel(0, 600)
    gallery.tab.wait_for_timeout(200)
    gallery.settle()
    assert 0 < min(gallery.rows()) - before < 20  # the wheel moves lines, not thousands of them
    gallery.find(".shelf").focus()
    gallery.tab.keyboard.press("End")
    gallery.tab.wait_for_timeout(200)
    gallery.settle()
    assert gallery.rows()[999_999] == 0
    gallery.tab.keyboard.press("Home")
    gallery.tab.wait_for_timeout(200)
    gallery.settle()
    assert gallery.rows()[0] == 999_999
    assert len(gallery.asked) < 250


def test_click_shift_and_ctrl_choose_exactly(gallery):
    order = [40, 7, 19, 3, 88, 62, 5, 11, 90, 33]
    gallery.open(order, n=101)
    gallery.tile(2).click()
    assert gallery.chosen() == [19]
    gallery.tile(5).click(modifiers=["Shift"])
    assert gallery.chosen() == sorted(order[2:6])
    assert gallery.marked() == sorted(order[2:6])
    assert gallery.find(".said").inner_text() == "10 rows · 4 of them selected"
    gallery.tile(3).click(modifiers=["Control"])
    assert gallery.chosen() == [19, 62, 88]
    gallery.tile(9).click(modifiers=["Control"])
    assert gallery.chosen() == [19, 33, 62, 88]
    gallery.tile(0).click(modifiers=["Shift"])  # from the last one clicked
    assert gallery.chosen() == sorted(order)
    assert gallery.marked() == []  # when all are chosen there is nothing to mark
    gallery.tile(6).click()
    assert gallery.chosen() == [5]


def test_keys_move_choose_and_open(gallery):
    gallery.open(np.arange(30), n=40)
    gallery.bench.put("/card/7", {"title": HOSTILE, "color": None, "image": None,
                                  "texts": [HOSTILE], "facts": [["a", HOSTILE]]})
    columns = sum(1 for tile in gallery.find(".tile").all()
                  if tile.bounding_box()["y"] == gallery.tile(0).bounding_box()["y"])
    gallery.find(".shelf").focus()
    press = gallery.tab.keyboard.press
    press("ArrowDown")
    press("ArrowRight")
    press(" ")
    assert gallery.chosen() == [columns + 1]
    press("ArrowUp")
    press("ArrowLeft")
    press(" ")
    assert gallery.chosen() == [0, columns + 1]
    press(" ")
    assert gallery.chosen() == [columns + 1]
    press("ArrowRight")
    press("Shift+ArrowRight")
    assert gallery.chosen() == [1, 2]
    press("Control+a")
    assert gallery.chosen() == list(range(30))
    press("Escape")
    assert gallery.chosen() == []
    press("Home")
    for _ in range(7):
        press("ArrowRight")
    press("Enter")
    gallery.find(".card .title").wait_for()
    assert gallery.find(".card .title").inner_text() == HOSTILE
    press("Escape")
    assert not gallery.find(".card").is_visible()
    assert gallery.tab.evaluate("window.hurt") is None


def test_a_gallery_to_look_at_opens_rows_and_chooses_none(gallery):
    gallery.bench.put("/card/2", {"title": "Row 3", "color": None, "image": None, "texts": [],
                                  "facts": []})
    gallery.open(np.arange(9), fixed=True)
    gallery.tile(2).click()
    gallery.find(".card .title").wait_for()
    gallery.tab.keyboard.press("Control+a")
    gallery.tab.keyboard.press(" ")
    assert gallery.chosen() is None
    assert gallery.marked() == []


def test_hostile_text_is_text(gallery):
    gallery.text = HOSTILE.replace("{", "{{") + "{}"
    gallery.open(np.arange(6))
    assert gallery.find(".tile .prose").first.inner_text().startswith("<img src=x")
    assert gallery.find(".prose").first.get_attribute("dir") == "auto"
    assert gallery.find(".tile img").count() == 0
    assert gallery.tab.evaluate("window.hurt") is None


def test_pictures_that_are_missing_or_broken_say_so(gallery):
    gallery.open(np.arange(12), pictures=True)
    gallery.tab.wait_for_function(
        "() => document.querySelectorAll('.tile .none').length === 4")
    said = {int(tile.get_attribute("data-row")): tile.locator(".none").inner_text()
            for tile in gallery.find(".tile:has(.none)").all()}
    assert said == {0: "No picture", 5: "No picture", 10: "No picture",
                    7: "This picture cannot be shown"}
    assert sorted(gallery.pictures) == [1, 2, 3, 4, 6, 7, 8, 9, 11]


def test_groups_have_headings_and_values_stand_on_tiles(gallery):
    groups = [{"name": "Cats", "color": "#0072B2", "start": 0, "end": 5},
              {"name": "<b>Dogs</b>", "color": "#E69F00", "start": 5, "end": 50_000}]
    values = np.concatenate([[0.5, 1234567.0, np.nan, -2, 0.12345], np.arange(49_995) / 3])
    gallery.open(np.arange(50_000), values=values, groups=groups, theme=DARK)
    headings = gallery.find(".group").all_inner_texts()
    assert [" ".join(heading.split()) for heading in headings] == [
        "Cats 5 rows", "<b>Dogs</b> 49,995 rows"]
    told = gallery.find(".tile .value").all_inner_texts()
    assert told[:6] == ["0.5", "1234567", "not defined", "-2", "0.123", "0"]
    tops = [gallery.tile(at).bounding_box()["y"] for at in (4, 5)]
    assert tops[0] < gallery.find(".group").nth(1).bounding_box()["y"] < tops[1]
    gallery.scroll(1e9)
    assert gallery.rows()[49_999] == 49_999


def test_what_others_choose_is_marked_and_own_echo_is_not_taken_twice(gallery):
    gallery.open(np.arange(20), n=30)
    flags = np.zeros(30)
    flags[[3, 4, 25]] = 1
    gallery.show(chosen={"key": "a", "bits": packed(flags), "origin": "", "turn": 0})
    assert gallery.marked() == [3, 4]
    gallery.tile(8).click()
    sent = gallery.tab.evaluate("sent.filter((one) => one[1] === 'chosen').at(-1)[2]")
    gallery.tile(9).click()
    flags[:] = 0
    flags[8] = 1  # the answer to the first click comes after the second click
    gallery.show(chosen={"key": "b", "bits": packed(flags), "origin": sent["origin"],
                         "turn": sent["turn"]})
    assert gallery.marked() == [9]


def test_rows_the_server_let_go_are_asked_for_again(gallery):
    gallery.broken = True
    gallery.open(np.arange(6), settled=False)
    gallery.tab.wait_for_function("() => sent.some((one) => one[1] === 'lost')")
    assert "could not be loaded" in gallery.find(".status").inner_text()
    gallery.broken = False
    gallery.settle()
    assert gallery.find(".status").inner_text() == ""
