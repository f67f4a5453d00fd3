"""What no log may hold, kept out where every log record is made."""

from __future__ import annotations

import logging
import re
from pathlib import Path
from typing import Any

from explorer.escape import log_line

_SESSION = re.compile(r"\b[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}\b")
_IN_URLS = re.compile(r"(/_stcore/upload_file/|/download/|/map-data/(?:bytes|card|picture)/)"
                      r"[^\s\"?]+|([?&]w=)[^\s\"&]+")


def keep_logs_clean() -> None:
    """From now on no log of this process holds what opens a session, a download, a workspace or a
    row, nor a sign that a terminal would obey."""
    make = logging.getLogRecordFactory()
    if getattr(make, "keeps_logs_clean", False):
        return

    def made(*args: Any, **options: Any) -> logging.LogRecord:
        record = make(*args, **options)
        if isinstance(record.args, tuple):
            record.args = tuple(_harmless(value) for value in record.args)
        return record

    made.keeps_logs_clean = True  # type: ignore[attr-defined]
    logging.setLogRecordFactory(made)


def _harmless(value: Any) -> Any:
    if not isinstance(value, str | Exception | Path):
        return value
    text = _IN_URLS.sub(lambda found: f"{found[1] or found[2]}...", str(value))
    return "\n".join(log_line(line) for line in _SESSION.sub("...", text).split("\n"))
