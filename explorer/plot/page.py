"""A Plotly figure as one HTML file that needs nothing and asks for nothing."""

from __future__ import annotations

import base64
import hashlib
import html
from typing import Any

from explorer.escape import log_line, shown


def write_page(figure: Any, *, title: str) -> bytes:
    """The figure with plotly.js of the installed package in the file itself.

    The page's own policy lets run only the two scripts written here, by their hashes, and lets
    nothing be fetched. 'unsafe-eval' is what Plotly's WebGL needs.
    """
    from plotly.offline import get_plotlyjs

    # In a script the one way out of a JSON text is '<'; U+2028 and U+2029 are fine since ES2019.
    data = str(figure.to_json()).replace("<", "\\u003c")
    scripts = [get_plotlyjs(),
               f"const figure = {data};\n"
               'Plotly.newPlot("map", figure.data, figure.layout, '
               '{responsive: true, scrollZoom: true, displaylogo: false});']
    hashes = " ".join(map(_allowed, scripts))
    policy = (f"default-src 'none'; script-src {hashes} 'unsafe-eval'; "
              "style-src 'unsafe-inline'; img-src data: blob:; base-uri 'none'; form-action 'none'")
    called = html.escape(shown(log_line(title)))
    return "\n".join([
        "<!DOCTYPE html>", '<html lang="en">', "<head>", '<meta charset="utf-8">',
        f'<meta http-equiv="Content-Security-Policy" content="{policy}">',
        '<meta name="viewport" content="width=device-width">',
        f"<title>{called}</title>",
        "<style>html, body, #map { height: 100%; margin: 0; }</style>", "</head>", "<body>",
        '<div id="map"></div>', *(f"<script>{script}</script>" for script in scripts),
        "</body>", "</html>", ""]).encode()


def _allowed(script: str) -> str:
    digest = base64.b64encode(hashlib.sha256(script.encode()).digest())
    return f"'sha256-{digest.decode()}'"
