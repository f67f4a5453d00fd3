"""Hostile files, names and texts in the real app, while somebody else works beside it.

X01 to X09, T06, T07 on every page; of 3.1 to 3.6 a sample of the files through the real upload;
S1 (the server answers), S2 (others stay quick), S4 (nothing of the server on the page), S6 (on
without a reload).
"""

import csv
import io
import re
import statistics
import sys
import threading
import time
import urllib.request

import pytest
from playwright.sync_api import expect

from explorer.escape import safe_filename
from tests.browser.conftest import drawn, run_behind, settle, spots_of
from tests.browser.test_main_path import LONG, export_all, make_map, open_page
from tests.browser.test_recipe_and_clusters import rename
from tests.edges.conftest import Server, ask_for_run
from tests.hostile.corpus import CASES

SAMPLE = ("C12", "C24b", "C25", "J02", "P01a", "P05", "N06", "N15", "Z13", "I12b")
SCRIPT = "<img src=x onerror=\"window.canary=1\"><script>window.canary=2</script>"
TEXTS = [
    SCRIPT, "<svg/onload=window.canary=3>", "![i](https://evil.example/i.png)",
    "[l](javascript:window.canary=4)", "<a href='https://evil.example/a'>x</a>",
    "<a href=\"javascript:window.canary=5\">x</a>", ":red[x] :material/home: # big",
    "&lt;b&gt; <b>x</b> a<br>b",
    "$\\href{javascript:window.canary=6}{x}$", "</script><script>window.canary=7</script>",
    "%{customdata} {{x}} {% x %}", "\u202egnp.exe\u202c \u05d0\u05d1", "bell\x07 esc\x1b[31mred",
    "=1+1",
    "https://evil.example/auto www.evil.example", "'\"><iframe src=https://evil.example/f></iframe>",
]
FILE = SCRIPT.replace("/", "\u2215") + " ![i](https:evil) \u202e'\";.csv"
LABELS = ["<img src=x onerror='window.canary=8'>", "![l](https://evil.example/l.png)"]
CLUSTER = "<img src=x onerror='window.canary=9'> ![c](https://evil.example/c.png) :red[c]"
WATCH = """window.violations = [];
document.addEventListener('securitypolicyviolation', event =>
    window.violations.push(event.violatedDirective + ' ' + event.blockedURI));"""


def table():
    """60 rows in two heaps; every column name, text and label is hostile."""
    file = io.StringIO()
    out = csv.writer(file)
    out.writerow([TEXTS[0], TEXTS[2], "<b>size</b> $x$", ":red[width]"])
    for row in range(60):
        heap = row % 2
        out.writerow([f"{TEXTS[row % len(TEXTS)]} {row}", LABELS[heap],
                      heap * 9 + row * 0.01, heap * 7 - row * 0.02])
    return file.getvalue().encode()


class Neighbour(threading.Thread):
    """A session that reruns all the time, and the health check beside it: the seconds they took."""

    def __init__(self, url):
        super().__init__(daemon=True)
        self.server = Server(url, "")
        self.reruns, self.health, self.failed = [], [], ""
        self.over = threading.Event()

    def run(self):
        try:
            with self.server.tab() as tab:
                while not self.over.wait(0.05):
                    started = time.perf_counter()
                    ask_for_run(tab.link)
                    self.reruns.append(time.perf_counter() - started)
                    started = time.perf_counter()
                    with urllib.request.urlopen(f"{self.server.url}/_stcore/health", timeout=5):
                        self.health.append(time.perf_counter() - started)
        except Exception as error:  # the test must see it, whatever it is
            self.failed = repr(error)

    def slowest(self):
        return statistics.quantiles(self.reruns, n=20)[-1]

    def mark(self):
        """Forget what was measured until now."""
        self.reruns, self.health = [], []


@pytest.fixture(scope="module")
def neighbour(app_url):
    """Somebody else's session, and how quick it was before anything hostile came."""
    working = Neighbour(app_url)
    working.start()
    time.sleep(4)
    working.quiet = working.slowest()
    working.mark()
    yield working
    working.over.set()
    working.join(20)


def undisturbed(neighbour):
    """S1 and S2 for what happened since the last mark: the neighbour got every answer. How fast is
    printed (pytest -s) and not asserted: Chromium draws on the same cores."""
    assert not neighbour.failed, neighbour.failed
    assert len(neighbour.reruns) > 10
    assert max(neighbour.health) < 5.0
    sys.stdout.write(f"a neighbour's rerun, p95: {neighbour.quiet:.3f} s alone, "
                     f"{neighbour.slowest():.3f} s beside it; health at most "
                     f"{max(neighbour.health):.3f} s\n")


