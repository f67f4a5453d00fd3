"""What drives the front end: `Bench` is a tab with its files, `View` a map or bars in it."""

import base64
import json
from pathlib import Path
from urllib.parse import urlsplit

import numpy as np

from explorer.ui.served import FRONT

ORIGIN = "http://map.test"
KIND = {".js": "text/javascript", ".css": "text/css", ".html": "text/html"}
LIGHT = "--st-background-color:#ffffff;--st-text-color:#31333f;--st-primary-color:#ff4b4b;" \
    "--st-secondary-background-color:#f0f2f6;background:#ffffff"
DARK = "--st-background-color:#0e1117;--st-text-color:#fafafa;--st-primary-color:#ff4b4b;" \
    "--st-secondary-background-color:#262730;background:#0e1117"
PAGE = """<!doctype html><meta charset="utf-8"><style>body { margin: 0; }</style><body><script>
window.sent = [];
window.calls = {};
window.draw = async (host, module, data) => {
  const { show } = await import(`/front/${module}.js`);
  const place = document.getElementById(host);
  window.calls[host] = show({ data, parentElement: place,
    setTriggerValue: (name, value) => window.sent.push([host, name, value]) });
};
window.viewOf = async (host) => {
  const { viewIn } = await import("/front/view.js");
  return viewIn(document.querySelector(`#${host} .map-view`));
};
</script></body>"""


class Bench:
    """A tab that finds the front end under /front and `files` (bytes) under their paths; `asked`
    are the paths it asked for, `errors` what it complained of."""

    def __init__(self, chromium, **options):
        self.context = chromium.new_context(viewport={"width": 1000, "height": 700}, **options)
        self.tab = self.context.new_page()
        self.tab.set_default_timeout(8_000)
        self.tab.on("pageerror", lambda error: self.errors.append(str(error)))
        self.tab.route(f"{ORIGIN}/**", self._answer)
        self.clear()

    def clear(self):
        self.files, self.asked, self.errors = {}, [], []
        self.tab.goto(f"{ORIGIN}/")

    def close(self):
        self.context.close()

    def run(self, script, value=None):
        """Evaluate a function of modules {pick, ...} and a value."""
        return self.tab.evaluate(f"""async (value) => {{
            const names = ["pick", "links", "viewport", "contours", "hiding", "theme"];
            const found = await Promise.all(names.map((name) => import(`/front/${{name}}.js`)));
            const on = Object.fromEntries(names.map((name, at) => [name, found[at]]));
            return ({script})(on, value);
        }}""", value)

    def put(self, path, content):
        """Bytes, or what becomes JSON, under that path."""
        self.files[path] = content if isinstance(content, bytes) else json.dumps(content).encode()
        return path

    def open(self, host, kind="view", *, width=900, height=480, theme=LIGHT):
        """An empty place for a view."""
        html = (FRONT / f"{kind}.html").read_text()
        css = (FRONT / "view.css").read_text()
        self.tab.evaluate("""([host, html, css, style]) => {
            const place = document.createElement("div");
            place.id = host;
            place.style = style;
            place.innerHTML = `<style>${css}</style>${html}`;
            document.body.append(place);
        }""", [host, html, css, f"width:{width}px;height:{height}px;{theme}"])
        return View(self, host, kind)

    def _answer(self, route):
        path = urlsplit(route.request.url).path
        self.asked.append(path)
        if path == "/":
            return route.fulfill(body=PAGE, content_type="text/html")
        if path.startswith("/front/"):
            file = FRONT / Path(path).name
            return route.fulfill(body=file.read_bytes(), content_type=KIND[file.suffix])
        if path in self.files:
            return route.fulfill(body=self.files[path])
        return route.fulfill(status=404)


class View:
    """A map or bars on a bench, with its mouse."""

    def __init__(self, bench, host, kind):
        self.bench, self.host, self.kind, self.tab = bench, host, kind, bench.tab
        self.data = None

    def find(self, css):
        return self.tab.locator(f"#{self.host} {css}")

    def show(self, data):
        """Give it data, as Streamlit does at each rerun, and wait for the frame."""
        self.data = data
        before = self.frames()
        self.tab.evaluate("([host, kind, data]) => draw(host, kind, data)",
                          [self.host, self.kind, data])
        self.tab.wait_for_function(
            """([host, frames]) => Number(document.querySelector(`#${host} .map-view`)
                .dataset.frames ?? 0) > frames""", arg=[self.host, before])
        return self

    def frames(self):
        return int(self.find(".map-view").get_attribute("data-frames") or 0)

    def ask(self, script, value=None):
        """A function of the view (and a value)."""
        return self.tab.evaluate(f"async ([host, value]) => ({script})(await viewOf(host), value)",
                                 [self.host, value])

    def sent(self, name):
        """What it told the server under that name so far."""
        return [value for host, kind, value in self.tab.evaluate("sent")
                if host == self.host and kind == name]

    def chosen(self, times=1):
        """The rows last told to be chosen, after so many messages."""
        self.tab.wait_for_function(
            "([host, times]) => sent.filter((one) => one[0] === host && one[1] === 'chosen')"
            ".length >= times", arg=[self.host, times])
        told = self.sent("chosen")
        assert len(told) == times, told
        return unpacked(told[-1])

    def echo(self):
        """The selection as the server tells it back after the last message."""
        told = self.sent("chosen")[-1]
        if not told["count"]:
            return None
        return {"key": f"turn {told['turn']}", "bits": told["bits"], "origin": told["origin"],
                "turn": told["turn"]}

    def place(self, x, y):
        """Where on the page a place of the plane is."""
        box = self.find(".stage").bounding_box()
        left, top = self.ask("(view, [x, y]) => view.viewport.toScreen(x, y)",
                             [float(x), float(y)])
        edge = self.ask("(view) => view.find('stage').clientLeft")
        return box["x"] + edge + left, box["y"] + edge + top

    def drag(self, path, *, keys=()):
        """Press the mouse at the first place of the plane and draw to the others."""
        spots = [self.place(x, y) for x, y in path]
        for key in keys:
            self.tab.keyboard.down(key)
        self.tab.mouse.move(*spots[0])
        self.tab.mouse.down()
        for spot in spots[1:]:
            self.tab.mouse.move(*spot, steps=3)
        self.tab.mouse.up()
        for key in keys:
            self.tab.keyboard.up(key)

    def pixel(self, x, y):
        """Red, green, blue on the screen at a place of the plane."""
        from io import BytesIO

        from PIL import Image

        left, top = self.place(x, y)
        shot = self.tab.screenshot(clip={"x": round(left), "y": round(top), "width": 1,
                                         "height": 1})
        return Image.open(BytesIO(shot)).convert("RGB").getpixel((0, 0))


def unpacked(told):
    """The places in a message `chosen`."""
    bits = np.frombuffer(base64.b64decode(told["bits"]), dtype=np.uint8)
    return np.flatnonzero(np.unpackbits(bits, count=told["n"] if len(bits) else 0))


def packed(flags):
    """Flags as the server packs them."""
    return base64.b64encode(np.packbits(np.asarray(flags, dtype=bool))).decode()
