"""How fast the map is, beside st.plotly_chart with the same points, in the same Chromium.

    python -m tests.browser.map_speed [points ...]        (100000 1000000)

Prints one Markdown table. Seconds to 'drawn' are from the press of a button to the first frame
whose pixels are there. Bytes are payloads: of messages before
the socket's compression, of responses as they came; the front end's own files, which browsers keep,
stand on their own. Chromium draws by software here; ratios within a line are what to read.
"""

import os
import statistics
import sys
import tempfile
import time
from pathlib import Path

import psutil

from tests.browser.conftest import CHROMIUM, FLAGS, ROOT, serving, settle

APP = Path(__file__).with_name("map_speed_app.py")
HOVERS = 60
SESSIONS = 3
# Told in the page, for the clock of another process is not in the way there.
WATCH = """
window.deep = (css, root = document) => {
  const found = root.querySelector(css);
  if (found) return found;
  for (const one of root.querySelectorAll("*")) {
    const inside = one.shadowRoot && window.deep(css, one.shadowRoot);
    if (inside) return inside;
  }
  return null;
};
window.finish = (canvas) => {
  const gl = canvas.getContext("webgl2") ?? canvas.getContext("webgl");
  gl.readPixels(0, 0, 1, 1, gl.RGBA, gl.UNSIGNED_BYTE, new Uint8Array(4));
};
window.watch = (what) => {
  window.began = window.drawn = null;
  document.addEventListener("click", () => { window.began ??= performance.now(); },
    { capture: true, once: true });
  const look = () => {
    if (what === "ours") {
      const root = window.deep(".map-view");
      if (root?.dataset.frames) {
        window.finish(root.querySelector(".points"));
        window.drawn = performance.now();
        return;
      }
    } else {
      const plot = document.querySelector(".js-plotly-plot");
      if (plot?.on && !plot.listened) {
        plot.listened = true;
        plot.on("plotly_afterplot", () => {
          window.finish(plot.querySelector("canvas.gl-canvas-context, canvas"));
          window.drawn ??= performance.now();
        });
      }
      if (window.drawn) return;
    }
    requestAnimationFrame(look);
  };
  look();
};
"""
HOVER = """async (most) => {
  const root = window.deep(".map-view");
  const stage = root.querySelector(".stage");
  const address = performance.getEntriesByType("resource").map((one) => one.name)
    .find((name) => name.endsWith("/view.js"));
  const view = (await import(address)).viewIn(root);
  const box = stage.getBoundingClientRect();
  const times = [];
  for (let k = 0; times.length < most && k < 50 * most; k++) {
    const x = Math.round(box.left + (0.1 + 0.8 * Math.random()) * box.width);
    const y = Math.round(box.top + (0.1 + 0.8 * Math.random()) * box.height);
    const i = view.at(x - box.left, y - box.top);
    if (i < 0 || view.cards.known.has(i)) continue;
    const began = performance.now();
    stage.dispatchEvent(new PointerEvent("pointermove", { clientX: x, clientY: y, bubbles: true }));
    const title = () => view.cards.place.querySelector(".title")?.textContent;
    while (view.cards.place.hidden || !view.cards.known.has(view.cards.shown)
        || title() !== view.cards.known.get(view.cards.shown).title) {
      await new Promise((go) => requestAnimationFrame(go));
      if (performance.now() - began > 30000) throw new Error("no card in 30 s");
    }
    times.push(performance.now() - began);
  }
  stage.dispatchEvent(new PointerEvent("pointerleave"));
  return times;
}"""
PAN = """async () => {
  const root = window.deep(".map-view");
  const address = performance.getEntriesByType("resource").map((one) => one.name)
    .find((name) => name.endsWith("/view.js"));
  const view = (await import(address)).viewIn(root);
  const before = Number(root.dataset.frames);
  const began = performance.now();
  while (performance.now() - began < 2000) {
    view.viewport.pan(1, 0);
    view.moved();
    await new Promise((go) => requestAnimationFrame(go));
    window.finish(root.querySelector(".points"));
  }
  const frames = Number(root.dataset.frames) - before;
  view.viewport.reset();
  view.moved();
  return frames / 2;
}"""


