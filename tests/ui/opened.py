"""A page of the app without a browser."""

from pathlib import Path

from streamlit.testing.v1 import AppTest

ROOT = Path(__file__).parents[2]
FIRST = "pages/data/bring.py"


def open_page(path, workspace=None):
    """The app with that page shown."""
    app = AppTest.from_file(str(ROOT / "app.py"), default_timeout=60)
    if workspace:
        app.query_params["w"] = workspace
    app.run()
    if path != FIRST:
        app.switch_page(path)
        app.run()
    assert not app.exception, app.exception
    return app
