"""A laid-out map as SVG: circles grouped by colour, and text that is text."""

from __future__ import annotations

from collections.abc import Iterator
from xml.sax.saxutils import escape, quoteattr

import numpy as np

from explorer.plot.scene import Scene, Words

_FONT = "system-ui, 'Source Sans 3', 'Helvetica Neue', Arial, sans-serif"


def write_svg(scene: Scene, *, scale: float = 1.0) -> str:
    """The scene as one SVG file, shown `scale` times as large. Nothing in it is fetched or runs.

    Neighbours of one colour in the drawing order share a group, so the order is kept.
    """
    size = f'width="{scene.width * scale:g}" height="{scene.height * scale:g}"'
    lines = ['<?xml version="1.0" encoding="UTF-8"?>',
             f'<svg xmlns="http://www.w3.org/2000/svg" {size} '
             f'viewBox="0 0 {scene.width} {scene.height}" font-family={quoteattr(_FONT)}>',
             f'<rect width="{scene.width}" height="{scene.height}" fill="#FFFFFF"/>']
    lines += _points(scene)
    if scene.bar is not None:
        step = scene.bar.height / len(scene.bar.colors)
        lines += [f'<rect x="{scene.bar.x:g}" y="{scene.bar.y + scene.bar.height - at * step:.2f}" '
                  f'width="{scene.bar.width:g}" height="{step + 0.5:.2f}" fill="{color}" '
                  f'transform="translate(0 {-step:.3f})"/>'
                  for at, color in enumerate(scene.bar.colors)]
    lines += [f'<rect x="{dot.x - 5:g}" y="{dot.y - 5:g}" width="10" height="10" rx="5" '
              f'fill="{dot.color}"/>' for dot in scene.dots]
    lines += map(_text, scene.words)
    return "\n".join([*lines, "</svg>", ""])


def _points(scene: Scene) -> Iterator[str]:
    if not len(scene.spots):
        return
    edges = np.flatnonzero(np.diff(scene.paints, prepend=-2))
    for start, end in zip(edges, [*edges[1:], len(scene.paints)], strict=True):
        paint = int(scene.paints[start])
        yield (f'<g class="points" fill="{scene.colors[paint]}" '
               f'fill-opacity="{scene.opacity_of(paint):.3f}">')
        yield "\n".join(f'<circle cx="{x:.2f}" cy="{y:.2f}" r="{scene.radius:.2f}"/>'
                        for x, y in scene.spots[start:end].tolist())
        yield "</g>"


def _text(words: Words) -> str:
    anchor = ' text-anchor="middle"' if words.middle else ""
    # A white edge under the letters: names lie on points.
    halo = (' stroke="#FFFFFF" stroke-width="3" stroke-linejoin="round" paint-order="stroke" '
            'font-weight="600"' if words.middle else "")
    return (f'<text x="{words.x:.1f}" y="{words.y:.1f}" font-size="{words.size}" '
            f'fill="{words.color}"{anchor}{halo}>{escape(words.text)}</text>')
