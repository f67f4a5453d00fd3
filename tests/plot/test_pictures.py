"""Maps as files: SVG and PNG against the points they were made of, HTML against intruders."""

import io
import re
import xml.etree.ElementTree as ET

import numpy as np
import plotly.graph_objects as go
import pytest
from PIL import Image

from explorer.plot import png
from explorer.plot.page import write_page
from explorer.plot.palette import NOISE_COLOR, CategoryColors, NumberColors, cluster_colors
from explorer.plot.png import write_png
from explorer.plot.scene import CONTEXT, LISTED, Named, lay_out
from explorer.plot.svg import write_svg

SVG = "{http://www.w3.org/2000/svg}"
HOSTILE = '</text><script>window.canary=1</script>&"\'<svg onload="x">\x0b\x00\u202e]]>'
RANDOM = np.random.default_rng(3)
POINTS = RANDOM.normal(size=(400, 2)) * (3, 1) + (100, -20)
LABELS = np.repeat([0, 1, 2, -1], [200, 120, 60, 20])


def scene(**changes):
    given = {"points": POINTS, "colors": cluster_colors(LABELS), "title": "Map", **changes}
    return lay_out(given.pop("points"), given.pop("colors"), **given)


def circles(text):
    """(x, y, colour) of every point, in the order drawn."""
    return [(float(dot.get("cx")), float(dot.get("cy")), group.get("fill"))
            for group in ET.fromstring(text.encode()).iter(f"{SVG}g")
            if group.get("class") == "points" for dot in group.iter(f"{SVG}circle")]


def by_place(found):
    """The points of the projection, from their circles by least squares; residuals and colours."""
    order = np.concatenate([np.flatnonzero(label == LABELS) for label in (-1, 0, 1, 2)])
    x, y = np.array([spot[:2] for spot in found]).T
    fit = []
    for drawn, true in ((x, POINTS[order, 0]), (y, POINTS[order, 1])):
        (slope, shift), *_ = np.linalg.lstsq(np.column_stack([true, np.ones(len(true))]), drawn,
                                             rcond=None)
        fit.append((slope, np.abs(slope * true + shift - drawn).max()))
    return fit, [color for *_, color in found], order


def test_svg_has_every_point_where_it_is_with_its_colour_small_clusters_on_top():
    found = circles(write_svg(scene()))
    assert len(found) == 400
    (across, off_x), (up, off_y) = by_place(found)[0]
    assert max(off_x, off_y) < 0.01  # written with two digits
    assert across == pytest.approx(-up, rel=1e-4)  # one scale; up is up
    colors = cluster_colors(LABELS)
    _, drawn, order = by_place(found)
    assert drawn == [colors.color(int(label)) for label in LABELS[order]]
    assert drawn[0] == NOISE_COLOR


def test_selection_leaves_context_and_a_filter_leaves_rows_out():
    chosen, passing = LABELS == 1, LABELS >= 0
    found = circles(write_svg(scene(selected=chosen, drawn=passing)))
    assert len(found) == 380
    color = cluster_colors(LABELS).color(1)
    assert [spot[2] for spot in found] == [CONTEXT] * 260 + [color] * 120


def test_legend_counts_what_is_drawn_and_names_stand_apart():
    names = [Named("Big", *POINTS[0]), Named("Hidden under it", *POINTS[0]),
             Named("Other", POINTS[:, 0].max(), POINTS[:, 1].max())]
    drawn = scene(heading="cluster", names=names, drawn=LABELS != 2)
    texts = [words.text for words in drawn.words]
    assert texts[3:6] == ["Cluster 0  200", "Cluster 1  120", "Noise  20"]
    assert "Big" in texts
    assert "Other" in texts
    assert "Hidden under it" not in texts
    many = lay_out(np.zeros((100, 2)), cluster_colors(np.arange(100) % 40), title="")
    assert many.words[-1].text == "and 14 more: 28 rows"  # the smallest, of two rows each
    assert len(many.dots) == LISTED