class Tab:
    """A session of the app, with what crosses its wire."""

    def __init__(self, browser, address, what, n):
        self.what, self.n = what, n
        self.page = browser.new_page(viewport={"width": 1366, "height": 768})
        self.page.set_default_timeout(180_000)
        self.received = self.sent = self.fetched = self.program = 0
        self.addresses = {}
        self.page.on("websocket", self._listen)
        self.driver = self.page.context.new_cdp_session(self.page)
        self.driver.send("Network.enable")
        self.driver.on("Network.requestWillBeSent", lambda event: self.addresses.update(
            {event["requestId"]: event["request"]["url"]}))
        self.driver.on("Network.loadingFinished", self._loaded)
        self.page.goto(f"{address}/?what={what}&n={n}")
        self.page.get_by_role("button", name="Draw").wait_for()
        settle(self.page)
        self.page.wait_for_timeout(500)

    def _listen(self, socket):
        socket.on("framereceived", lambda frame: self._add("received", frame))
        socket.on("framesent", lambda frame: self._add("sent", frame))

    def _add(self, way, frame):
        setattr(self, way, getattr(self, way) + len(frame or b""))

    def _loaded(self, event):
        address = self.addresses.get(event["requestId"], "")
        if address.endswith(".js") or "/static/" in address:
            self.program += event["encodedDataLength"]
        else:
            self.fetched += event["encodedDataLength"]

    def draw(self):
        """Seconds until drawn, bytes that came for it."""
        before = self.received + self.fetched
        self.page.evaluate(WATCH + f"window.watch('{self.what}')")
        self.page.get_by_role("button", name="Draw").click()
        self.page.wait_for_function("window.drawn !== null", polling=100)
        settle(self.page)
        self.page.wait_for_timeout(1500)
        seconds = self.page.evaluate("(window.drawn - window.began) / 1000")
        return seconds, self.received + self.fetched - before

    def press(self, name, words):
        """Bytes that come after a button, until the page says these words and rests."""
        before = self.received + self.fetched
        self.page.get_by_role("button", name=name).click()
        self.page.get_by_text(words).wait_for()
        settle(self.page)
        self.page.wait_for_timeout(2000)
        return self.received + self.fetched - before

    def lasso(self):
        """Seconds from the mouse's release to the page Python wrote for it; bytes sent; rows."""
        page = self.page
        page.locator(".tool-lasso").click()
        box = page.locator(".map-view .stage").bounding_box()
        left, right = box["x"] + 3, box["x"] + box["width"] / 2
        top, bottom = box["y"] + 3, box["y"] + box["height"] - 3
        page.mouse.move(right, top)
        page.mouse.down()
        for x, y in [(left, top), (left, bottom), (right, bottom), (right, top)]:
            page.mouse.move(x, y, steps=3)
        page.evaluate("""() => {
            window.told = null;
            document.addEventListener("pointerup", () => { window.freed = performance.now(); },
                { capture: true, once: true });
            const look = () => {
                const found = /chosen (\\d+)/.exec(document.querySelector(".stMain").innerText);
                if (found && Number(found[1]) > 0) window.told = performance.now();
                else setTimeout(look, 10);
            };
            look();
        }""")
        before = self.sent
        page.mouse.up()
        page.wait_for_function("window.told !== null", polling=50)
        settle(page)
        words = page.locator(".stMain").inner_text()
        return (page.evaluate("(window.told - window.freed) / 1000"), self.sent - before,
                int(words.split("chosen ")[1].split()[0]))

    def heap(self):
        self.driver.send("HeapProfiler.enable")
        self.driver.send("HeapProfiler.collectGarbage")
        usage = self.driver.send("Runtime.getHeapUsage")
        return usage["usedSize"] + usage.get("backingStorageSize", 0)

    def close(self):
        self.page.close()


def renderer(browser_root):
    """Bytes of the largest page process and of the process that draws (software WebGL)."""
    sizes = {"renderer": 0, "gpu-process": 0}
    for process in browser_root.children(recursive=True):
        try:
            line, size = " ".join(process.cmdline()), process.memory_info().rss
        except psutil.NoSuchProcess:
            continue
        for kind in sizes:
            if f"--type={kind}" in line:
                sizes[kind] = max(sizes[kind], size)
    return sizes["renderer"], sizes["gpu-process"]


def app_of(address):
    """The server's process."""
    port = int(address.rsplit(":", 1)[1])
    for process in psutil.Process().children(recursive=True):
        if any(part.endswith(str(port)) for part in process.cmdline()):
            return process
    raise RuntimeError(f"no server on {address}")


def measure(browser, address, what, n):
    """Everything of one way to draw n points."""
    tab = Tab(browser, address, what, n)
    found = {}
    before = tab.program
    found["drawn"], found["bytes"] = tab.draw()
    found["program"] = tab.program - before
    found["nothing"] = tab.press("Nothing", "idle 1")
    found["recolour"] = tab.press("Recolour", "turn 1")
    if what == "ours":
        times = tab.page.evaluate(HOVER, HOVERS)
        found["hover"] = statistics.quantiles(times, n=20)[-1]
        found["frames"] = tab.page.evaluate(PAN)
        tab.page.wait_for_timeout(1500)
        found["lasso"], found["lasso bytes"], found["rows"] = tab.lasso()
    found["heap"] = tab.heap()
    found["renderer"], found["gpu"] = renderer(psutil.Process())
    tab.close()
    return found


