"""The measured lines of .streamlit/config.toml: without one, pages are slow or the app open."""

import tomllib
from pathlib import Path

import pytest

CONFIG = tomllib.loads(
    (Path(__file__).parents[1] / ".streamlit" / "config.toml").read_text(encoding="utf-8"))


@pytest.mark.parametrize(("section", "name", "value"), [
    ("server", "address", "127.0.0.1"),
    ("server", "allowedHosts", ["localhost", "127.0.0.1"]),
    ("server", "fileWatcherType", "none"),
    ("server", "enableXsrfProtection", True),
    ("server", "enableCORS", True),
    ("server", "enableStaticServing", False),
    ("server", "showEmailPrompt", False),
    ("runner", "postScriptGC", False),
    ("runner", "magicEnabled", False),
    ("client", "showErrorDetails", "none"),
    ("client", "toolbarMode", "viewer"),
    ("browser", "gatherUsageStats", False),
])
def test_line_is_there(section, name, value):
    assert CONFIG[section][name] == value


def test_streamlit_knows_every_line():
    from streamlit import config

    known = config.get_config_options(force_reparse=False)
    for name in _flat(CONFIG):
        assert name in known


def _flat(options, before=""):
    for name, value in options.items():
        if isinstance(value, dict):
            yield from _flat(value, f"{before}{name}.")
        else:
            yield before + name