@pytest.fixture
def watched(page):
    """The page, with what may never happen on it."""
    page.dialogs = []
    page.on("dialog", lambda dialog: (page.dialogs.append(dialog.message), dialog.dismiss()))
    page.add_init_script(WATCH)
    page.reload()
    settle(page)
    return page


def unharmed(page):
    """No script of the data ran, nothing was asked for elsewhere, nothing of the server shows."""
    assert page.evaluate("window.canary") is None
    assert page.dialogs == []
    assert page.evaluate("window.violations") == []
    assert page.locator("a[href*='evil'], a[href^='javascript'], iframe, img[src='x']").count() == 0
    shown = page.locator("body").inner_text()
    assert "Traceback" not in shown
    assert not re.search(r"site-packages|\.py\b.*line \d|/tmp/|/home/|File \"", shown), shown


def put(page, name, content):
    page.locator('input[type="file"]').first.set_input_files(
        {"name": name, "mimeType": "text/csv", "buffer": content})
    page.get_by_role("button", name="Read", exact=True).click()


def test_a_sample_of_hostile_files_is_refused_by_name_and_others_stay_quick(watched, neighbour):
    chosen = [case for case in CASES if case.id in SAMPLE]
    assert len(chosen) == len(SAMPLE)
    neighbour.mark()
    for case in chosen:
        put(watched, case.name, case.make())
        watched.get_by_text(f"Code {case.code}", exact=True).wait_for(timeout=LONG)
        settle(watched)
        expect(watched.get_by_test_id("stAlert").first).to_contain_text(case.name)
        unharmed(watched)
        watched.get_by_role("button", name="Choose other data").click()
        watched.get_by_text("or take a sample").wait_for()
        settle(watched)
    undisturbed(neighbour)


def test_a_hostile_table_is_literal_on_every_page_and_in_what_is_taken_away(
        watched, neighbour, app_home):
    neighbour.mark()
    page = watched
    put(page, FILE, table())
    page.get_by_role("button", name="Make the map").wait_for(timeout=LONG)
    settle(page)
    expect(page.get_by_test_id("stSidebar")).to_contain_text("<script>window.canary=2<∕script>")
    unharmed(page)
    make_map(page)
    unharmed(page)
    hovers_are_literal(page, run_behind(app_home, page))
    open_page(page, "Recipe")
    unharmed(page)
    open_page(page, "Clusters")
    rename(page, 0, CLUSTER)
    unharmed(page)
    open_page(page, "Map")
    drawn(page)  # the content policy lets it
    expect(page.locator(".map-view .legend")).to_contain_text(CLUSTER)
    for panel in ("Columns", "Neighbours", "Search", "Edit clusters", "Selection"):
        page.get_by_role("radio", name=panel).or_(
            page.get_by_role("button", name=panel, exact=True)).first.click()
        page.wait_for_timeout(300)
        settle(page)
        unharmed(page)
    for name in ("Methods", "Jobs"):
        open_page(page, name)
        unharmed(page)
    members = export_all(page, "CSV, exact")
    unharmed(page)
    rows = list(csv.reader(io.StringIO(members["rows.csv"].decode(), newline="")))
    assert TEXTS[0] in rows[0]
    assert rows[1][rows[0].index(TEXTS[0])] == f"{TEXTS[0]} 0"
    with page.expect_download() as download:
        page.get_by_role("link", name="Download with manifest").click()
    name = download.value.suggested_filename
    assert name == safe_filename(name)
    assert re.fullmatch(r"[^<>\"/\\:*?|%;\r\n\u202e]+-[0-9a-f]{8}\.zip", name)
    undisturbed(neighbour)


def hovers_are_literal(page, run):
    """X02, X03, X07: what a card says is the row's text, character by character, as far as it is
    cut; clicked, it becomes the row below the map."""
    spots, seen = spots_of(page, run), {}
    card = page.locator(".map-view .card").first
    for row in range(len(TEXTS)):
        page.mouse.move(*spots[row].tolist())
        expect(card).to_be_visible()
        seen[row] = card.inner_text()
        assert card.locator("a, script, iframe, svg").count() == 0
    assert len(set(seen.values())) > 8  # others lie over some of them
    for said in seen.values():
        assert any(plain(text) in plain(said) for text in TEXTS), said
    page.mouse.click(*spots[0].tolist())
    page.locator(".st-key-selection_bar").get_by_text("1 of 60").wait_for()
    settle(page)
    unharmed(page)


def plain(text):
    """A text as it is shown: no blanks (lines are wrapped), no isolates, signs for the unseen."""
    text = re.sub("[\u2068\u2069]", "", text)
    return re.sub(r"\s", "", re.sub("[\x00-\x08\x0e-\x1f\x7f\u202a-\u202e]", "\ufffd", text))