def session_cost(browser, address, n):
    """Bytes that one more session with the map costs the server."""
    server = app_of(address)
    tabs = [Tab(browser, address, "ours", n)]
    tabs[0].draw()
    before = server.memory_info().rss
    for _ in range(SESSIONS):
        tabs.append(Tab(browser, address, "ours", n))
        tabs[-1].draw()
    cost = (server.memory_info().rss - before) / SESSIONS
    for tab in tabs:
        tab.close()
    return cost


def table(n, ours, theirs, cost):
    """The lines of the table for n points."""
    def line(what, mine, other, ratio="", target="", ok=None):
        verdict = "" if ok is None else "yes" if ok else "**no**"
        return f"| {n:,} | {what} | {mine} | {other} | {ratio} | {target} | {verdict} |"

    limit = 1 / 2 if n < 500_000 else 1 / 8
    drawn, recolour = ours["drawn"] / theirs["drawn"], ours["recolour"] / theirs["recolour"]
    half = ours["rows"] / n
    return [
        line("drawn, s", f"{ours['drawn']:.2f}", f"{theirs['drawn']:.2f}", f"{drawn:.3f}",
             f"<= 1/{1 / limit:.0f}", drawn <= limit),
        line("bytes a point", f"{ours['bytes'] / n:.2f}", f"{theirs['bytes'] / n:.1f}",
             f"{ours['bytes'] / theirs['bytes']:.3f}", "<= 10", ours["bytes"] / n <= 10),
        line("its program, once, kB", f"{ours['program'] / 1e3:,.0f}",
             f"{theirs['program'] / 1e3:,.0f}"),
        line("recolour, kB", f"{ours['recolour'] / 1e3:,.0f}", f"{theirs['recolour'] / 1e3:,.0f}",
             f"{recolour:.3f}", "<= 1/10", recolour <= 1 / 10),
        line(f"lasso round {half:.0%} back in Python, s", f"{ours['lasso']:.2f}", "-", "", "< 1",
             ours["lasso"] < 1),
        line("lasso, kB sent", f"{ours['lasso bytes'] / 1e3:,.0f}", "-"),
        line("hover card p95, ms", f"{ours['hover']:.0f}", "-", "", "< 100", ours["hover"] < 100),
        line("frames a second while panning", f"{ours['frames']:.0f}", "-"),
        line("rerun that changes nothing, kB", f"{ours['nothing'] / 1e3:,.1f}",
             f"{theirs['nothing'] / 1e3:,.1f}", "", "the page's buttons alone",
             ours["nothing"] < 20_000),
        line("heap of the page, MB", f"{ours['heap'] / 1e6:,.0f}", f"{theirs['heap'] / 1e6:,.0f}"),
        line("page process, MB", f"{ours['renderer'] / 1e6:,.0f}",
             f"{theirs['renderer'] / 1e6:,.0f}"),
        line("drawing process, MB", f"{ours['gpu'] / 1e6:,.0f}", f"{theirs['gpu'] / 1e6:,.0f}"),
        line("server, MB for one more session", f"{cost / 1e6:,.1f}", "-"),
    ]


def main(sizes):
    from playwright.sync_api import sync_playwright

    print(f"Load at the start {os.getloadavg()[0]:.1f} on {os.cpu_count()} cores.\n", flush=True)
    print("| points | what | our map | st.plotly_chart | ratio | target | met |")
    print("|---|---|---|---|---|---|---|", flush=True)
    with sync_playwright() as driver, tempfile.TemporaryDirectory() as folder:
        for n in sizes:
            with serving(APP, Path(folder), PYTHONPATH=str(ROOT), EXPLORER_HOME=folder) as address:
                found = {}
                for what in ("ours", "plotly"):
                    # One browser each: what one leaves in memory is not counted for the other.
                    browser = driver.chromium.launch(executable_path=CHROMIUM, args=FLAGS)
                    began = time.monotonic()
                    found[what] = measure(browser, address, what, n)
                    print(f"<!-- {what} {n}: {time.monotonic() - began:.0f} s, load "
                          f"{os.getloadavg()[0]:.1f}: {found[what]} -->", flush=True)
                    if what == "ours":
                        cost = session_cost(browser, address, n)
                    browser.close()
            print("\n".join(table(n, found["ours"], found["plotly"], cost)), flush=True)


if __name__ == "__main__":
    main([int(size) for size in sys.argv[1:]] or [100_000, 1_000_000])