def test_numbers_have_a_scale_and_a_count_of_what_is_missing():
    values = np.where(np.arange(400) % 10, POINTS[:, 0], np.nan)
    drawn = scene(colors=NumberColors(values, "x"), heading="x")
    assert drawn.bar is not None
    assert f"{np.nanmax(values):.4g}" in [words.text for words in drawn.words]
    assert "not defined  40" in [words.text for words in drawn.words]
    colors = [spot[2] for spot in circles(write_svg(drawn))]
    assert colors[:40] == [NOISE_COLOR] * 40
    lowest, highest = np.nanargmin(values), np.nanargmax(values)
    shades = dict(zip([at for at in range(400) if at % 10], colors[40:], strict=True))
    assert (shades[lowest], shades[highest]) == (drawn.bar.colors[0], drawn.bar.colors[-1])


def test_text_of_strangers_is_text_in_svg():
    text = write_svg(scene(title=HOSTILE, subtitle=HOSTILE, heading=HOSTILE,
                           colors=CategoryColors(LABELS, {0: HOSTILE}, {}),
                           names=[Named(HOSTILE, *POINTS[0])]))
    root = ET.fromstring(text.encode())  # well formed, though \x0b and \x00 came in
    assert {element.tag.removeprefix(SVG) for element in root.iter()} == {
        "svg", "g", "circle", "rect", "text"}
    assert not re.search(r"href|\bon\w+=(?=[\"'])", re.sub(r"<text.*?</text>", "", text))
    titles = [element.text for element in root.iter(f"{SVG}text")]
    assert titles[0].startswith("</text><script>window.canary=1</script>&")
    assert not any(re.search("[\u202a-\u202e\x00-\x08\x0b]", title) for title in titles)


@pytest.mark.parametrize("limit", [60_000, 10])
def test_png_has_the_colour_of_a_point_in_its_middle(monkeypatch, limit):
    """Both ways of drawing, at the points that nothing lies on."""
    monkeypatch.setattr(png, "STAMPED", limit)
    drawn = scene(points=POINTS, colors=cluster_colors(LABELS))
    image = np.asarray(Image.open(io.BytesIO(write_png(drawn))).convert("RGB"), dtype=int)
    assert image.shape == (2 * drawn.height, 2 * drawn.width, 3)
    opacity = drawn.opacity if limit > 10 else 1.0
    checked = 0
    for at, (x, y) in enumerate(drawn.spots):
        apart = np.hypot(*(drawn.spots - (x, y)).T)
        apart[at] = np.inf
        if apart.min() < 2.5 * drawn.radius:
            continue
        color = drawn.colors[drawn.paints[at]]
        pure = np.array([int(color[i:i + 2], 16) for i in (1, 3, 5)])
        seen = image[int(2 * y), int(2 * x)]
        assert np.abs(seen - (opacity * pure + (1 - opacity) * 255)).max() <= 3
        checked += 1
    assert checked > 20
    assert (image[-4:, :4] == 255).all()


def test_no_rows_and_one_row_are_drawn():
    none = lay_out(np.empty((0, 2)), cluster_colors(np.empty(0, dtype=int)), title="empty")
    assert circles(write_svg(none)) == []
    assert write_png(none)[:4] == b"\x89PNG"
    one = lay_out(np.ones((1, 2)), cluster_colors(np.zeros(1, dtype=int)), title="one")
    assert len(circles(write_svg(one))) == 1


def test_html_holds_all_it_needs_and_lets_no_other_script_run():
    figure = go.Figure(go.Scatter(x=[1], y=[2], name=HOSTILE), layout={"title": {"text": HOSTILE}})
    page = write_page(figure, title=HOSTILE).decode()
    assert page.count("<script>") == page.count("</script>") == 2
    assert "&lt;script&gt;window.canary" in page.split("</title>")[0]
    policy = re.search(r'Content-Security-Policy" content="([^"]*)"', page)[1]
    parts = dict(part.strip().split(" ", 1) for part in policy.split(";"))
    assert parts["default-src"] == "'none'"
    assert "unsafe-inline" not in parts["script-src"]
    assert parts["script-src"].count("sha256-") == 2
    assert not re.search(r"https?://", parts["script-src"] + parts["img-src"])
